//! Complex values: dicts of the form `{"DATAPAK-0": kind, "value": payload}`.

pub(super) const MAGIC: &str = "DATAPAK-0";
pub(super) const PAYLOAD: &str = "value";

pub(super) const BUNCH: &str = "mltraq.Bunch-0";
pub(super) const UUID: &str = "uuid.UUID-0";
pub(super) const DATETIME64: &str = "numpy.datetime64-0";
pub(super) const SEQUENCE: &str = "mltraq.Sequence-0";
pub(super) const DATA_FRAME: &str = "pandas.DataFrame-0";

pub(super) const SERIES: &str = "pandas.Series-0";
pub(super) const TABLE: &str = "pyarrow.Table-0";
pub(super) const ARRAY: &str = "numpy.ndarray-0";
pub(crate) const DATA_STORE: &str = "mltraq.DataStore-0";
pub(crate) const ARCHIVE_STORE: &str = "mltraq.ArchiveStore-0";
pub(super) const ARCHIVE: &str = "mltraq.Archive-0";

/// All kinds. Any other is unknown, and refused by `mltraq` too.
pub(super) const ALL: [&str; 11] = [
    BUNCH,
    UUID,
    DATETIME64,
    SEQUENCE,
    DATA_FRAME,
    SERIES,
    TABLE,
    ARRAY,
    DATA_STORE,
    ARCHIVE_STORE,
    ARCHIVE,
];
