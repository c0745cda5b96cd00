//! Items as values.

use super::dtype::{DType, Member, Scalar, ScalarKind};
use super::element::{Number, float_of, int, native, uint};
use crate::value::Value;

impl DType {
    /// The item of these bytes.
    pub(super) fn item(&self, bytes: &[u8]) -> Value {
        match self {
            DType::Scalar(scalar) => scalar.item(bytes),
            DType::Struct(members) => {
                let mut rest = bytes;
                let mut entries = Vec::with_capacity(members.len());
                for member in members {
                    let (item, after) = rest.split_at_checked(member.size()).unwrap_or((rest, &[]));
                    rest = after;
                    // Padding has no name.
                    if !member.name.is_empty() {
                        entries.push((Value::Text(member.name.clone()), member.item(item)));
                    }
                }
                Value::Map(entries)
            }
        }
    }
}

impl Member {
    fn size(&self) -> usize {
        self.dtype.size().saturating_mul(self.len().unwrap_or(0))
    }

    fn item(&self, bytes: &[u8]) -> Value {
        fn nested(dtype: &DType, shape: &[usize], bytes: &[u8]) -> Value {
            let Some((len, inner)) = shape.split_first() else {
                return dtype.item(bytes);
            };
            let size = bytes.len().checked_div(*len).unwrap_or(0);
            let part = |i: usize| {
                nested(
                    dtype,
                    inner,
                    bytes.get(i * size..(i + 1) * size).unwrap_or_default(),
                )
            };
            Value::List((0..*len).map(part).collect())
        }
        nested(&self.dtype, &self.shape, bytes)
    }
}

impl Scalar {
    fn item(&self, bytes: &[u8]) -> Value {
        let raw = || Value::Bytes(bytes.to_vec());
        match &self.kind {
            ScalarKind::Bool | ScalarKind::Int | ScalarKind::UInt | ScalarKind::Float => {
                match self.number(bytes) {
                    Some(Number::Bool(x)) => Value::Bool(x),
                    Some(Number::Int(x)) => Value::Int(x),
                    Some(Number::Float(x)) => Value::Float(x),
                    None => raw(),
                }
            }
            ScalarKind::Complex => {
                let (real, imaginary) = bytes.split_at(bytes.len() / 2);
                let part = |bytes| float_of(bytes, self.big_endian).map(Value::Float);
                match (part(real), part(imaginary)) {
                    (Some(real), Some(imaginary)) => Value::Tuple(vec![real, imaginary]),
                    _ => raw(),
                }
            }
            ScalarKind::Text => {
                let (chars, _) = bytes.as_chunks();
                let char = |word: &[u8; 4]| {
                    let code = u32::from_ne_bytes(native(*word, self.big_endian));
                    char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
                };
                let text: String = chars.iter().map(char).collect();
                Value::Text(text.trim_end_matches('\0').to_owned())
            }
            ScalarKind::Bytes => {
                let len = bytes
                    .iter()
                    .rposition(|byte| *byte != 0)
                    .map_or(0, |last| last + 1);
                Value::Bytes(bytes[..len].to_vec())
            }
            ScalarKind::Void => raw(),
            ScalarKind::DateTime64(unit) => match int(bytes, self.big_endian) {
                None | Some(i64::MIN) => Value::DateTime64(None),
                Some(count) => match micros(unit).map(|micros| count.checked_mul(micros)) {
                    Some(Some(micros)) => Value::DateTime64(Some(micros)),
                    _ => count.into(),
                },
            },
            ScalarKind::TimeDelta64(_) => match int(bytes, self.big_endian) {
                None | Some(i64::MIN) => Value::Null,
                Some(count) => count.into(),
            },
        }
    }

    /// The number of these bytes; for points in time and amounts of it, their count.
    pub(super) fn number(&self, bytes: &[u8]) -> Option<Number> {
        match self.kind {
            ScalarKind::Bool => Some(Number::Bool(bytes != [0])),
            ScalarKind::Int | ScalarKind::DateTime64(_) | ScalarKind::TimeDelta64(_) => {
                int(bytes, self.big_endian).map(|x| Number::Int(x.into()))
            }
            ScalarKind::UInt => uint(bytes, self.big_endian).map(|x| Number::Int(x.into())),
            ScalarKind::Float => float_of(bytes, self.big_endian).map(Number::Float),
            _ => None,
        }
    }
}

/// How many microseconds the unit has, if it has a whole number of them.
fn micros(unit: &str) -> Option<i64> {
    Some(match unit {
        "us" => 1,
        "ms" => 1_000,
        "s" => 1_000_000,
        "m" => 60_000_000,
        "h" => 3_600_000_000,
        "D" => 86_400_000_000,
        "W" => 604_800_000_000,
        _ => return None,
    })
}
