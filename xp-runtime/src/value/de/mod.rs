mod access;

use std::time::Duration;

use serde::de::{DeserializeOwned, Deserializer, Visitor};

pub(crate) use self::access::{Source, visit_entries, visit_items, visit_variant};
use super::frame::record;
use super::marks::unmarked;
use super::origin;
use super::{Array, BigInt, Column, Frame, Value, ValueError};

/// Turn a [`Value`] back into a Rust type: the inverse of [`to_value`](crate::value::to_value).
///
/// Integers go into any integer type that holds them, and into floats; lists, tuples and sets are interchangeable, and
/// so are maps and bunches. A struct may come from a map or, by position, from a list; a `Duration` also from its
/// seconds. Where a map needs numbers as keys, texts of numbers serve too.
///
/// An array is nested lists, and one without dimensions its item. A series is a list of its items; a frame, table or sequence
/// is a list of rows if a list is asked for, and a map from names to columns if a map or a struct is. A null of a frame is
/// `None`, or NaN where a float is asked for. A [`Value`] is itself.
///
/// # Errors
///
/// A value of another shape or out of range; the path leads to it.
///
/// # Examples
///
/// ```
/// use xp::value::{from_value, to_value};
///
/// let value = to_value(&vec![("a", 1), ("b", 300)])?;
/// assert_eq!(from_value::<Vec<(String, u64)>>(value.clone())?[1].1, 300);
/// let error = from_value::<Vec<(String, u8)>>(value).unwrap_err();
/// assert_eq!(error.to_string(), "in `[1][1]`: expected u8, found 300");
/// # Ok::<(), xp::value::ValueError>(())
/// ```
pub fn from_value<T: DeserializeOwned>(v: Value) -> Result<T, ValueError> {
    T::deserialize(ValueDeserializer::new(v))
}

/// A struct from its members: the inverse of [`to_members`](crate::value::to_members).
///
/// The order does not matter, and a missing `Option` is `None`.
///
/// # Errors
///
/// As [`from_value`]; the message or the path names the member.
pub fn from_members<T: DeserializeOwned>(members: Vec<(String, Value)>) -> Result<T, ValueError> {
    from_value(Value::Bunch(members))
}

/// A value of an item of a frame, where null is NaN if a float is asked for.
pub(super) fn from_cell<T: DeserializeOwned>(v: Value) -> Result<T, ValueError> {
    T::deserialize(ValueDeserializer {
        place: Place::Cell,
        ..ValueDeserializer::new(v)
    })
}

/// The row of these columns at `index`.
pub(crate) fn from_record<T: DeserializeOwned>(
    columns: &[&Column],
    index: usize,
) -> Result<T, ValueError> {
    T::deserialize(ValueDeserializer {
        place: Place::Record,
        ..ValueDeserializer::new(record(columns, index))
    })
}

/// The rows of a frame.
pub(super) fn from_records<T: DeserializeOwned>(frame: &Frame) -> Result<Vec<T>, ValueError> {
    let columns = frame.columns()?;
    let columns: Vec<_> = columns.iter().collect();
    (0..frame.rows())
        .map(|i| from_record(&columns, i).map_err(|e| e.in_element(i)))
        .collect()
}

/// Where a value stands.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Anywhere,
    /// It is the key of a map, which may be written as a text.
    Key,
    /// It is a row of a frame.
    Record,
    /// It is an item of a frame.
    Cell,
}

impl Place {
    /// Where its parts stand.
    fn inner(self) -> Place {
        match self {
            Place::Record => Place::Cell,
            _ => Place::Anywhere,
        }
    }
}

/// Deserialises from a value.
pub(crate) struct ValueDeserializer {
    value: Value,
    place: Place,
}

impl Source<'_> for ValueDeserializer {
    type Name = String;

    fn name(&self) -> String {
        self.value.to_string()
    }

    fn into_key(self) -> Self {
        ValueDeserializer {
            place: Place::Key,
            ..self
        }
    }
}

impl ValueDeserializer {
    pub(crate) fn new(value: Value) -> Self {
        ValueDeserializer {
            value,
            place: Place::Anywhere,
        }
    }

