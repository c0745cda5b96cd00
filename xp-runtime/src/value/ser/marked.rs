use crate::value::{Value, plain};

/// The value that [`plain`] marked with this name.
pub(super) fn marked(name: &str, value: Value) -> Value {
    match (name, value) {
        (plain::SET, Value::List(items)) => Value::Set(items),
        (plain::BUNCH, Value::Map(entries)) => {
            Value::Bunch(entries.into_iter().map(|(k, v)| (text(k), v)).collect())
        }
        (plain::PACKED, Value::Map(mut entries)) if entries.len() == 1 => {
            let (kind, payload) = entries.remove(0);
            Value::Packed {
                kind: text(kind),
                payload: Box::new(payload),
            }
        }
        (plain::DATETIME64, Value::Null) => Value::DateTime64(None),
        (plain::DATETIME64, Value::Int(i)) => {
            i64::try_from(i).map_or(Value::Int(i), |i| Value::DateTime64(Some(i)))
        }
        (plain::UUID, Value::Text(text)) => parsed(text, Value::Uuid),
        (plain::DATETIME, Value::Text(text)) => parsed(text, Value::DateTime),
        (plain::DATE, Value::Text(text)) => parsed(text, Value::Date),
        (plain::TIME, Value::Text(text)) => parsed(text, Value::Time),
        (_, value) => value,
    }
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
