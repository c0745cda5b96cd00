//! How much memory reading may take.

/// How many bytes a value may take, however few bytes it comes from.
const FREE: usize = 16 << 20;

/// How many bytes a value may take for each of the bytes that are stored. An element takes one of these at least, and a
/// text that is repeated two.
const PER_STORED: usize = 256;

/// How many bytes a value may take for each byte of its pickle, of which a compressed one has many more than are stored.
const PER_BYTE: usize = 8;

/// How many bytes of memory a value may take: what the pickle says, and then the value.
pub(super) fn most(stored: usize, pickle: usize) -> usize {
    (stored.saturating_mul(PER_STORED))
        .saturating_add(pickle.saturating_mul(PER_BYTE))
        .saturating_add(FREE)
}
