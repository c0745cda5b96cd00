//! The types of columns.

use std::fmt::{self, Display, Formatter};

/// The type of a column, as Arrow has it. How it is laid out in a file is left out: a `large_string` is a text like a
/// `string`, a `fixed_size_list` a list.
///
/// The text is Arrow's: `int64`, `timestamp[us]`, `list<string>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DataType {
    /// No type: all items are null.
    Null,
    /// Truth values.
    Bool,
    /// Signed integers of so many bits: 8, 16, 32 or 64.
    Int(u8),
    /// Unsigned integers of so many bits: 8, 16, 32 or 64.
    UInt(u8),
    /// Floats of so many bits: 16, 32 or 64.
    Float(u8),
    /// Texts.
    Text,
    /// Byte strings.
    Binary,
    /// Points in time, dates, times of day, or durations.
    Temporal(Temporal),
    /// Lists of items of one type.
    List(Box<DataType>),
    /// Named members.
    Struct(Vec<(String, DataType)>),
    /// Items that are written once, and referred to: pandas' categories.
    Dictionary(Box<DataType>),
    /// Universally unique identifiers: of a column in memory, not of one of a file.
    Uuid,
    /// Values of several types, or of one that has no column of its own: of a column in memory, not of one of a file.
    Value,
    /// A type whose columns cannot be read, by its name.
    Unsupported(&'static str),
}

/// What the counts of a temporal column mean.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Temporal {
    /// Since 1970-01-01, in this unit. Without a zone it is wall-clock time; with one it is UTC, to be shown in that zone.
    Timestamp(TimeUnit, Option<String>),
    /// Days since 1970-01-01.
    Date32,
    /// Milliseconds since 1970-01-01, in whole days.
    Date64,
    /// Since midnight.
    Time(TimeUnit),
    /// An amount of time.
    Duration(TimeUnit),
}

impl Temporal {
    /// Microseconds since 1970-01-01 without a zone: the timestamps of sequences.
    pub const TIMESTAMP: Temporal = Temporal::Timestamp(TimeUnit::Microsecond, None);
}

/// A unit of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimeUnit {
    /// `s`
    Second,
    /// `ms`
    Millisecond,
    /// `us`
    Microsecond,
    /// `ns`
    Nanosecond,
}

impl TimeUnit {
    /// How many there are in a second.
    pub fn per_second(self) -> i64 {
        match self {
            TimeUnit::Second => 1,
            TimeUnit::Millisecond => 1_000,
            TimeUnit::Microsecond => 1_000_000,
            TimeUnit::Nanosecond => 1_000_000_000,
        }
    }

    /// So many of the unit in microseconds, rounded towards the past; `None` if they do not fit.
    pub fn micros(self, count: i64) -> Option<i64> {
        match self {
            TimeUnit::Nanosecond => Some(count.div_euclid(1_000)),
            unit => count.checked_mul(1_000_000 / unit.per_second()),
        }
    }
}

impl Display for TimeUnit {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TimeUnit::Second => "s",
            TimeUnit::Millisecond => "ms",
            TimeUnit::Microsecond => "us",
            TimeUnit::Nanosecond => "ns",
        })
    }
}

impl Display for Temporal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Temporal::Timestamp(unit, None) => write!(f, "timestamp[{unit}]"),
            Temporal::Timestamp(unit, Some(zone)) => write!(f, "timestamp[{unit}, tz={zone}]"),
            Temporal::Date32 => f.write_str("date32[day]"),
            Temporal::Date64 => f.write_str("date64[ms]"),
            Temporal::Time(unit @ (TimeUnit::Second | TimeUnit::Millisecond)) => {
                write!(f, "time32[{unit}]")
            }
            Temporal::Time(unit) => write!(f, "time64[{unit}]"),
            Temporal::Duration(unit) => write!(f, "duration[{unit}]"),
        }
    }
}

impl Display for DataType {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            DataType::Null => f.write_str("null"),
            DataType::Bool => f.write_str("bool"),
            DataType::Int(bits) => write!(f, "int{bits}"),
            DataType::UInt(bits) => write!(f, "uint{bits}"),
            DataType::Float(bits) => write!(f, "float{bits}"),
            DataType::Text => f.write_str("string"),
            DataType::Binary => f.write_str("binary"),
            DataType::Temporal(temporal) => write!(f, "{temporal}"),
            DataType::List(items) => write!(f, "list<{items}>"),
            DataType::Struct(members) => {
                f.write_str("struct<")?;
                for (i, (name, data_type)) in members.iter().enumerate() {
                    let comma = if i == 0 { "" } else { "," };
                    write!(f, "{comma}{name}:{data_type}")?;
                }
                f.write_str(">")
            }
            DataType::Dictionary(values) => write!(f, "dictionary<{values}>"),
            DataType::Uuid => f.write_str("uuid"),
            DataType::Value => f.write_str("value"),
            DataType::Unsupported(name) => f.write_str(name),
        }
    }
}
