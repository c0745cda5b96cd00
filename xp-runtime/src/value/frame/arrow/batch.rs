//! Record batches, and the dictionaries that they refer to.

use super::field::Field;
use super::file::{check_version, unsupported};
use super::schema::{CONTINUATION, batch, dictionary_batch, message};
use super::table::{Table, array, malformed};
use crate::value::frame::{Bitmap, Column, FrameError};

/// What may be read of a file. Otherwise a small file could ask for any amount of memory.
pub(super) struct Budget {
    /// Bytes of batches: each is part of one batch only.
    bytes: usize,
    /// Items behind which no bytes stand, in all columns and batches.
    items: usize,
}

impl Budget {
    pub(super) fn of(file: &[u8]) -> Self {
        Budget {
            bytes: file.len(),
            // As many as bytes could stand behind, of which an item takes a bit at least; and some more for small files.
            items: file.len().saturating_mul(8).saturating_add(1 << 20),
        }
    }

    pub(super) fn spend_items(&mut self, items: usize) -> Result<(), FrameError> {
        match self.items.checked_sub(items) {
            Some(left) => self.items = left,
            None => return malformed("more items than the file can have"),
        }
        Ok(())
    }
}

/// A record batch: its metadata, and the bytes of its columns.
pub(super) struct Batch<'a, 'b> {
    pub(super) rows: usize,
    /// The dictionary that this is, and whether it adds to one.
    pub(super) dictionary: (i64, bool),
    nodes: std::slice::ChunksExact<'a, u8>,
    buffers: std::slice::ChunksExact<'a, u8>,
    body: &'a [u8],
    /// How many bytes of the body may still be read: each is part of one buffer only.
    unread: usize,
    compressed: bool,
    budget: &'b mut Budget,
}

/// A non-negative 64-bit integer.
fn size(bytes: &[u8], at: usize) -> Result<usize, FrameError> {
    match usize::try_from(i64::from_le_bytes(array(bytes, at)?)) {
        Ok(size) => Ok(size),
        Err(_) => malformed("a negative length"),
    }
}

fn slice(bytes: &[u8], at: usize, len: usize) -> Result<&[u8], FrameError> {
    match bytes.get(at..).and_then(|rest| rest.get(..len)) {
        Some(slice) => Ok(slice),
        None => malformed("the file ends too early"),
    }
}

impl<'a, 'b> Batch<'a, 'b> {
    /// The batch of a block of the file, in a message of this kind.
    pub(super) fn read(
        bytes: &'a [u8],
        block: &[u8],
        kind: u8,
        budget: &'b mut Budget,
    ) -> Result<Self, FrameError> {
        let at = size(block, 0)?;
        let metadata_len = u32::from_le_bytes(array(block, 8)?) as usize;
        let body_len = size(block, 16)?;
        let metadata = slice(bytes, at, metadata_len)?;
        let body = slice(bytes, at.saturating_add(metadata_len), body_len)?;
        let spent = metadata_len.saturating_add(body_len);
        match budget.bytes.checked_sub(spent) {
            Some(left) => budget.bytes = left,
            None => return malformed("record batches overlap"),
        }
        // Before version 0.15, Arrow wrote no continuation marker.
        let prefix = if metadata.starts_with(&CONTINUATION) {
            8
        } else {
            4
        };
        let message = Table::root(metadata.get(prefix..).unwrap_or_default())?;
        check_version(message.i16(message::VERSION)?)?;
        if message.u8(message::HEADER_TYPE)? != kind {
            return malformed("a block holds another message than the footer says");
        }
        let mut header = message.table(message::HEADER)?;
        let mut dictionary = (0, false);
        if kind == message::DICTIONARY_BATCH {
            let is_delta = header.u8(dictionary_batch::IS_DELTA)? != 0;
            dictionary = (header.i64(dictionary_batch::ID)?, is_delta);
            header = header.table(dictionary_batch::DATA)?;
        }
        let Ok(rows) = usize::try_from(header.i64(batch::LENGTH)?) else {
            return malformed("a negative length");
        };
        Ok(Batch {
            rows,
            dictionary,
            nodes: header.structs(batch::NODES, batch::NODE_SIZE)?,
            buffers: header.structs(batch::BUFFERS, batch::BUFFER_SIZE)?,
            body,
            unread: body.len(),
            compressed: header.is_present(batch::COMPRESSION),
            budget,
        })
    }

    /// Leaves out a column.
    pub(super) fn skip(&mut self, field: &Field) -> Result<(), FrameError> {
        let (nodes, buffers) = field.extent()?;
        for _ in 0..nodes {
            self.node()?;
        }
        for _ in 0..buffers {
            self.buffer()?;
        }
        Ok(())
    }

    /// Appends the batch's items of a column; there must be as many as expected.
    pub(super) fn append(
        &mut self,
        column: &mut Column,
        field: &Field,
        expected: Option<usize>,
    ) -> Result<usize, FrameError> {
        if self.compressed {
            return unsupported("compression");
        }
        let (len, null_count) = self.node()?;
        if expected.is_some_and(|expected| expected != len) {
            return malformed("columns differ in length");
        }
        if !field.has_bytes() {
            self.budget.spend_items(len)?;
        }
        let before = column.len();
        let validity = if field.has_validity() {
            self.buffer()?
        } else {
            &[]
        };
        self.append_data(&mut column.data, field, len)?;
        if field.has_validity() && null_count > 0 {
            let Some(validity) = Bitmap::from_bytes(validity, len) else {
                return malformed("a validity bitmap is too short");
            };
            column
                .validity
                .get_or_insert_with(|| Bitmap::filled(true, before))
                .append(&validity);
        } else if let Some(all) = &mut column.validity {
            all.append(&Bitmap::filled(true, len));
        }
        Ok(len)
    }

    /// The length and the number of nulls of the next column.
    fn node(&mut self) -> Result<(usize, usize), FrameError> {
        let Some(node) = self.nodes.next() else {
            return malformed("a record batch lacks a column");
        };
        Ok((size(node, 0)?, size(node, 8)?))
    }

    /// The column's next buffer.
    pub(super) fn buffer(&mut self) -> Result<&'a [u8], FrameError> {
        let Some(buffer) = self.buffers.next() else {
            return malformed("a record batch lacks a buffer");
        };
        let buffer = slice(self.body, size(buffer, 0)?, size(buffer, 8)?)?;
        match self.unread.checked_sub(buffer.len()) {
            Some(left) => self.unread = left,
            None => return malformed("buffers overlap"),
        }
        Ok(buffer)
    }

    /// The next buffer, as `len` words of `N` bytes.
    pub(super) fn words<const N: usize>(
        &mut self,
        len: usize,
    ) -> Result<&'a [[u8; N]], FrameError> {
        match self.buffer()?.as_chunks().0.get(..len) {
            Some(words) => Ok(words),
            None => malformed("a buffer is too short"),
        }
    }
}
