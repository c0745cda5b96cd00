//! The header of NumPy's file format: a magic number, a version, and a Python dictionary.

use super::literal::{self, Literal};
use super::{ArrayError, DType, Order};

const MAGIC: &[u8] = b"\x93NUMPY";

/// Data begins at a multiple of this.
const ALIGNMENT: usize = 64;

/// As many dimensions as NumPy has.
const MAX_DIMENSIONS: usize = 64;

/// How many values there may be that take no bytes at all.
const MAX_EMPTY: usize = 1 << 20;

#[derive(Clone)]
pub(super) struct Header {
    pub(super) dtype: DType,
    pub(super) shape: Vec<usize>,
    pub(super) order: Order,
    /// How many items there are.
    pub(super) len: usize,
    /// Where the data begins.
    pub(super) data: usize,
}

fn malformed<T>(problem: &'static str) -> Result<T, ArrayError> {
    Err(ArrayError::Malformed { problem })
}

/// Read and check the header; the data is as long as it says.
pub(super) fn read(npy: &[u8]) -> Result<Header, ArrayError> {
    let Some(rest) = npy.strip_prefix(MAGIC) else {
        return malformed("it does not begin with \\x93NUMPY");
    };
    let (version, len, start) = match rest {
        [1, 0, a, b, ..] => (1, usize::from(u16::from_le_bytes([*a, *b])), 10),
        [version @ (2 | 3), 0, a, b, c, d, ..] => {
            (*version, u32::from_le_bytes([*a, *b, *c, *d]) as usize, 12)
        }
        [] | [1..=3] | [1..=3, 0, ..] => return malformed("it ends in its header"),
        _ => return malformed("an unknown version"),
    };
    let Some(text) = npy[start..].get(..len) else {
        return malformed("it ends in its header");
    };
    let text: String = match (version, str::from_utf8(text)) {
        // Until version 3, headers are in Latin-1.
        (1 | 2, _) => text.iter().map(|byte| char::from(*byte)).collect(),
        (_, Ok(text)) => text.to_owned(),
        _ => return malformed("its header is not UTF-8"),
    };
    let Literal::Dict(entries) = literal::parse(&text)? else {
        return malformed("its header is no dictionary");
    };
    let entry = |name: &str| {
        let found = entries
            .iter()
            .find(|(key, _)| matches!(key, Literal::Text(key) if key == name));
        found.map(|(_, value)| value)
    };
    let (Some(descr), Some(Literal::Bool(fortran)), Some(shape)) =
        (entry("descr"), entry("fortran_order"), entry("shape"))
    else {
        return malformed("its header lacks the type, order or shape");
    };
    let dtype = DType::of(descr)?;
    let shape = self::shape(shape)?;
    let order = if *fortran { Order::Fortran } else { Order::C };
    let data = start + len;
    let (size, len) = extent(&dtype, &shape)?;
    match size.checked_mul(len) {
        Some(bytes) if bytes <= npy.len() - data => {}
        _ => return malformed("it has fewer items than its shape says"),
    }
    Ok(Header {
        dtype,
        shape,
        order,
        len,
        data,
    })
}

/// The size of an item, and how many of them there are.
fn extent(dtype: &DType, shape: &[usize]) -> Result<(usize, usize), ArrayError> {
    let absurd = ArrayError::Malformed {
        problem: "an absurd shape",
    };
    let size = dtype.checked_size().ok_or(absurd.clone())?;
    let (lists, is_empty) = lists(shape).ok_or(absurd.clone())?;
    let (len, values) = match is_empty {
        true => (0, Some(lists)),
        false => (
            lists,
            lists.checked_mul(dtype.values().unwrap_or(usize::MAX)),
        ),
    };
    // There are as many bytes, or else the array is refused for that.
    let most = size.saturating_mul(len).saturating_add(MAX_EMPTY);
    match values {
        Some(values) if values <= most => Ok((size, len)),
        _ => Err(absurd),
    }
}

/// How many lists or items something of this shape is as nested lists, those in lists that are empty left out; and whether
/// these are. `None` if they cannot be counted.
pub(super) fn lists(shape: &[usize]) -> Option<(usize, bool)> {
    let empty = shape.iter().position(|n| *n == 0);
    let shape = &shape[..empty.unwrap_or(shape.len())];
    let lists = shape.iter().try_fold(1_usize, |len, n| len.checked_mul(*n));
    Some((lists?, empty.is_some()))
}

/// The numbers of a tuple.
pub(super) fn shape(literal: &Literal) -> Result<Vec<usize>, ArrayError> {
    match literal {
        Literal::Int(n) => Ok(vec![*n]),
        Literal::Tuple(numbers) if numbers.len() <= MAX_DIMENSIONS => (numbers.iter())
            .map(|n| match n {
                Literal::Int(n) => Ok(*n),
                _ => malformed("a shape of other than numbers"),
            })
            .collect(),
        _ => malformed("a shape of other than numbers"),
    }
}

/// A shape as Python writes it: `(3,)`.
pub(super) fn shape_text(shape: &[usize]) -> String {
    match shape {
        [n] => format!("({n},)"),
        shape => {
            let numbers: Vec<_> = shape.iter().map(usize::to_string).collect();
            format!("({})", numbers.join(", "))
        }
    }
}

/// A header of version 1.0, as NumPy writes it, for items of this simple type.
pub(super) fn write(dtype: &str, order: Order, shape: &[usize], out: &mut Vec<u8>) {
    let fortran = match order {
        Order::C => "False",
        Order::Fortran => "True",
    };
    let shape = shape_text(shape);
    let text = format!("{{'descr': '{dtype}', 'fortran_order': {fortran}, 'shape': {shape}, }}");
    let start = MAGIC.len() + 4;
    // A line feed ends the header.
    let len = (start + text.len() + 1).next_multiple_of(ALIGNMENT) - start;
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&[1, 0]);
    // At most 64 dimensions: some 1,400 bytes.
    out.extend_from_slice(&(len as u16).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
    out.resize(out.len() + len - text.len() - 1, b' ');
    out.push(b'\n');
}

/// Whether an array may have so many dimensions.
pub(super) fn check_dimensions(shape: &[usize]) -> Result<(), ArrayError> {
    if shape.len() > MAX_DIMENSIONS {
        return malformed("more than 64 dimensions");
    }
    Ok(())
}
