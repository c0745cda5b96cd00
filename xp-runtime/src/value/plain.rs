//! A [`Value`] as serde data.
//!
//! What serde has no form for is marked by the name of a newtype struct, which other formats leave out: a UUID is a
//! text there, a set a sequence. [`to_value`](super::to_value) knows the names and gives back the value it was given.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, SerializeTuple, Serializer};

use super::Value;

pub(super) const SET: &str = "xp::Set";
pub(super) const BUNCH: &str = "xp::Bunch";
pub(super) const UUID: &str = "xp::Uuid";
pub(super) const DATETIME64: &str = "xp::DateTime64";
pub(super) const DATETIME: &str = "xp::DateTime";
pub(super) const DATE: &str = "xp::Date";
pub(super) const TIME: &str = "xp::Time";
pub(super) const PACKED: &str = "xp::Packed";

/// The value as plain data, as other formats know it: texts for UUIDs, dates and times, microseconds for a `DateTime64`
/// (nothing for NaT), a sequence for a set, a map for a bunch, and for a packed value a map from its kind to its payload.
impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(b) => serializer.serialize_bool(*b),
            Value::Int(i) => match (i64::try_from(*i), u64::try_from(*i)) {
                (Ok(i), _) => serializer.serialize_i64(i),
                (_, Ok(u)) => serializer.serialize_u64(u),
                _ => serializer.serialize_i128(*i),
            },
            Value::Float(x) => serializer.serialize_f64(*x),
            Value::Text(text) => serializer.serialize_str(text),
            Value::Bytes(bytes) => serializer.serialize_bytes(bytes),
            Value::List(items) => serializer.collect_seq(items),
            Value::Tuple(items) => {
                let mut tuple = serializer.serialize_tuple(items.len())?;
                for item in items {
                    tuple.serialize_element(item)?;
                }
                tuple.end()
            }
            Value::Set(items) => serializer.serialize_newtype_struct(SET, items),
            Value::Map(entries) => Entries(entries).serialize(serializer),
            Value::Bunch(entries) => serializer.serialize_newtype_struct(BUNCH, &Entries(entries)),
            Value::Uuid(uuid) => {
                serializer.serialize_newtype_struct(UUID, &uuid.hyphenated().to_string())
            }
            Value::DateTime64(micros) => serializer.serialize_newtype_struct(DATETIME64, micros),
            Value::DateTime(datetime) => {
                serializer.serialize_newtype_struct(DATETIME, &datetime.to_string())
            }
            Value::Date(date) => serializer.serialize_newtype_struct(DATE, &date.to_string()),
            Value::Time(time) => serializer.serialize_newtype_struct(TIME, &time.to_string()),
            Value::Packed { kind, payload } => serializer
                .serialize_newtype_struct(PACKED, &Entries(&[(kind.as_str(), payload.as_ref())])),
        }
    }
}

struct Entries<'a, K, V>(&'a [(K, V)]);

impl<K: Serialize, V: Serialize> Serialize for Entries<'_, K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

/// Any plain data: sequences become lists, and maps maps.
impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyVisitor)
    }
}

struct AnyVisitor;

impl<'de> Visitor<'de> for AnyVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, x: bool) -> Result<Value, E> {
        Ok(Value::Bool(x))
    }

    fn visit_i64<E>(self, x: i64) -> Result<Value, E> {
        Ok(x.into())
    }

    fn visit_u64<E>(self, x: u64) -> Result<Value, E> {
        Ok(x.into())
    }

    fn visit_i128<E>(self, x: i128) -> Result<Value, E> {
        Ok(x.into())
    }

    fn visit_u128<E: serde::de::Error>(self, x: u128) -> Result<Value, E> {
        let x = i128::try_from(x)
            .map_err(|_| E::custom(format!("{x} does not fit a 128-bit signed integer")))?;
        Ok(Value::Int(x))
    }

    fn visit_f64<E>(self, x: f64) -> Result<Value, E> {
        Ok(Value::Float(x))
    }

    fn visit_str<E>(self, x: &str) -> Result<Value, E> {
        Ok(x.into())
    }

    fn visit_string<E>(self, x: String) -> Result<Value, E> {
        Ok(Value::Text(x))
    }

    fn visit_bytes<E>(self, x: &[u8]) -> Result<Value, E> {
        Ok(Value::Bytes(x.to_vec()))
    }

    fn visit_byte_buf<E>(self, x: Vec<u8>) -> Result<Value, E> {
        Ok(Value::Bytes(x))
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Value::Map(entries))
    }
}
