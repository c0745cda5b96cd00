//! A reader of the canonical form: what can be read back is not the form of two values.

use serde::ser::{Serialize, SerializeMap, SerializeSeq, SerializeStruct, Serializer};

use super::super::tag;

/// What a value may be made of. The texts of variants and members are `&'static` in serde, hence
/// the indices into [`NAMES`].
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Tree {
    Null,
    Absent,
    Bool(bool),
    Natural(u128),
    Integer(i128),
    Float(f64),
    Text(String),
    Bytes(Vec<u8>),
    Sequence(Vec<Tree>),
    Map(Vec<(Tree, Tree)>),
    Struct(Vec<(usize, Tree)>),
    Name(usize),
    Variant(usize, Box<Tree>),
}

pub(super) const NAMES: [&str; 5] = ["", "a", "b", "aa", "ab"];

impl Serialize for Tree {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Tree::Null => serializer.serialize_unit(),
            Tree::Absent => serializer.serialize_none(),
            Tree::Bool(v) => serializer.serialize_bool(*v),
            Tree::Natural(v) => serializer.serialize_u128(*v),
            Tree::Integer(v) => serializer.serialize_i128(*v),
            Tree::Float(v) => serializer.serialize_f64(*v),
            Tree::Text(v) => serializer.serialize_str(v),
            Tree::Bytes(v) => serializer.serialize_bytes(v),
            Tree::Sequence(items) => {
                let mut sequence = serializer.serialize_seq(None)?;
                for item in items {
                    sequence.serialize_element(item)?;
                }
                sequence.end()
            }
            Tree::Map(entries) => {
                let mut map = serializer.serialize_map(None)?;
                for (key, value) in entries {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
            Tree::Struct(members) => {
                let mut map = serializer.serialize_struct("Struct", members.len())?;
                for (name, value) in members {
                    map.serialize_field(NAMES[*name], value)?;
                }
                map.end()
            }
            Tree::Name(name) => serializer.serialize_unit_variant("Enum", 0, NAMES[*name]),
            Tree::Variant(name, value) => {
                serializer.serialize_newtype_variant("Enum", 0, NAMES[*name], value)
            }
        }
    }
}

impl Tree {
    /// The tree that stands for all trees which are the same value by the specification.
    pub(super) fn normal(self) -> Tree {
        let null = |tree: Tree| match tree.normal() {
            Tree::Absent => Tree::Null,
            other => other,
        };
        match self {
            Tree::Integer(v) if v >= 0 => Tree::Natural(v.unsigned_abs()),
            Tree::Float(0.0) => Tree::Float(0.0),
            Tree::Sequence(items) => Tree::Sequence(items.into_iter().map(null).collect()),
            Tree::Map(entries) => sorted(
                entries
                    .into_iter()
                    .map(|(k, v)| (null(k), null(v)))
                    .collect(),
            ),
            Tree::Struct(members) => sorted(
                members
                    .into_iter()
                    .map(|(name, value)| (Tree::Text(NAMES[name].to_owned()), value.normal()))
                    .filter(|(_, value)| *value != Tree::Absent)
                    .collect(),
            ),
            Tree::Variant(name, value) => Tree::Variant(name, Box::new(null(*value))),
            other => other,
        }
    }
}

/// The map with its entries in an order of this reader's own.
fn sorted(mut entries: Vec<(Tree, Tree)>) -> Tree {
    entries.sort_by_cached_key(|entry| format!("{entry:?}"));
    Tree::Map(entries)
}

/// Reads one value from the front of `bytes`.
pub(super) fn decode(bytes: &mut &[u8]) -> Tree {
    match take(bytes, 1)[0] {
        tag::NULL => Tree::Null,
        tag::FALSE => Tree::Bool(false),
        tag::TRUE => Tree::Bool(true),
        tag::NATURAL => Tree::Natural(magnitude(bytes)),
        tag::NEGATIVE => Tree::Integer((magnitude(bytes) as i128).wrapping_neg()),
        tag::FLOAT => Tree::Float(f64::from_be_bytes(take(bytes, 8).try_into().unwrap())),
        tag::TEXT => Tree::Text(text(bytes)),
        tag::BYTES => Tree::Bytes(sized(bytes)),
        tag::SEQUENCE => {
            let mut items = Vec::new();
            while !ended(bytes) {
                items.push(decode(bytes));
            }
            Tree::Sequence(items)
        }
        tag::MAP => {
            let mut entries = Vec::new();
            while !ended(bytes) {
                entries.push((decode(bytes), decode(bytes)));
            }
            sorted(entries)
        }
        tag::NAME => Tree::Name(name(bytes)),
        tag::VARIANT => Tree::Variant(name(bytes), Box::new(decode(bytes))),
        other => panic!("no value starts with {other:#x}"),
    }
}

fn take<'a>(bytes: &mut &'a [u8], count: usize) -> &'a [u8] {
    let (head, rest) = bytes.split_at(count);
    *bytes = rest;
    head
}

fn magnitude(bytes: &mut &[u8]) -> u128 {
    let count = take(bytes, 1)[0] as usize;
    take(bytes, count)
        .iter()
        .fold(0, |value, byte| value << 8 | u128::from(*byte))
}

fn sized(bytes: &mut &[u8]) -> Vec<u8> {
    let count = magnitude(bytes) as usize;
    take(bytes, count).to_vec()
}

fn text(bytes: &mut &[u8]) -> String {
    String::from_utf8(sized(bytes)).unwrap()
}

fn name(bytes: &mut &[u8]) -> usize {
    let name = text(bytes);
    NAMES.iter().position(|known| *known == name).unwrap()
}

fn ended(bytes: &mut &[u8]) -> bool {
    let ended = bytes[0] == tag::END;
    if ended {
        take(bytes, 1);
    }
    ended
}
