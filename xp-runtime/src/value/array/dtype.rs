//! The types of items.

use std::fmt::{self, Display, Formatter};

use super::ArrayError;
use super::literal::Literal;

/// The type of an array's items, as NumPy has it. Its text is NumPy's: `<f8`, `|S3`, `<M8[us]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DType {
    /// Items of one kind.
    Scalar(Scalar),
    /// Structured items: members in order, one after the other.
    Struct(Vec<Member>),
}

/// The type of items that have no members.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Scalar {
    /// What an item is.
    pub kind: ScalarKind,
    /// How many bytes it takes.
    pub size: usize,
    /// Whether the most significant byte comes first.
    pub big_endian: bool,
}

/// What an item of an array is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ScalarKind {
    /// A truth value.
    Bool,
    /// A signed integer.
    Int,
    /// An unsigned integer.
    UInt,
    /// A floating-point number, of 2, 4, 8 or, with a form that depends on the machine, more bytes.
    Float,
    /// A complex number: a real and an imaginary float.
    Complex,
    /// A text in UTF-32, filled up with zeros.
    Text,
    /// Bytes, filled up with zeros.
    Bytes,
    /// Bytes of no further meaning.
    Void,
    /// A point in time without a zone: a count of this unit (`us`, `D`, `25s`) since 1970-01-01.
    DateTime64(String),
    /// An amount of time: a count of this unit.
    TimeDelta64(String),
}

/// A member of a structured type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Member {
    /// The name; empty for padding.
    pub name: String,
    /// The type of its items.
    pub dtype: DType,
    /// Its shape; empty if it is one item.
    pub shape: Vec<usize>,
}

const MALFORMED: ArrayError = ArrayError::Malformed {
    problem: "an unknown type of items",
};

/// So many bytes of a name are as much as a value.
const LONG_NAME: usize = 256;

impl DType {
    /// The type that a header describes.
    pub(super) fn of(literal: &Literal) -> Result<Self, ArrayError> {
        match literal {
            Literal::Text(text) => Scalar::parse(text).map(DType::Scalar),
            Literal::List(members) => {
                let members = members.iter().map(Member::of);
                Ok(DType::Struct(members.collect::<Result<_, _>>()?))
            }
            _ => Err(MALFORMED),
        }
    }

    /// How many bytes an item takes; `None` if they cannot be counted.
    pub(super) fn checked_size(&self) -> Option<usize> {
        match self {
            DType::Scalar(scalar) => Some(scalar.size),
            DType::Struct(members) => members.iter().try_fold(0_usize, |size, member| {
                size.checked_add(member.dtype.checked_size()?.checked_mul(member.len()?)?)
            }),
        }
    }

    /// How many values an item is made of, at least one, where long names count as several; `None` if they cannot be
    /// counted.
    pub(super) fn values(&self) -> Option<usize> {
        let DType::Struct(members) = self else {
            return Some(1);
        };
        let values = members.iter().try_fold(0_usize, |values, member| {
            let (lists, is_empty) = super::header::lists(&member.shape)?;
            let each = if is_empty { 1 } else { member.dtype.values()? };
            let name = member.name.len() / LONG_NAME;
            values.checked_add(lists.checked_mul(each)?.checked_add(name)?)
        });
        values.map(|values| values.max(1))
    }

    /// How many bytes an item takes.
    pub fn size(&self) -> usize {
        // The types of arrays were checked.
        self.checked_size().unwrap_or(usize::MAX)
    }
}

impl Member {
    fn of(literal: &Literal) -> Result<Self, ArrayError> {
        let Literal::Tuple(parts) = literal else {
            return Err(MALFORMED);
        };
        let (name, dtype, shape) = match parts.as_slice() {
            [name, dtype] => (name, dtype, Vec::new()),
            [name, dtype, shape] => (name, dtype, super::header::shape(shape)?),
            _ => return Err(MALFORMED),
        };
        let name = match name {
            Literal::Text(name) => name,
            // A title stands before the name.
            Literal::Tuple(names) => match names.as_slice() {
                [_, Literal::Text(name)] => name,
                _ => return Err(MALFORMED),
            },
            _ => return Err(MALFORMED),
        };
        Ok(Member {
            name: name.clone(),
            dtype: DType::of(dtype)?,
            shape,
        })
    }

