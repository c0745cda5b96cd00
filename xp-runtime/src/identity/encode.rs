//! A serde serializer that writes the canonical form.

use std::fmt::Display;
use std::io::Write as _;
use std::ops::Range;

use serde::ser::{self, Serialize, Serializer};

use super::collection::{Map, Sequence};
use super::form::{tag, write_magnitude, write_natural, write_sized};

/// Why a value has no canonical form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The value's own `Serialize` failed, with this message.
    #[error("{0}")]
    Serialize(String),
    /// The value was to be taken apart into named members, and is neither a struct nor a map
    /// whose keys are texts.
    #[error("`{0}` is neither a struct nor a map with text keys, so it has no named members")]
    NoMembers(&'static str),
}

impl ser::Error for EncodeError {
    fn custom<T: Display>(message: T) -> Self {
        Self::Serialize(message.to_string())
    }
}

/// What [`encode`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoded {
    /// A value; its canonical form was written.
    Value,
    /// `None`; nothing was written. It depends on the place what it means: a member of a struct is
    /// left out, everything else is null.
    Absent,
}

/// Appends the canonical form of a value to `out`. On failure `out` is as it was.
///
/// # Errors
///
/// The value's `Serialize` fails.
pub fn encode<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<Encoded, EncodeError> {
    let start = out.len();
    let encoder = Encoder {
        out,
        entries: &mut Vec::new(),
        members: false,
    };
    let encoded = value.serialize(encoder);
    if encoded.is_err() {
        out.truncate(start);
    }
    encoded
}

/// The serializer. It allocates nothing beyond the growth of its two buffers.
pub(super) struct Encoder<'a> {
    pub(super) out: &'a mut Vec<u8>,
    /// Where in `out` the entries of the maps lie that are being written: a stack, on which every
    /// map takes off what it put on.
    pub(super) entries: &'a mut Vec<Range<usize>>,
    /// Whether the outermost map leaves its entries on the stack, unsorted: the caller wants them
    /// one by one.
    pub(super) members: bool,
}

impl<'a> Encoder<'a> {
    pub(super) fn value<T: Serialize + ?Sized>(
        &mut self,
        value: &T,
    ) -> Result<Encoded, EncodeError> {
        value.serialize(Encoder {
            out: self.out,
            entries: self.entries,
            members: false,
        })
    }

    /// Writes a value in a place where `None` is null.
    pub(super) fn value_or_null<T: Serialize + ?Sized>(
        &mut self,
        value: &T,
    ) -> Result<(), EncodeError> {
        if self.value(value)? == Encoded::Absent {
            self.out.push(tag::NULL);
        }
        Ok(())
    }

    pub(super) fn tag(self, tag: u8) -> Result<Encoded, EncodeError> {
        self.out.push(tag);
        Ok(Encoded::Value)
    }

    fn natural(self, value: u128) -> Result<Encoded, EncodeError> {
        write_natural(value, self.out);
        Ok(Encoded::Value)
    }

    fn integer(self, value: i128) -> Result<Encoded, EncodeError> {
        if value >= 0 {
            return self.natural(value.unsigned_abs());
        }
        self.out.push(tag::NEGATIVE);
        write_magnitude(value.unsigned_abs(), self.out);
        Ok(Encoded::Value)
    }

    fn sized(self, tag: u8, bytes: &[u8]) -> Result<Encoded, EncodeError> {
        write_sized(tag, bytes, self.out);
        Ok(Encoded::Value)
    }
}

impl<'a> Serializer for Encoder<'a> {
    type Ok = Encoded;
    type Error = EncodeError;
    type SerializeSeq = Sequence<'a>;
    type SerializeTuple = Sequence<'a>;
    type SerializeTupleStruct = Sequence<'a>;
    type SerializeTupleVariant = Sequence<'a>;
    type SerializeMap = Map<'a>;
    type SerializeStruct = Map<'a>;
    type SerializeStructVariant = Map<'a>;

    fn is_human_readable(&self) -> bool {
        true
    }

    fn serialize_bool(self, v: bool) -> Result<Encoded, EncodeError> {
        self.tag(if v { tag::TRUE } else { tag::FALSE })
    }

    fn serialize_i8(self, v: i8) -> Result<Encoded, EncodeError> {
        self.integer(v.into())
    }

