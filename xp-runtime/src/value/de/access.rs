use std::fmt::Display;

use serde::de::value::StrDeserializer;
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};

use super::{Place, ValueDeserializer};
use crate::value::{Value, ValueError};

/// The elements of a sequence.
pub(super) struct Items<I> {
    pub(super) items: I,
    /// How many were read.
    pub(super) index: usize,
    pub(super) place: Place,
}

impl<'de, I: ExactSizeIterator<Item = Value>> SeqAccess<'de> for Items<I> {
    type Error = ValueError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, ValueError> {
        let Some(item) = self.items.next() else {
            return Ok(None);
        };
        let element = seed
            .deserialize(ValueDeserializer {
                value: item,
                place: self.place,
            })
            .map_err(|e| e.in_element(self.index))?;
        self.index += 1;
        Ok(Some(element))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

/// The entries of a map.
pub(super) struct Entries<I> {
    pub(super) entries: I,
    /// The name of the key that was read last, and its value.
    pub(super) value: Option<(String, Value)>,
    pub(super) place: Place,
}

impl<'de, I: ExactSizeIterator<Item = (Value, Value)>> MapAccess<'de> for Entries<I> {
    type Error = ValueError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, ValueError> {
        let Some((key, value)) = self.entries.next() else {
            return Ok(None);
        };
        let name = key.to_string();
        let result = seed
            .deserialize(ValueDeserializer {
                value: key,
                place: Place::Key,
            })
            .map_err(|e| e.in_member(&name))?;
        self.value = Some((name, value));
        Ok(Some(result))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, ValueError> {
        let (name, value) = self
            .value
            .take()
            .ok_or_else(|| ValueError::new("a value was read before its key"))?;
        let place = self.place;
        seed.deserialize(ValueDeserializer { value, place })
            .map_err(|e| e.in_member(name))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.entries.len())
    }
}

/// A variant of an enum.
pub(super) struct Variant {
    pub(super) name: String,
    pub(super) payload: Option<Value>,
}

impl<'de> EnumAccess<'de> for Variant {
    type Error = ValueError;
    type Variant = Payload;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Payload), ValueError> {
        let deserializer: StrDeserializer<'_, ValueError> = self.name.as_str().into_deserializer();
        let variant = seed.deserialize(deserializer)?;
        Ok((
            variant,
            Payload {
                name: self.name,
                payload: self.payload,
            },
        ))
    }
}

/// What a variant holds.
pub(super) struct Payload {
    name: String,
    payload: Option<Value>,
}

impl Payload {
    fn read<T>(
        self,
        expected: impl Display,
        read: impl FnOnce(ValueDeserializer) -> Result<T, ValueError>,
    ) -> Result<T, ValueError> {
        match self.payload {
            Some(payload) => {
                read(ValueDeserializer::new(payload)).map_err(|e| e.in_member(self.name))
            }
            None => Err(ValueError::expected(
                expected,
                format_args!("the variant `{}` alone", self.name),
            )),
        }
    }
}

impl<'de> VariantAccess<'de> for Payload {
    type Error = ValueError;

    fn unit_variant(self) -> Result<(), ValueError> {
        match self.payload {
            None => Ok(()),
            Some(payload) => <()>::deserialize(ValueDeserializer::new(payload))
                .map_err(|e| e.in_member(self.name)),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<T::Value, ValueError> {
        self.read("a variant with a value", |payload| {
            seed.deserialize(payload)
        })
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, ValueError> {
        self.read("a variant with values", |payload| {
            payload.deserialize_seq(visitor)
        })
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        self.read("a variant with members", |payload| {
            payload.deserialize_struct("", fields, visitor)
        })
    }
}
