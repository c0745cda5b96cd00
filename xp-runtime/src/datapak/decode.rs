use super::compressed::decompressed;
use super::limit::most;
use super::unpickle::{Graph, Item, Node, long, unpickle};
use super::{DatapakError, kinds};
use crate::value::{Archive, Array, BigInt, Frame, MAX_DEPTH, StoreUrl, Value};

/// Read DATAPAK, from this library or from `mltraq`.
///
/// Where a dict repeats a key, all of its entries are kept. Arrays and frames are checked, and kept as they are stored.
///
/// # Errors
///
/// Anything that is no DATAPAK value; unknown kinds; and what exceeds a [limit](crate::datapak#limits).
/// Reading never panics, and never executes anything.
pub fn decode(bytes: &[u8]) -> Result<Value, DatapakError> {
    let pickle = decompressed(bytes)?;
    let most = most(bytes.len(), pickle.len());
    let graph = unpickle(&pickle, most)?;
    graph.bounded(most)?;
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
                None => BigInt::from_le_bytes(x)?,
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
        items: impl ExactSizeIterator<Item = Item<'a>>,
        depth: usize,
    ) -> Result<Vec<Value>, DatapakError> {
        // Not collected: a result does not know how many there will be, and takes room for more.
        let mut all = Vec::with_capacity(items.len());
        for item in items {
            all.push(self.value(item, depth + 1)?);
        }
        Ok(all)
    }

    fn map(
        &self,
        entries: &[(Item<'a>, Item<'a>)],
        depth: usize,
    ) -> Result<Vec<(Value, Value)>, DatapakError> {
        let mut all = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            all.push((self.value(*key, depth + 1)?, self.value(*value, depth + 1)?));
        }
        Ok(all)
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
            kinds::BUNCH if depth == MAX_DEPTH => Err(DatapakError::TooDeep),
            kinds::BUNCH => match self.entries(payload) {
                Some(entries) if self.lookup(payload, kinds::MAGIC).is_none() => {
                    Ok(bunch(self.map(entries, depth)?))
                }
                _ => malformed(kind, other),
            },
            kinds::ARRAY => match payload {
                Item::Bytes(npy) => Ok(Value::Array(Array::from_npy(npy.to_vec())?)),
                _ => malformed(kind, other),
            },
            kinds::DATA_FRAME => Ok(Value::Frame(frame(payload, kind)?)),
            kinds::SERIES => Ok(Value::Series(frame(payload, kind)?)),
            kinds::TABLE => Ok(Value::Table(frame(payload, kind)?)),
            kinds::SEQUENCE if self.entries(payload).is_some() => {
                let of = self.lookup(payload, kinds::MAGIC);
                let file = self.lookup(payload, kinds::PAYLOAD);
                match (of.and_then(|of| self.text(of)), file) {
                    (Some(kinds::DATA_FRAME), Some(file)) => {
                        Ok(Value::Sequence(frame(file, kind)?))
                    }
                    _ => malformed(kind, "not a frame"),
                }
            }
            kinds::DATA_STORE if let Some(url) = self.text(payload) => {
                Ok(Value::DataStore(StoreUrl::new(url)))
            }
            kinds::ARCHIVE_STORE if let Some(url) = self.text(payload) => {
                Ok(Value::ArchiveStore(StoreUrl::new(url)))
            }
            kinds::ARCHIVE if let Item::Bytes(tar) = payload => {
                Ok(Value::Archive(Archive::from_tar(tar.to_vec())))
            }
            known if kinds::ALL.contains(&known) => malformed(kind, other),
            _ => Err(DatapakError::UnknownKind { kind }),
        }
    }
}

/// The frame of an Arrow file.
fn frame(payload: Item<'_>, kind: String) -> Result<Frame, DatapakError> {
    match payload {
        Item::Bytes(file) => Ok(Frame::from_arrow_file(file.to_vec())?),
        _ => Err(DatapakError::Payload {
            kind,
            problem: "its value is of another type",
        }),
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
