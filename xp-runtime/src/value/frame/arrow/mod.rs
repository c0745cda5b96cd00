//! Frames as Arrow IPC files: read in all their forms, and written uncompressed, little-endian, in one record batch.
//!
//! The format is described by Arrow's columnar format specification, and its metadata by the FlatBuffers schemas
//! `Schema.fbs`, `Message.fbs` and `File.fbs` there.

mod batch;
mod build;
mod column;
mod dictionary;
mod field;
mod file;
mod schema;
mod table;
mod write;

pub(super) use file::File;
pub(super) use write::to_file;
pub(crate) use write::{estimated_size, write};

#[cfg(test)]
mod tests;
