use super::schema::{
    CONTINUATION, MAGIC, V4, V5, batch, field, footer, message, schema_table, types,
};
use super::table::{Table, array, malformed};
use crate::datapak::{Bitmap, Column, ColumnData, DatapakError, Frame, Texts};

/// Read an Arrow IPC file.
///
/// Several record batches are put together. Columns may be 64-bit integers and floats, bools, texts, and timestamps in
/// microseconds without a zone; metadata of pandas is ignored.
///
/// # Errors
///
/// Bytes that are no Arrow file; and, as [`DatapakError::ArrowUnsupported`], other types of columns, dictionaries,
/// compression and big-endian files. Reading never panics.
pub fn from_arrow_file(bytes: &[u8]) -> Result<Frame, DatapakError> {
    let Some(rest) = bytes
        .strip_prefix(MAGIC)
        .and_then(|rest| rest.strip_suffix(MAGIC))
    else {
        return malformed("it does not begin and end with ARROW1");
    };
    let Some((rest, len)) = rest.split_last_chunk() else {
        return malformed("it has no footer");
    };
    let len = u32::from_le_bytes(*len) as usize;
    let Some(start) = rest.len().checked_sub(len) else {
        return malformed("it has no footer");
    };
    let footer = Table::root(&rest[start..])?;
    check_version(footer.i16(footer::VERSION)?)?;

    let schema = footer.table(footer::SCHEMA)?;
    if schema.i16(schema_table::ENDIANNESS)? != 0 {
        return unsupported("big-endian files");
    }
    if footer
        .structs(footer::DICTIONARIES, footer::BLOCK_SIZE)?
        .len()
        > 0
    {
        return unsupported("dictionaries");
    }
    let mut frame = Frame::default();
    let mut types = Vec::new();
    for field in schema.tables(schema_table::FIELDS)? {
        let field_type = FieldType::read(&field)?;
        types.push(field_type);
        frame
            .columns
            .push(Column::new(field.string(field::NAME)?, field_type.empty()));
    }
    // Each byte may be read into one place only: otherwise a small file could ask for any amount of memory.
    let mut budget = bytes.len();
    for block in footer.structs(footer::RECORD_BATCHES, footer::BLOCK_SIZE)? {
        let batch = Batch::read(bytes, block, &mut budget)?;
        batch.append_to(&mut frame, &types)?;
    }
    Ok(frame)
}

fn unsupported<T>(what: impl Into<String>) -> Result<T, DatapakError> {
    Err(DatapakError::ArrowUnsupported { what: what.into() })
}

fn check_version(version: i16) -> Result<(), DatapakError> {
    if (V4..=V5).contains(&version) {
        Ok(())
    } else {
        unsupported(format!("metadata version {version}"))
    }
}

#[derive(Clone, Copy)]
enum FieldType {
    Int,
    Float,
    Bool,
    Utf8,
    LargeUtf8,
    Timestamp,
}

impl FieldType {
    fn read(field: &Table<'_>) -> Result<Self, DatapakError> {
        if field.is_present(field::DICTIONARY) {
            return unsupported("dictionaries");
        }
        let details = field.table(field::TYPE)?;
        Ok(match field.u8(field::TYPE_TYPE)? {
            types::INT
                if details.i32(types::INT_BIT_WIDTH)? == 64
                    && details.u8(types::INT_SIGNED)? == 1 =>
            {
                FieldType::Int
            }
            types::FLOATING_POINT
                if details.i16(types::FLOATING_POINT_PRECISION)? == types::DOUBLE =>
            {
                FieldType::Float
            }
            types::BOOL => FieldType::Bool,
            types::UTF8 => FieldType::Utf8,
            types::LARGE_UTF8 => FieldType::LargeUtf8,
            types::TIMESTAMP
                if details.i16(types::TIMESTAMP_UNIT)? == types::MICROSECOND
                    && !details.is_present(types::TIMESTAMP_ZONE) =>
            {
                FieldType::Timestamp
            }
            other => {
                let name = field.string(field::NAME)?;
                return unsupported(format!("the type of the column `{name}` (number {other})"));
            }
        })
    }

    fn empty(self) -> ColumnData {
        match self {
            FieldType::Int => ColumnData::Int(Vec::new()),
            FieldType::Float => ColumnData::Float(Vec::new()),
            FieldType::Bool => ColumnData::Bool(Bitmap::new()),
            FieldType::Utf8 | FieldType::LargeUtf8 => ColumnData::Text(Texts::new()),
            FieldType::Timestamp => ColumnData::Timestamp(Vec::new()),
        }
    }
}

/// A record batch: its metadata, and the bytes of its columns.
struct Batch<'a> {
    rows: usize,
    nodes: std::slice::ChunksExact<'a, u8>,
    buffers: std::slice::ChunksExact<'a, u8>,
    body: &'a [u8],
    /// How many bytes of the body may still be read.
    budget: usize,
}

/// A non-negative 64-bit integer.
fn size(bytes: &[u8], at: usize) -> Result<usize, DatapakError> {
    match usize::try_from(i64::from_le_bytes(array(bytes, at)?)) {
        Ok(size) => Ok(size),
        Err(_) => malformed("a negative length"),
    }
}

fn slice(bytes: &[u8], at: usize, len: usize) -> Result<&[u8], DatapakError> {
    match bytes.get(at..).and_then(|rest| rest.get(..len)) {
        Some(slice) => Ok(slice),
        None => malformed("the file ends too early"),
    }
}

