//! Sequences and maps of the canonical form, as serde writes them piece by piece.

use serde::ser::{self, Serialize};

use super::encode::{EncodeError, Encoded, Encoder};
use super::form::{sort_entries, tag, write_text};

/// A sequence that is being written.
pub(super) struct Sequence<'a>(Encoder<'a>);

impl<'a> Sequence<'a> {
    pub(super) fn start(encoder: Encoder<'a>) -> Self {
        encoder.out.push(tag::SEQUENCE);
        Self(encoder)
    }

    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        self.0.value_or_null(value)
    }
}

/// A map that is being written: its entries as they come, sorted at the end.
pub(super) struct Map<'a> {
    encoder: Encoder<'a>,
    /// How many entries were on the stack before those of this map.
    base: usize,
    /// Where the entry that is being written starts.
    entry: usize,
}

impl<'a> Map<'a> {
    pub(super) fn start(encoder: Encoder<'a>) -> Self {
        encoder.out.push(tag::MAP);
        Self {
            base: encoder.entries.len(),
            entry: encoder.out.len(),
            encoder,
        }
    }

    fn key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), EncodeError> {
        self.entry = self.encoder.out.len();
        self.encoder.value_or_null(key)
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        self.encoder.value_or_null(value)?;
        self.finish_entry();
        Ok(())
    }

    fn member<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), EncodeError> {
        self.entry = self.encoder.out.len();
        write_text(name, self.encoder.out);
        match self.encoder.value(value)? {
            Encoded::Value => self.finish_entry(),
            Encoded::Absent => self.encoder.out.truncate(self.entry),
        }
        Ok(())
    }

    fn finish_entry(&mut self) {
        let entry = self.entry..self.encoder.out.len();
        self.encoder.entries.push(entry);
    }

    fn finish(self) -> Result<Encoded, EncodeError> {
        let Encoder {
            out,
            entries,
            members,
        } = self.encoder;
        if members {
            return Ok(Encoded::Value);
        }
        let own = &mut entries[self.base..];
        if !own.is_sorted_by(|a, b| out[a.clone()] <= out[b.clone()]) {
            // The entries lie one after the other, from the first that was written to the end.
            let (start, end) = (own[0].start, out.len());
            sort_entries(own, out);
            for entry in own {
                out.extend_from_within(entry.clone());
            }
            out.copy_within(end.., start);
            out.truncate(end);
        }
        entries.truncate(self.base);
        out.push(tag::END);
        Ok(Encoded::Value)
    }
}

/// Implements serde's traits for what a sequence is called in each place.
macro_rules! sequence {
    ($($trait:ident :: $method:ident),*) => {$(
        impl ser::$trait for Sequence<'_> {
            type Ok = Encoded;
            type Error = EncodeError;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
                self.element(value)
            }

            fn end(self) -> Result<Encoded, EncodeError> {
                self.0.tag(tag::END)
            }
        }
    )*};
}

sequence!(
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field
);

/// Implements serde's traits for structs and the data of variants.
macro_rules! members {
    ($($trait:ident),*) => {$(
        impl ser::$trait for Map<'_> {
            type Ok = Encoded;
            type Error = EncodeError;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), EncodeError> {
                self.member(name, value)
            }

            fn end(self) -> Result<Encoded, EncodeError> {
                self.finish()
            }
        }
    )*};
}

members!(SerializeStruct, SerializeStructVariant);

impl ser::SerializeMap for Map<'_> {
    type Ok = Encoded;
    type Error = EncodeError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), EncodeError> {
        self.key(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        self.value(value)
    }

    fn end(self) -> Result<Encoded, EncodeError> {
        self.finish()
    }
}
