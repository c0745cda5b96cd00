use super::unpickle::{Graph, Node, unpickle};
use super::{DatapakError, kinds};
use crate::value::{MAX_DEPTH, Value};

/// Read DATAPAK, from this library or from `mltraq`.
///
/// Frames, arrays, data stores and archives come as [`Value::Packed`]; so do integers beyond 128 bits, with the kind `int` and
/// the bytes of their little-endian two's complement. Where a dict repeats a key, all of its entries are kept.
///
/// # Errors
///
/// Anything that is no DATAPAK value; unknown kinds; compressed bytes; and values that nest
/// too deep, or take far more memory than their bytes. Reading never panics, and never executes anything.
pub fn decode(bytes: &[u8]) -> Result<Value, DatapakError> {
    let graph = unpickle(bytes)?;
    let root = graph.root;
    Tree::new(graph, bytes.len()).value(root, 0)
}

/// What a value is taken to cost beside its text, in bytes.
const NODE_COST: usize = 64;

/// How many bytes a value may take at least, however few bytes it comes from.
const FREE_BUDGET: usize = 64 << 20;

/// Turns a graph into values, where everything shared is copied.
struct Tree<'a> {
    nodes: Vec<Node<'a>>,
    /// How many bytes the value may still take.
    budget: usize,
}

impl<'a> Tree<'a> {
    fn new(graph: Graph<'a>, len: usize) -> Self {
        Tree {
            nodes: graph.nodes,
            budget: len
                .saturating_mul(4 * NODE_COST)
                .saturating_add(FREE_BUDGET),
        }
    }

    fn spend(&mut self, bytes: usize) -> Result<(), DatapakError> {
        self.budget = self
            .budget
            .checked_sub(bytes + NODE_COST)
            .ok_or(DatapakError::TooLarge)?;
        Ok(())
    }

    fn value(&mut self, node: usize, depth: usize) -> Result<Value, DatapakError> {
        Ok(match &self.nodes[node] {
            Node::None => Value::Null,
            Node::Bool(x) => Value::Bool(*x),
            Node::Int(x) => Value::Int(*x),
            Node::Float(x) => Value::Float(*x),
            Node::Text(x) => {
                let text = x.to_string();
                self.spend(text.len())?;
                Value::Text(text)
            }
            Node::Bytes(x) => {
                let bytes = *x;
                self.spend(bytes.len())?;
                Value::Bytes(bytes.to_vec())
            }
            Node::BigInt(x) => {
                let bytes = Value::Bytes(x.to_vec());
                Value::Packed {
                    kind: kinds::BIG_INT.into(),
                    payload: Box::new(bytes),
                }
            }
            _ if depth == MAX_DEPTH => return Err(DatapakError::TooDeep),
            Node::List(_) => Value::List(self.items(node, depth)?),
            Node::Tuple(_) => Value::Tuple(self.items(node, depth)?),
            Node::Set(_) => Value::Set(self.items(node, depth)?),
            Node::Dict(_) => return self.dict(node, depth),
        })
    }

    /// The elements of a list, tuple or set.
    fn items(&mut self, node: usize, depth: usize) -> Result<Vec<Value>, DatapakError> {
        let len = self.elements(node).len();
        self.spend(len.saturating_mul(NODE_COST))?;
        let mut items = Vec::with_capacity(len);
        for i in 0..len {
            items.push(self.value(self.elements(node)[i], depth + 1)?);
        }
        Ok(items)
    }

    fn elements(&self, node: usize) -> &[usize] {
        match &self.nodes[node] {
            Node::List(items) | Node::Tuple(items) | Node::Set(items) => items,
            _ => &[],
        }
    }

    fn entries(&self, node: usize) -> &[(usize, usize)] {
        match &self.nodes[node] {
            Node::Dict(entries) => entries,
            _ => &[],
        }
    }

    /// What a dict holds under this key; the last entry wins, as in Python.
    fn lookup(&self, node: usize, key: &str) -> Option<usize> {
        let is_key = |node: usize| matches!(&self.nodes[node], Node::Text(text) if text == key);
        self.entries(node)
            .iter()
            .rev()
            .find(|(k, _)| is_key(*k))
            .map(|(_, value)| *value)
    }

    fn dict(&mut self, node: usize, depth: usize) -> Result<Value, DatapakError> {
        match self.lookup(node, kinds::MAGIC) {
            None => self.map(node, depth).map(Value::Map),
            Some(kind) => self.complex(node, kind, depth),
        }
    }

    fn map(&mut self, node: usize, depth: usize) -> Result<Vec<(Value, Value)>, DatapakError> {
        let len = self.entries(node).len();
        self.spend(len.saturating_mul(2 * NODE_COST))?;
        let mut entries = Vec::with_capacity(len);
        for i in 0..len {
            let (key, value) = self.entries(node)[i];
            entries.push((self.value(key, depth + 1)?, self.value(value, depth + 1)?));
        }
        Ok(entries)
    }

    fn complex(&mut self, node: usize, kind: usize, depth: usize) -> Result<Value, DatapakError> {
        let kind = match &self.nodes[kind] {
            Node::Text(kind) => kind.clone().into_owned(),
            _ => {
                return Err(DatapakError::UnknownKind {
                    kind: "not a text".into(),
                });
            }
        };
        let Some(payload) = self.lookup(node, kinds::PAYLOAD) else {
            return Err(DatapakError::Payload {
                kind,
                problem: "it has no value",
            });
        };
        self.spend(kind.len())?;
        match (kind.as_str(), &self.nodes[payload]) {
            (kinds::UUID, Node::Text(text)) => match uuid::Uuid::try_parse(text) {
                Ok(uuid) => Ok(Value::Uuid(uuid)),
                Err(_) => Err(DatapakError::Payload {
                    kind,
                    problem: "not 32 hexadecimal digits",
                }),
            },
            (kinds::DATETIME64, Node::Int(micros)) => match i64::try_from(*micros) {
                Ok(i64::MIN) => Ok(Value::DateTime64(None)),
                Ok(micros) => Ok(Value::DateTime64(Some(micros))),
                Err(_) => Err(DatapakError::Payload {
                    kind,
                    problem: "microseconds beyond 64 bits",
                }),
            },
            (kinds::BUNCH, Node::Dict(_)) if self.lookup(payload, kinds::MAGIC).is_none() => {
                let entries = self.map(payload, depth)?;
                Ok(bunch(entries))
            }
            (kinds::UUID | kinds::DATETIME64 | kinds::BUNCH, _) => Err(DatapakError::Payload {
                kind,
                problem: "its value is of another type",
            }),
            (packed, _) if kinds::is_packed(packed) => {
                let payload = Box::new(self.value(payload, depth + 1)?);
                Ok(Value::Packed { kind, payload })
            }
            _ => Err(DatapakError::UnknownKind { kind }),
        }
    }
}

/// A bunch, or a packed one if not all of its keys are texts.
fn bunch(entries: Vec<(Value, Value)>) -> Value {
    if entries.iter().all(|(key, _)| matches!(key, Value::Text(_))) {
        let named = entries.into_iter().filter_map(|(key, value)| match key {
            Value::Text(name) => Some((name, value)),
            _ => None,
        });
        Value::Bunch(named.collect())
    } else {
        Value::Packed {
            kind: kinds::BUNCH.into(),
            payload: Box::new(Value::Map(entries)),
        }
    }
}
