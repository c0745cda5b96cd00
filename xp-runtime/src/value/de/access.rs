use std::fmt::Display;

use serde::de::value::StrDeserializer;
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};

use crate::value::ValueError;

/// What elements, keys and values are deserialised from.
pub(crate) trait Source<'de>: Deserializer<'de, Error = ValueError> {
    /// How a key is named where its value is wrong.
    type Name: Display;

    fn name(&self) -> Self::Name;

    /// The same as the key of a map, where numbers may be written as texts.
    #[must_use]
    fn into_key(self) -> Self;
}

/// A sequence of these elements; all of them must be taken.
pub(crate) fn visit_items<'de, I, V: Visitor<'de>>(
    items: I,
    visitor: V,
) -> Result<V::Value, ValueError>
where
    I: ExactSizeIterator<Item: Source<'de>>,
{
    let mut access = Items { items, index: 0 };
    let result = visitor.visit_seq(&mut access)?;
    match access.items.len() {
        0 => Ok(result),
        more => Err(ValueError::expected(
            format_args!("{} elements", access.index),
            access.index + more,
        )),
    }
}

/// A map of these entries.
pub(crate) fn visit_entries<'de, I, D, V>(entries: I, visitor: V) -> Result<V::Value, ValueError>
where
    I: ExactSizeIterator<Item = (D, D)>,
    D: Source<'de>,
    V: Visitor<'de>,
{
    visitor.visit_map(Entries {
        entries,
        value: None,
    })
}

/// The variant of an enum that has this name.
pub(crate) fn visit_variant<'de, D: Source<'de>, V: Visitor<'de>>(
    name: String,
    payload: Option<D>,
    visitor: V,
) -> Result<V::Value, ValueError> {
    visitor.visit_enum(Variant { name, payload })
}

struct Items<I> {
    items: I,
    /// How many were read.
    index: usize,
}

impl<'de, I: ExactSizeIterator<Item: Source<'de>>> SeqAccess<'de> for Items<I> {
    type Error = ValueError;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, ValueError> {
        let Some(item) = self.items.next() else {
            return Ok(None);
        };
        let element = seed
            .deserialize(item)
            .map_err(|e| e.in_element(self.index))?;
        self.index += 1;
        Ok(Some(element))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

struct Entries<'de, I, D: Source<'de>> {
    entries: I,
    /// The name of the key that was read last, and its value.
    value: Option<(D::Name, D)>,
}

impl<'de, I, D> MapAccess<'de> for Entries<'de, I, D>
where
    I: ExactSizeIterator<Item = (D, D)>,
    D: Source<'de>,
{
    type Error = ValueError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, ValueError> {
        let Some((key, value)) = self.entries.next() else {
            return Ok(None);
        };
        let name = key.name();
        let result = seed
            .deserialize(key.into_key())
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
        seed.deserialize(value).map_err(|e| e.in_member(name))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.entries.len())
    }
}

struct Variant<D> {
    name: String,
    payload: Option<D>,
}

impl<'de, D: Source<'de>> EnumAccess<'de> for Variant<D> {
    type Error = ValueError;
    type Variant = Payload<D>;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Payload<D>), ValueError> {
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
struct Payload<D> {
    name: String,
    payload: Option<D>,
}

impl<'de, D: Source<'de>> Payload<D> {
    fn read<T>(
        self,
        expected: impl Display,
        read: impl FnOnce(D) -> Result<T, ValueError>,
    ) -> Result<T, ValueError> {
        match self.payload {
            Some(payload) => read(payload).map_err(|e| e.in_member(self.name)),
            None => Err(ValueError::expected(
                expected,
                format_args!("the variant `{}` alone", self.name),
            )),
        }
    }
}

impl<'de, D: Source<'de>> VariantAccess<'de> for Payload<D> {
    type Error = ValueError;

    fn unit_variant(self) -> Result<(), ValueError> {
        match self.payload {
            None => Ok(()),
            Some(payload) => <()>::deserialize(payload).map_err(|e| e.in_member(self.name)),
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
