//! Frames as Arrow IPC files: uncompressed, little-endian, at most one record batch.
//!
//! The format is described by Arrow's columnar format specification, and its metadata by the FlatBuffers schemas
//! `Schema.fbs`, `Message.fbs` and `File.fbs` there.

mod build;
mod read;
mod schema;
mod table;
mod write;

pub use read::from_arrow_file;
pub use write::to_arrow_file;
pub(super) use write::{estimated_size, write};
