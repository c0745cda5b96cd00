//! How much memory reading may take.

/// How many bytes a value may take, however few bytes it comes from.
const FREE: usize = 64 << 20;

/// How many bytes a value may take for each of the bytes that are stored. An element takes one of these at least, and a
/// text that is repeated two.
const PER_BYTE: usize = 256;

/// How many bytes of memory a value may take of which so many bytes are stored: what the pickle says, and then the value.
pub(super) fn most(stored: usize) -> usize {
    stored.saturating_mul(PER_BYTE).saturating_add(FREE)
}
