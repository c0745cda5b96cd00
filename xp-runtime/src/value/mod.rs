//! Typed values, and how Rust types become columns.
//!
//! A [`Value`] is what the database can hold in a field: scalars, texts, containers, and the few types that have a form
//! of their own in DATAPAK. Any serde type becomes a value with [`to_value`] and comes back with [`from_value`];
//! [`to_members`] and [`from_members`] do the same for flat structs whose members are columns. The kind of a column is
//! a function of the Rust type alone: see [`ColumnType::of`].

mod cell;
mod convert;
mod de;
mod display;
mod error;
mod kind;
mod members;
mod plain;
mod probe;
mod ser;

pub use cell::Cell;
pub use de::{from_members, from_value};
pub use error::ValueError;
pub use kind::{ColumnType, Kind, members_of};
pub use members::to_members;
pub use ser::to_value;

pub(crate) use de::{Source, ValueDeserializer, visit_entries, visit_items, visit_variant};
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
    /// A complex value that is kept as it is stored, such as a data frame or an array, or an integer beyond 128 bits.
    Packed {
        /// The kind, as DATAPAK names it: `mltraq.Sequence-0`.
        kind: String,
        /// What is stored under that kind.
        payload: Box<Value>,
    },
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        use Value::*;
        match (self, other) {
            (Null, Null) => true,
            (Bool(a), Bool(b)) => a == b,
            (Int(a), Int(b)) => a == b,
            (Float(a), Float(b)) => a == b || (a.is_nan() && b.is_nan()),
            (Text(a), Text(b)) => a == b,
            (Bytes(a), Bytes(b)) => a == b,
            (List(a), List(b)) | (Tuple(a), Tuple(b)) | (Set(a), Set(b)) => a == b,
            (Map(a), Map(b)) => a == b,
            (Bunch(a), Bunch(b)) => a == b,
            (Uuid(a), Uuid(b)) => a == b,
            (DateTime64(a), DateTime64(b)) => a == b,
            (DateTime(a), DateTime(b)) => a == b,
            (Date(a), Date(b)) => a == b,
            (Time(a), Time(b)) => a == b,
            (
                Packed {
                    kind: a,
                    payload: p,
                },
                Packed {
                    kind: b,
                    payload: q,
                },
            ) => a == b && p == q,
            _ => false,
        }
    }
}

impl Eq for Value {}

impl Value {
    /// What kind of value this is, in words: `a text`, `an integer`.
    pub(crate) fn describe(&self) -> &'static str {
        match self {
            Value::Null => "nothing",
            Value::Bool(_) => "a bool",
            Value::Int(_) => "an integer",
            Value::Float(_) => "a float",
            Value::Text(_) => "a text",
            Value::Bytes(_) => "bytes",
            Value::List(_) => "a list",
            Value::Tuple(_) => "a tuple",
            Value::Set(_) => "a set",
            Value::Map(_) => "a map",
            Value::Bunch(_) => "a bunch",
            Value::Uuid(_) => "a UUID",
            Value::DateTime64(_) => "a datetime64",
            Value::DateTime(_) => "a datetime",
            Value::Date(_) => "a date",
            Value::Time(_) => "a time",
            Value::Packed { .. } => "a packed value",
        }
    }
}

#[cfg(test)]
pub(crate) mod strategies;
#[cfg(test)]
mod tests;
