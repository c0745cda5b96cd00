//! The rows of a sequence that grows, by columns.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::SequenceError;
use super::chunks::RunChunks;
use super::flush::Flush;
use super::push::PushRow;
use crate::datapak::{self, encode_sequence};
use crate::value::{
    Bitmap, Column, ColumnData, Kind, Temporal, Texts, Value, ValueError, members_of,
};

/// The columns that every sequence has.
const RESERVED: [&str; 2] = ["idx", "timestamp"];

/// See the module's text.
#[derive(Debug)]
pub(crate) struct Buffer {
    name: String,
    /// In the order of the rows' members.
    columns: Vec<Column>,
    /// Microseconds since 1970 in UTC; as many as there are whole rows.
    timestamps: Vec<i64>,
    /// A row is being added. Set for good if that panicked.
    torn: bool,
    /// Its run has ended, and the sequence is stored.
    ended: bool,
    /// The first row that could not be kept.
    error: Option<SequenceError>,
    flush: Flush,
    /// Where its rows are left if it is dropped before they are stored.
    run: Option<Arc<RunChunks>>,
}

impl Buffer {
    /// An empty buffer for rows of this type.
    pub(crate) fn of<T: DeserializeOwned + 'static>(name: &str) -> Result<Self, SequenceError> {
        let not_flat = |reason: String| SequenceError::NotFlat {
            name: name.to_owned(),
            of: std::any::type_name::<T>(),
            reason,
        };
        let members = members_of::<T>()
            .ok_or_else(|| not_flat("it is no struct with named members".to_owned()))?;
        let mut columns = Vec::with_capacity(members.len());
        for (member, ty) in members {
            if RESERVED.contains(&member) {
                return Err(not_flat(format!(
                    "every row has a member `{member}` of its own"
                )));
            }
            let data = match ty.kind {
                Kind::Int => ColumnData::Int(Vec::new()),
                Kind::Float | Kind::Duration => ColumnData::Float(Vec::new()),
                Kind::Bool => ColumnData::Bool(Bitmap::new()),
                Kind::Text => ColumnData::Text(Texts::new()),
                _ => {
                    return Err(not_flat(format!(
                        "its member `{member}` is neither a number, a bool nor a text"
                    )));
                }
            };
            columns.push(Column::new(member, data));
        }
        Ok(Self {
            name: name.to_owned(),
            columns,
            timestamps: Vec::new(),
            torn: false,
            ended: false,
            error: None,
            flush: Flush::never(),
            run: None,
        })
    }

    /// This buffer, still empty, with its rows also written to a file of their run.
    pub(crate) fn flushed(mut self, chunks: Option<Arc<RunChunks>>) -> Self {
        if let Some(chunks) = chunks.as_ref().filter(|chunks| chunks.has_files()) {
            self.flush = Flush::to(Arc::clone(chunks), &self.columns, now());
        }
        self.run = chunks;
        self
    }

    pub(crate) fn len(&self) -> usize {
        self.timestamps.len()
    }

    /// Adds a row. A row that cannot be kept is the buffer's error from then on.
    #[inline]
    pub(crate) fn append<T: Serialize>(&mut self, row: &T) {
        if self.torn || self.ended || self.error.is_some() {
            assert!(
                !self.ended,
                "the run of the sequence `{}` has ended",
                self.name
            );
            return;
        }
        self.torn = true;
        let pushed = row.serialize(PushRow::new(&mut self.columns));
        self.torn = false;
        match pushed {
            Ok(()) => {
                let now = now();
                self.timestamps.push(now);
                if self.flush.is_due(&self.columns, self.timestamps.len(), now) {
                    self.flush
                        .write(&self.name, &self.columns, &self.timestamps, now);
                }
            }
            Err(error) => self.fail(error.into_inner()),
        }
    }

    #[cold]
    fn fail(&mut self, source: ValueError) {
        self.error = Some(SequenceError::Row {
            name: self.name.clone(),
            row: self.timestamps.len(),
            source,
        });
    }

    /// Checks that another handle's rows have the same columns.
    pub(crate) fn same_columns<T>(&self, other: &Self) -> Result<(), SequenceError> {
        let kind = |c: &Column| std::mem::discriminant(&c.data);
        let same = self.columns.len() == other.columns.len()
            && self
                .columns
                .iter()
                .zip(&other.columns)
                .all(|(a, b)| a.name == b.name && kind(a) == kind(b));
        if same {
            return Ok(());
        }
        let names: Vec<_> = self.columns.iter().map(|c| c.name.as_str()).collect();
        Err(SequenceError::OtherType {
            name: self.name.clone(),
            expected: names.join(", "),
            of: std::any::type_name::<T>(),
        })
    }

    #[cfg(test)]
    pub(super) fn columns_and_times(&self) -> (&[Column], &[i64]) {
        (&self.columns, &self.timestamps)
    }

    /// The sequence as it is stored.
    pub(super) fn into_columns(mut self) -> Result<Vec<Column>, SequenceError> {
        self.check()?;
        self.run = None;
        let columns = std::mem::take(&mut self.columns);
        Ok(stored(columns, std::mem::take(&mut self.timestamps)))
    }

    /// The sequence with the rows that it has, as it would be stored; `None` if there are none, or
    /// if one cannot be kept.
    pub(crate) fn so_far(&self) -> Option<Value> {
        if self.ended || self.timestamps.is_empty() {
            return None;
        }
        // What was encoded can be decoded.
        datapak::decode(&encode_sequence(&self.stored().ok()?)).ok()
    }

    /// The same, for a buffer that others may hold, too.
    pub(super) fn stored(&self) -> Result<Vec<Column>, SequenceError> {
        self.check()?;
        Ok(stored(self.columns.clone(), self.timestamps.clone()))
    }

    /// Whether all rows are whole.
    fn check(&self) -> Result<(), SequenceError> {
        if let Some(error) = &self.error {
            return Err(error.clone());
        }
        if self.torn {
            // A panic in the middle of a row: its first members are there.
            return Err(SequenceError::Row {
                name: self.name.clone(),
                row: self.timestamps.len(),
                source: ValueError::new("it panicked while it was added"),
            });
        }
        Ok(())
    }

    /// The sequence as DATAPAK, at the end of its run: nothing can be added any more.
    pub(crate) fn end(&mut self) -> Result<Vec<u8>, SequenceError> {
        let blob = encode_sequence(&self.stored()?);
        self.ended = true;
        self.flush = Flush::never();
        Ok(blob)
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if let Some(run) = self.run.take()
            && let Some(rows) = self.so_far()
        {
            run.leave(std::mem::take(&mut self.name), rows);
        }
    }
}