impl<'a> Batch<'a> {
    fn read(bytes: &'a [u8], block: &[u8], budget: &mut usize) -> Result<Self, DatapakError> {
        let at = size(block, 0)?;
        let metadata_len = u32::from_le_bytes(array(block, 8)?) as usize;
        let body_len = size(block, 16)?;
        let metadata = slice(bytes, at, metadata_len)?;
        let body = slice(bytes, at.saturating_add(metadata_len), body_len)?;
        let spent = metadata_len.saturating_add(body_len);
        match budget.checked_sub(spent) {
            Some(left) => *budget = left,
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
        if message.u8(message::HEADER_TYPE)? != message::RECORD_BATCH {
            return malformed("a block is no record batch");
        }
        let header = message.table(message::HEADER)?;
        if header.is_present(batch::COMPRESSION) {
            return unsupported("compression");
        }
        let Ok(rows) = usize::try_from(header.i64(batch::LENGTH)?) else {
            return malformed("a negative length");
        };
        let nodes = header.structs(batch::NODES, batch::NODE_SIZE)?;
        let buffers = header.structs(batch::BUFFERS, batch::BUFFER_SIZE)?;
        Ok(Batch {
            rows,
            nodes,
            buffers,
            body,
            budget: body.len(),
        })
    }

    fn append_to(mut self, frame: &mut Frame, types: &[FieldType]) -> Result<(), DatapakError> {
        for (column, field_type) in frame.columns.iter_mut().zip(types) {
            let Some(node) = self.nodes.next() else {
                return malformed("a record batch lacks a column");
            };
            if size(node, 0)? != self.rows {
                return malformed("columns differ in length");
            }
            let null_count = size(node, 8)?;
            let validity = self.buffer()?;
            self.append_data(&mut column.data, *field_type)?;
            if null_count > 0 {
                let Some(validity) = Bitmap::from_bytes(validity, self.rows) else {
                    return malformed("a validity bitmap is too short");
                };
                let before = column.data.len() - self.rows;
                column
                    .validity
                    .get_or_insert_with(|| Bitmap::filled(true, before))
                    .append(&validity);
            } else if let Some(validity) = &mut column.validity {
                validity.append(&Bitmap::filled(true, self.rows));
            }
        }
        Ok(())
    }

    /// The column's next buffer.
    fn buffer(&mut self) -> Result<&'a [u8], DatapakError> {
        let Some(buffer) = self.buffers.next() else {
            return malformed("a record batch lacks a buffer");
        };
        let buffer = slice(self.body, size(buffer, 0)?, size(buffer, 8)?)?;
        match self.budget.checked_sub(buffer.len()) {
            Some(left) => self.budget = left,
            None => return malformed("buffers overlap"),
        }
        Ok(buffer)
    }

    /// The next buffer, as `len` words of `N` bytes.
    fn words<const N: usize>(&mut self, len: usize) -> Result<&'a [[u8; N]], DatapakError> {
        match self.buffer()?.as_chunks().0.get(..len) {
            Some(words) => Ok(words),
            None => malformed("a buffer is too short"),
        }
    }

    fn append_data(
        &mut self,
        data: &mut ColumnData,
        field_type: FieldType,
    ) -> Result<(), DatapakError> {
        let rows = self.rows;
        match data {
            ColumnData::Int(x) | ColumnData::Timestamp(x) => {
                x.extend(
                    self.words(rows)?
                        .iter()
                        .map(|word| i64::from_le_bytes(*word)),
                );
            }
            ColumnData::Float(x) => x.extend(
                self.words(rows)?
                    .iter()
                    .map(|word| f64::from_le_bytes(*word)),
            ),
            ColumnData::Bool(x) => match Bitmap::from_bytes(self.buffer()?, rows) {
                Some(bits) => x.append(&bits),
                None => return malformed("a buffer is too short"),
            },
            ColumnData::Text(x) if rows == 0 => {
                // The offsets of no texts may be left out.
                self.buffer()?;
                self.buffer()?;
                let _ = x;
            }
            ColumnData::Text(x) => {
                let words = rows.saturating_add(1);
                if matches!(field_type, FieldType::LargeUtf8) {
                    let offsets = self
                        .words(words)?
                        .iter()
                        .map(|word| i64::from_le_bytes(*word));
                    append_texts(x, offsets, self.buffer()?)?;
                } else {
                    let offsets = self
                        .words(words)?
                        .iter()
                        .map(|word| i64::from(i32::from_le_bytes(*word)));
                    append_texts(x, offsets, self.buffer()?)?;
                }
            }
        }
        Ok(())
    }
}

/// Add the texts between these offsets of the buffer.
fn append_texts(
    texts: &mut Texts,
    offsets: impl Iterator<Item = i64>,
    buffer: &[u8],
) -> Result<(), DatapakError> {
    let bad = DatapakError::Arrow {
        problem: "offsets of texts are out of order",
    };
    let mut offsets = offsets.map(|offset| usize::try_from(offset).ok());
    let first = offsets.next().flatten().ok_or(bad.clone())?;
    let all = buffer.get(first..).ok_or(bad.clone())?;
    let start = texts.buffer.len();
    let before = texts.ends.len();
    let mut last = 0;
    for offset in offsets {
        let end = offset
            .and_then(|offset| offset.checked_sub(first))
            .filter(|end| *end >= last)
            .ok_or(bad.clone())?;
        texts.ends.push(start + end);
        last = end;
    }
    let all = all.get(..last).ok_or(bad)?;
    let Ok(all) = str::from_utf8(all) else {
        return malformed("a text that is not UTF-8");
    };
    if texts.ends[before..]
        .iter()
        .any(|end| !all.is_char_boundary(end - start))
    {
        return malformed("a text that is not UTF-8");
    }
    texts.buffer.push_str(all);
    Ok(())
}
