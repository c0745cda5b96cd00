//! Names of newtype structs by which values that serde has no form for go through serde, where it is this library at both
//! ends. Other formats leave the names out.

use super::{Archive, Array, BigInt, Frame, StoreUrl, Value};

/// A [`Value`] is asked for, which takes the others apart.
pub(super) const VALUE: &str = "xp::Value";
pub(super) const TUPLE: &str = "xp::Tuple";
pub(super) const SET: &str = "xp::Set";
pub(super) const BUNCH: &str = "xp::Bunch";
pub(super) const KEYED_BUNCH: &str = "xp::KeyedBunch";
pub(super) const UUID: &str = "xp::Uuid";
pub(super) const DATETIME64: &str = "xp::DateTime64";
pub(super) const DATETIME: &str = "xp::DateTime";
pub(super) const DATE: &str = "xp::Date";
pub(super) const TIME: &str = "xp::Time";
pub(super) const BIG_INT: &str = "xp::BigInt";
pub(super) const ARRAY: &str = "xp::Array";
pub(super) const FRAME: &str = "xp::Frame";
pub(super) const SERIES: &str = "xp::Series";
pub(super) const TABLE: &str = "xp::Table";
pub(super) const SEQUENCE: &str = "xp::Sequence";
pub(crate) const DATA_STORE: &str = "xp::DataStore";
pub(crate) const ARCHIVE_STORE: &str = "xp::ArchiveStore";
pub(super) const ARCHIVE: &str = "xp::Archive";

/// Whether what has this name stands in a file of its own.
pub(super) fn is_store(name: &str) -> bool {
    name == DATA_STORE || name == ARCHIVE_STORE
}

/// What the name stands for.
pub(crate) fn marked(name: &str, value: Value) -> Value {
    match (name, value) {
        (TUPLE, Value::List(items)) => Value::Tuple(items),
        (SET, Value::List(items)) => Value::Set(items),
        (BUNCH, Value::Map(entries)) => {
            Value::Bunch(entries.into_iter().map(|(k, v)| (text(k), v)).collect())
        }
        (KEYED_BUNCH, Value::Map(entries)) => Value::KeyedBunch(entries),
        (DATETIME64, Value::Null) => Value::DateTime64(None),
        (DATETIME64, Value::Int(i)) => {
            i64::try_from(i).map_or(Value::Int(i), |i| Value::DateTime64(Some(i)))
        }
        (UUID, Value::Text(text)) => parsed(text, Value::Uuid),
        (DATETIME, Value::Text(text)) => parsed(text, Value::DateTime),
        (DATE, Value::Text(text)) => parsed(text, Value::Date),
        (TIME, Value::Text(text)) => parsed(text, Value::Time),
        (DATA_STORE, Value::Text(url)) => Value::DataStore(StoreUrl::new(url)),
        (ARCHIVE_STORE, Value::Text(url)) => Value::ArchiveStore(StoreUrl::new(url)),
        (name, Value::Bytes(bytes)) => stored(name, bytes),
        (_, value) => value,
    }
}

/// What is kept as bytes.
fn stored(name: &str, bytes: Vec<u8>) -> Value {
    let frame = |bytes: &Vec<u8>| Frame::from_arrow_file(bytes.clone()).ok();
    let value = match name {
        BIG_INT => BigInt::from_le_bytes(&bytes).ok(),
        ARRAY => Array::from_npy(bytes.clone()).ok().map(Value::Array),
        FRAME => frame(&bytes).map(Value::Frame),
        SERIES => frame(&bytes).map(Value::Series),
        TABLE => frame(&bytes).map(Value::Table),
        SEQUENCE => frame(&bytes).map(Value::Sequence),
        ARCHIVE => return Value::Archive(Archive::from_tar(bytes)),
        _ => None,
    };
    value.unwrap_or(Value::Bytes(bytes))
}

/// The name for a value that serde has no form for, with its form in the plainer ones; any other value is given back.
pub(super) fn unmarked(value: Value) -> Result<(&'static str, Value), Value> {
    Ok(match value {
        Value::Tuple(items) => (TUPLE, Value::List(items)),
        Value::Set(items) => (SET, Value::List(items)),
        Value::Bunch(entries) => {
            let entries = entries
                .into_iter()
                .map(|(name, value)| (Value::Text(name), value));
            (BUNCH, Value::Map(entries.collect()))
        }
        Value::KeyedBunch(entries) => (KEYED_BUNCH, Value::Map(entries)),
        Value::Uuid(x) => (UUID, Value::Text(x.hyphenated().to_string())),
        Value::DateTime64(x) => (DATETIME64, x.into()),
        Value::DateTime(x) => (DATETIME, Value::Text(x.to_string())),
        Value::Date(x) => (DATE, Value::Text(x.to_string())),
        Value::Time(x) => (TIME, Value::Text(x.to_string())),
        Value::BigInt(x) => (BIG_INT, Value::Bytes(x.as_le_bytes().to_vec())),
        Value::Array(x) => (ARRAY, Value::Bytes(x.into_npy())),
        Value::Frame(x) => (FRAME, Value::Bytes(x.into_arrow_file())),
        Value::Series(x) => (SERIES, Value::Bytes(x.into_arrow_file())),
        Value::Table(x) => (TABLE, Value::Bytes(x.into_arrow_file())),
        Value::Sequence(x) => (SEQUENCE, Value::Bytes(x.into_arrow_file())),
        Value::DataStore(url) => (DATA_STORE, Value::Text(url.to_string())),
        Value::ArchiveStore(url) => (ARCHIVE_STORE, Value::Text(url.to_string())),
        Value::Archive(x) => (ARCHIVE, Value::Bytes(x.into_tar())),
        plain => return Err(plain),
    })
}

fn text(value: Value) -> String {
    match value {
        Value::Text(text) => text,
        other => other.to_string(),
    }
}

fn parsed<T: std::str::FromStr>(text: String, value: fn(T) -> Value) -> Value {
    text.parse().map_or(Value::Text(text), value)
}
