use std::borrow::Cow;

use serde::ser::{Impossible, Serialize, SerializeMap, SerializeStruct, Serializer};

use super::ser::ValueSerializer;
use super::{Value, ValueError};

/// The members of a struct, or of a map with text keys, in their own order.
///
/// Each member becomes a value as with [`to_value`](super::to_value), except that a member which is a
/// [`Duration`](std::time::Duration) becomes its seconds, as a float. `()` and unit structs have no members; a newtype
/// of a struct has its members.
///
/// # Errors
///
/// Anything that has no members (the message names its shape), and what `to_value` refuses (the path names the member).
///
/// # Examples
///
/// ```
/// #[derive(serde::Serialize)]
/// struct Fields {
///     accuracy: f64,
///     spent: std::time::Duration,
/// }
///
/// let fields = Fields { accuracy: 0.9, spent: std::time::Duration::from_millis(1500) };
/// let members = xp::value::to_members(&fields)?;
/// assert_eq!(members, [("accuracy".into(), 0.9.into()), ("spent".into(), 1.5.into())]);
/// # Ok::<(), xp::value::ValueError>(())
/// ```
pub fn to_members<T: Serialize + ?Sized>(
    v: &T,
) -> Result<Vec<(Cow<'static, str>, Value)>, ValueError> {
    v.serialize(MembersSerializer)
}

/// What a column of its own holds for this value: as [`to_value`](super::to_value), with a duration as its seconds.
pub(crate) fn to_column_value<T: Serialize + ?Sized>(v: &T) -> Result<Value, ValueError> {
    v.serialize(ValueSerializer::column())
}

struct MembersSerializer;

type Members = Vec<(Cow<'static, str>, Value)>;

fn no_members<T>(shape: &str) -> Result<T, ValueError> {
    Err(ValueError::expected("a struct", shape))
}

macro_rules! refuse {
    ($($method:ident($type:ty): $shape:literal,)*) => {$(
        fn $method(self, _: $type) -> Result<Members, ValueError> {
            no_members($shape)
        }
    )*};
}

impl Serializer for MembersSerializer {
    type Ok = Members;
    type Error = ValueError;
    type SerializeSeq = Impossible<Members, ValueError>;
    type SerializeTuple = Impossible<Members, ValueError>;
    type SerializeTupleStruct = Impossible<Members, ValueError>;
    type SerializeTupleVariant = Impossible<Members, ValueError>;
    type SerializeMap = MemberList;
    type SerializeStruct = MemberList;
    type SerializeStructVariant = Impossible<Members, ValueError>;

    refuse! {
        serialize_bool(bool): "a bool",
        serialize_i8(i8): "an integer",
        serialize_i16(i16): "an integer",
        serialize_i32(i32): "an integer",
        serialize_i64(i64): "an integer",
        serialize_i128(i128): "an integer",
        serialize_u8(u8): "an integer",
        serialize_u16(u16): "an integer",
        serialize_u32(u32): "an integer",
        serialize_u64(u64): "an integer",
        serialize_u128(u128): "an integer",
        serialize_f32(f32): "a float",
        serialize_f64(f64): "a float",
        serialize_char(char): "a char",
        serialize_str(&str): "a text",
        serialize_bytes(&[u8]): "bytes",
    }

    fn serialize_none(self) -> Result<Members, ValueError> {
        no_members("an option")
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<Members, ValueError> {
        no_members("an option")
    }

    fn serialize_unit(self) -> Result<Members, ValueError> {
        Ok(Vec::new())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Members, ValueError> {
        Ok(Vec::new())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        x: &T,
    ) -> Result<Members, ValueError> {
        x.serialize(self)
    }

    fn serialize_unit_variant(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
    ) -> Result<Members, ValueError> {
        no_members(&format!("the enum {name}"))
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<Members, ValueError> {
        no_members(&format!("the enum {name}"))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, ValueError> {
        no_members("a sequence")
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, ValueError> {
        no_members("a tuple")
    }

    fn serialize_tuple_struct(
        self,
        name: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, ValueError> {
        no_members(&format!("the tuple struct {name}"))
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, ValueError> {
        no_members(&format!("the enum {name}"))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<MemberList, ValueError> {
        Ok(MemberList {
            members: Vec::new(),
            key: None,
        })
    }

    fn serialize_struct(self, _: &'static str, len: usize) -> Result<MemberList, ValueError> {
        Ok(MemberList {
            members: Vec::with_capacity(len),
            key: None,
        })
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, ValueError> {
        no_members(&format!("the enum {name}"))
    }
}

struct MemberList {
    members: Members,
    key: Option<String>,
}

impl MemberList {
    fn push<T: Serialize + ?Sized>(
        &mut self,
        name: Cow<'static, str>,
        x: &T,
    ) -> Result<(), ValueError> {
        let value = to_column_value(x).map_err(|e| e.in_member(&name))?;
        self.members.push((name, value));
        Ok(())
    }
}

impl SerializeStruct for MemberList {
    type Ok = Members;
    type Error = ValueError;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        x: &T,
    ) -> Result<(), ValueError> {
        self.push(Cow::Borrowed(name), x)
    }

    fn end(self) -> Result<Members, ValueError> {
        Ok(self.members)
    }
}

impl SerializeMap for MemberList {
    type Ok = Members;
    type Error = ValueError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), ValueError> {
        match key.serialize(ValueSerializer::new())? {
            Value::Text(name) => self.key = Some(name),
            other => {
                return Err(ValueError::expected(
                    "the name of a member",
                    other.describe(),
                ));
            }
        }
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, x: &T) -> Result<(), ValueError> {
        let name = self
            .key
            .take()
            .ok_or_else(|| ValueError::new("a map gave a value before its key"))?;
        self.push(Cow::Owned(name), x)
    }

    fn end(self) -> Result<Members, ValueError> {
        Ok(self.members)
    }
}
