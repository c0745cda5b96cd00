//! Sequences: tables that grow while a run goes on, such as the loss by epoch.

mod buffer;
mod chunks;
mod flush;
mod push;

use std::fmt;
use std::marker::PhantomData;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

pub(crate) use buffer::Buffer;
pub(crate) use chunks::{ChunkDir, RunChunks, files_of, recover, recover_run};

use crate::bunch::Bunch;
use crate::datapak;
use crate::value::{Column, Frame, FrameError, Value, ValueError, from_record};

/// Where the rows of a run's sequences go while it is live.
#[doc(hidden)]
#[derive(Debug)]
pub struct Chunks(pub(crate) Option<Arc<RunChunks>>);

/// A series of rows that a run records, one [`append`](Sequence::append) at a time.
///
/// `T` is a flat struct: each member is a column, and is a number, a bool, a text, an enum whose
/// variants are all units, or an `Option` of one of these. Each row also gets its index (`idx`,
/// from 0) and the time at which it was appended (`timestamp`: local time, microseconds).
///
/// An input `#[sequence] losses: Sequence<Loss>` of an experiment declares one, and steps take it
/// as `&mut Sequence<Loss>`; [`Run::sequence`](crate::Run::sequence) makes one by name. It is stored
/// with its run, as one MLtraq `Sequence`.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use xp::{Run, Sequence};
///
/// #[derive(Serialize, Deserialize)]
/// struct Loss { epoch: u32, value: f64 }
///
/// fn train(losses: &mut Sequence<Loss>) {
///     for epoch in 0..3 {
///         losses.append(Loss { epoch, value: 1.0 / f64::from(epoch + 1) });
///     }
/// }
///
/// let run = Run::detached(7);
/// let mut losses = run.sequence("losses")?;
/// train(&mut losses);
/// assert_eq!(losses.len(), 3);
/// # Ok::<(), xp::SequenceError>(())
/// ```
pub struct Sequence<T> {
    rows: Rows,
    of: PhantomData<fn(T) -> T>,
}

enum Rows {
    /// A declared one, which only its run writes to.
    Owned(Buffer),
    /// One by name: all handles of this name share it.
    Shared(Arc<Mutex<Buffer>>),
    /// One that was loaded.
    Stored(Frame),
}

/// A row of a sequence.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Row<T> {
    /// The row's number, from 0.
    pub idx: i64,
    /// When the row was appended: local time.
    pub timestamp: DateTime,
    /// What was appended.
    pub value: T,
}

/// Why a sequence cannot be recorded or read.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SequenceError {
    /// The rows are no flat structs.
    #[error("a row of sequence `{name}` cannot be a `{of}`: {reason}")]
    NotFlat {
        /// The sequence's name.
        name: String,
        /// The type of the rows.
        of: &'static str,
        /// What is not flat about it.
        reason: String,
    },
    /// The sequence was opened with rows of another type before.
    #[error("the rows of sequence `{name}` have the columns {expected}, and not those of `{of}`")]
    OtherType {
        /// The sequence's name.
        name: String,
        /// The columns that it has.
        expected: String,
        /// The type of the rows that was asked for.
        of: &'static str,
    },
    /// The name is taken, or no column can have it.
    #[error("the sequence `{name}` cannot be recorded: {reason}")]
    Name {
        /// The sequence's name.
        name: String,
        /// Why not.
        reason: String,
    },
    /// A value of a row cannot be kept.
    #[error("row {row} of sequence `{name}` cannot be kept")]
    Row {
        /// The sequence's name.
        name: String,
        /// The row's index.
        row: usize,
        /// What is wrong with it.
        source: ValueError,
    },
    /// A stored sequence cannot be read.
    #[error("a stored sequence cannot be read: {reason}")]
    Damaged {
        /// What is wrong with it.
        reason: String,
    },
}

impl<T: Serialize + DeserializeOwned + 'static> Sequence<T> {
    /// A sequence that is not part of a run, to test a step that takes one.
    ///
    /// # Errors
    ///
    /// `T` is no flat struct.
    pub fn detached() -> Result<Self, SequenceError> {
        Self::declare("detached")
    }

    /// A sequence as an experiment declares it, of no run.
    #[doc(hidden)]
    pub fn declare(name: &str) -> Result<Self, SequenceError> {
        Self::owned(name, None)
    }

    /// A sequence that the experiment of a run declares.
    #[doc(hidden)]
    pub fn declare_in(chunks: Chunks, name: &str) -> Result<Self, SequenceError> {
        Self::owned(name, chunks.0)
    }

    /// A sequence as in a live run of a file, with that directory for its chunks: to measure them.
    #[doc(hidden)]
    pub fn declare_flushed(name: &str, dir: &Path) -> Result<Self, SequenceError> {
        let chunks = RunChunks::new(Some(Arc::new(ChunkDir::new(dir))), Uuid::nil());
        Self::owned(name, Some(Arc::new(chunks)))
    }

    fn owned(name: &str, chunks: Option<Arc<RunChunks>>) -> Result<Self, SequenceError> {
        Ok(Self {
            rows: Rows::Owned(Buffer::of::<T>(name)?.flushed(chunks)),
            of: PhantomData,
        })
    }

    pub(crate) fn shared(buffer: Arc<Mutex<Buffer>>) -> Self {
        Self {
            rows: Rows::Shared(buffer),
            of: PhantomData,
        }
    }

    /// Adds a row.
    ///
    /// A value that cannot be kept (an integer above `i64::MAX`) makes the run fail when its steps
    /// have ended; a row is never dropped in silence.
    ///
    /// # Panics
    ///
    /// The sequence was loaded from a file, or it is a handle of [`Run::sequence`](crate::Run::sequence)
    /// and its run has ended.
    #[inline]
    pub fn append(&mut self, row: T) {
        match &mut self.rows {
            Rows::Owned(buffer) => buffer.append(&row),
            Rows::Shared(buffer) => lock(buffer).append(&row),
            Rows::Stored(_) => panic!("a loaded sequence cannot be extended"),
        }
    }

    /// The rows, in the order in which they were appended.
    ///
    /// # Errors
    ///
    /// A stored row is no `T`.
    pub fn rows(&self) -> Result<Vec<Row<T>>, SequenceError> {
        match &self.rows {
            Rows::Owned(buffer) => read(&buffer.stored()?),
            Rows::Shared(buffer) => read(&lock(buffer).stored()?),
            Rows::Stored(frame) => read(&frame.columns().map_err(damaged)?),
        }
    }

    /// The values of the rows, in the order in which they were appended.
    ///
    /// # Errors
    ///
    /// A stored row is no `T`.
    pub fn values(&self) -> Result<Vec<T>, SequenceError> {
        Ok(self.rows()?.into_iter().map(|row| row.value).collect())
    }
}