/// A sequence as it is stored: with index and time, and the members sorted by name.
pub(super) fn stored(mut columns: Vec<Column>, timestamps: Vec<i64>) -> Vec<Column> {
    columns.sort_by(|a, b| a.name.cmp(&b.name));
    let index = (0..timestamps.len() as i64).collect();
    let mut all = vec![
        Column::new(RESERVED[0], ColumnData::Int(index)),
        Column::new(
            RESERVED[1],
            ColumnData::Temporal(Temporal::TIMESTAMP, local(timestamps)),
        ),
    ];
    all.append(&mut columns);
    all
}

/// Microseconds since 1970 in UTC.
#[inline]
fn now() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    // 292,000 years.
    (since.as_secs() * 1_000_000) as i64 + i64::from(since.subsec_micros())
}

/// Local wall-clock time for times in UTC, as MLtraq has it.
fn local(mut micros: Vec<i64>) -> Vec<i64> {
    let zone = TimeZone::system();
    let offset = |micros: i64| {
        let time = Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH);
        i64::from(zone.to_offset(time).seconds()) * 1_000_000
    };
    let (Some(first), Some(last)) = (micros.first(), micros.last()) else {
        return micros;
    };
    let (first, last) = (offset(*first), offset(*last));
    for time in &mut micros {
        // The offset changes within a run twice a year at most.
        let offset = if first == last { first } else { offset(*time) };
        // A damaged file may hold any number.
        *time = time.saturating_add(offset);
    }
    micros
}