    fn mismatch<T>(self, expected: &dyn serde::de::Expected) -> Result<T, ValueError> {
        Err(ValueError::expected(expected, self.value.describe()))
    }

    /// The number that a key stands for, if it is written as a text.
    fn key_as<T: std::str::FromStr>(&self) -> Option<T> {
        match &self.value {
            Value::Text(text) if self.place == Place::Key => text.parse().ok(),
            _ => None,
        }
    }
}

fn visit_seq<'de, V: Visitor<'de>>(
    items: impl ExactSizeIterator<Item = Value>,
    place: Place,
    visitor: V,
) -> Result<V::Value, ValueError> {
    let items = items.map(|value| ValueDeserializer { value, place });
    visit_items(items, visitor)
}

/// The parts of the array's first dimension.
fn visit_array<'de, V: Visitor<'de>>(array: &Array, visitor: V) -> Result<V::Value, ValueError> {
    match array.shape().split_first() {
        Some((len, inner)) => {
            let mut next = 0;
            let parts = (0..*len).map(|_| array.nested(inner, &mut next));
            visit_seq(parts, Place::Anywhere, visitor)
        }
        None => ValueDeserializer::new(array.item(0)).deserialize_seq(visitor),
    }
}

/// The rows of the frame.
fn visit_records<'de, V: Visitor<'de>>(frame: &Frame, visitor: V) -> Result<V::Value, ValueError> {
    let columns = frame.columns()?;
    let columns: Vec<_> = columns.iter().collect();
    let rows = (0..frame.rows()).map(|i| record(&columns, i));
    visit_seq(rows, Place::Record, visitor)
}

/// The items of the series.
fn visit_series<'de, V: Visitor<'de>>(frame: &Frame, visitor: V) -> Result<V::Value, ValueError> {
    visit_seq(frame.series_column()?.iter(), Place::Cell, visitor)
}

/// The columns of the frame, by name.
fn visit_columns<'de, V: Visitor<'de>>(frame: &Frame, visitor: V) -> Result<V::Value, ValueError> {
    let column = |column: Column| {
        let items = Value::List(column.iter().collect());
        (Value::Text(column.name), items)
    };
    visit_map(
        frame.columns()?.into_iter().map(column),
        Place::Record,
        visitor,
    )
}

fn visit_map<'de, V: Visitor<'de>>(
    entries: impl ExactSizeIterator<Item = (Value, Value)>,
    place: Place,
    visitor: V,
) -> Result<V::Value, ValueError> {
    let at = |value, place| ValueDeserializer { value, place };
    let entries = entries.map(|(key, value)| (at(key, Place::Key), at(value, place)));
    visit_entries(entries, visitor)
}

fn bunch(entries: Vec<(String, Value)>) -> impl ExactSizeIterator<Item = (Value, Value)> {
    entries
        .into_iter()
        .map(|(name, value)| (Value::Text(name), value))
}

/// A `Duration` as serde reads it.
fn visit_seconds<'de, V: Visitor<'de>>(seconds: f64, visitor: V) -> Result<V::Value, ValueError> {
    let duration = Duration::try_from_secs_f64(seconds)
        .map_err(|_| ValueError::expected("a duration in seconds", format_args!("{seconds:?}")))?;
    let entries = vec![
        ("secs".into(), duration.as_secs().into()),
        ("nanos".into(), duration.subsec_nanos().into()),
    ];
    visit_map(bunch(entries), Place::Anywhere, visitor)
}

