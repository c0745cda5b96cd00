use super::unpickle::{Graph, Item, Node, long, unpickle};
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
    graph.bounded(bytes.len())?;
    graph.value(graph.root, 0)
}

/// Values of a graph, where everything shared is copied.
impl<'a> Graph<'a> {
    pub(super) fn value(&self, item: Item<'a>, depth: usize) -> Result<Value, DatapakError> {
        Ok(match item {
            Item::None => Value::Null,
            Item::Bool(x) => Value::Bool(x),
            Item::Int(x) => x.into(),
            Item::Long(x) => match long(x) {
                Some(x) => Value::Int(x),
                None => Value::Packed {
                    kind: kinds::BIG_INT.into(),
                    payload: Box::new(Value::Bytes(x.to_vec())),
                },
            },
            Item::Float(x) => Value::Float(x),
            Item::Text(x) => x.into(),
            Item::Bytes(x) => Value::Bytes(x.to_vec()),
            Item::Node(node) => match &self.nodes[node] {
                Node::Text(x) => x.as_str().into(),
                Node::Int(x) => Value::Int(*x),
                Node::Dict(_) if let Some(kind) = self.lookup(item, kinds::MAGIC) => {
                    return self.complex(item, kind, depth);
                }
                _ if depth == MAX_DEPTH => return Err(DatapakError::TooDeep),
                Node::List(list) => Value::List(self.items(list.iter(), depth)?),
                Node::Tuple(items) => Value::Tuple(self.items(items.iter().copied(), depth)?),
                Node::Set(items) => Value::Set(self.items(items.iter().copied(), depth)?),
                Node::Dict(entries) => Value::Map(self.map(entries, depth)?),
            },
        })
    }

    /// The elements of a list, tuple or set.
    fn items(
        &self,
        items: impl Iterator<Item = Item<'a>>,
        depth: usize,
    ) -> Result<Vec<Value>, DatapakError> {
        items.map(|item| self.value(item, depth + 1)).collect()
    }

    fn map(
        &self,
        entries: &[(Item<'a>, Item<'a>)],
        depth: usize,
    ) -> Result<Vec<(Value, Value)>, DatapakError> {
        entries
            .iter()
            .map(|(key, value)| Ok((self.value(*key, depth + 1)?, self.value(*value, depth + 1)?)))
            .collect()
    }

    fn complex(&self, dict: Item<'a>, kind: Item<'a>, depth: usize) -> Result<Value, DatapakError> {
        let Some(kind) = self.text(kind).map(str::to_owned) else {
            return Err(DatapakError::UnknownKind {
                kind: "not a text".into(),
            });
        };
        let Some(payload) = self.lookup(dict, kinds::PAYLOAD) else {
            return Err(DatapakError::Payload {
                kind,
                problem: "it has no value",
            });
        };
        let malformed = |kind, problem| Err(DatapakError::Payload { kind, problem });
        let other = "its value is of another type";
        match kind.as_str() {
            kinds::UUID => match self.text(payload).map(uuid::Uuid::try_parse) {
                Some(Ok(uuid)) => Ok(Value::Uuid(uuid)),
                Some(Err(_)) => malformed(kind, "not 32 hexadecimal digits"),
                None => malformed(kind, other),
            },
            kinds::DATETIME64 => match self.int(payload).map(i64::try_from) {
                Some(Ok(i64::MIN)) => Ok(Value::DateTime64(None)),
                Some(Ok(micros)) => Ok(Value::DateTime64(Some(micros))),
                Some(Err(_)) => malformed(kind, "microseconds beyond 64 bits"),
                None => malformed(kind, other),
            },
            _ if depth == MAX_DEPTH => Err(DatapakError::TooDeep),
            kinds::BUNCH => match self.entries(payload) {
                Some(entries) if self.lookup(payload, kinds::MAGIC).is_none() => {
                    Ok(bunch(self.map(entries, depth)?))
                }
                _ => malformed(kind, other),
            },
            packed if kinds::is_packed(packed) => {
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
