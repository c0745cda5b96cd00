use super::build::{Builder, Slot};
use super::schema::{CONTINUATION, MAGIC, V5, message, types};
use crate::datapak::{Column, ColumnData, Frame};

/// Write a frame as an Arrow IPC file, as Arrow's and pandas' `read_feather` read it.
///
/// All fields are nullable. A frame without rows has no record batch; otherwise there is one.
///
/// # Examples
///
/// ```
/// use xp::datapak::{Column, ColumnData, Frame, from_arrow_file, to_arrow_file};
///
/// let frame = Frame { columns: vec![Column::new("epoch", ColumnData::Int(vec![0, 1, 2]))] };
/// assert_eq!(from_arrow_file(&to_arrow_file(&frame))?, frame);
/// # Ok::<(), xp::datapak::DatapakError>(())
/// ```
pub fn to_arrow_file(frame: &Frame) -> Vec<u8> {
    let mut out = Vec::with_capacity(estimated_size(frame));
    write(frame, &mut out);
    out
}

/// At least as many bytes as the file of this frame takes.
pub(in crate::datapak) fn estimated_size(frame: &Frame) -> usize {
    let rows = frame.rows();
    let column = |column: &Column| {
        let text = match &column.data {
            ColumnData::Text(texts) => texts.buffer.len(),
            _ => 0,
        };
        // Its schema stands in the file twice.
        512 + 2 * column.name.len() + text + 9 * rows
    };
    1024 + frame.columns.iter().map(column).sum::<usize>()
}

/// Append the file of this frame.
pub(in crate::datapak) fn write(frame: &Frame, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&[0; 2]);
    schema_message(frame, out);
    let block = (frame.rows() > 0).then(|| record_batch(frame, out, start));
    out.extend_from_slice(&CONTINUATION);
    out.extend_from_slice(&[0; 4]);
    let footer = out.len();
    write_footer(frame, block, out);
    let len = (out.len() - footer) as u32;
    out.extend_from_slice(&len.to_le_bytes());
    out.extend_from_slice(MAGIC);
}

