use std::any::TypeId;
use std::time::{Duration, SystemTime};

use serde::de::DeserializeOwned;

use super::{foreign, probe};

/// The kind of a column.
///
/// The kind is a function of the Rust type, never of a value. It decides the column's declared SQL type, and how a value
/// becomes a [`Cell`](super::Cell).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// `bool`.
    Bool,
    /// Integers of up to 64 bits; a `u64` above `i64::MAX` cannot be stored.
    Int,
    /// `f32` and `f64`. NaN is stored as NULL.
    Float,
    /// Texts, chars, enums whose variants are all units, and types that serde writes as a text.
    Text,
    /// `Vec<u8>`, and types that serde writes as bytes.
    Bytes,
    /// `jiff::Timestamp` and `SystemTime` in UTC, and `jiff::civil::DateTime`; to the microsecond.
    DateTime,
    /// `jiff::civil::Date`.
    Date,
    /// `jiff::civil::Time`; to the microsecond.
    Time,
    /// `uuid::Uuid`.
    Uuid,
    /// `std::time::Duration`, in seconds.
    Duration,
    /// Everything else, as DATAPAK.
    Serialized,
}

impl Kind {
    /// The declared type of a column of this kind, with its constraints.
    ///
    /// A serialised column holds a pickled `None` by default, since MLtraq cannot load a NULL there.
    pub fn sql_type(self) -> &'static str {
        match self {
            Kind::Bool => "BOOLEAN",
            Kind::Int => "BIGINT",
            Kind::Float | Kind::Duration => "FLOAT",
            Kind::Text | Kind::Bytes | Kind::Uuid => "TEXT",
            Kind::DateTime => "DATETIME",
            Kind::Date => "DATE",
            Kind::Time => "TIME",
            Kind::Serialized => "BLOB NOT NULL DEFAULT x'80054e2e'",
        }
    }

    /// The name of the Python type that MLtraq records for such a column.
    pub fn python_type(self) -> &'static str {
        match self {
            Kind::Bool => "bool",
            Kind::Int => "int",
            Kind::Float | Kind::Duration => "float",
            Kind::Text | Kind::Uuid => "str",
            Kind::Bytes => "bytes",
            Kind::DateTime => "datetime",
            Kind::Date => "date",
            Kind::Time => "time",
            Kind::Serialized => "object",
        }
    }

    /// The kind of a column that some program declared, `serialized` being what MLtraq's metadata says of it.
    ///
    /// Kinds that share a declared type are told apart by no more than their cells, so they come back as the plainest of
    /// them: `TEXT` is `Text`, `FLOAT` is `Float`. `None` if the type is not known.
    pub fn of_sql_type(declared: &str, serialized: bool) -> Option<Kind> {
        if serialized {
            return Some(Kind::Serialized);
        }
        let base = declared
            .split(['(', ' '])
            .next()
            .unwrap_or_default()
            .to_ascii_uppercase();
        Some(match base.as_str() {
            "BOOLEAN" | "BOOL" => Kind::Bool,
            "BIGINT" | "INTEGER" | "INT" | "SMALLINT" => Kind::Int,
            "FLOAT" | "REAL" | "DOUBLE" => Kind::Float,
            "TEXT" | "VARCHAR" | "CHAR" => Kind::Text,
            "BLOB" => Kind::Bytes,
            "DATETIME" | "TIMESTAMP" => Kind::DateTime,
            "DATE" => Kind::Date,
            "TIME" => Kind::Time,
            _ => return None,
        })
    }
}

/// The kind of a column, and whether its cells may be NULL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ColumnType {
    /// The kind.
    pub kind: Kind,
    /// Whether a cell may be NULL because there is no value. A serialised column is never nullable: `None` is a value
    /// there.
    pub nullable: bool,
}

impl ColumnType {
    /// The type of a column that holds values of type `T`.
    ///
    /// `Vec<u8>`, `Duration`, `Uuid`, timestamps, dates and times, and options of these are recognised as themselves. Of
    /// any other type it is asked how it is deserialised: scalars, texts and enums of units are native, options of
    /// natives are nullable, newtypes are what they hold; the rest is serialised.
    ///
    /// # Examples
    ///
    /// ```
    /// use xp::value::{ColumnType, Kind};
    ///
    /// assert_eq!(ColumnType::of::<Option<u32>>(), ColumnType { kind: Kind::Int, nullable: true });
    /// assert_eq!(ColumnType::of::<(f64, f64)>(), ColumnType { kind: Kind::Serialized, nullable: false });
    /// ```
    pub fn of<T: DeserializeOwned + 'static>() -> Self {
        if foreign::is_foreign::<T>() {
            return ColumnType::SERIALIZED;
        }
        well_known::<T>().unwrap_or_else(probe::column_type::<T>)
    }

    /// A column whose cells all hold a value of this kind.
    pub const fn required(kind: Kind) -> Self {
        ColumnType {
            kind,
            nullable: false,
        }
    }

    /// A serialised column.
    pub const SERIALIZED: Self = ColumnType::required(Kind::Serialized);
}

/// Whether values of type `T`, or of what it is an option of, stand in files of their own.
pub(crate) fn is_stored<T: DeserializeOwned>() -> bool {
    probe::is_stored::<T>()
}

/// The types whose column is not what serde makes of them.
fn well_known<T: 'static>() -> Option<ColumnType> {
    fn is<T: 'static, U: 'static>() -> Option<bool> {
        let id = TypeId::of::<T>();
        if id == TypeId::of::<U>() {
            Some(false)
        } else if id == TypeId::of::<Option<U>>() {
            Some(true)
        } else {
            None
        }
    }
    let column = |kind| move |nullable| ColumnType { kind, nullable };
    (is::<T, Vec<u8>>().map(column(Kind::Bytes)))
        .or_else(|| is::<T, Duration>().map(column(Kind::Duration)))
        .or_else(|| is::<T, uuid::Uuid>().map(column(Kind::Uuid)))
        .or_else(|| is::<T, jiff::Timestamp>().map(column(Kind::DateTime)))
        .or_else(|| is::<T, jiff::civil::DateTime>().map(column(Kind::DateTime)))
        .or_else(|| is::<T, SystemTime>().map(column(Kind::DateTime)))
        .or_else(|| is::<T, jiff::civil::Date>().map(column(Kind::Date)))
        .or_else(|| is::<T, jiff::civil::Time>().map(column(Kind::Time)))
}

/// The members of a flat struct, with the types of their columns; `None` if `T` is no such struct.
///
/// `()` and unit structs have no members, and a newtype of a struct has its members. Members are recognised by what serde
/// makes of them alone: a `Uuid` is a text there, a `Vec<u8>` serialised; a `Duration` is its seconds as everywhere. A
/// struct with `#[serde(flatten)]` inside does not tell its members. Aliases are left out where the member can be made of a
/// dummy (a number, an empty text or list, a first variant); otherwise they cannot be told from members.
///
/// # Examples
///
/// ```
/// use xp::value::{ColumnType, Kind, members_of};
///
/// #[derive(serde::Deserialize)]
/// struct Fields {
///     accuracy: f64,
///     label: Option<String>,
/// }
///
/// let members = members_of::<Fields>().unwrap();
/// assert_eq!(members[0], ("accuracy", ColumnType { kind: Kind::Float, nullable: false }));
/// assert_eq!(members[1], ("label", ColumnType { kind: Kind::Text, nullable: true }));
/// ```
pub fn members_of<T: DeserializeOwned + 'static>() -> Option<Vec<(&'static str, ColumnType)>> {
    if foreign::is_foreign::<T>() {
        return None;
    }
    probe::members::<T>()
}