    fn serialize_i16(self, v: i16) -> Result<Encoded, EncodeError> {
        self.integer(v.into())
    }

    fn serialize_i32(self, v: i32) -> Result<Encoded, EncodeError> {
        self.integer(v.into())
    }

    fn serialize_i64(self, v: i64) -> Result<Encoded, EncodeError> {
        self.integer(v.into())
    }

    fn serialize_i128(self, v: i128) -> Result<Encoded, EncodeError> {
        self.integer(v)
    }

    fn serialize_u8(self, v: u8) -> Result<Encoded, EncodeError> {
        self.natural(v.into())
    }

    fn serialize_u16(self, v: u16) -> Result<Encoded, EncodeError> {
        self.natural(v.into())
    }

    fn serialize_u32(self, v: u32) -> Result<Encoded, EncodeError> {
        self.natural(v.into())
    }

    fn serialize_u64(self, v: u64) -> Result<Encoded, EncodeError> {
        self.natural(v.into())
    }

    fn serialize_u128(self, v: u128) -> Result<Encoded, EncodeError> {
        self.natural(v)
    }

    fn serialize_f32(self, v: f32) -> Result<Encoded, EncodeError> {
        self.serialize_f64(v.into())
    }

    fn serialize_f64(self, v: f64) -> Result<Encoded, EncodeError> {
        // NaN is written out, since the bits of `f64::NAN` are not specified.
        let bits = if v.is_nan() {
            0x7ff8_0000_0000_0000
        } else if v == 0.0 {
            0
        } else {
            v.to_bits()
        };
        self.out.push(tag::FLOAT);
        self.out.extend_from_slice(&bits.to_be_bytes());
        Ok(Encoded::Value)
    }

    fn serialize_char(self, v: char) -> Result<Encoded, EncodeError> {
        self.serialize_str(v.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, v: &str) -> Result<Encoded, EncodeError> {
        self.sized(tag::TEXT, v.as_bytes())
    }

    fn serialize_bytes(self, v: &[u8]) -> Result<Encoded, EncodeError> {
        self.sized(tag::BYTES, v)
    }

    fn serialize_none(self) -> Result<Encoded, EncodeError> {
        Ok(Encoded::Absent)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Encoded, EncodeError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Encoded, EncodeError> {
        self.tag(tag::NULL)
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<Encoded, EncodeError> {
        self.tag(tag::NULL)
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<Encoded, EncodeError> {
        self.sized(tag::NAME, variant.as_bytes())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<Encoded, EncodeError> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        mut self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Encoded, EncodeError> {
        write_sized(tag::VARIANT, variant.as_bytes(), self.out);
        self.value_or_null(value)?;
        Ok(Encoded::Value)
    }

    fn serialize_seq(self, _len: Option<usize>) -> Result<Sequence<'a>, EncodeError> {
        Ok(Sequence::start(self))
    }

    fn serialize_tuple(self, _len: usize) -> Result<Sequence<'a>, EncodeError> {
        Ok(Sequence::start(self))
    }

    fn serialize_tuple_struct(
        self,
        _name: &'static str,
        _len: usize,
    ) -> Result<Sequence<'a>, EncodeError> {
        Ok(Sequence::start(self))
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Sequence<'a>, EncodeError> {
        write_sized(tag::VARIANT, variant.as_bytes(), self.out);
        Ok(Sequence::start(self))
    }

    fn serialize_map(self, _len: Option<usize>) -> Result<Map<'a>, EncodeError> {
        Ok(Map::start(self))
    }

    fn serialize_struct(self, _name: &'static str, _len: usize) -> Result<Map<'a>, EncodeError> {
        Ok(Map::start(self))
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Map<'a>, EncodeError> {
        write_sized(tag::VARIANT, variant.as_bytes(), self.out);
        Ok(Map::start(self))
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<Encoded, EncodeError> {
        let start = self.out.len();
        write!(self.out, "{value}").map_err(ser::Error::custom)?;
        let end = self.out.len();
        self.out.push(tag::TEXT);
        write_magnitude((end - start) as u128, self.out);
        // The length is known after the text and stands before it.
        let head = self.out.len() - end;
        self.out[start..].rotate_right(head);
        Ok(Encoded::Value)
    }
}
