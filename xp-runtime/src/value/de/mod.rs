mod access;

use std::time::Duration;

use serde::de::{DeserializeOwned, Deserializer, Visitor};

pub(crate) use self::access::{Source, visit_entries, visit_items, visit_variant};
use super::{Value, ValueError};

/// Turn a [`Value`] back into a Rust type: the inverse of [`to_value`](crate::value::to_value).
///
/// Integers go into any integer type that holds them, and into floats; lists, tuples and sets are interchangeable, and
/// so are maps and bunches. A struct may come from a map or, by position, from a list; a `Duration` also from its
/// seconds. Where a map needs numbers as keys, texts of numbers serve too.
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

/// Deserialises from a value.
pub(crate) struct ValueDeserializer {
    value: Value,
    /// Keys of maps may be written as texts.
    is_key: bool,
}

impl Source<'_> for ValueDeserializer {
    type Name = String;

    fn name(&self) -> String {
        self.value.to_string()
    }

    fn into_key(self) -> Self {
        ValueDeserializer {
            is_key: true,
            ..self
        }
    }
}

impl ValueDeserializer {
    pub(crate) fn new(value: Value) -> Self {
        ValueDeserializer {
            value,
            is_key: false,
        }
    }

    fn mismatch<T>(self, expected: &dyn serde::de::Expected) -> Result<T, ValueError> {
        Err(ValueError::expected(expected, self.value.describe()))
    }

    /// The number that a key stands for, if it is written as a text.
    fn key_as<T: std::str::FromStr>(&self) -> Option<T> {
        match &self.value {
            Value::Text(text) if self.is_key => text.parse().ok(),
            _ => None,
        }
    }
}

fn visit_seq<'de, V: Visitor<'de>>(items: Vec<Value>, visitor: V) -> Result<V::Value, ValueError> {
    visit_items(items.into_iter().map(ValueDeserializer::new), visitor)
}

fn visit_map<'de, V: Visitor<'de>>(
    entries: impl ExactSizeIterator<Item = (Value, Value)>,
    visitor: V,
) -> Result<V::Value, ValueError> {
    let new = ValueDeserializer::new;
    visit_entries(entries.map(|(key, value)| (new(key), new(value))), visitor)
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
    visit_map(bunch(entries), visitor)
}

macro_rules! integers {
    ($($method:ident $visit:ident $type:ident,)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
            let int = match self.value {
                Value::Int(int) => int,
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
                visit_seq(items, visitor)
            }
            Value::Map(entries) => visit_map(entries.into_iter(), visitor),
            Value::Bunch(entries) => visit_map(bunch(entries), visitor),
            Value::Uuid(x) => visitor.visit_string(x.hyphenated().to_string()),
            Value::DateTime64(Some(x)) => visitor.visit_i64(x),
            Value::DateTime64(None) => visitor.visit_unit(),
            Value::DateTime(x) => visitor.visit_string(x.to_string()),
            Value::Date(x) => visitor.visit_string(x.to_string()),
            Value::Time(x) => visitor.visit_string(x.to_string()),
            Value::Packed { kind, payload } => visit_map(bunch(vec![(kind, *payload)]), visitor),
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
        deserialize_u128 visit_u128 u128,
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match self.value {
            Value::Bool(x) => visitor.visit_bool(x),
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
            | Value::Uuid(_)
            | Value::DateTime(_)
            | Value::Date(_)
            | Value::Time(_) => self.deserialize_any(visitor),
            _ => self.mismatch(&visitor),
        }
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        self.deserialize_byte_buf(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match self.value {
            Value::Bytes(_) | Value::Text(_) => self.deserialize_any(visitor),
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
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match self.value {
            Value::List(items) | Value::Tuple(items) | Value::Set(items) => {
                visit_seq(items, visitor)
            }
            Value::Bytes(bytes) => visit_seq(bytes.into_iter().map(Value::from).collect(), visitor),
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
            Value::Map(_) | Value::Bunch(_) | Value::Packed { .. } => self.deserialize_any(visitor),
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

/// Whether this is `std::time::Duration`, as serde describes it.
pub(super) fn is_duration(name: &str, fields: &[&str]) -> bool {
    name == "Duration" && fields == ["secs", "nanos"]
}
