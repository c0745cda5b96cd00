//! Reading the blocks of the format. Every length is checked before anything is made of that
//! length, so that the rows of a file take no more memory than some ten times its own size.

use uuid::Uuid;

use super::encode::{HASH, hash};
use super::{MAGIC, VERSION};
use crate::value::{Bitmap, Column, ColumnData, Texts};

/// Why the rows of a file cannot be read at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ChunkError {
    /// The file ends within its header: it has no rows.
    #[error("it ends within its header")]
    NoHeader,
    /// The file is another one.
    #[error("it is no file of rows")]
    Magic,
    /// The format is newer.
    #[error("it has version {0} of the format, and this xp reads version {VERSION}")]
    Version(u32),
    /// The header is damaged.
    #[error("its header is damaged")]
    Header,
}

/// The rows of a file.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) id_run: Uuid,
    pub(super) name: String,
    /// In the order of the rows' members.
    pub(super) columns: Vec<Column>,
    /// Microseconds since 1970 in UTC.
    pub(super) times: Vec<i64>,
}

/// The rows of all whole chunks.
pub(super) fn rows(file: &[u8]) -> Result<Rows, ChunkError> {
    let mut file = Reader(file);
    let magic = file.take(MAGIC.len()).ok_or(ChunkError::NoHeader)?;
    if magic != MAGIC {
        return Err(ChunkError::Magic);
    }
    let version = file.u32().ok_or(ChunkError::NoHeader)?;
    if version != VERSION {
        return Err(ChunkError::Version(version));
    }
    let header = match file.block() {
        Block::Whole(header) => header,
        Block::Torn => return Err(ChunkError::NoHeader),
        Block::Damaged => return Err(ChunkError::Header),
    };
    let mut rows = Reader(header).header().ok_or(ChunkError::Header)?;
    while let Block::Whole(chunk) = file.block() {
        let Some((columns, times)) = Reader(chunk).chunk(&rows) else {
            break;
        };
        for (all, more) in rows.columns.iter_mut().zip(columns) {
            append(all, more);
        }
        rows.times.extend(times);
    }
    Ok(rows)
}

/// Appends a column of the same type.
fn append(all: &mut Column, more: Column) {
    if all.validity.is_some() || more.validity.is_some() {
        let filled = |column: &Column| Bitmap::filled(true, column.len());
        let there = more
            .validity
            .as_ref()
            .map_or_else(|| filled(&more), Clone::clone);
        let before = filled(all);
        all.validity.get_or_insert(before).append(&there);
    }
    match (&mut all.data, more.data) {
        (ColumnData::Int(all), ColumnData::Int(more)) => all.extend(more),
        (ColumnData::Float(all), ColumnData::Float(more)) => all.extend(more),
        (ColumnData::Bool(all), ColumnData::Bool(more)) => all.append(&more),
        (ColumnData::Text(all), ColumnData::Text(more)) => {
            more.iter().for_each(|text| all.push(text));
        }
        // `chunk` reads columns of the header's types.
        _ => {}
    }
}

enum Block<'a> {
    Whole(&'a [u8]),
    /// The file ends within it.
    Torn,
    Damaged,
}

/// What has not been read yet.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn len(&mut self) -> Option<usize> {
        usize::try_from(self.u32()?).ok()
    }

    fn text(&mut self) -> Option<String> {
        let len = self.len()?;
        String::from_utf8(self.take(len)?.to_vec()).ok()
    }

    fn block(&mut self) -> Block<'a> {
        let mut parts = || {
            let len = self.len()?;
            let found: [u8; HASH] = self.array()?;
            Some((found, self.take(len)?))
        };
        match parts() {
            Some((found, payload)) if !payload.is_empty() && found == hash(payload) => {
                Block::Whole(payload)
            }
            Some(_) => Block::Damaged,
            None => Block::Torn,
        }
    }

    fn header(mut self) -> Option<Rows> {
        let id_run = Uuid::from_bytes(self.array()?);
        let name = self.text()?;
        let count = self.len()?;
        let mut columns = Vec::new();
        for _ in 0..count {
            let [column_type] = self.array()?;
            let data = match column_type {
                1 => ColumnData::Int(Vec::new()),
                2 => ColumnData::Float(Vec::new()),
                3 => ColumnData::Bool(Bitmap::new()),
                4 => ColumnData::Text(Texts::new()),
                _ => return None,
            };
            columns.push(Column::new(self.text()?, data));
        }
        self.0.is_empty().then_some(Rows {
            id_run,
            name,
            columns,
            times: Vec::new(),
        })
    }

    /// The columns and the times of the rows that follow these.
    fn chunk(mut self, before: &Rows) -> Option<(Vec<Column>, Vec<i64>)> {
        let first = u64::from_le_bytes(self.array()?);
        let rows = self.len()?;
        if first != before.times.len() as u64 || rows == 0 {
            return None;
        }
        let times = self.integers(rows)?;
        let mut columns = Vec::with_capacity(before.columns.len());
        for column in &before.columns {
            let validity = match self.array()? {
                [0] => None,
                [1] => Some(self.bits(rows)?),
                _ => return None,
            };
            let data = match &column.data {
                ColumnData::Float(_) => ColumnData::Float(self.floats(rows)?),
                ColumnData::Bool(_) => ColumnData::Bool(self.bits(rows)?),
                ColumnData::Text(_) => ColumnData::Text(self.texts(rows)?),
                _ => ColumnData::Int(self.integers(rows)?),
            };
            columns.push(Column {
                name: String::new(),
                data,
                validity,
            });
        }
        self.0.is_empty().then_some((columns, times))
    }

    /// At least one of them.
    fn integers(&mut self, count: usize) -> Option<Vec<i64>> {
        let mut last = i64::from_le_bytes(self.array()?);
        let [width] = self.array()?;
        let width = match width {
            1 | 2 | 4 | 8 => usize::from(width),
            _ => return None,
        };
        let differences = self.take((count - 1).checked_mul(width)?)?;
        let mut all = Vec::with_capacity(count);
        all.push(last);
        all.extend(differences.chunks_exact(width).map(|difference| {
            let mut bytes = [0; 8];
            bytes[..width].copy_from_slice(difference);
            last = last.wrapping_add(i64::from_le_bytes(bytes));
            last
        }));
        Some(all)
    }

    fn floats(&mut self, count: usize) -> Option<Vec<f64>> {
        let (floats, _) = self.take(count.checked_mul(8)?)?.as_chunks();
        Some(floats.iter().map(|x| f64::from_le_bytes(*x)).collect())
    }

    fn bits(&mut self, count: usize) -> Option<Bitmap> {
        let bytes = self.take(count.div_ceil(8))?;
        Some(
            (0..count)
                .map(|i| bytes[i / 8] >> (i % 8) & 1 == 1)
                .collect(),
        )
    }

    fn texts(&mut self, count: usize) -> Option<Texts> {
        let mut lengths = Reader(self.take(count.checked_mul(4)?)?);
        let mut texts = Texts::new();
        for _ in 0..count {
            let len = lengths.len()?;
            texts.push(str::from_utf8(self.take(len)?).ok()?);
        }
        Some(texts)
    }
}
