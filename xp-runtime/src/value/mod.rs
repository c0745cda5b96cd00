//! Typed values, and how Rust types become columns.
//!
//! A [`Value`] is what the database can hold in a field: scalars, texts, containers, and the few types that have a form
//! of their own in DATAPAK. Any serde type becomes a value with [`to_value`] and comes back with [`from_value`];
//! [`to_members`] and [`from_members`] do the same for flat structs whose members are columns. The kind of a column is
//! a function of the Rust type alone: see [`ColumnType::of`].

mod archive;
mod array;
mod big_int;
mod cell;
mod convert;
mod de;
mod display;
mod error;
pub(crate) mod foreign;
mod frame;
mod half;
mod kind;
pub(crate) mod marks;
mod members;
pub(crate) mod origin;
mod plain;
mod probe;
mod ser;
mod store_url;

pub use archive::{Archive, ArchiveEntry, ArchiveError};
pub use array::{Array, ArrayError, DType, Element, Member, Order, Scalar, ScalarKind};
pub use big_int::BigInt;
pub use cell::Cell;
pub use de::{from_members, from_value};
pub use error::ValueError;
#[cfg(feature = "arrow")]
pub use frame::ArrowTable;
pub use frame::{
    Binaries, Bitmap, Column, ColumnData, ColumnError, DataType, Field, Frame, FrameError, Index,
    Lists, Structs, Temporal, Texts, TimeUnit,
};
pub use kind::{ColumnType, Kind, members_of};
pub use members::to_members;
pub use ser::to_value;
pub use store_url::StoreUrl;

pub(crate) use de::{
    Source, ValueDeserializer, from_record, visit_entries, visit_items, visit_variant,
};
pub(crate) use frame::{ColumnBuilder, estimated_size, write as write_arrow_file};
pub(crate) use kind::is_stored;
pub(crate) use members::to_column_value;

/// How deep values may nest, counting every container around the innermost value.
///
/// Deeper values are refused when they are made from serde types, written and read, so that no later walk over a value
/// can exhaust the stack of a thread.
pub const MAX_DEPTH: usize = 500;

