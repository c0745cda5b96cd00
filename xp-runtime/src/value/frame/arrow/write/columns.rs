//! The buffers of columns.

use crate::value::frame::{Column, ColumnData, Temporal, TimeUnit};

/// The nodes and buffers of a record batch.
#[derive(Default)]
pub(super) struct Extent {
    /// Lengths and numbers of nulls.
    pub(super) nodes: Vec<[i64; 2]>,
    /// Offsets and lengths.
    pub(super) buffers: Vec<[i64; 2]>,
    pub(super) body: usize,
}

/// Whether offsets into so many bytes or items need 64 bits.
pub(super) fn is_large(len: usize) -> bool {
    i32::try_from(len).is_err()
}

fn offset_width(len: usize) -> usize {
    if is_large(len) { 8 } else { 4 }
}

/// How many bytes a count takes.
pub(super) fn width(temporal: &Temporal) -> usize {
    match temporal {
        Temporal::Date32 | Temporal::Time(TimeUnit::Second | TimeUnit::Millisecond) => 4,
        _ => 8,
    }
}

impl Extent {
    fn buffer(&mut self, len: usize) {
        self.buffers.push([self.body as i64, len as i64]);
        self.body += len.next_multiple_of(8);
    }

    pub(super) fn add(&mut self, column: &Column, rows: usize) {
        let nulls = null_count(column, rows);
        self.nodes.push([rows as i64, nulls as i64]);
        if is_null(&column.data) {
            return;
        }
        self.buffer(if nulls > 0 { rows.div_ceil(8) } else { 0 });
        match &column.data {
            ColumnData::Int(_) | ColumnData::UInt(_) | ColumnData::Float(_) => {
                self.buffer(8 * rows)
            }
            ColumnData::Temporal(temporal, _) => self.buffer(width(temporal) * rows),
            ColumnData::Bool(_) => self.buffer(rows.div_ceil(8)),
            ColumnData::Text(texts) => {
                self.buffer((rows + 1) * offset_width(texts.buffer.len()));
                self.buffer(texts.buffer.len());
            }
            ColumnData::Binary(all) => {
                self.buffer((rows + 1) * offset_width(all.buffer.len()));
                self.buffer(all.buffer.len());
            }
            ColumnData::List(lists) => {
                self.buffer((rows + 1) * offset_width(lists.items.len()));
                self.add(&lists.items, lists.items.len());
            }
            ColumnData::Struct(x) => x.members.iter().for_each(|member| self.add(member, rows)),
            ColumnData::Null(_)
            | ColumnData::Dictionary(..)
            | ColumnData::Uuid(_)
            | ColumnData::Value(_) => {}
        }
    }
}

/// Whether the column has no buffers. Of what Arrow has no type for, another column was made before.
fn is_null(data: &ColumnData) -> bool {
    matches!(
        data,
        ColumnData::Null(_) | ColumnData::Uuid(_) | ColumnData::Value(_)
    )
}

/// How many items are null, where those missing at the end are.
fn null_count(column: &Column, rows: usize) -> usize {
    column.null_count() + rows - column.len()
}

/// The column's buffers, each padded to a multiple of 8 bytes.
pub(super) fn write_column(column: &Column, rows: usize, out: &mut Vec<u8>) {
    if null_count(column, rows) > 0 && !is_null(&column.data) {
        write_validity(column, rows, out);
    }
    match &column.data {
        ColumnData::Null(_)
        | ColumnData::Dictionary(..)
        | ColumnData::Uuid(_)
        | ColumnData::Value(_) => {}
        ColumnData::Int(x) => write_words(x.iter().map(|x| x.to_le_bytes()), rows, out),
        ColumnData::UInt(x) => write_words(x.iter().map(|x| x.to_le_bytes()), rows, out),
        ColumnData::Float(x) => write_words(x.iter().map(|x| x.to_le_bytes()), rows, out),
        ColumnData::Temporal(temporal, x) if width(temporal) == 4 => {
            // Days and parts of a day fit.
            write_words(x.iter().map(|x| (*x as i32).to_le_bytes()), rows, out);
        }
        ColumnData::Temporal(_, x) => write_words(x.iter().map(|x| x.to_le_bytes()), rows, out),
        ColumnData::Bool(x) => write_padded(x.as_bytes(), rows.div_ceil(8), out),
        ColumnData::Text(texts) => {
            write_offsets(&texts.ends, texts.buffer.len(), rows, out);
            write_padded(texts.buffer.as_bytes(), texts.buffer.len(), out);
        }
        ColumnData::Binary(all) => {
            write_offsets(&all.ends, all.buffer.len(), rows, out);
            write_padded(&all.buffer, all.buffer.len(), out);
        }
        ColumnData::List(lists) => {
            let items = lists.items.len();
            write_offsets(&lists.ends, items, rows, out);
            write_column(&lists.items, items, out);
        }
        ColumnData::Struct(x) => {
            (x.members.iter()).for_each(|member| write_column(member, rows, out));
        }
    }
}

/// Where strings or lists begin and end; missing ones are empty.
fn write_offsets(ends: &[usize], last: usize, rows: usize, out: &mut Vec<u8>) {
    let missing = std::iter::repeat_n(last, rows - ends.len());
    let offsets = std::iter::once(0)
        .chain(ends.iter().copied())
        .chain(missing);
    if is_large(last) {
        write_words(offsets.map(|x| (x as u64).to_le_bytes()), rows + 1, out);
    } else {
        write_words(offsets.map(|x| (x as u32).to_le_bytes()), rows + 1, out);
    }
}

fn write_validity(column: &Column, rows: usize, out: &mut Vec<u8>) {
    match &column.validity {
        Some(validity) if validity.len() == column.len() => {
            write_padded(validity.as_bytes(), rows.div_ceil(8), out)
        }
        validity => {
            let mut padded = validity.clone().unwrap_or_default();
            while padded.len() < column.len() {
                padded.push(true);
            }
            write_padded(padded.as_bytes(), rows.div_ceil(8), out);
        }
    }
}

/// The bytes, filled up with zeros to `len` and then to a multiple of 8.
fn write_padded(bytes: &[u8], len: usize, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&bytes[..len.min(bytes.len())]);
    out.resize(start + len.next_multiple_of(8), 0);
}

/// Words of `N` bytes, filled up with zeros to `len` words and then to a multiple of 8 bytes.
fn write_words<const N: usize>(
    words: impl Iterator<Item = [u8; N]>,
    len: usize,
    out: &mut Vec<u8>,
) {
    let start = out.len();
    out.resize(start + (N * len).next_multiple_of(8), 0);
    let (targets, _) = out[start..].as_chunks_mut();
    targets
        .iter_mut()
        .zip(words)
        .for_each(|(target, word)| *target = word);
}
