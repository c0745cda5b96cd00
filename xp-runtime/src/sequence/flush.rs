//! When the rows of a sequence are written to its file.

use std::sync::Arc;

use super::chunks::{BYTES, ChunkFile, PATIENCE, ROWS, RunChunks};
use crate::value::{Column, ColumnData};

/// See the module's text, and that of [`chunks`](super::chunks) for the bounds.
#[derive(Debug)]
pub(super) struct Flush {
    /// `None` if the rows stay in memory only.
    to: Option<Box<To>>,
    /// With so many rows they are written.
    due: usize,
    /// When rows were written last, or could have been: microseconds since 1970.
    last: i64,
    /// After so many microseconds they are written again.
    patience: u64,
    texts: Option<Box<Texts>>,
}

/// Where they are written.
#[derive(Debug)]
struct To {
    file: ChunkFile,
    /// How many rows without texts are a chunk.
    step: usize,
}

/// The size of rows that have texts.
#[derive(Debug)]
struct Texts {
    /// Of a row without its texts.
    width: usize,
    /// Of the rows that are not written yet.
    bytes: usize,
}

impl Flush {
    pub(super) fn never() -> Self {
        Self {
            to: None,
            due: usize::MAX,
            last: 0,
            patience: u64::MAX,
            texts: None,
        }
    }

    /// Writes the rows of a new sequence with these columns.
    pub(super) fn to(chunks: Arc<RunChunks>, columns: &[Column], now: i64) -> Self {
        // The time is 8 bytes, too.
        let width = 8 + columns.iter().map(width).sum::<usize>();
        let texts = columns
            .iter()
            .any(|column| matches!(column.data, ColumnData::Text(_)));
        let step = (BYTES / width).clamp(1, ROWS);
        Self {
            to: Some(Box::new(To {
                file: ChunkFile::new(chunks),
                step,
            })),
            due: step,
            last: now,
            patience: PATIENCE,
            texts: texts.then(|| Box::new(Texts { width, bytes: 0 })),
        }
    }

    /// Whether the rows are to be written, now that there is another one.
    #[inline]
    pub(super) fn is_due(&mut self, columns: &[Column], rows: usize, now: i64) -> bool {
        // A clock that was set back counts as a long time.
        rows >= self.due
            || now.wrapping_sub(self.last) as u64 > self.patience
            || self
                .texts
                .as_mut()
                .is_some_and(|texts| texts.add(columns, rows))
    }

    #[cold]
    pub(super) fn write(&mut self, name: &str, columns: &[Column], times: &[i64], now: i64) {
        let Some(to) = &mut self.to else {
            return;
        };
        if !to.file.write(name, columns, times) {
            *self = Self::never();
            return;
        }
        self.due = times.len() + to.step;
        self.last = now;
        if let Some(texts) = &mut self.texts {
            texts.bytes = 0;
        }
    }
}

impl Texts {
    /// Counts the last row, and says whether there are enough.
    fn add(&mut self, columns: &[Column], rows: usize) -> bool {
        let last = |column: &Column| match &column.data {
            ColumnData::Text(texts) => texts.get(rows - 1).map_or(0, str::len),
            _ => 0,
        };
        self.bytes += self.width + columns.iter().map(last).sum::<usize>();
        self.bytes >= BYTES
    }
}

/// How many bytes an item takes, apart from the bytes of a text.
fn width(column: &Column) -> usize {
    match column.data {
        ColumnData::Bool(_) => 1,
        ColumnData::Text(_) => 4,
        _ => 8,
    }
}
