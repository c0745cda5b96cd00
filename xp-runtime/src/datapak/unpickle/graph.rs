//! What a pickle says: items, and the containers that hold them.

use super::literal::long;
use super::scalar::Scalars;

/// A value, or the name of a node. What is longer than a word is where it was in the pickle.
#[derive(Clone, Copy)]
pub(in crate::datapak) enum Item<'a> {
    None,
    Bool(bool),
    Int(i64),
    /// An integer beyond 64 bits, as a little-endian two's complement.
    Long(&'a [u8]),
    Float(f64),
    Text(&'a str),
    Bytes(&'a [u8]),
    /// The node at this place.
    Node(usize),
}

/// Nodes, and which item is the value.
pub(in crate::datapak) struct Graph<'a> {
    pub(in crate::datapak) nodes: Vec<Node<'a>>,
    pub(in crate::datapak) root: Item<'a>,
}

impl<'a> Graph<'a> {
    /// The node that an item names.
    fn node(&self, item: Item<'a>) -> Option<&Node<'a>> {
        match item {
            Item::Node(node) => self.nodes.get(node),
            _ => None,
        }
    }

    /// The text that an item is.
    pub(in crate::datapak) fn text(&self, item: Item<'a>) -> Option<&str> {
        match (item, self.node(item)) {
            (Item::Text(text), _) => Some(text),
            (_, Some(Node::Text(text))) => Some(text),
            _ => None,
        }
    }

    /// The integer that an item is, if it has no more than 128 bits.
    pub(in crate::datapak) fn int(&self, item: Item<'a>) -> Option<i128> {
        match (item, self.node(item)) {
            (Item::Int(x), _) => Some(x.into()),
            (Item::Long(x), _) => long(x),
            (_, Some(Node::Int(x))) => Some(*x),
            _ => None,
        }
    }

    /// The entries of a dict.
    pub(in crate::datapak) fn entries(&self, item: Item<'a>) -> Option<&[(Item<'a>, Item<'a>)]> {
        match self.node(item) {
            Some(Node::Dict(entries)) => Some(entries),
            _ => None,
        }
    }

    /// What a dict holds under this key; the last entry wins, as in Python.
    pub(in crate::datapak) fn lookup(&self, dict: Item<'a>, key: &str) -> Option<Item<'a>> {
        let mut entries = self.entries(dict)?.iter().rev();
        let found = entries.find(|(k, _)| self.text(*k) == Some(key));
        found.map(|(_, value)| *value)
    }
}

/// What items can share, and what is no copy of bytes of the pickle.
pub(in crate::datapak) enum Node<'a> {
    Text(String),
    /// An integer beyond 64 bits.
    Int(i128),
    List(List<'a>),
    Tuple(Vec<Item<'a>>),
    Set(Vec<Item<'a>>),
    Dict(Vec<(Item<'a>, Item<'a>)>),
}

impl<'a> Node<'a> {
    /// What it holds that may cost more than its place.
    pub(super) fn parts(&self) -> impl Iterator<Item = Item<'a>> {
        let (list, items, entries) = match self {
            Node::Text(_) | Node::Int(_) => (None, &[][..], &[][..]),
            Node::List(list) => (Some(list), &[][..], &[][..]),
            Node::Tuple(items) | Node::Set(items) => (None, &items[..], &[][..]),
            Node::Dict(entries) => (None, &[][..], &entries[..]),
        };
        let entries = entries.iter().flat_map(|(key, value)| [*key, *value]);
        (list.into_iter().flat_map(List::items))
            .chain(items.iter().copied())
            .chain(entries)
    }

    /// How many values it holds.
    pub(super) fn places(&self) -> usize {
        match self {
            Node::Text(_) | Node::Int(_) => 0,
            Node::List(list) => list.len,
            Node::Tuple(items) | Node::Set(items) => items.len(),
            Node::Dict(entries) => 2 * entries.len(),
        }
    }
}

/// The elements of a list.
#[derive(Default)]
pub(in crate::datapak) struct List<'a> {
    parts: Vec<Part<'a>>,
    len: usize,
}

enum Part<'a> {
    Item(Item<'a>),
    /// Many numbers, as they are in the pickle.
    Scalars(Scalars<'a>),
}

impl<'a> List<'a> {
    pub(in crate::datapak) fn iter(&self) -> Elements<'_, 'a> {
        Elements {
            scalars: Scalars::default(),
            parts: self.parts.iter(),
            left: self.len,
        }
    }

    /// The elements that may cost more than their places.
    fn items(&self) -> impl Iterator<Item = Item<'a>> {
        self.parts.iter().filter_map(|part| match part {
            Part::Item(item) => Some(*item),
            Part::Scalars(_) => None,
        })
    }

    pub(super) fn push(&mut self, item: Item<'a>) {
        self.parts.push(Part::Item(item));
        self.len += 1;
    }

    pub(super) fn push_scalars(&mut self, scalars: Scalars<'a>, count: usize) {
        self.parts.push(Part::Scalars(scalars));
        self.len += count;
    }
}

impl<'a> FromIterator<Item<'a>> for List<'a> {
    fn from_iter<I: IntoIterator<Item = Item<'a>>>(items: I) -> Self {
        let parts: Vec<_> = items.into_iter().map(Part::Item).collect();
        let len = parts.len();
        List { parts, len }
    }
}

/// The elements of a list, one after the other.
#[derive(Clone)]
pub(in crate::datapak) struct Elements<'g, 'a> {
    /// What is left of the scalars that were begun.
    scalars: Scalars<'a>,
    parts: std::slice::Iter<'g, Part<'a>>,
    left: usize,
}

impl<'a> Iterator for Elements<'_, 'a> {
    type Item = Item<'a>;

    #[inline]
    fn next(&mut self) -> Option<Item<'a>> {
        loop {
            if let Some(item) = self.scalars.next() {
                self.left -= 1;
                return Some(item);
            }
            match self.parts.next()? {
                Part::Item(item) => {
                    self.left -= 1;
                    return Some(*item);
                }
                Part::Scalars(scalars) => self.scalars = *scalars,
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Elements<'_, '_> {}