macro_rules! integers {
    ($($method:ident $visit:ident $type:ident,)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
            let int = match &self.value {
                Value::Int(int) => *int,
                Value::Array(array) if array.shape().is_empty() => {
                    return ValueDeserializer::new(array.item(0)).$method(visitor);
                }
                _ => match self.key_as() {
                    Some(int) => int,
                    None => return self.mismatch(&stringify!($type)),
                },
            };
            match $type::try_from(int) {
                Ok(int) => visitor.$visit(int),
                Err(_) => Err(ValueError::expected(stringify!($type), int)),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for ValueDeserializer {
    type Error = ValueError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(x) => visitor.visit_bool(x),
            Value::Int(x) => match (i64::try_from(x), u64::try_from(x)) {
                (_, Ok(x)) => visitor.visit_u64(x),
                (Ok(x), _) => visitor.visit_i64(x),
                _ => visitor.visit_i128(x),
            },
            Value::Float(x) => visitor.visit_f64(x),
            Value::Text(x) => visitor.visit_string(x),
            Value::Bytes(x) => visitor.visit_byte_buf(x),
            Value::List(items) | Value::Tuple(items) | Value::Set(items) => {
                visit_seq(items.into_iter(), self.place.inner(), visitor)
            }
            Value::Map(entries) | Value::KeyedBunch(entries) => {
                visit_map(entries.into_iter(), self.place.inner(), visitor)
            }
            Value::Bunch(entries) => visit_map(bunch(entries), self.place.inner(), visitor),
            Value::BigInt(x) => visit_big_int(&x, visitor),
            Value::Array(array) if array.shape().is_empty() => {
                ValueDeserializer::new(array.item(0)).deserialize_any(visitor)
            }
            Value::Array(array) => visit_array(&array, visitor),
            Value::Series(frame) => visit_series(&frame, visitor),
            Value::Frame(frame) | Value::Table(frame) | Value::Sequence(frame) => {
                visit_records(&frame, visitor)
            }
            Value::DataStore(url) | Value::ArchiveStore(url) => {
                visitor.visit_string(url.to_string())
            }
            Value::Archive(archive) => visitor.visit_byte_buf(archive.into_tar()),
            Value::Uuid(x) => visitor.visit_string(x.hyphenated().to_string()),
            Value::DateTime64(Some(x)) => visitor.visit_i64(x),
            Value::DateTime64(None) => visitor.visit_unit(),
            Value::DateTime(x) => visitor.visit_string(x.to_string()),
            Value::Date(x) => visitor.visit_string(x.to_string()),
            Value::Time(x) => visitor.visit_string(x.to_string()),
        }
    }

    integers! {
        deserialize_i8 visit_i8 i8,
        deserialize_i16 visit_i16 i16,
        deserialize_i32 visit_i32 i32,
        deserialize_i64 visit_i64 i64,
        deserialize_i128 visit_i128 i128,
        deserialize_u8 visit_u8 u8,
        deserialize_u16 visit_u16 u16,
        deserialize_u32 visit_u32 u32,
        deserialize_u64 visit_u64 u64,
    }

    fn deserialize_u128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match &self.value {
            Value::BigInt(x) => visit_big_int(x, visitor),
            Value::Int(x) => match u128::try_from(*x) {
                Ok(x) => visitor.visit_u128(x),
                Err(_) => Err(ValueError::expected("u128", x)),
            },
            _ => match self.key_as() {
                Some(x) => visitor.visit_u128(x),
                None => self.mismatch(&"u128"),
            },
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match self.value {
            Value::Bool(x) => visitor.visit_bool(x),
            Value::Array(array) if array.shape().is_empty() => {
                ValueDeserializer::new(array.item(0)).deserialize_bool(visitor)
            }
            _ => match self.key_as() {
                Some(x) => visitor.visit_bool(x),
                None => self.mismatch(&visitor),
            },
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match self.value {
            Value::Float(x) => visitor.visit_f64(x),
            Value::Int(x) => visitor.visit_f64(x as f64),
            Value::BigInt(x) => visitor.visit_f64(x.to_f64()),
            Value::Null if self.place == Place::Cell => visitor.visit_f64(f64::NAN),
            Value::Array(array) if array.shape().is_empty() => {
                ValueDeserializer::new(array.item(0)).deserialize_f64(visitor)
            }
            _ => match self.key_as() {
                Some(x) => visitor.visit_f64(x),
                None => self.mismatch(&visitor),
            },
        }
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        self.deserialize_string(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        self.deserialize_string(visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match self.value {
            Value::Text(_)
            | Value::DataStore(_)
            | Value::ArchiveStore(_)
            | Value::Uuid(_)
            | Value::DateTime(_)
            | Value::Date(_)
            | Value::Time(_) => self.deserialize_any(visitor),
            // Columns of frames have one type for points in time.
            Value::DateTime64(Some(micros)) if self.place == Place::Cell => {
                match jiff::Timestamp::from_microsecond(micros) {
                    Ok(at) => {
                        visitor.visit_string(jiff::tz::Offset::UTC.to_datetime(at).to_string())
                    }
                    Err(_) => self.mismatch(&visitor),
                }
            }
            _ => self.mismatch(&visitor),
        }
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        self.deserialize_byte_buf(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match self.value {
            Value::Bytes(_) | Value::Text(_) | Value::Archive(_) => self.deserialize_any(visitor),
            _ => self.deserialize_seq(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match self.value {
            Value::Null | Value::DateTime64(None) => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match &self.value {
            Value::Null => visitor.visit_unit(),
            // Members of a struct that has none.
            Value::Bunch(members) if members.is_empty() => visitor.visit_unit(),
            _ => self.mismatch(&visitor),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        if name.starts_with("xp::") {
            // The mark goes through serde without the cell from which the reference was read.
            if let Value::DataStore(url) | Value::ArchiveStore(url) = &self.value
                && let Some(origin) = url.origin()
            {
                let origin = origin::Origin::clone(origin);
                return origin::within(origin, || visit_marked(self, visitor));
            }
            return visit_marked(self, visitor);
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match self.value {
            Value::Bytes(bytes) => {
                visit_seq(bytes.into_iter().map(Value::from), Place::Anywhere, visitor)
            }
            Value::List(_)
            | Value::Tuple(_)
            | Value::Set(_)
            | Value::Array(_)
            | Value::Frame(_)
            | Value::Series(_)
            | Value::Table(_)
            | Value::Sequence(_) => self.deserialize_any(visitor),
            _ => self.mismatch(&visitor),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match self.value {
            Value::Map(_) | Value::Bunch(_) | Value::KeyedBunch(_) => self.deserialize_any(visitor),
            Value::Frame(frame) | Value::Table(frame) | Value::Sequence(frame) => {
                visit_columns(&frame, visitor)
            }
            _ => self.mismatch(&visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        match self.value {
            Value::Float(x) if is_duration(name, fields) => visit_seconds(x, visitor),
            Value::Int(x) if is_duration(name, fields) => visit_seconds(x as f64, visitor),
            Value::List(_) | Value::Tuple(_) => self.deserialize_seq(visitor),
            _ => self.deserialize_map(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        match self.value {
            Value::Text(name) => visit_variant(name, None::<Self>, visitor),
            Value::Map(mut entries) if entries.len() == 1 => match entries.remove(0) {
                (Value::Text(name), payload) => {
                    visit_variant(name, Some(Self::new(payload)), visitor)
                }
                (other, _) => Err(ValueError::expected(
                    "the name of a variant",
                    other.describe(),
                )),
            },
            Value::Bunch(mut entries) if entries.len() == 1 => {
                let (name, payload) = entries.remove(0);
                visit_variant(name, Some(Self::new(payload)), visitor)
            }
            _ => self.mismatch(&visitor),
        }
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        self.deserialize_any(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        visitor.visit_unit()
    }
}

/// One of this library's own types is asked for, and this may be a value that serde has no form for.
fn visit_marked<'de, V: Visitor<'de>>(
    of: ValueDeserializer,
    visitor: V,
) -> Result<V::Value, ValueError> {
    match unmarked(of.value) {
        Ok((mark, payload)) => {
            let payload = ValueDeserializer::new(payload);
            visit_variant(mark.to_owned(), Some(payload), visitor)
        }
        Err(value) => visitor.visit_newtype_struct(ValueDeserializer { value, ..of }),
    }
}

/// The integer, if serde has one of this size.
fn visit_big_int<'de, V: Visitor<'de>>(x: &BigInt, visitor: V) -> Result<V::Value, ValueError> {
    match x.to_string().parse::<u128>() {
        Ok(x) => visitor.visit_u128(x),
        Err(_) => Err(ValueError::expected(
            &visitor as &dyn serde::de::Expected,
            format_args!("the integer {x}"),
        )),
    }
}

/// Whether this is `std::time::Duration`, as serde describes it.
pub(super) fn is_duration(name: &str, fields: &[&str]) -> bool {
    name == "Duration" && fields == ["secs", "nanos"]
}
