use std::fmt::{self, Display, Formatter};

use super::{Value, ValueError};

/// An integer beyond 128 bits, of up to 255 bytes.
///
/// # Examples
///
/// ```
/// use xp::value::{BigInt, Value};
///
/// // 2^128, in two's complement, the least significant byte first.
/// let mut bytes = [0; 17];
/// bytes[16] = 1;
/// let value = BigInt::from_le_bytes(&bytes)?;
/// assert_eq!(value.to_string(), "340282366920938463463374607431768211456");
/// // What fits 128 bits is an integer like any other.
/// assert_eq!(BigInt::from_le_bytes(&bytes[..16])?, Value::Int(0));
/// # Ok::<(), xp::value::ValueError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BigInt {
    /// The shortest two's complement, the least significant byte first: 17 to 255 bytes.
    bytes: Box<[u8]>,
}

impl BigInt {
    /// How many bytes an integer may have in DATAPAK.
    pub const MAX_BYTES: usize = 255;

    /// The integer of these bytes, its two's complement with the least significant byte first: an `Int` if it fits.
    ///
    /// # Errors
    ///
    /// An integer of more than [`MAX_BYTES`](Self::MAX_BYTES).
    pub fn from_le_bytes(bytes: &[u8]) -> Result<Value, ValueError> {
        let is_negative = bytes.last().is_some_and(|byte| byte >> 7 == 1);
        let sign = if is_negative { 0xff } else { 0 };
        // A byte is needed if it is no repeated sign, or if the sign would be lost without it.
        let needed = bytes.iter().rposition(|byte| *byte != sign);
        let len = needed.map_or(1, |last| {
            last + 1 + usize::from((bytes[last] >> 7 == 1) != is_negative)
        });
        let bytes = &bytes[..len.min(bytes.len())];
        if bytes.len() > Self::MAX_BYTES {
            return Err(ValueError::new(format!(
                "an integer of {} bytes is not supported",
                bytes.len()
            )));
        }
        let mut word = [sign; 16];
        Ok(match word.get_mut(..bytes.len()) {
            Some(low) => {
                low.copy_from_slice(bytes);
                Value::Int(i128::from_le_bytes(word))
            }
            None => Value::BigInt(BigInt {
                bytes: bytes.into(),
            }),
        })
    }

    /// The shortest two's complement, the least significant byte first.
    pub fn as_le_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether it is below zero.
    pub fn is_negative(&self) -> bool {
        self.bytes.last().is_some_and(|byte| byte >> 7 == 1)
    }

    /// The nearest float; infinite beyond the range.
    pub fn to_f64(&self) -> f64 {
        self.to_string().parse().unwrap_or(f64::NAN)
    }
}

/// All digits, in decimal.
impl Display for BigInt {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        const BASE: u64 = 1_000_000_000;
        // The absolute value, in base 10^9, the least significant digit first.
        let mut digits = vec![0_u64];
        for byte in self.bytes.iter().rev() {
            let byte = if self.is_negative() { !byte } else { *byte };
            multiply_add(&mut digits, 256, byte.into());
        }
        if self.is_negative() {
            multiply_add(&mut digits, 1, 1);
        }
        let mut text = String::new();
        for (i, digit) in digits.iter().rev().enumerate() {
            text += &if i == 0 {
                digit.to_string()
            } else {
                format!("{digit:09}")
            };
        }
        return f.pad_integral(!self.is_negative(), "", &text);

        fn multiply_add(digits: &mut Vec<u64>, by: u64, add: u64) {
            let mut carry = add;
            for digit in digits.iter_mut() {
                carry += *digit * by;
                *digit = carry % BASE;
                carry /= BASE;
            }
            if carry > 0 {
                digits.push(carry);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_as_short_as_they_can_be() {
        let of = |bytes: &[u8]| BigInt::from_le_bytes(bytes).unwrap();
        assert_eq!(of(&[]), Value::Int(0));
        assert_eq!(of(&[0xff; 40]), Value::Int(-1));
        assert_eq!(of(&[0xff, 0, 0]), Value::Int(255));
        let mut bytes = [0; 20];
        bytes[15] = 0x80;
        assert_eq!(of(&bytes).to_string(), (1_u128 << 127).to_string());
        let Value::BigInt(int) = of(&bytes) else {
            panic!("2^127 does not fit 128 signed bits");
        };
        assert_eq!(int.as_le_bytes().len(), 17);
        assert_eq!(int.to_f64(), 2f64.powi(127));
        let mut bytes = [0xff; 17];
        bytes[..16].fill(0);
        assert_eq!(
            of(&bytes).to_string(),
            "-340282366920938463463374607431768211456"
        );
        assert!(BigInt::from_le_bytes(&[1; 256]).is_err());
    }
}
