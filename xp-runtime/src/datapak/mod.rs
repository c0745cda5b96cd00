//! DATAPAK: how values that are no native columns are stored.
//!
//! A value is written as plain containers, pickled with harmless opcodes only; frames are
//! Arrow IPC files inside, arrays NumPy files. The
//! format is that of the Python package `mltraq` (its serializer `DataPakSerializer-0.0`), which reads what is written
//! here and the other way round. Nothing is ever executed: the reader knows no opcode that could.

mod column;
mod compressed;
mod decode;
mod encode;
mod error;
mod kinds;
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
