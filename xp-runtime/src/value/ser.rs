use serde::ser::{self, Serialize, Serializer};

use super::{MAX_DEPTH, Value, ValueError, plain};

/// Turn any serde value into a [`Value`].
///
/// Structs and maps become a `Map` in their own order (struct keys are texts, integer keys stay integers), sequences a
/// `List`, tuples a `Tuple`, a unit variant the `Text` of its name, any other variant a `Map` from its name to its
/// payload; `None` is `Null`, and `Some` and newtype structs are what they hold.
///
/// # Errors
///
/// A `u128` beyond `i128::MAX`, values nested deeper than [`MAX_DEPTH`], and what a type's own `Serialize` refuses.
pub fn to_value<T: Serialize + ?Sized>(v: &T) -> Result<Value, ValueError> {
    v.serialize(ValueSerializer::new())
}

/// Makes a [`Value`] of what it is given.
#[derive(Clone, Copy)]
pub(super) struct ValueSerializer {
    depth: usize,
    /// Whether a `Duration` becomes its seconds; only where the value is a column of its own.
    column: bool,
}

impl ValueSerializer {
    pub(super) fn new() -> Self {
        ValueSerializer {
            depth: 0,
            column: false,
        }
    }

    pub(super) fn column() -> Self {
        ValueSerializer {
            depth: 0,
            column: true,
        }
    }

    fn nested(self) -> Result<Self, ValueError> {
        if self.depth == MAX_DEPTH {
            return Err(ValueError::new(format!(
                "values nest deeper than {MAX_DEPTH} levels"
            )));
        }
        Ok(ValueSerializer {
            depth: self.depth + 1,
            column: false,
        })
    }

    fn items(self, len: Option<usize>, finish: Finish) -> Result<Items, ValueError> {
        Ok(Items {
            inner: self.nested()?,
            items: Vec::with_capacity(reserve(len)),
            finish,
        })
    }

    fn entries(
        self,
        len: Option<usize>,
        variant: Option<&'static str>,
    ) -> Result<Entries, ValueError> {
        Ok(Entries {
            inner: self.nested()?,
            entries: Vec::with_capacity(reserve(len)),
            key: None,
            variant,
            seconds: false,
        })
    }
}

/// Lengths are hints of foreign code: they may not decide how much memory is taken.
fn reserve(len: Option<usize>) -> usize {
    len.unwrap_or(0).min(1024)
}

fn variant(name: &'static str, payload: Value) -> Value {
    Value::Map(vec![(name.into(), payload)])
}

macro_rules! via_from {
    ($($method:ident($type:ty),)*) => {$(
        fn $method(self, x: $type) -> Result<Value, ValueError> {
            Ok(x.into())
        }
    )*};
}

impl Serializer for ValueSerializer {
    type Ok = Value;
    type Error = ValueError;
    type SerializeSeq = Items;
    type SerializeTuple = Items;
    type SerializeTupleStruct = Items;
    type SerializeTupleVariant = Items;
    type SerializeMap = Entries;
    type SerializeStruct = Entries;
    type SerializeStructVariant = Entries;

    via_from! {
        serialize_bool(bool), serialize_i8(i8), serialize_i16(i16), serialize_i32(i32), serialize_i64(i64),
        serialize_i128(i128), serialize_u8(u8), serialize_u16(u16), serialize_u32(u32), serialize_u64(u64),
        serialize_f32(f32), serialize_f64(f64), serialize_char(char), serialize_str(&str),
    }

    fn serialize_u128(self, x: u128) -> Result<Value, ValueError> {
        let x = i128::try_from(x);
        x.map(Value::Int)
            .map_err(|_| ValueError::new("an integer beyond 2^127 - 1 cannot be stored"))
    }

    fn serialize_bytes(self, x: &[u8]) -> Result<Value, ValueError> {
        Ok(Value::Bytes(x.to_vec()))
    }

    fn serialize_none(self) -> Result<Value, ValueError> {
        Ok(Value::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, x: &T) -> Result<Value, ValueError> {
        x.serialize(self)
    }

    fn serialize_unit(self) -> Result<Value, ValueError> {
        Ok(Value::Null)
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<Value, ValueError> {
        Ok(Value::Null)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
    ) -> Result<Value, ValueError> {
        Ok(name.into())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        x: &T,
    ) -> Result<Value, ValueError> {
        let value = x.serialize(self)?;
        if name.starts_with("xp::") {
            Ok(marked(name, value))
        } else {
            Ok(value)
        }
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        x: &T,
    ) -> Result<Value, ValueError> {
        let payload = x.serialize(self.nested()?).map_err(|e| e.in_member(name))?;
        Ok(variant(name, payload))
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Items, ValueError> {
        self.items(len, Finish::List)
    }

    fn serialize_tuple(self, len: usize) -> Result<Items, ValueError> {
        self.items(Some(len), Finish::Tuple)
    }

    fn serialize_tuple_struct(self, _: &'static str, len: usize) -> Result<Items, ValueError> {
        self.items(Some(len), Finish::Tuple)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        len: usize,
    ) -> Result<Items, ValueError> {
        self.nested()?.items(Some(len), Finish::Variant(name))
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Entries, ValueError> {
        self.entries(len, None)
    }

    fn serialize_struct(self, name: &'static str, len: usize) -> Result<Entries, ValueError> {
        let mut entries = self.entries(Some(len), None)?;
        entries.seconds = self.column && name == "Duration";
        Ok(entries)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        len: usize,
    ) -> Result<Entries, ValueError> {
        self.nested()?.entries(Some(len), Some(name))
    }
}

/// The value that [`plain`] marked with this name.
fn marked(name: &str, value: Value) -> Value {
    match (name, value) {
        (plain::SET, Value::List(items)) => Value::Set(items),
        (plain::BUNCH, Value::Map(entries)) => {
            Value::Bunch(entries.into_iter().map(|(k, v)| (text(k), v)).collect())
        }
        (plain::PACKED, Value::Map(mut entries)) if entries.len() == 1 => {
            let (kind, payload) = entries.remove(0);
            Value::Packed {
                kind: text(kind),
                payload: Box::new(payload),
            }
        }
        (plain::DATETIME64, Value::Null) => Value::DateTime64(None),
        (plain::DATETIME64, Value::Int(i)) => {
            i64::try_from(i).map_or(Value::Int(i), |i| Value::DateTime64(Some(i)))
        }
        (plain::UUID, Value::Text(text)) => parsed(text, Value::Uuid),
        (plain::DATETIME, Value::Text(text)) => parsed(text, Value::DateTime),
        (plain::DATE, Value::Text(text)) => parsed(text, Value::Date),
        (plain::TIME, Value::Text(text)) => parsed(text, Value::Time),
        (_, value) => value,
    }
}

fn text(value: Value) -> String {
    match value {
        Value::Text(text) => text,
        other => other.to_string(),
    }
}

fn parsed<T: std::str::FromStr>(text: String, value: fn(T) -> Value) -> Value {
    text.parse().map_or(Value::Text(text), value)
}

enum Finish {
    List,
    Tuple,
    Variant(&'static str),
}

pub(super) struct Items {
    inner: ValueSerializer,
    items: Vec<Value>,
    finish: Finish,
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

pub(super) struct Entries {
    inner: ValueSerializer,
    entries: Vec<(Value, Value)>,
    key: Option<Value>,
    variant: Option<&'static str>,
    seconds: bool,
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
