use super::build::{Builder, Slot};
use super::schema::{CONTINUATION, MAGIC, V5, message};
use crate::value::frame::{Column, ColumnData};

mod columns;
mod fields;
mod plain;

use self::columns::{Extent, write_column};
use self::fields::field;
use self::plain::plain;

/// Write columns as an Arrow IPC file, as Arrow's and pandas' `read_feather` read it, with these entries in its metadata.
///
/// All fields are nullable. Without rows there is no record batch; otherwise there is one. A column that is shorter than the
/// longest one ends in nulls.
pub(in crate::value::frame) fn to_file(columns: &[Column], metadata: &[(&str, &str)]) -> Vec<u8> {
    let mut out = Vec::with_capacity(estimated_size(columns));
    write_file(columns, metadata, &mut out);
    out
}

/// Append the file of these columns.
pub(crate) fn write(columns: &[Column], out: &mut Vec<u8>) {
    write_file(columns, &[], out);
}

/// The length of the longest column.
fn rows(columns: &[Column]) -> usize {
    columns.iter().map(Column::len).max().unwrap_or(0)
}

/// At least as many bytes as the file of these columns takes, without metadata and dictionaries.
pub(crate) fn estimated_size(columns: &[Column]) -> usize {
    let rows = rows(columns);
    1024 + columns
        .iter()
        .map(|column| column_size(column, rows))
        .sum::<usize>()
}

fn column_size(column: &Column, rows: usize) -> usize {
    let parts = match &column.data {
        ColumnData::Text(texts) => texts.buffer.len(),
        ColumnData::Binary(binaries) => binaries.buffer.len(),
        ColumnData::List(lists) => column_size(&lists.items, lists.items.len()),
        ColumnData::Struct(x) => x
            .members
            .iter()
            .map(|member| column_size(member, rows))
            .sum(),
        _ => 0,
    };
    // Its schema stands in the file twice.
    512 + 2 * column.name.len() + parts + 9 * rows
}

fn write_file(columns: &[Column], metadata: &[(&str, &str)], out: &mut Vec<u8>) {
    let columns = &*plain(columns);
    let start = out.len();
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&[0; 2]);
    write_message(out, message::SCHEMA, 0, |builder| {
        schema(builder, columns, metadata)
    });
    let rows = rows(columns);
    let block = (rows > 0).then(|| record_batch(columns, rows, out, start));
    out.extend_from_slice(&CONTINUATION);
    out.extend_from_slice(&[0; 4]);
    let footer = out.len();
    write_footer(columns, metadata, block, out);
    let len = (out.len() - footer) as u32;
    out.extend_from_slice(&len.to_le_bytes());
    out.extend_from_slice(MAGIC);
}

/// A message with this header and so many bytes of body; the header is filled in by `header`.
pub(super) fn write_message(
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

fn schema(builder: &mut Builder<'_>, columns: &[Column], metadata: &[(&str, &str)]) -> usize {
    const LITTLE_ENDIAN: i16 = 0;
    let entries = if metadata.is_empty() {
        Slot::Absent
    } else {
        Slot::Reference
    };
    let table = builder.table([Slot::I16(LITTLE_ENDIAN), Slot::Reference, entries]);
    let fields = builder.references(columns.len());
    builder.refer(table.slots[1], fields);
    for (i, column) in columns.iter().enumerate() {
        let field = field(builder, column);
        builder.refer(fields + 4 + 4 * i, field);
    }
    if !metadata.is_empty() {
        let entries = builder.references(metadata.len());
        builder.refer(table.slots[2], entries);
        for (i, (key, value)) in metadata.iter().enumerate() {
            let entry = builder.table([Slot::Reference, Slot::Reference]);
            builder.refer(entries + 4 + 4 * i, entry.at);
            for (slot, text) in entry.slots.into_iter().zip([key, value]) {
                let text = builder.string(text);
                builder.refer(slot, text);
            }
        }
    }
    table.at
}

/// Where a record batch stands: its offset, and the lengths of its metadata and body.
type Block = [i64; 3];

fn record_batch(columns: &[Column], rows: usize, out: &mut Vec<u8>, start: usize) -> Block {
    let mut extent = Extent::default();
    columns.iter().for_each(|column| extent.add(column, rows));
    let at = out.len();
    write_message(out, message::RECORD_BATCH, extent.body, |builder| {
        let table = builder.table([Slot::I64(rows as i64), Slot::Reference, Slot::Reference]);
        let nodes = builder.structs(extent.nodes.iter().copied());
        builder.refer(table.slots[1], nodes);
        let buffers = builder.structs(extent.buffers.iter().copied());
        builder.refer(table.slots[2], buffers);
        table.at
    });
    let metadata = out.len() - at;
    for column in columns {
        write_column(column, rows, out);
    }
    [(at - start) as i64, metadata as i64, extent.body as i64]
}

fn write_footer(
    columns: &[Column],
    metadata: &[(&str, &str)],
    block: Option<Block>,
    out: &mut Vec<u8>,
) {
    let mut builder = Builder::new(out);
    let table = builder.table([
        Slot::I16(V5),
        Slot::Reference,
        Slot::Reference,
        Slot::Reference,
    ]);
    builder.root(table.at);
    let schema = schema(&mut builder, columns, metadata);
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
    use crate::value::frame::{Binaries, Bitmap, Lists, Structs};

    #[test]
    fn the_estimated_size_is_never_too_small() {
        for columns in 0..8 {
            for rows in [0, 1, 7, 8, 9, 1000] {
                let column = |i: usize| match i % 5 {
                    0 => Column::new("a", ColumnData::Int(vec![1; rows])),
                    1 => Column {
                        validity: Some(Bitmap::filled(false, rows)),
                        ..Column::new("b".repeat(99), ColumnData::Float(vec![1.0; rows]))
                    },
                    2 => Column::new(
                        "",
                        ColumnData::Text((0..rows).map(|i| i.to_string()).collect()),
                    ),
                    3 => Column::new("c", ColumnData::Bool(Bitmap::filled(true, rows))),
                    _ => {
                        let items = (0..2 * rows).map(|i| i.to_string()).collect::<Binaries>();
                        let items = Column::new("item", ColumnData::Binary(items));
                        let lists = Lists::new(std::iter::repeat_n(2, rows), items).unwrap();
                        let lists = Column::new("l", ColumnData::List(lists));
                        Column::new(
                            "s",
                            ColumnData::Struct(Structs::new(rows, vec![lists]).unwrap()),
                        )
                    }
                };
                let columns: Vec<_> = (0..columns).map(column).collect();
                assert!(to_file(&columns, &[]).len() <= estimated_size(&columns));
            }
        }
    }
}
