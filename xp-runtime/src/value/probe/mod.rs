//! What a type's `Deserialize` asks for, found by letting it deserialise a dummy.
//!
//! The first thing that a type asks for is what it is made of. Whether it then accepts the dummy does not matter, so the
//! error that it may give is ignored.

mod members;

use std::cell::Cell;

use serde::de::value::{MapDeserializer, SeqDeserializer, StrDeserializer};
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer};
use serde::de::{VariantAccess, Visitor};

pub(super) use self::members::members;
use super::de::is_duration;
use super::{ColumnType, Kind, ValueError, marks};

/// Newtypes and options nested deeper than this are taken to be recursive.
const MAX_WRAPPERS: u32 = 64;

/// The column type of `T`, as far as serde tells.
pub(super) fn column_type<T: DeserializeOwned>() -> ColumnType {
    trace(|probe| drop(T::deserialize(probe)))
}

/// Whether `T`, or what it is an option of, stands in a file of its own.
pub(super) fn is_stored<T: DeserializeOwned>() -> bool {
    let record = Record::default();
    drop(T::deserialize(Probe {
        record: &record,
        wrappers: 0,
    }));
    matches!(record.shape.get(), Shape::Stored)
}

/// Record what is asked of a probe, as often as needed: each time, an enum is asked for one of its variants.
fn trace(run: impl Fn(Probe<'_>)) -> ColumnType {
    let record = Record::default();
    loop {
        record.shape.set(Shape::Unknown);
        record.nullable.set(false);
        run(Probe {
            record: &record,
            wrappers: 0,
        });
        match record.shape.get() {
            Shape::Native(kind) => {
                return ColumnType {
                    kind,
                    nullable: record.nullable.get(),
                };
            }
            Shape::UnitVariant { variants } if record.variant.get() + 1 < variants => {
                record.variant.set(record.variant.get() + 1);
            }
            Shape::UnitVariant { .. } => {
                return ColumnType {
                    kind: Kind::Text,
                    nullable: record.nullable.get(),
                };
            }
            Shape::Unknown | Shape::Stored => return ColumnType::SERIALIZED,
        }
    }
}

#[derive(Clone, Copy, Default)]
enum Shape {
    #[default]
    Unknown,
    Native(Kind),
    /// An enum with this many variants, of which the one asked for is a unit.
    UnitVariant {
        variants: usize,
    },
    /// A reference to a file.
    Stored,
}

#[derive(Default)]
struct Record {
    shape: Cell<Shape>,
    nullable: Cell<bool>,
    /// Which variant of an enum is asked for.
    variant: Cell<usize>,
}

/// A deserializer that records the first thing that is asked of it.
#[derive(Clone, Copy)]
struct Probe<'a> {
    record: &'a Record,
    wrappers: u32,
}

fn stop<T>() -> Result<T, ValueError> {
    Err(ValueError::new("enough is known"))
}

impl Probe<'_> {
    fn native(&self, kind: Kind) {
        self.record.shape.set(Shape::Native(kind));
    }

    fn wrapped(self) -> Result<Self, ValueError> {
        if self.wrappers == MAX_WRAPPERS {
            stop()
        } else {
            Ok(Probe {
                wrappers: self.wrappers + 1,
                ..self
            })
        }
    }
}

macro_rules! natives {
    ($($method:ident $kind:ident $visit:ident($dummy:expr),)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
            self.native(Kind::$kind);
            visitor.$visit($dummy)
        }
    )*};
}

macro_rules! unknown {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, _: V) -> Result<V::Value, ValueError> {
            stop()
        }
    )*};
}

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = ValueError;

    natives! {
        deserialize_bool Bool visit_bool(false),
        deserialize_i8 Int visit_i8(1),
        deserialize_i16 Int visit_i16(1),
        deserialize_i32 Int visit_i32(1),
        deserialize_i64 Int visit_i64(1),
        deserialize_u8 Int visit_u8(1),
        deserialize_u16 Int visit_u16(1),
        deserialize_u32 Int visit_u32(1),
        deserialize_u64 Int visit_u64(1),
        deserialize_f32 Float visit_f32(0.0),
        deserialize_f64 Float visit_f64(0.0),
        deserialize_char Text visit_char('a'),
        deserialize_str Text visit_str(""),
        deserialize_string Text visit_str(""),
        deserialize_bytes Bytes visit_bytes(&[]),
        deserialize_byte_buf Bytes visit_bytes(&[]),
    }

    unknown! {
        deserialize_i128 deserialize_u128 deserialize_identifier deserialize_ignored_any
    }

    // Not native, but given what may be accepted.

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        visitor.visit_unit()
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        visitor.visit_unit()
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        visitor.visit_seq(SeqDeserializer::new(std::iter::empty::<()>()))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        visitor.visit_map(MapDeserializer::new(std::iter::empty::<((), ())>()))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        if self.record.nullable.replace(true) {
            return stop();
        }
        visitor.visit_some(self.wrapped()?)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        // Whatever it refers to: a reference is stored.
        if marks::is_store(name) {
            self.record.shape.set(Shape::Stored);
            return stop();
        }
        visitor.visit_newtype_struct(self.wrapped()?)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        match variants.get(self.record.variant.get()) {
            Some(name) => visitor.visit_enum(VariantProbe {
                record: self.record,
                name,
                variants: variants.len(),
            }),
            None => stop(),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, ValueError> {
        if is_duration(name, fields) {
            self.native(Kind::Duration);
        }
        stop()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: V,
    ) -> Result<V::Value, ValueError> {
        stop()
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, ValueError> {
        stop()
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        _: V,
    ) -> Result<V::Value, ValueError> {
        stop()
    }
}

/// Asks an enum for one variant, and records whether it is a unit.
struct VariantProbe<'a> {
    record: &'a Record,
    name: &'static str,
    variants: usize,
}

impl<'de> EnumAccess<'de> for VariantProbe<'_> {
    type Error = ValueError;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Self), ValueError> {
        let name: StrDeserializer<'_, ValueError> = self.name.into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'de> VariantAccess<'de> for VariantProbe<'_> {
    type Error = ValueError;

    fn unit_variant(self) -> Result<(), ValueError> {
        self.record.shape.set(Shape::UnitVariant {
            variants: self.variants,
        });
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _: T) -> Result<T::Value, ValueError> {
        stop()
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, ValueError> {
        stop()
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, ValueError> {
        stop()
    }
}