impl<T> Sequence<T> {
    /// How many rows there are.
    pub fn len(&self) -> usize {
        match &self.rows {
            Rows::Owned(buffer) => buffer.len(),
            Rows::Shared(buffer) => lock(buffer).len(),
            Rows::Stored(frame) => frame.rows(),
        }
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The sequence as DATAPAK, at the end of its run.
    pub(crate) fn into_datapak(self) -> Result<Vec<u8>, SequenceError> {
        let columns = match self.rows {
            Rows::Owned(buffer) => buffer.into_columns()?,
            Rows::Shared(buffer) => lock(&buffer).stored()?,
            Rows::Stored(frame) => {
                let value = Value::Sequence(frame);
                return datapak::encode(&value).map_err(|error| SequenceError::Damaged {
                    reason: error.to_string(),
                });
            }
        };
        Ok(datapak::encode_sequence(&columns))
    }

    pub(crate) fn from_stored(value: &Value) -> Result<Self, SequenceError> {
        let Value::Sequence(frame) = value else {
            return Err(SequenceError::Damaged {
                reason: format!("expected a sequence, found {}", value.describe()),
            });
        };
        Ok(Self {
            rows: Rows::Stored(frame.clone()),
            of: PhantomData,
        })
    }
}

impl Bunch {
    /// The sequence of that name, as the untyped run of a loaded experiment has it; `None` if
    /// there is no such field.
    ///
    /// ```
    /// # use xp::prelude::*;
    /// #[derive(serde::Serialize, serde::Deserialize)]
    /// struct Loss { value: f64 }
    ///
    /// let session = Session::in_memory()?;
    /// session.run("training", |run| {
    ///     run.sequence("losses")?.append(Loss { value: 0.5 });
    ///     Ok::<_, xp::SequenceError>(())
    /// })?;
    /// for run in session.load("training")?.runs() {
    ///     let losses = run?.fields.sequence::<Loss>("losses")?.expect("it was recorded");
    ///     assert_eq!(losses.values()?[0].value, 0.5);
    /// }
    /// # Ok::<(), xp::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The field is no sequence.
    pub fn sequence<T>(&self, name: &str) -> Result<Option<Sequence<T>>, SequenceError> {
        self.value(name).map(Sequence::from_stored).transpose()
    }
}

fn damaged(error: FrameError) -> SequenceError {
    SequenceError::Damaged {
        reason: error.to_string(),
    }
}

pub(crate) fn lock(buffer: &Mutex<Buffer>) -> MutexGuard<'_, Buffer> {
    // A row is whole or absent even if its type's `Serialize` panicked: see `Buffer::append`.
    buffer.lock().unwrap_or_else(PoisonError::into_inner)
}

fn read<T: DeserializeOwned>(columns: &[Column]) -> Result<Vec<Row<T>>, SequenceError> {
    let column = |name: &str| {
        let missing = || SequenceError::Damaged {
            reason: format!("there is no column `{name}`"),
        };
        columns
            .iter()
            .find(|column| column.name == name)
            .ok_or_else(missing)
    };
    let (idx, timestamp) = (column("idx")?, column("timestamp")?);
    let members: Vec<_> = columns
        .iter()
        .filter(|c| c.name != "idx" && c.name != "timestamp")
        .collect();
    let damaged = |i, what| SequenceError::Damaged {
        reason: format!("row {i} has no {what}"),
    };
    (0..idx.len())
        .map(|i| {
            let Some(number) = idx.get(i).and_then(|number| number.as_i64()) else {
                return Err(damaged(i, "index"));
            };
            let time = match timestamp.get(i) {
                Some(Value::DateTime64(Some(micros))) => Timestamp::from_microsecond(micros).ok(),
                _ => None,
            };
            Ok(Row {
                idx: number,
                // The file has wall-clock time without a zone, which reads like UTC.
                timestamp: Offset::UTC.to_datetime(time.ok_or_else(|| damaged(i, "timestamp"))?),
                value: from_record(&members, i).map_err(|source| SequenceError::Row {
                    name: "loaded".to_owned(),
                    row: i,
                    source,
                })?,
            })
        })
        .collect()
}

impl<T> fmt::Debug for Sequence<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sequence")
            .field("rows", &self.len())
            .finish_non_exhaustive()
    }
}