/// A value of a field, an input or a member of one of these.
///
/// # Equality
///
/// Two values are equal if they have the same variant and the same content. Floats are compared as numbers, except that
/// NaN equals NaN: a value that was stored and read again equals itself. `Map`, `Bunch` and `Set` keep their order and
/// are compared in it.
///
/// # Examples
///
/// ```
/// use xp::value::{Value, to_value};
///
/// let value = to_value(&("k", 3, vec![0.5]))?;
/// assert_eq!(value, Value::Tuple(vec!["k".into(), 3.into(), Value::List(vec![0.5.into()])]));
/// assert_eq!(value.to_string(), r#"("k", 3, [0.5])"#);
/// # Ok::<(), xp::value::ValueError>(())
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Value {
    /// Nothing: `None`, `()`, SQL's NULL.
    #[default]
    Null,
    /// A truth value.
    Bool(bool),
    /// An integer; all of Rust's integer types but the upper half of `u128` fit.
    Int(i128),
    /// An integer beyond 128 bits.
    BigInt(BigInt),
    /// A floating-point number.
    Float(f64),
    /// A text.
    Text(String),
    /// Raw bytes.
    Bytes(Vec<u8>),
    /// Elements in order.
    List(Vec<Value>),
    /// A fixed number of elements.
    Tuple(Vec<Value>),
    /// Distinct elements, in the order in which they were written.
    Set(Vec<Value>),
    /// Keys and values, in order. Keys may be scalars, or tuples of scalars.
    Map(Vec<(Value, Value)>),
    /// MLtraq's ordered dictionary with attribute access: names and values, in order.
    Bunch(Vec<(String, Value)>),
    /// A bunch whose keys are not all texts, which only other programs make.
    KeyedBunch(Vec<(Value, Value)>),
    /// A universally unique identifier.
    Uuid(uuid::Uuid),
    /// A point in time without a zone, in microseconds since 1970-01-01; `None` is NaT, "not a time" (numpy.datetime64).
    DateTime64(Option<i64>),
    /// A date and time without a zone. Stored as a column of its own, never inside another value.
    DateTime(jiff::civil::DateTime),
    /// A date. Stored as a column of its own, never inside another value.
    Date(jiff::civil::Date),
    /// A time of day. Stored as a column of its own, never inside another value.
    Time(jiff::civil::Time),
    /// An array (numpy.ndarray).
    Array(Array),
    /// A data frame (pandas.DataFrame).
    Frame(Frame),
    /// A column with an index (pandas.Series).
    Series(Frame),
    /// An Arrow table (pyarrow.Table).
    Table(Frame),
    /// The rows of a [`Sequence`](crate::Sequence).
    Sequence(Frame),
    /// A reference to values in a file of their own, beside the database.
    DataStore(StoreUrl),
    /// A reference to an archive in a file of its own, beside the database.
    ArchiveStore(StoreUrl),
    /// Files in an archive.
    Archive(Archive),
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        use Value::*;
        match (self, other) {
            (Null, Null) => true,
            (Bool(a), Bool(b)) => a == b,
            (Int(a), Int(b)) => a == b,
            (BigInt(a), BigInt(b)) => a == b,
            (Float(a), Float(b)) => a == b || (a.is_nan() && b.is_nan()),
            (Text(a), Text(b)) => a == b,
            (Bytes(a), Bytes(b)) => a == b,
            (List(a), List(b)) | (Tuple(a), Tuple(b)) | (Set(a), Set(b)) => a == b,
            (Map(a), Map(b)) | (KeyedBunch(a), KeyedBunch(b)) => a == b,
            (Bunch(a), Bunch(b)) => a == b,
            (Uuid(a), Uuid(b)) => a == b,
            (DateTime64(a), DateTime64(b)) => a == b,
            (DateTime(a), DateTime(b)) => a == b,
            (Date(a), Date(b)) => a == b,
            (Time(a), Time(b)) => a == b,
            (Array(a), Array(b)) => a == b,
            (Frame(a), Frame(b))
            | (Series(a), Series(b))
            | (Table(a), Table(b))
            | (Sequence(a), Sequence(b)) => a == b,
            (DataStore(a), DataStore(b)) | (ArchiveStore(a), ArchiveStore(b)) => a == b,
            (Archive(a), Archive(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for Value {}

impl Value {
    /// Whether something in it stands in a file of its own.
    pub(crate) fn refers(&self) -> bool {
        match self {
            Value::DataStore(_) | Value::ArchiveStore(_) => true,
            Value::List(items) | Value::Tuple(items) | Value::Set(items) => {
                items.iter().any(Value::refers)
            }
            Value::Map(entries) | Value::KeyedBunch(entries) => {
                entries.iter().any(|(_, value)| value.refers())
            }
            Value::Bunch(entries) => entries.iter().any(|(_, value)| value.refers()),
            _ => false,
        }
    }

    /// About how many bytes it holds.
    pub(crate) fn weight(&self) -> usize {
        const SCALAR: usize = 8;
        match self {
            Value::Text(text) => text.len(),
            Value::Bytes(bytes) => bytes.len(),
            Value::List(items) | Value::Tuple(items) | Value::Set(items) => {
                items.iter().map(Value::weight).sum()
            }
            Value::Map(entries) | Value::KeyedBunch(entries) => {
                let entries = entries.iter();
                entries.map(|(key, of)| key.weight() + of.weight()).sum()
            }
            Value::Bunch(entries) => {
                let entries = entries.iter();
                entries.map(|(key, of)| key.len() + of.weight()).sum()
            }
            Value::Array(array) => array.data().len(),
            Value::Frame(frame)
            | Value::Series(frame)
            | Value::Table(frame)
            | Value::Sequence(frame) => frame.as_arrow_file().len(),
            Value::Archive(archive) => archive.as_tar().len(),
            _ => SCALAR,
        }
    }

    /// What kind of value this is, in words: `a text`, `an integer`.
    pub(crate) fn describe(&self) -> &'static str {
        match self {
            Value::Null => "nothing",
            Value::Bool(_) => "a bool",
            Value::Int(_) => "an integer",
            Value::BigInt(_) => "an integer beyond 128 bits",
            Value::Float(_) => "a float",
            Value::Text(_) => "a text",
            Value::Bytes(_) => "bytes",
            Value::List(_) => "a list",
            Value::Tuple(_) => "a tuple",
            Value::Set(_) => "a set",
            Value::Map(_) => "a map",
            Value::Bunch(_) | Value::KeyedBunch(_) => "a bunch",
            Value::Uuid(_) => "a UUID",
            Value::DateTime64(_) => "a datetime64",
            Value::DateTime(_) => "a datetime",
            Value::Date(_) => "a date",
            Value::Time(_) => "a time",
            Value::Array(_) => "an array",
            Value::Frame(_) => "a data frame",
            Value::Series(_) => "a series",
            Value::Table(_) => "an Arrow table",
            Value::Sequence(_) => "a sequence",
            Value::DataStore(_) => "a data store",
            Value::ArchiveStore(_) => "an archive store",
            Value::Archive(_) => "an archive",
        }
    }
}

#[cfg(test)]
pub(crate) mod strategies;
#[cfg(test)]
mod tests;
