//! From and to basic Rust types.

use super::Value;

impl Value {
    /// The number of a `Float`, or of an `Int` (rounded beyond 2^53).
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Value::Float(x) => Some(*x),
            Value::Int(i) => Some(*i as f64),
            _ => None,
        }
    }

    /// The number of an `Int` that fits.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Value::Int(i) => i64::try_from(*i).ok(),
            _ => None,
        }
    }

    /// The text of a `Text`.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The truth value of a `Bool`.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(b) => Some(*b),
            _ => None,
        }
    }

    /// The member of that name of a `Bunch`, or of a `Map` with text keys.
    pub fn member(&self, name: &str) -> Option<&Value> {
        match self {
            Value::Bunch(members) => {
                let found = members.iter().find(|(member, _)| member == name);
                found.map(|(_, value)| value)
            }
            Value::Map(entries) => {
                let is = |key: &Value| matches!(key, Value::Text(text) if text == name);
                let found = entries.iter().find(|(key, _)| is(key));
                found.map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// As the name of a column or a member, if it is the key of a map: as Python writes it.
    pub(crate) fn into_name(self) -> String {
        match self {
            Value::Text(text) => text,
            Value::Bool(true) => "True".to_owned(),
            Value::Bool(false) => "False".to_owned(),
            key => key.to_string(),
        }
    }

    /// Whether this is `Null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }
}

macro_rules! from {
    ($($type:ty => |$x:ident| $value:expr;)*) => {$(
        impl From<$type> for Value {
            fn from($x: $type) -> Self {
                $value
            }
        }
    )*};
}

from! {
    () => |_x| Value::Null;
    bool => |x| Value::Bool(x);
    i8 => |x| Value::Int(x.into());
    i16 => |x| Value::Int(x.into());
    i32 => |x| Value::Int(x.into());
    i64 => |x| Value::Int(x.into());
    i128 => |x| Value::Int(x);
    isize => |x| Value::Int(x as i128);
    u8 => |x| Value::Int(x.into());
    u16 => |x| Value::Int(x.into());
    u32 => |x| Value::Int(x.into());
    u64 => |x| Value::Int(x.into());
    usize => |x| Value::Int(x as i128);
    f32 => |x| Value::Float(x.into());
    f64 => |x| Value::Float(x);
    char => |x| Value::Text(x.into());
    &str => |x| Value::Text(x.to_owned());
    String => |x| Value::Text(x);
    uuid::Uuid => |x| Value::Uuid(x);
    jiff::civil::DateTime => |x| Value::DateTime(x);
    jiff::civil::Date => |x| Value::Date(x);
    jiff::civil::Time => |x| Value::Time(x);
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(x: Option<T>) -> Self {
        x.map_or(Value::Null, Into::into)
    }
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(items: Vec<T>) -> Self {
        Value::List(items.into_iter().map(Into::into).collect())
    }
}
