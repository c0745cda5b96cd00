use std::cell::Cell;

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error, IntoDeserializer, MapAccess, Visitor,
};

use super::{Probe, stop, trace};
use crate::value::{ColumnType, ValueError, marks};

/// The members of the struct `T`, as far as serde tells.
pub(in crate::value) fn members<T: DeserializeOwned>() -> Option<Vec<(&'static str, ColumnType)>> {
    let names = Cell::new(None);
    trace(|probe| {
        drop(T::deserialize(StructProbe {
            names: &names,
            keys: &[],
            probe,
        }))
    });
    let names = names.get()?;
    let mut members: Vec<(&'static str, ColumnType)> = Vec::with_capacity(names.len());
    for name in names {
        if let Some(last) = members.last_mut()
            && let Some(own) = shared_name::<T>(names, [last.0, name])
        {
            last.0 = own;
            continue;
        }
        let column = trace(|probe| {
            drop(T::deserialize(StructProbe {
                names: &Cell::new(None),
                keys: &[name],
                probe,
            }));
        });
        members.push((name, column));
    }
    Some(members)
}

/// The own name of the member that both of these names stand for, one of them being an alias.
///
/// Serde tells aliases among the names. Given a member twice, a struct complains that it is a duplicate, by its own name.
fn shared_name<T: DeserializeOwned>(
    names: &[&'static str],
    keys: [&'static str; 2],
) -> Option<&'static str> {
    let own = Cell::new(None);
    trace(|probe| {
        let result = T::deserialize(StructProbe {
            names: &Cell::new(None),
            keys: &keys,
            probe,
        });
        let Err(error) = result else { return };
        let is_own = |name: &&&'static str| error == ValueError::duplicate_field(name);
        own.set(names.iter().find(is_own).copied());
    });
    own.get()
}

/// A deserializer that finds the names of a struct's members, and hands a probe to one of them.
struct StructProbe<'a> {
    names: &'a Cell<Option<&'static [&'static str]>>,
    /// The members that are given, in this order.
    keys: &'a [&'static str],
    probe: Probe<'a>,
}

impl<'de> Deserializer<'de> for StructProbe<'_> {
    type Error = ValueError;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        self.names.set(Some(fields));
        visitor.visit_map(MemberProbe {
            keys: self.keys,
            probe: self.probe,
        })
    }

    fn deserialize_unit<V: Visitor<'de>>(self, _: V) -> Result<V::Value, ValueError> {
        self.names.set(Some(&[]));
        stop()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: V,
    ) -> Result<V::Value, ValueError> {
        self.names.set(Some(&[]));
        stop()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        if marks::is_store(name) {
            return stop();
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, ValueError> {
        stop()
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option seq tuple
        tuple_struct map enum identifier ignored_any
    }
}

struct MemberProbe<'a> {
    keys: &'a [&'static str],
    probe: Probe<'a>,
}

impl<'de> MapAccess<'de> for MemberProbe<'_> {
    type Error = ValueError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, ValueError> {
        match self.keys.split_first() {
            Some((name, rest)) => {
                self.keys = rest;
                let name: StrDeserializer<'_, ValueError> = (*name).into_deserializer();
                seed.deserialize(name).map(Some)
            }
            None => stop(),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, ValueError> {
        seed.deserialize(self.probe)
    }
}