    /// How many items it is made of.
    pub(super) fn len(&self) -> Option<usize> {
        self.shape
            .iter()
            .try_fold(1_usize, |len, n| len.checked_mul(*n))
    }
}

impl Scalar {
    pub(super) fn parse(text: &str) -> Result<Self, ArrayError> {
        let mut chars = text.chars();
        let big_endian = match chars.next() {
            Some('<' | '|' | '=') => false,
            Some('>') => true,
            _ => return Err(MALFORMED),
        };
        let letter = chars.next().ok_or(MALFORMED)?;
        let rest = chars.as_str();
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (size, unit) = rest.split_at(digits);
        let unsupported = || ArrayError::Unsupported {
            dtype: text.to_owned(),
        };
        if letter == 'O' {
            return Err(unsupported());
        }
        let size: usize = size.parse().map_err(|_| MALFORMED)?;
        let unit = match unit
            .strip_prefix('[')
            .and_then(|unit| unit.strip_suffix(']'))
        {
            Some(unit) => Some(unit.to_owned()),
            None if unit.is_empty() => None,
            None => return Err(MALFORMED),
        };
        let kind = match (letter, size, unit) {
            ('b', 1, None) => ScalarKind::Bool,
            ('i', 1 | 2 | 4 | 8, None) => ScalarKind::Int,
            ('u', 1 | 2 | 4 | 8, None) => ScalarKind::UInt,
            ('f', 2 | 4 | 8 | 10 | 12 | 16, None) => ScalarKind::Float,
            ('c', 8 | 16 | 20 | 24 | 32, None) => ScalarKind::Complex,
            ('U', _, None) => ScalarKind::Text,
            ('S' | 'a', _, None) => ScalarKind::Bytes,
            ('V', _, None) => ScalarKind::Void,
            // Without a unit: all items are NaT.
            ('M', 8, unit) => ScalarKind::DateTime64(unit.unwrap_or_default()),
            ('m', 8, unit) => ScalarKind::TimeDelta64(unit.unwrap_or_default()),
            _ => return Err(unsupported()),
        };
        let size = match kind {
            ScalarKind::Text => size.checked_mul(4).ok_or(MALFORMED)?,
            _ => size,
        };
        Ok(Scalar {
            kind,
            size,
            big_endian,
        })
    }
}

impl Display for Scalar {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (letter, unit) = match &self.kind {
            ScalarKind::Bool => ('b', ""),
            ScalarKind::Int => ('i', ""),
            ScalarKind::UInt => ('u', ""),
            ScalarKind::Float => ('f', ""),
            ScalarKind::Complex => ('c', ""),
            ScalarKind::Text => ('U', ""),
            ScalarKind::Bytes => ('S', ""),
            ScalarKind::Void => ('V', ""),
            ScalarKind::DateTime64(unit) => ('M', unit.as_str()),
            ScalarKind::TimeDelta64(unit) => ('m', unit.as_str()),
        };
        let order = match (&self.kind, self.size, self.big_endian) {
            (ScalarKind::Bytes | ScalarKind::Void, ..) => '|',
            (ScalarKind::Text, ..) | (_, 2.., _) if self.big_endian => '>',
            (ScalarKind::Text, ..) | (_, 2.., _) => '<',
            _ => '|',
        };
        let size = match self.kind {
            ScalarKind::Text => self.size / 4,
            _ => self.size,
        };
        write!(f, "{order}{letter}{size}")?;
        if unit.is_empty() {
            Ok(())
        } else {
            write!(f, "[{unit}]")
        }
    }
}

impl Display for DType {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            DType::Scalar(scalar) => write!(f, "{scalar}"),
            DType::Struct(members) => {
                f.write_str("[")?;
                for (i, member) in members.iter().enumerate() {
                    let comma = if i == 0 { "" } else { ", " };
                    let quote = match member.dtype {
                        DType::Scalar(_) => "'",
                        DType::Struct(_) => "",
                    };
                    write!(
                        f,
                        "{comma}('{}', {quote}{}{quote}",
                        member.name, member.dtype
                    )?;
                    if !member.shape.is_empty() {
                        write!(f, ", {}", super::header::shape_text(&member.shape))?;
                    }
                    f.write_str(")")?;
                }
                f.write_str("]")
            }
        }
    }
}
