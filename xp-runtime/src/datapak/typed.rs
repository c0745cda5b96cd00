//! Rust types from a graph, without making values of it.

use std::fmt;

use serde::de::{DeserializeOwned, Deserializer, Visitor};

use super::DatapakError;
use super::compressed::decompressed;
use super::limit::most;
use super::unpickle::{Graph, Item, Node, unpickle};
use crate::value::{
    MAX_DEPTH, Source, ValueDeserializer, ValueError, from_value, visit_entries, visit_items,
    visit_variant,
};

/// What [`from_value`] makes of the value that [`decode`](super::decode()) reads.
pub(super) fn decode_typed<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DatapakError> {
    let pickle = decompressed(bytes)?;
    let most = most(bytes.len(), pickle.len());
    let graph = unpickle(&pickle, most)?;
    let extent = graph.bounded(most)?;
    if extent.is_complex {
        return Ok(from_value(graph.value(graph.root, 0)?)?);
    }
    if extent.depth > MAX_DEPTH {
        return Err(DatapakError::TooDeep);
    }
    Ok(T::deserialize(Part::new(&graph, graph.root))?)
}

/// A part of a graph that has no complex values, and is not too deep.
///
/// Containers are deserialised in place; everything else is a small value first, so that there is one place that knows
/// what becomes of values.
#[derive(Clone, Copy)]
struct Part<'g, 'a> {
    graph: &'g Graph<'a>,
    item: Item<'a>,
    is_key: bool,
}

impl<'g, 'a> Part<'g, 'a> {
    fn new(graph: &'g Graph<'a>, item: Item<'a>) -> Self {
        Part {
            graph,
            item,
            is_key: false,
        }
    }

    fn node(self) -> Option<&'g Node<'a>> {
        match self.item {
            Item::Node(node) => self.graph.nodes.get(node),
            _ => None,
        }
    }

    #[inline]
    fn value(self) -> Result<ValueDeserializer, ValueError> {
        let value = self.graph.value(self.item, 0)?;
        let value = ValueDeserializer::new(value);
        Ok(if self.is_key { value.into_key() } else { value })
    }
}

impl<'de> Source<'de> for Part<'_, '_> {
    type Name = Self;

    fn name(&self) -> Self {
        *self
    }

    fn into_key(self) -> Self {
        Part {
            is_key: true,
            ..self
        }
    }
}

/// As the value is displayed.
impl fmt::Display for Part<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.graph.value(self.item, 0) {
            Ok(value) => value.fmt(f),
            Err(error) => error.fmt(f),
        }
    }
}

macro_rules! by_value {
    ($($method:ident)*) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
            self.value()?.$method(visitor)
        }
    )*};
}

/// What fits needs no value either; what does not is refused by it.
macro_rules! integers {
    ($($method:ident $visit:ident $type:ident,)*) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
            if let Item::Int(x) = self.item
                && let Ok(x) = $type::try_from(x)
            {
                return visitor.$visit(x);
            }
            self.value()?.$method(visitor)
        }
    )*};
}

impl<'de> Deserializer<'de> for Part<'_, '_> {
    type Error = ValueError;

    by_value! {
        deserialize_bool deserialize_i128 deserialize_u128 deserialize_char deserialize_str deserialize_string
        deserialize_unit
    }

    integers! {
        deserialize_i8 visit_i8 i8,
        deserialize_i16 visit_i16 i16,
        deserialize_i32 visit_i32 i32,
        deserialize_i64 visit_i64 i64,
        deserialize_u8 visit_u8 u8,
        deserialize_u16 visit_u16 u16,
        deserialize_u32 visit_u32 u32,
        deserialize_u64 visit_u64 u64,
    }

    #[inline]
    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        self.deserialize_f64(visitor)
    }

    #[inline]
    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match self.item {
            Item::Float(x) => visitor.visit_f64(x),
            _ => self.value()?.deserialize_f64(visitor),
        }
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match self.node() {
            Some(Node::List(_) | Node::Tuple(_) | Node::Set(_)) => self.deserialize_seq(visitor),
            Some(Node::Dict(_)) => self.deserialize_map(visitor),
            _ => self.value()?.deserialize_any(visitor),
        }
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        self.deserialize_byte_buf(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match self.node() {
            Some(Node::List(_) | Node::Tuple(_) | Node::Set(_)) => self.deserialize_seq(visitor),
            _ => self.value()?.deserialize_byte_buf(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match self.item {
            Item::None => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        // One of this library's own types takes values apart.
        if name.starts_with("xp::") {
            return self.value()?.deserialize_newtype_struct(name, visitor);
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        let part = |item| Part::new(self.graph, item);
        match self.node() {
            Some(Node::List(list)) => visit_items(list.iter().map(part), visitor),
            Some(Node::Tuple(items) | Node::Set(items)) => {
                visit_items(items.iter().copied().map(part), visitor)
            }
            _ => self.value()?.deserialize_seq(visitor),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        let part = |item| Part::new(self.graph, item);
        match self.node() {
            Some(Node::Dict(entries)) => {
                let entries = entries
                    .iter()
                    .map(|(key, value)| (part(*key), part(*value)));
                visit_entries(entries, visitor)
            }
            _ => self.value()?.deserialize_map(visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        match self.node() {
            Some(Node::List(_) | Node::Tuple(_)) => self.deserialize_seq(visitor),
            Some(Node::Dict(_)) => self.deserialize_map(visitor),
            _ => self.value()?.deserialize_struct(name, fields, visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        if let Some(Node::Dict(entries)) = self.node()
            && let [(variant, payload)] = entries[..]
            && let Some(variant) = self.graph.text(variant)
        {
            let payload = Part::new(self.graph, payload);
            return visit_variant(variant.to_owned(), Some(payload), visitor);
        }
        self.value()?.deserialize_enum(name, variants, visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match self.graph.text(self.item) {
            Some(text) => visitor.visit_str(text),
            None => self.deserialize_any(visitor),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        visitor.visit_unit()
    }
}
