//! DATAPAK: how values that are no native columns are stored.
//!
//! A value is written as plain containers, pickled with harmless opcodes only; frames are
//! Arrow IPC files inside, arrays NumPy files. The
//! format is that of the Python package `mltraq` (its serializer `DataPakSerializer-0.0`), which reads what is written
//! here and the other way round. Nothing is ever executed: the reader knows no opcode that could.
//!
//! # Limits
//!
//! Files may come from anywhere. A value is refused, with an error that says why, before it takes time or memory that its
//! bytes do not justify:
//!
//! | what | at most |
//! |---|---|
//! | opcodes | those of plain values; all are checked before any is executed |
//! | containers within one another | [`MAX_DEPTH`](crate::value::MAX_DEPTH) |
//! | memory of a value, what is shared counted as often as it is there | 16 MiB, 256 bytes for each byte that is stored, and 8 for each byte of the pickle |
//! | a pickle that is stored compressed | 16 MiB, and 64 bytes for each byte that is stored |
//! | an integer | 255 bytes |
//! | dimensions of an array | 64 |
//! | parts of an array's items that take no bytes | 2²⁰ more than the array has bytes |
//! | types of a frame's columns within one another | 64 |
//! | items of a frame that take no bytes, as nulls do | 2²⁰, and 8 for each byte of its file |
//!
//! There is no limit to values that are as large as their bytes; SQLite's own, a gigabyte for a cell, comes first.

mod column;
mod compressed;
mod decode;
mod encode;
mod error;
mod flat;
pub(crate) mod kinds;
mod limit;
mod moment;
mod native;
mod opcode;
mod sequence;
mod typed;
mod unpickle;

pub use decode::decode;
pub use encode::encode;
pub use error::DatapakError;
pub use sequence::{decode_sequence, encode_sequence};

#[cfg(test)]
mod tests;
