use std::fmt::{self, Display, Formatter, Write};

use super::{Frame, Value};

/// Bytes longer than this are shown by their length only.
const SHOWN_BYTES: usize = 32;

/// Arrays of more items are shown by their shape and type only.
const SHOWN_ITEMS: usize = 8;

/// A short text for people: `0.3`, `5`, `true`, `None`, `[1, 2]`, `(1,)`, `{"a": 1}`.
///
/// A text stands for itself at the top, and is quoted inside other values. The width and alignment of the format apply.
impl Display for Value {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Value::Text(text) = self {
            f.pad(text)
        } else if f.width().is_some() || f.precision().is_some() {
            let mut text = String::new();
            write(self, &mut text)?;
            f.pad(&text)
        } else {
            write(self, f)
        }
    }
}

fn write(value: &Value, f: &mut impl Write) -> fmt::Result {
    match value {
        Value::Null => f.write_str("None"),
        Value::Bool(b) => write!(f, "{b}"),
        Value::Int(i) => write!(f, "{i}"),
        Value::BigInt(i) => write!(f, "{i}"),
        Value::Float(x) => write!(f, "{x:?}"),
        Value::Text(text) => write!(f, "{text:?}"),
        Value::Bytes(bytes) if bytes.len() > SHOWN_BYTES => write!(f, "<{} bytes>", bytes.len()),
        Value::Bytes(bytes) => write!(f, "b\"{}\"", bytes.escape_ascii()),
        Value::List(items) => sequence(f, "[", items, "]"),
        Value::Tuple(items) if items.len() == 1 => sequence(f, "(", items, ",)"),
        Value::Tuple(items) => sequence(f, "(", items, ")"),
        Value::Set(items) if items.is_empty() => f.write_str("set()"),
        Value::Set(items) => sequence(f, "{", items, "}"),
        Value::Map(items) => entries(f, items),
        Value::KeyedBunch(items) => {
            f.write_str("Bunch(")?;
            entries(f, items)?;
            f.write_str(")")
        }
        Value::Bunch(entries) => {
            f.write_str("Bunch(")?;
            for (i, (name, value)) in entries.iter().enumerate() {
                separate(f, i)?;
                write!(f, "{name}=")?;
                write(value, f)?;
            }
            f.write_str(")")
        }
        Value::Uuid(uuid) => write!(f, "{uuid}"),
        Value::DateTime64(None) => f.write_str("NaT"),
        Value::DateTime64(Some(micros)) => match jiff::Timestamp::from_microsecond(*micros) {
            Ok(timestamp) => write!(f, "{}", jiff::tz::Offset::UTC.to_datetime(timestamp)),
            Err(_) => write!(f, "{micros}us"),
        },
        Value::DateTime(datetime) => write!(f, "{datetime}"),
        Value::Date(date) => write!(f, "{date}"),
        Value::Time(time) => write!(f, "{time}"),
        Value::Array(array) => {
            if array.len() <= SHOWN_ITEMS {
                f.write_str("array(")?;
                write(&array.to_nested(), f)?;
                f.write_str(")")
            } else {
                let shape: Vec<_> = array.shape().iter().map(usize::to_string).collect();
                write!(f, "<array {} {}>", shape.join("×"), array.dtype())
            }
        }
        Value::Frame(frame) => table(f, "frame", frame),
        Value::Series(frame) => write!(f, "<series of {}>", frame.rows()),
        Value::Table(frame) => table(f, "table", frame),
        Value::Sequence(frame) => table(f, "sequence", frame),
        Value::DataStore(url) | Value::ArchiveStore(url) => write!(f, "<{url}>"),
        Value::Archive(archive) => write!(f, "<archive of {} bytes>", archive.as_tar().len()),
    }
}

fn entries(f: &mut impl Write, entries: &[(Value, Value)]) -> fmt::Result {
    f.write_str("{")?;
    for (i, (key, value)) in entries.iter().enumerate() {
        separate(f, i)?;
        write(key, f)?;
        f.write_str(": ")?;
        write(value, f)?;
    }
    f.write_str("}")
}

/// The size of a frame.
fn table(f: &mut impl Write, name: &str, frame: &Frame) -> fmt::Result {
    write!(f, "<{name} {}×{}>", frame.rows(), frame.fields().len())
}

fn sequence(f: &mut impl Write, open: &str, items: &[Value], close: &str) -> fmt::Result {
    f.write_str(open)?;
    for (i, item) in items.iter().enumerate() {
        separate(f, i)?;
        write(item, f)?;
    }
    f.write_str(close)
}

fn separate(f: &mut impl Write, index: usize) -> fmt::Result {
    if index > 0 { f.write_str(", ") } else { Ok(()) }
}
