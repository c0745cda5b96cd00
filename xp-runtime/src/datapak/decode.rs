use super::compressed::decompressed;
use super::unpickle::{Graph, Node, unpickle};
use super::{DatapakError, kinds};
use crate::value::{Archive, Array, BigInt, Frame, MAX_DEPTH, StoreUrl, Value};

/// Read DATAPAK, from this library or from `mltraq`.
///
/// Where a dict repeats a key, all of its entries are kept. Arrays and frames are checked, and kept as they are stored.
///
/// # Errors
///
/// Anything that is no DATAPAK value; unknown kinds; and values that nest too deep, or take far more memory than their bytes.
/// Reading never panics, and never executes anything.
pub fn decode(bytes: &[u8]) -> Result<Value, DatapakError> {
    let bytes = decompressed(bytes)?;
    let graph = unpickle(&bytes)?;
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
            Node::BigInt(x) => BigInt::from_le_bytes(x)?,
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
            (kinds::ARRAY, Node::Bytes(npy)) => {
                let npy = *npy;
                self.spend(npy.len())?;
                Ok(Value::Array(Array::from_npy(npy.to_vec())?))
            }
            (kinds::DATA_FRAME, _) => Ok(Value::Frame(self.frame(payload, kind)?)),
            (kinds::SERIES, _) => Ok(Value::Series(self.frame(payload, kind)?)),
            (kinds::TABLE, _) => Ok(Value::Table(self.frame(payload, kind)?)),
            (kinds::SEQUENCE, Node::Dict(_)) => {
                let frame = self
                    .lookup(payload, kinds::MAGIC)
                    .filter(
                        |of| matches!(&self.nodes[*of], Node::Text(of) if of == kinds::DATA_FRAME),
                    )
                    .and_then(|_| self.lookup(payload, kinds::PAYLOAD));
                match frame {
                    Some(frame) => Ok(Value::Sequence(self.frame(frame, kind)?)),
                    None => Err(DatapakError::Payload {
                        kind,
                        problem: "not a frame",
                    }),
                }
            }
            (kinds::DATA_STORE, Node::Text(url)) => Ok(Value::DataStore(StoreUrl::new(&**url))),
            (kinds::ARCHIVE_STORE, Node::Text(url)) => {
                Ok(Value::ArchiveStore(StoreUrl::new(&**url)))
            }
            (kinds::ARCHIVE, Node::Bytes(tar)) => {
                let tar = *tar;
                self.spend(tar.len())?;
                Ok(Value::Archive(Archive::from_tar(tar.to_vec())))
            }
            (known, _) if kinds::ALL.contains(&known) => Err(DatapakError::Payload {
                kind,
                problem: "its value is of another type",
            }),
            _ => Err(DatapakError::UnknownKind { kind }),
        }
    }

    fn frame(&mut self, node: usize, kind: String) -> Result<Frame, DatapakError> {
        let Node::Bytes(file) = &self.nodes[node] else {
            return Err(DatapakError::Payload {
                kind,
                problem: "its value is of another type",
            });
        };
        let file = *file;
        self.spend(file.len())?;
        Ok(Frame::from_arrow_file(file.to_vec())?)
    }
}

/// A bunch; not all of its keys need to be texts.
fn bunch(entries: Vec<(Value, Value)>) -> Value {
    if entries.iter().all(|(key, _)| matches!(key, Value::Text(_))) {
        let named = entries.into_iter().filter_map(|(key, value)| match key {
            Value::Text(name) => Some((name, value)),
            _ => None,
        });
        Value::Bunch(named.collect())
    } else {
        Value::KeyedBunch(entries)
    }
}
