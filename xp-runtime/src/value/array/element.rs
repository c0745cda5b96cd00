//! Rust types that are items of arrays.

use super::half;

/// A Rust type whose values are items of arrays: `bool`, the integers up to 64 bits, `f32` and `f64`.
pub trait Element: Copy + sealed::Sealed + 'static {
    /// The type as NumPy writes it: `<f8`.
    const DTYPE: &'static str;

    /// The type in Rust: `f64`.
    const NAME: &'static str;

    #[doc(hidden)]
    fn write(values: &[Self], out: &mut Vec<u8>);

    /// The items, which are of this very type.
    #[doc(hidden)]
    fn read(data: &[u8], big_endian: bool) -> Vec<Self>;

    /// The item that is this number, if there is one.
    #[doc(hidden)]
    fn of(number: Number) -> Option<Self>;
}

mod sealed {
    pub trait Sealed {}
}

/// A number of any type.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    Bool(bool),
    Int(i128),
    Float(f64),
}

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Number::Bool(x) => write!(f, "{x}"),
            Number::Int(x) => write!(f, "{x}"),
            Number::Float(x) => write!(f, "{x:?}"),
        }
    }
}

/// The bytes of the native order.
pub(super) fn native<const N: usize>(mut bytes: [u8; N], big_endian: bool) -> [u8; N] {
    if big_endian != cfg!(target_endian = "big") {
        bytes.reverse();
    }
    bytes
}

macro_rules! numbers {
    ($($type:ident $size:literal $dtype:literal $of:expr;)*) => {$(
        impl sealed::Sealed for $type {}

        impl Element for $type {
            const DTYPE: &'static str = $dtype;
            const NAME: &'static str = stringify!($type);

            fn write(values: &[Self], out: &mut Vec<u8>) {
                let start = out.len();
                out.resize(start + std::mem::size_of_val(values), 0);
                let (words, _) = out[start..].as_chunks_mut::<$size>();
                for (word, x) in words.iter_mut().zip(values) {
                    *word = x.to_le_bytes();
                }
            }

            fn read(data: &[u8], big_endian: bool) -> Vec<Self> {
                let (words, _) = data.as_chunks::<$size>();
                if big_endian {
                    words.iter().map(|word| $type::from_be_bytes(*word)).collect()
                } else {
                    words.iter().map(|word| $type::from_le_bytes(*word)).collect()
                }
            }

            fn of(number: Number) -> Option<Self> {
                $of(number)
            }
        }
    )*};
}

numbers! {
    i8 1 "|i1" integer;
    i16 2 "<i2" integer;
    i32 4 "<i4" integer;
    i64 8 "<i8" integer;
    u8 1 "|u1" integer;
    u16 2 "<u2" integer;
    u32 4 "<u4" integer;
    u64 8 "<u8" integer;
    f32 4 "<f4" single;
    f64 8 "<f8" float;
}

/// The integer that is this number.
fn integer<T: TryFrom<i128>>(number: Number) -> Option<T> {
    match number {
        Number::Int(x) => T::try_from(x).ok(),
        _ => None,
    }
}

fn single(number: Number) -> Option<f32> {
    let x = float(number)?;
    let single = x as f32;
    (f64::from(single) == x || x.is_nan()).then_some(single)
}

/// The float that is exactly this number.
fn float(number: Number) -> Option<f64> {
    match number {
        Number::Float(x) => Some(x),
        Number::Int(x) => Some(x as f64).filter(|float| *float as i128 == x),
        Number::Bool(_) => None,
    }
}

impl sealed::Sealed for bool {}

impl Element for bool {
    const DTYPE: &'static str = "|b1";
    const NAME: &'static str = "bool";

    fn write(values: &[Self], out: &mut Vec<u8>) {
        out.extend(values.iter().map(|x| u8::from(*x)));
    }

    fn read(data: &[u8], _: bool) -> Vec<Self> {
        data.iter().map(|byte| *byte != 0).collect()
    }

    fn of(number: Number) -> Option<Self> {
        match number {
            Number::Bool(x) => Some(x),
            _ => None,
        }
    }
}

/// A signed integer of so many bytes.
pub(super) fn int(bytes: &[u8], big_endian: bool) -> Option<i64> {
    Some(match bytes.len() {
        1 => i64::from(i8::from_ne_bytes(bytes.try_into().ok()?)),
        2 => i64::from(i16::from_ne_bytes(native(
            bytes.try_into().ok()?,
            big_endian,
        ))),
        4 => i64::from(i32::from_ne_bytes(native(
            bytes.try_into().ok()?,
            big_endian,
        ))),
        8 => i64::from_ne_bytes(native(bytes.try_into().ok()?, big_endian)),
        _ => return None,
    })
}

/// An unsigned integer of so many bytes.
pub(super) fn uint(bytes: &[u8], big_endian: bool) -> Option<u64> {
    Some(match bytes.len() {
        1 => u64::from(bytes[0]),
        2 => u64::from(u16::from_ne_bytes(native(
            bytes.try_into().ok()?,
            big_endian,
        ))),
        4 => u64::from(u32::from_ne_bytes(native(
            bytes.try_into().ok()?,
            big_endian,
        ))),
        8 => u64::from_ne_bytes(native(bytes.try_into().ok()?, big_endian)),
        _ => return None,
    })
}

/// A float of so many bytes; longer ones have a form that depends on the machine.
pub(super) fn float_of(bytes: &[u8], big_endian: bool) -> Option<f64> {
    Some(match bytes.len() {
        2 => half::to_f64(u16::from_ne_bytes(native(
            bytes.try_into().ok()?,
            big_endian,
        ))),
        4 => f64::from(f32::from_ne_bytes(native(
            bytes.try_into().ok()?,
            big_endian,
        ))),
        8 => f64::from_ne_bytes(native(bytes.try_into().ok()?, big_endian)),
        _ => return None,
    })
}
