use serde::ser::{self, Serialize};

use super::{ValueSerializer, variant};
use crate::value::{Value, ValueError};

/// What becomes of the elements.
pub(super) enum Finish {
    List,
    Tuple,
    Variant(&'static str),
}

/// Collects the elements of a list or tuple.
pub(in crate::value) struct Items {
    pub(super) inner: ValueSerializer,
    pub(super) items: Vec<Value>,
    pub(super) finish: Finish,
}

impl Items {
    fn push<T: Serialize + ?Sized>(&mut self, x: &T) -> Result<(), ValueError> {
        let item = x
            .serialize(self.inner)
            .map_err(|e| e.in_element(self.items.len()))?;
        self.items.push(item);
        Ok(())
    }

    fn finish(self) -> Result<Value, ValueError> {
        Ok(match self.finish {
            Finish::List => Value::List(self.items),
            Finish::Tuple => Value::Tuple(self.items),
            Finish::Variant(name) => variant(name, Value::Tuple(self.items)),
        })
    }
}

macro_rules! items {
    ($($trait:ident::$method:ident)*) => {$(
        impl ser::$trait for Items {
            type Ok = Value;
            type Error = ValueError;

            fn $method<T: Serialize + ?Sized>(&mut self, x: &T) -> Result<(), ValueError> {
                self.push(x)
            }

            fn end(self) -> Result<Value, ValueError> {
                self.finish()
            }
        }
    )*};
}

items! {
    SerializeSeq::serialize_element
    SerializeTuple::serialize_element
    SerializeTupleStruct::serialize_field
    SerializeTupleVariant::serialize_field
}

/// Collects the entries of a map or struct.
pub(in crate::value) struct Entries {
    pub(super) inner: ValueSerializer,
    pub(super) entries: Vec<(Value, Value)>,
    /// The key whose value comes next.
    pub(super) key: Option<Value>,
    /// The variant whose members these are.
    pub(super) variant: Option<&'static str>,
    /// Whether these may be the members of a `Duration`, to become its seconds.
    pub(super) seconds: bool,
}

impl Entries {
    fn push<T: Serialize + ?Sized>(&mut self, key: Value, x: &T) -> Result<(), ValueError> {
        let value = x.serialize(self.inner).map_err(|e| e.in_member(&key))?;
        self.entries.push((key, value));
        Ok(())
    }

    fn finish(self) -> Result<Value, ValueError> {
        if self.seconds
            && let Some(seconds) = seconds(&self.entries)
        {
            return Ok(Value::Float(seconds));
        }
        let map = Value::Map(self.entries);
        Ok(match self.variant {
            Some(name) => variant(name, map),
            None => map,
        })
    }
}

/// The seconds of a `std::time::Duration`, as serde writes it.
fn seconds(entries: &[(Value, Value)]) -> Option<f64> {
    let [(secs_key, Value::Int(secs)), (nanos_key, Value::Int(nanos))] = entries else {
        return None;
    };
    if secs_key.as_str() != Some("secs") || nanos_key.as_str() != Some("nanos") {
        return None;
    }
    let nanos = u32::try_from(*nanos).ok().filter(|n| *n < 1_000_000_000)?;
    Some(std::time::Duration::new(u64::try_from(*secs).ok()?, nanos).as_secs_f64())
}

/// A key as Python can hash it: lists become tuples.
fn hashable(key: Value) -> Value {
    match key {
        Value::List(items) | Value::Tuple(items) => {
            Value::Tuple(items.into_iter().map(hashable).collect())
        }
        key => key,
    }
}

impl ser::SerializeMap for Entries {
    type Ok = Value;
    type Error = ValueError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), ValueError> {
        self.key = Some(hashable(key.serialize(self.inner)?));
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, x: &T) -> Result<(), ValueError> {
        let key = self
            .key
            .take()
            .ok_or_else(|| ValueError::new("a map gave a value before its key"))?;
        self.push(key, x)
    }

    fn end(self) -> Result<Value, ValueError> {
        self.finish()
    }
}

macro_rules! structs {
    ($($trait:ident)*) => {$(
        impl ser::$trait for Entries {
            type Ok = Value;
            type Error = ValueError;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, x: &T) -> Result<(), ValueError> {
                self.push(name.into(), x)
            }

            fn end(self) -> Result<Value, ValueError> {
                self.finish()
            }
        }
    )*};
}

structs! { SerializeStruct SerializeStructVariant }
