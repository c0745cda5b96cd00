mod compound;

use serde::ser::{Serialize, Serializer};

use self::compound::{Entries, Finish, Items};
use super::marks::marked;
use super::{BigInt, MAX_DEPTH, Value, ValueError};

/// Turn any serde value into a [`Value`].
///
/// Structs and maps become a `Map` in their own order (struct keys are texts, integer keys stay integers), sequences a
/// `List`, tuples a `Tuple`, a unit variant the `Text` of its name, any other variant a `Map` from its name to its
/// payload; `None` is `Null`, and `Some` and newtype structs are what they hold.
///
/// # Errors
///
/// Values nested deeper than [`MAX_DEPTH`], and what a type's own `Serialize` refuses.
pub fn to_value<T: Serialize + ?Sized>(v: &T) -> Result<Value, ValueError> {
    v.serialize(ValueSerializer::new())
}

/// Makes a [`Value`] of what it is given.
#[derive(Clone, Copy)]
pub(super) struct ValueSerializer {
    depth: usize,
    /// Whether a `Duration` becomes its seconds; only where the value is a column of its own.
    column: bool,
    /// Whether the value is marked, and has bytes as they are stored instead of a form for people.
    marked: bool,
}

impl ValueSerializer {
    pub(super) fn new() -> Self {
        ValueSerializer {
            depth: 0,
            column: false,
            marked: false,
        }
    }

    pub(super) fn column() -> Self {
        ValueSerializer {
            depth: 0,
            column: true,
            marked: false,
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
            marked: false,
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

    fn is_human_readable(&self) -> bool {
        !self.marked
    }

    fn serialize_u128(self, x: u128) -> Result<Value, ValueError> {
        BigInt::from_le_bytes(&[&x.to_le_bytes()[..], &[0]].concat())
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
        if !name.starts_with("xp::") {
            return x.serialize(self);
        }
        let inner = ValueSerializer {
            marked: true,
            ..self
        };
        Ok(marked(name, x.serialize(inner)?))
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
