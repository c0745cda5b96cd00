//! A [`Value`] as serde data.
//!
//! What serde has no form for is [marked](super::marks). [`to_value`](super::to_value) knows the marks and gives back the
//! value it was given.

use std::fmt;

use serde::de::{
    Deserialize, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use serde::ser::{Error, Serialize, SerializeMap, SerializeTuple, Serializer};

use super::marks::{self, marked};
use super::{Archive, Array, BigInt, Frame, Value};

/// The value as plain data, as other formats know it: texts for UUIDs, dates, times, URLs and integers beyond 128 bits,
/// microseconds for a `DateTime64` (nothing for NaT), a sequence for a set, a map for a bunch; nested sequences for an array,
/// a sequence for a series, a sequence of maps for any other frame, bytes for an archive.
///
/// Formats for machines, such as those with lengths instead of brackets, have arrays, frames and big integers as bytes: as
/// they are stored.
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
            Value::BigInt(i) => serializer.serialize_newtype_struct(marks::BIG_INT, &Form::of(i)),
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
            Value::Set(items) => serializer.serialize_newtype_struct(marks::SET, items),
            Value::Map(entries) => Entries(entries).serialize(serializer),
            Value::Bunch(entries) => {
                serializer.serialize_newtype_struct(marks::BUNCH, &Entries(entries))
            }
            Value::KeyedBunch(entries) => {
                serializer.serialize_newtype_struct(marks::KEYED_BUNCH, &Entries(entries))
            }
            Value::Uuid(uuid) => {
                serializer.serialize_newtype_struct(marks::UUID, &uuid.hyphenated().to_string())
            }
            Value::DateTime64(micros) => {
                serializer.serialize_newtype_struct(marks::DATETIME64, micros)
            }
            Value::DateTime(datetime) => {
                serializer.serialize_newtype_struct(marks::DATETIME, &datetime.to_string())
            }
            Value::Date(date) => {
                serializer.serialize_newtype_struct(marks::DATE, &date.to_string())
            }
            Value::Time(time) => {
                serializer.serialize_newtype_struct(marks::TIME, &time.to_string())
            }
            Value::Array(array) => array.serialize(serializer),
            Value::Frame(frame) => frame.serialize(serializer),
            Value::Series(frame) => {
                serializer.serialize_newtype_struct(marks::SERIES, &Form::of(&Series(frame)))
            }
            Value::Table(frame) => {
                serializer.serialize_newtype_struct(marks::TABLE, &Form::of(frame))
            }
            Value::Sequence(frame) => {
                serializer.serialize_newtype_struct(marks::SEQUENCE, &Form::of(frame))
            }
            Value::DataStore(url) => {
                serializer.serialize_newtype_struct(marks::DATA_STORE, url.as_str())
            }
            Value::ArchiveStore(url) => {
                serializer.serialize_newtype_struct(marks::ARCHIVE_STORE, url.as_str())
            }
            Value::Archive(archive) => archive.serialize(serializer),
        }
    }
}

impl Serialize for Array {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(marks::ARRAY, &Form::of(self))
    }
}

impl Serialize for Frame {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(marks::FRAME, &Form::of(self))
    }
}

impl Serialize for Archive {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(marks::ARCHIVE, &Form::of(self))
    }
}

#[cfg(feature = "arrow")]
impl Serialize for super::ArrowTable {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let frame = Frame::from_record_batch(self).map_err(S::Error::custom)?;
        serializer.serialize_newtype_struct(marks::TABLE, &Form::of(&frame))
    }
}

#[cfg(feature = "arrow")]
impl<'de> Deserialize<'de> for super::ArrowTable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let batch = Frame::deserialize(deserializer)?.to_record_batch();
        batch
            .map(super::ArrowTable)
            .map_err(serde::de::Error::custom)
    }
}

/// What is kept as bytes.
trait Stored {
    fn stored(&self) -> &[u8];

    /// For people, and for formats that are made for them.
    fn plain(&self) -> Result<Value, super::FrameError>;
}

/// A value that is kept as bytes: these bytes, or plain data.
struct Form<'a, T>(&'a T);

impl<'a, T: Stored> Form<'a, T> {
    fn of(value: &'a T) -> Self {
        Form(value)
    }
}

impl<T: Stored> Serialize for Form<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            self.0
                .plain()
                .map_err(S::Error::custom)?
                .serialize(serializer)
        } else {
            serializer.serialize_bytes(self.0.stored())
        }
    }
}

impl Stored for BigInt {
    fn stored(&self) -> &[u8] {
        self.as_le_bytes()
    }

    fn plain(&self) -> Result<Value, super::FrameError> {
        Ok(Value::Text(self.to_string()))
    }
}

impl Stored for Array {
    fn stored(&self) -> &[u8] {
        self.as_npy()
    }

    fn plain(&self) -> Result<Value, super::FrameError> {
        Ok(self.to_nested())
    }
}

impl Stored for Frame {
    fn stored(&self) -> &[u8] {
        self.as_arrow_file()
    }

    fn plain(&self) -> Result<Value, super::FrameError> {
        self.to_records_value()
    }
}

struct Series<'a>(&'a Frame);

impl Stored for Series<'_> {
    fn stored(&self) -> &[u8] {
        self.0.as_arrow_file()
    }

    fn plain(&self) -> Result<Value, super::FrameError> {
        Ok(Value::List(self.0.series_column()?.iter().collect()))
    }
}

impl Stored for Archive {
    fn stored(&self) -> &[u8] {
        self.as_tar()
    }

    fn plain(&self) -> Result<Value, super::FrameError> {
        Ok(Value::Bytes(self.as_tar().to_vec()))
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

/// Any plain data: sequences become lists, and maps maps. From a [`Value`] it is that value.
impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(marks::VALUE, AnyVisitor)
    }
}

macro_rules! from_stored {
    ($($type:ident $name:ident $of:expr;)*) => {$(
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let value = deserializer.deserialize_newtype_struct(marks::$name, AnyVisitor)?;
                let of: fn(Value) -> Result<$type, super::ValueError> = $of;
                of(value).map_err(serde::de::Error::custom)
            }
        }
    )*};
}

from_stored! {
    Array ARRAY |value| match value {
        Value::Array(array) => Ok(array),
        Value::Bytes(npy) => Ok(Array::from_npy(npy)?),
        plain => Array::from_nested(&plain),
    };
    Frame FRAME |value| match value {
        Value::Frame(frame) | Value::Series(frame) | Value::Table(frame) | Value::Sequence(frame) => Ok(frame),
        Value::Bytes(file) => Ok(Frame::from_arrow_file(file)?),
        other => Err(super::ValueError::expected("a frame", other.describe())),
    };
    Archive ARCHIVE |value| match value {
        Value::Archive(archive) => Ok(archive),
        Value::Bytes(tar) => Ok(Archive::from_tar(tar)),
        other => Err(super::ValueError::expected("an archive", other.describe())),
    };
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
        BigInt::from_le_bytes(&[&x.to_le_bytes()[..], &[0]].concat()).map_err(E::custom)
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
        deserializer.deserialize_any(AnyVisitor)
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

    /// Of a value that serde has no form for, its mark and what it marks.
    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<Value, A::Error> {
        let (name, variant) = access.variant::<String>()?;
        Ok(marked(&name, variant.newtype_variant()?))
    }
}