/// A message with this header and so many bytes of body; the header is filled in by `header`.
fn write_message(
    out: &mut Vec<u8>,
    kind: u8,
    body: usize,
    header: impl FnOnce(&mut Builder<'_>) -> usize,
) {
    out.extend_from_slice(&CONTINUATION);
    out.extend_from_slice(&[0; 4]);
    let start = out.len();
    let mut builder = Builder::new(out);
    let table = builder.table([
        Slot::I16(V5),
        Slot::U8(kind),
        Slot::Reference,
        Slot::I64(body as i64),
    ]);
    builder.root(table.at);
    let header = header(&mut builder);
    builder.refer(table.slots[message::HEADER], header);
    let len = (out.len() - start).next_multiple_of(8);
    out.resize(start + len, 0);
    out[start - 4..start].copy_from_slice(&(len as u32).to_le_bytes());
}

fn schema_message(frame: &Frame, out: &mut Vec<u8>) {
    write_message(out, message::SCHEMA, 0, |builder| schema(builder, frame));
}

fn schema(builder: &mut Builder<'_>, frame: &Frame) -> usize {
    const LITTLE_ENDIAN: i16 = 0;
    let table = builder.table([Slot::I16(LITTLE_ENDIAN), Slot::Reference]);
    let fields = builder.references(frame.columns.len());
    builder.refer(table.slots[1], fields);
    for (i, column) in frame.columns.iter().enumerate() {
        let field = field(builder, column);
        builder.refer(fields + 4 + 4 * i, field);
    }
    table.at
}

fn field(builder: &mut Builder<'_>, column: &Column) -> usize {
    const NULLABLE: Slot = Slot::U8(1);
    let type_type = match &column.data {
        ColumnData::Int(_) => types::INT,
        ColumnData::Float(_) => types::FLOATING_POINT,
        ColumnData::Bool(_) => types::BOOL,
        ColumnData::Text(texts) if is_large(texts.buffer.len()) => types::LARGE_UTF8,
        ColumnData::Text(_) => types::UTF8,
        ColumnData::Timestamp(_) => types::TIMESTAMP,
    };
    let field = builder.table([
        Slot::Reference,
        NULLABLE,
        Slot::U8(type_type),
        Slot::Reference,
        Slot::Absent,
        Slot::Reference,
    ]);
    let name = builder.string(&column.name);
    builder.refer(field.slots[0], name);
    let data_type = match &column.data {
        ColumnData::Int(_) => builder.table([Slot::I32(64), Slot::U8(1)]).at,
        ColumnData::Float(_) => builder.table([Slot::I16(types::DOUBLE)]).at,
        ColumnData::Bool(_) | ColumnData::Text(_) => builder.table([]).at,
        ColumnData::Timestamp(_) => {
            builder
                .table([Slot::I16(types::MICROSECOND), Slot::Absent])
                .at
        }
    };
    builder.refer(field.slots[3], data_type);
    let children = builder.references(0);
    builder.refer(field.slots[5], children);
    field.at
}

/// Whether offsets into so many bytes of text need 64 bits.
fn is_large(bytes: usize) -> bool {
    i32::try_from(bytes).is_err()
}

/// Where a record batch stands: its offset, and the lengths of its metadata and body.
type Block = [i64; 3];

fn record_batch(frame: &Frame, out: &mut Vec<u8>, start: usize) -> Block {
    let rows = frame.rows();
    let mut buffers = Vec::with_capacity(3 * frame.columns.len());
    let mut body = 0;
    let mut buffer = |len: usize| {
        buffers.push([body as i64, len as i64]);
        body += len.next_multiple_of(8);
    };
    for column in &frame.columns {
        buffer(if null_count(column, rows) > 0 {
            rows.div_ceil(8)
        } else {
            0
        });
        match &column.data {
            ColumnData::Int(_) | ColumnData::Float(_) | ColumnData::Timestamp(_) => {
                buffer(8 * rows)
            }
            ColumnData::Bool(_) => buffer(rows.div_ceil(8)),
            ColumnData::Text(texts) => {
                buffer((rows + 1) * if is_large(texts.buffer.len()) { 8 } else { 4 });
                buffer(texts.buffer.len());
            }
        }
    }
    let at = out.len();
    write_message(out, message::RECORD_BATCH, body, |builder| {
        let table = builder.table([Slot::I64(rows as i64), Slot::Reference, Slot::Reference]);
        let nodes = frame
            .columns
            .iter()
            .map(|column| [rows as i64, null_count(column, rows) as i64]);
        let nodes = builder.structs(nodes);
        builder.refer(table.slots[1], nodes);
        let buffers = builder.structs(buffers.iter().copied());
        builder.refer(table.slots[2], buffers);
        table.at
    });
    let metadata = out.len() - at;
    for column in &frame.columns {
        write_column(column, rows, out);
    }
    [(at - start) as i64, metadata as i64, body as i64]
}

/// How many items are null, where those missing at the end are.
fn null_count(column: &Column, rows: usize) -> usize {
    column.null_count() + rows - column.len()
}

/// The column's buffers, each padded to a multiple of 8 bytes.
fn write_column(column: &Column, rows: usize, out: &mut Vec<u8>) {
    if null_count(column, rows) > 0 {
        write_validity(column, rows, out);
    }
    match &column.data {
        ColumnData::Int(x) | ColumnData::Timestamp(x) => {
            write_words(x.iter().map(|x| x.to_le_bytes()), rows, out)
        }
        ColumnData::Float(x) => write_words(x.iter().map(|x| x.to_le_bytes()), rows, out),
        ColumnData::Bool(x) => write_padded(x.as_bytes(), rows.div_ceil(8), out),
        ColumnData::Text(texts) => {
            let last = texts.buffer.len();
            let missing = std::iter::repeat_n(last, rows - texts.len());
            let offsets = std::iter::once(0)
                .chain(texts.ends.iter().copied())
                .chain(missing);
            if is_large(last) {
                write_words(offsets.map(|x| (x as u64).to_le_bytes()), rows + 1, out);
            } else {
                write_words(offsets.map(|x| (x as u32).to_le_bytes()), rows + 1, out);
            }
            write_padded(texts.buffer.as_bytes(), last, out);
        }
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

fn write_footer(frame: &Frame, block: Option<Block>, out: &mut Vec<u8>) {
    let mut builder = Builder::new(out);
    let table = builder.table([
        Slot::I16(V5),
        Slot::Reference,
        Slot::Reference,
        Slot::Reference,
    ]);
    builder.root(table.at);
    let schema = schema(&mut builder, frame);
    builder.refer(table.slots[1], schema);
    let dictionaries = builder.structs::<3>(std::iter::empty());
    builder.refer(table.slots[2], dictionaries);
    // A block's second member has 32 bits, and 32 bits of padding follow: little-endian, that is one small 64-bit integer.
    let batches = builder.structs(block.into_iter());
    builder.refer(table.slots[3], batches);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::datapak::Bitmap;

    #[test]
    fn the_estimated_size_is_never_too_small() {
        for columns in 0..8 {
            for rows in [0, 1, 7, 8, 9, 1000] {
                let column = |i: usize| match i % 4 {
                    0 => Column::new("a", ColumnData::Int(vec![1; rows])),
                    1 => Column {
                        validity: Some(Bitmap::filled(false, rows)),
                        ..Column::new("b".repeat(99), ColumnData::Float(vec![1.0; rows]))
                    },
                    2 => Column::new(
                        "",
                        ColumnData::Text((0..rows).map(|i| i.to_string()).collect()),
                    ),
                    _ => Column::new("c", ColumnData::Bool(Bitmap::filled(true, rows))),
                };
                let frame = Frame {
                    columns: (0..columns).map(column).collect(),
                };
                assert!(to_arrow_file(&frame).len() <= estimated_size(&frame));
            }
        }
    }
}
