//! Pushing the members of a row, each onto its column: a serializer without an output.

use std::fmt;

use serde::ser::{self, Impossible, Serialize, SerializeStruct, Serializer};

use crate::value::ValueError;
use crate::value::{Column, ColumnData};

/// A row that cannot be kept.
#[derive(Debug)]
pub(super) struct PushError(Box<ValueError>);

impl PushError {
    pub(super) fn into_inner(self) -> ValueError {
        *self.0
    }

    fn new(message: impl Into<String>) -> Self {
        Self(Box::new(ValueError::new(message)))
    }
}

impl fmt::Display for PushError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for PushError {}

impl ser::Error for PushError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message.to_string())
    }
}

type Result<T> = std::result::Result<T, PushError>;

/// Takes a struct, and pushes its members.
pub(super) struct PushRow<'a> {
    columns: &'a mut [Column],
    at: usize,
}

impl<'a> PushRow<'a> {
    #[inline]
    pub(super) fn new(columns: &'a mut [Column]) -> Self {
        Self { columns, at: 0 }
    }

    #[inline]
    fn next(&mut self) -> Result<&mut Column> {
        let column = self.columns.get_mut(self.at);
        self.at += 1;
        column.ok_or_else(|| PushError::new("it has more members than its type told"))
    }
}

impl SerializeStruct for PushRow<'_> {
    type Ok = ();
    type Error = PushError;

    #[inline]
    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<()> {
        let column = self.next()?;
        value
            .serialize(PushCell(column))
            .map_err(|e| PushError(Box::new(e.into_inner().in_member(name))))
    }

    fn skip_field(&mut self, _: &'static str) -> Result<()> {
        self.next()?.push_null();
        Ok(())
    }

    #[inline]
    fn end(self) -> Result<()> {
        if self.at == self.columns.len() {
            Ok(())
        } else {
            Err(PushError::new("it has fewer members than its type told"))
        }
    }
}

fn not_flat<T>() -> Result<T> {
    Err(PushError::new(
        "expected a struct of numbers, bools and texts",
    ))
}

macro_rules! refuse {
    ($($name:ident($($ty:ty),*)),* $(,)?) => {
        $(fn $name(self, $(_: $ty),*) -> Result<Self::Ok> { not_flat() })*
    };
}

macro_rules! refuse_compounds {
    ($($assoc:ident)*) => {
        $(type $assoc = Impossible<(), PushError>;)*

        fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq> { not_flat() }
        fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple> { not_flat() }
        fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct> { not_flat() }
        fn serialize_tuple_variant(self, _: &'static str, _: u32, _: &'static str, _: usize) -> Result<Self::SerializeTupleVariant> { not_flat() }
        fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap> { not_flat() }
        fn serialize_struct_variant(self, _: &'static str, _: u32, _: &'static str, _: usize) -> Result<Self::SerializeStructVariant> { not_flat() }
        fn serialize_newtype_variant<T: Serialize + ?Sized>(self, _: &'static str, _: u32, _: &'static str, _: &T) -> Result<()> { not_flat() }
    };
}

impl<'a> Serializer for PushRow<'a> {
    type Ok = ();
    type Error = PushError;
    type SerializeStruct = PushRow<'a>;

