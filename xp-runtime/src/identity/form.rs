//! The bytes of the canonical form.

use std::ops::Range;

/// The first byte of every value of the canonical form, and the mark that ends a collection.
pub(crate) mod tag {
    pub(crate) const NULL: u8 = 0x00;
    pub(crate) const FALSE: u8 = 0x01;
    pub(crate) const TRUE: u8 = 0x02;
    pub(crate) const NATURAL: u8 = 0x03;
    pub(crate) const NEGATIVE: u8 = 0x04;
    pub(crate) const FLOAT: u8 = 0x05;
    pub(crate) const TEXT: u8 = 0x06;
    pub(crate) const BYTES: u8 = 0x07;
    pub(crate) const SEQUENCE: u8 = 0x08;
    pub(crate) const MAP: u8 = 0x09;
    pub(crate) const NAME: u8 = 0x0a;
    pub(crate) const VARIANT: u8 = 0x0b;
    pub(crate) const END: u8 = 0xff;
}

/// Appends a natural number, as an integer's magnitude and a text's length are written: how many
/// bytes, then the bytes, most significant first, without leading zeros.
pub(super) fn write_magnitude(value: u128, out: &mut Vec<u8>) {
    let zeros = value.leading_zeros() as usize / 8;
    out.push((16 - zeros) as u8);
    out.extend_from_slice(&value.to_be_bytes()[zeros..]);
}

/// Appends the form of a natural number.
pub(crate) fn write_natural(value: u128, out: &mut Vec<u8>) {
    out.push(tag::NATURAL);
    write_magnitude(value, out);
}

/// Appends the form of a text.
pub(crate) fn write_text(text: &str, out: &mut Vec<u8>) {
    write_sized(tag::TEXT, text.as_bytes(), out);
}

/// Appends a tag, and bytes with their count.
pub(crate) fn write_sized(tag: u8, bytes: &[u8], out: &mut Vec<u8>) {
    out.push(tag);
    write_magnitude(bytes.len() as u128, out);
    out.extend_from_slice(bytes);
}

/// How many bytes the text takes that [`write_text`] put at the front of `bytes`.
pub(super) fn text_len(bytes: &[u8]) -> usize {
    let head = 2 + bytes[1] as usize;
    let big_endian = bytes[2..head].iter();
    head + big_endian.fold(0, |len, byte| (len << 8) | *byte as usize)
}

/// Sorts entries by their bytes: no encoded key is a prefix of another, so this is by key.
pub(super) fn sort_entries(entries: &mut [Range<usize>], bytes: &[u8]) {
    entries.sort_unstable_by(|a, b| bytes[a.clone()].cmp(&bytes[b.clone()]));
}
