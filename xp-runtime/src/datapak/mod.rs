//! DATAPAK: how values that are no native columns are stored.
//!
//! A value is written as plain containers, pickled with harmless opcodes only; frames are Arrow IPC files inside. The
//! format is that of the Python package `mltraq` (its serializer `DataPakSerializer-0.0`), which reads what is written
//! here and the other way round. Nothing is ever executed: the reader knows no opcode that could.

mod arrow;
mod bitmap;
mod column;
mod decode;
mod encode;
mod error;
mod frame;
mod kinds;
mod moment;
mod native;
mod opcode;
mod sequence;
mod typed;
mod unpickle;

pub use arrow::{from_arrow_file, to_arrow_file};
pub use bitmap::Bitmap;
pub use decode::decode;
pub use encode::encode;
pub use error::DatapakError;
pub use frame::{Column, ColumnData, Frame, Item, Texts};
pub use sequence::{decode_sequence, encode_sequence, sequence_from_value, sequence_to_value};

#[cfg(test)]
mod tests;
