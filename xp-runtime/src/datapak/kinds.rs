//! Complex values: dicts of the form `{"DATAPAK-0": kind, "value": payload}`.

pub(super) const MAGIC: &str = "DATAPAK-0";
pub(super) const PAYLOAD: &str = "value";

pub(super) const BUNCH: &str = "mltraq.Bunch-0";
pub(super) const UUID: &str = "uuid.UUID-0";
pub(super) const DATETIME64: &str = "numpy.datetime64-0";
pub(super) const SEQUENCE: &str = "mltraq.Sequence-0";
pub(super) const DATA_FRAME: &str = "pandas.DataFrame-0";

/// What an integer beyond 128 bits is packed as: the bytes of its little-endian two's complement. In DATAPAK it is an integer
/// like any other, and no complex value.
pub(super) const BIG_INT: &str = "int";

/// Kinds that are kept as they are stored. Any other kind is unknown, and refused by `mltraq` too.
const PACKED: [&str; 9] = [
    BUNCH,
    SEQUENCE,
    DATA_FRAME,
    "pandas.Series-0",
    "pyarrow.Table-0",
    "numpy.ndarray-0",
    "mltraq.DataStore-0",
    "mltraq.ArchiveStore-0",
    "mltraq.Archive-0",
];

/// Whether a packed value may be of this kind. (A bunch is one if not all of its keys are texts.)
pub(super) fn is_packed(kind: &str) -> bool {
    PACKED.contains(&kind)
}
