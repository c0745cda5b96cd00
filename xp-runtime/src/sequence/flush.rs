//! When the rows of a sequence are written to its file because they are many.

use std::sync::Arc;

use super::chunks::{BYTES, ChunkFile, ROWS, RunChunks};
use crate::value::{Column, ColumnData};

/// See the module's text, and that of [`chunks`](super::chunks) for the bounds.
#[derive(Debug)]
pub(super) struct Flush {
    /// `None` if the rows stay in memory only.
    to: Option<Box<To>>,
    /// With so many rows they are written.
    due: usize,
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
            texts: None,
        }
    }

    /// Writes the rows of a new sequence with these columns.
    pub(super) fn to(chunks: Arc<RunChunks>, columns: &[Column]) -> Self {
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
            texts: texts.then(|| Box::new(Texts { width, bytes: 0 })),
        }
    }

    /// Whether the rows are to be written, now that there is another one.
    #[inline]
    pub(super) fn is_due(&mut self, columns: &[Column], rows: usize) -> bool {
        rows >= self.due
            || self
                .texts
                .as_mut()
                .is_some_and(|texts| texts.add(columns, rows))
    }

    /// How many rows are written; `None` if none ever are.
    pub(super) fn written(&self) -> Option<usize> {
        self.to.as_ref().map(|to| to.file.written())
    }

    pub(super) fn write(&mut self, name: &str, columns: &[Column], times: &[i64]) {
        let Some(to) = &mut self.to else {
            return;
        };
        if !to.file.write(name, columns, times) {
            *self = Self::never();
            return;
        }
        self.due = times.len() + to.step;
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