    #[inline]
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self> {
        Ok(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<()> {
        value.serialize(self)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<()> {
        Ok(())
    }

    fn serialize_unit(self) -> Result<()> {
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<()> {
        not_flat()
    }

    refuse! {
        serialize_bool(bool), serialize_i8(i8), serialize_i16(i16), serialize_i32(i32), serialize_i64(i64),
        serialize_u8(u8), serialize_u16(u16), serialize_u32(u32), serialize_u64(u64),
        serialize_f32(f32), serialize_f64(f64), serialize_char(char), serialize_str(&str),
        serialize_bytes(&[u8]), serialize_none(), serialize_unit_variant(&'static str, u32, &'static str),
    }
    refuse_compounds! {
        SerializeSeq SerializeTuple SerializeTupleStruct SerializeTupleVariant SerializeMap SerializeStructVariant
    }
}

/// Takes a member, and pushes it onto its column.
struct PushCell<'a>(&'a mut Column);

impl<'a> PushCell<'a> {
    #[inline]
    fn push(self, push: impl FnOnce(&mut ColumnData) -> bool) -> Result<()> {
        if !push(&mut self.0.data) {
            return Err(PushError::new("it is not what its type told"));
        }
        if let Some(validity) = &mut self.0.validity {
            validity.push(true);
        }
        Ok(())
    }

    #[inline]
    fn int(self, int: i64) -> Result<()> {
        self.push(|data| match data {
            ColumnData::Int(items) => {
                items.push(int);
                true
            }
            _ => false,
        })
    }

    #[inline]
    fn float(self, float: f64) -> Result<()> {
        self.push(|data| match data {
            ColumnData::Float(items) => {
                items.push(float);
                true
            }
            _ => false,
        })
    }
}

impl<'a> Serializer for PushCell<'a> {
    type Ok = ();
    type Error = PushError;
    type SerializeStruct = Seconds<'a>;

    #[inline]
    fn serialize_i64(self, v: i64) -> Result<()> {
        self.int(v)
    }

    #[inline]
    fn serialize_u64(self, v: u64) -> Result<()> {
        match i64::try_from(v) {
            Ok(v) => self.int(v),
            Err(_) => Err(PushError::new(format!(
                "{v} is above i64::MAX, the largest integer of a column"
            ))),
        }
    }

    #[inline]
    fn serialize_i8(self, v: i8) -> Result<()> {
        self.int(v.into())
    }

    #[inline]
    fn serialize_i16(self, v: i16) -> Result<()> {
        self.int(v.into())
    }

    #[inline]
    fn serialize_i32(self, v: i32) -> Result<()> {
        self.int(v.into())
    }

    #[inline]
    fn serialize_u8(self, v: u8) -> Result<()> {
        self.int(v.into())
    }

    #[inline]
    fn serialize_u16(self, v: u16) -> Result<()> {
        self.int(v.into())
    }

    #[inline]
    fn serialize_u32(self, v: u32) -> Result<()> {
        self.int(v.into())
    }

    #[inline]
    fn serialize_f32(self, v: f32) -> Result<()> {
        self.float(v.into())
    }

    #[inline]
    fn serialize_f64(self, v: f64) -> Result<()> {
        self.float(v)
    }

    fn serialize_bool(self, v: bool) -> Result<()> {
        self.push(|data| match data {
            ColumnData::Bool(items) => {
                items.push(v);
                true
            }
            _ => false,
        })
    }

    fn serialize_str(self, v: &str) -> Result<()> {
        self.push(|data| match data {
            ColumnData::Text(items) => {
                items.push(v);
                true
            }
            _ => false,
        })
    }

    fn serialize_char(self, v: char) -> Result<()> {
        self.serialize_str(v.encode_utf8(&mut [0; 4]))
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<()> {
        self.serialize_str(variant)
    }

    fn serialize_none(self) -> Result<()> {
        self.0.push_null();
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<()> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<()> {
        value.serialize(self)
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Seconds<'a>> {
        if name == "Duration" {
            Ok(Seconds {
                cell: self,
                seconds: 0.0,
            })
        } else {
            not_flat()
        }
    }

    refuse! {
        serialize_bytes(&[u8]), serialize_unit(), serialize_unit_struct(&'static str),
    }
    refuse_compounds! {
        SerializeSeq SerializeTuple SerializeTupleStruct SerializeTupleVariant SerializeMap SerializeStructVariant
    }
}

/// Takes a `Duration` as serde has it (whole seconds, and nanoseconds), and pushes its seconds.
struct Seconds<'a> {
    cell: PushCell<'a>,
    seconds: f64,
}

impl SerializeStruct for Seconds<'_> {
    type Ok = ();
    type Error = PushError;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<()> {
        let part = crate::value::to_value(value).map_err(|error| PushError(Box::new(error)))?;
        let part = part
            .as_f64()
            .ok_or_else(|| PushError::new("a duration has numbers"))?;
        self.seconds += if name == "nanos" { part / 1e9 } else { part };
        Ok(())
    }

    fn end(self) -> Result<()> {
        self.cell.float(self.seconds)
    }
}
