//! Literals of pickles.

use crate::datapak::DatapakError;

/// A little-endian two's complement of any length; `None` if it does not fit.
pub(in crate::datapak) fn long(bytes: &[u8]) -> Option<i128> {
    let sign = if bytes.last().is_some_and(|last| *last >= 0x80) {
        0xff
    } else {
        0
    };
    let mut filled = [sign; 16];
    let (low, high) = bytes.split_at(bytes.len().min(16));
    filled[..low.len()].copy_from_slice(low);
    let x = i128::from_le_bytes(filled);
    let fits = high.iter().all(|byte| *byte == sign) && (x < 0) == (sign != 0);
    fits.then_some(x)
}

/// A decimal integer; `None` if it is none.
pub(super) fn decimal(line: &[u8]) -> Result<Option<i128>, DatapakError> {
    let Ok(text) = str::from_utf8(line) else {
        return Ok(None);
    };
    text.trim()
        .parse()
        .map(Some)
        .or_else(|error: std::num::ParseIntError| match error.kind() {
            std::num::IntErrorKind::PosOverflow | std::num::IntErrorKind::NegOverflow => {
                Err(DatapakError::Integer { bytes: line.len() })
            }
            _ => Ok(None),
        })
}

/// Latin-1, with `\uXXXX` and `\UXXXXXXXX` for everything else.
pub(super) fn raw_unicode_escape(line: &[u8]) -> Option<String> {
    let mut text = String::with_capacity(line.len());
    let mut rest = line;
    while let [first, tail @ ..] = rest {
        let digits = match (first, tail.first()) {
            (b'\\', Some(b'u')) => 4,
            (b'\\', Some(b'U')) => 8,
            _ => {
                text.push(char::from(*first));
                rest = tail;
                continue;
            }
        };
        text.push(hex(tail.get(1..=digits)?)?);
        rest = &tail[digits + 1..];
    }
    Some(text)
}

fn hex(digits: &[u8]) -> Option<char> {
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    char::from_u32(u32::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?)
}

/// A quoted Python string of ASCII characters, with the usual escapes.
pub(super) fn string_literal(line: &[u8]) -> Option<String> {
    let inner = match line.trim_ascii() {
        [b'\'', inner @ .., b'\''] | [b'"', inner @ .., b'"'] => inner,
        _ => return None,
    };
    let mut text = String::with_capacity(inner.len());
    let mut rest = inner;
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'\\' {
            text.push(char::from(*first));
            continue;
        }
        let (escape, tail) = tail.split_first()?;
        rest = tail;
        text.push(match escape {
            b'\\' | b'\'' | b'"' => char::from(*escape),
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'x' => {
                rest = tail.get(2..)?;
                hex(&tail[..2])?
            }
            _ => return None,
        });
    }
    text.is_ascii().then_some(text)
}
