//! The rows of live runs in side files, so that little is lost if the process is killed.
//!
//! While a run is live, each of its sequences adds its new rows to a file of its own, in chunks. A
//! chunk is written
//!
//! - by the append that finds 8,192 rows ([`ROWS`]) or 256 KiB ([`BYTES`], at 8 bytes a number) that
//!   are not written yet, and
//! - by a thread that looks twice a second for rows that have waited for half a second ([`AGE`](flusher::AGE)).
//!
//! So a kill loses what came after the last chunk: less than 8,192 rows and 256 KiB, and no row that
//! is older than a second (and what it takes to write), whatever the run does meanwhile. A run that
//! makes few rows in less than half a second never touches the disk. The chunks are handed to the
//! operating system and not synced: they survive the death of the process, and not that of the
//! machine. With [`Durability::PowerLoss`](crate::Durability) each chunk is waited for until the disk
//! has it, and they survive that, too. The rows stay in memory, and are committed with their run, in
//! its row of the database; its files are removed then.
//!
//! If a chunk cannot be written (the disk is full), the sequence writes no more of them and the run
//! goes on: [`ChunkDir::take_warning`] says so.
//!
//! # The format
//!
//! A directory belongs to one process. The file `<id of the run, 32 hex digits>-<number>.rows` has
//! the rows of one sequence; its number is larger than that of every
//! file that the run has made before. All
//! numbers are little-endian. A *block* is
//!
//! | bytes | what |
//! |---|---|
//! | 4 | the length `n` of the payload, at least 1 |
//! | 16 | the first 16 bytes of the payload's BLAKE3 hash |
//! | n | the payload |
//!
//! and the file
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `xp-rows`, and a zero byte |
//! | 4 | the version of the format: 1 |
//! | block | the header |
//! | blocks | the chunks, one after the other |
//!
//! The header's payload, in which a *text* is its length in bytes (4) and then UTF-8:
//!
//! | bytes | what |
//! |---|---|
//! | 16 | the id of the run (the bytes of the UUID, in order) |
//! | text | the name of the sequence |
//! | 4 | the number of columns |
//! | | for each column, in the order of the row's members: its type (1), its name (text) |
//!
//! The types are 1: 64-bit integers, 2: 64-bit floats (durations are seconds), 3: bools, 4: texts.
//!
//! The payload of a chunk with `r` rows:
//!
//! | bytes | what |
//! |---|---|
//! | 8 | the index of its first row: as many as the chunks before it have |
//! | 4 | `r`, at least 1 |
//! | integers | when each row was appended: microseconds since 1970 in UTC |
//! | | the columns in the header's order |
//!
//! A column is one byte, 1 if any of its items here is missing and else 0; if 1, then a bit for each
//! item that is 1 if the item is there; and then the items, with zeros and empty texts where they are
//! missing:
//!
//! - *integers*: the first one (8, signed), a width of 1, 2, 4 or 8 bytes (1), and the difference of
//!   each other one to the one before it (of that width, unsigned; it is modulo 2^64). So the times of
//!   rows that come fast take a byte each, and so do counters.
//! - floats: 8 bytes each.
//! - bools: a bit each.
//! - texts: the lengths of all (4 each), and then the bytes of all.
//!
//! Bits are in bytes of 8, the least significant first; what is left of the last byte is zero.
//!
//! Reading ends before the first block that is cut off, has another hash, does not continue the
//! rows, or has a payload that is not as above: the last write may have been torn.

mod decode;
mod encode;
mod file;
mod flusher;
mod recover;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use uuid::Uuid;

use self::flusher::Flusher;
pub(super) use file::ChunkFile;
pub(super) use flusher::Waiting;
pub(crate) use recover::recover;
#[cfg(unix)]
pub(crate) use recover::{files_of, recover_files};

/// So many rows are a chunk.
pub(super) const ROWS: usize = 8_192;
/// Rows of so many bytes are a chunk.
pub(super) const BYTES: usize = 256 << 10;

const MAGIC: &[u8; 8] = b"xp-rows\0";
const VERSION: u32 = 1;
/// How the names of the files end.
const EXTENSION: &str = "rows";

/// The directory for the chunks of the live runs of one process. It is made once there is one.
#[derive(Debug)]
pub(crate) struct ChunkDir {
    path: PathBuf,
    /// Whether it goes with its last run.
    temporary: bool,
    /// Whether what is written is waited for until it is on the disk.
    synced: bool,
    /// The number of the next file.
    next: AtomicU64,
    warning: Mutex<Warning>,
    flusher: Arc<Flusher>,
}

#[derive(Debug, Default)]
enum Warning {
    #[default]
    None,
    New(String),
    Taken,
}

impl ChunkDir {
    /// The directory of that path, which no other process uses.
    pub(crate) fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            temporary: false,
            synced: false,
            next: AtomicU64::new(0),
            warning: Mutex::default(),
            flusher: Arc::default(),
        }
    }

    /// A directory beside no database, for as long as this lives.
    pub(crate) fn temporary() -> Self {
        let name = format!("xp-{}.runs", Uuid::new_v4().simple());
        let mut dir = Self::new(std::env::temp_dir().join(name));
        dir.temporary = true;
        dir
    }

    /// The same directory, in which all that is written is waited for until it is on the disk.
    pub(crate) fn synced(mut self, synced: bool) -> Self {
        self.synced = synced;
        self
    }

    /// Whether what is written is waited for until it is on the disk.
    #[cfg(unix)]
    pub(crate) fn is_synced(&self) -> bool {
        self.synced
    }

    /// Numbers the files of the next run from there, where runs follow each other.
    #[cfg(unix)]
    pub(crate) fn number_from(&self, first: u64) {
        self.next.store(first, Ordering::Relaxed);
    }

    /// Writes all rows now that wait.
    #[cfg(unix)]
    pub(crate) fn flush(&self) {
        self.flusher.flush();
    }

    /// Has the rows of a run written that wait for long.
    pub(super) fn look_after(&self, run: Weak<dyn Waiting>) {
        if let Err(error) = self.flusher.add(run) {
            self.warn(format!(
                "rows of sequences are written to {} only when they are many, and few would be \
                 lost if the process were killed: {error}",
                self.path.display()
            ));
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// That a chunk could not be written, in words. Given once, however many follow.
    pub(crate) fn take_warning(&self) -> Option<String> {
        let mut warning = lock(&self.warning);
        match &*warning {
            Warning::New(_) => match std::mem::replace(&mut *warning, Warning::Taken) {
                Warning::New(text) => Some(text),
                _ => None,
            },
            _ => None,
        }
    }

    fn file_of(&self, id_run: Uuid) -> PathBuf {
        // Another process that works for the same execution may have left files of this run.
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let name = format!("{}-{number}.{EXTENSION}", id_run.simple());
            let path = self.path.join(name);
            if !path.exists() {
                return path;
            }
        }
    }

    fn warn(&self, text: String) {
        let mut warning = lock(&self.warning);
        if matches!(*warning, Warning::None) {
            *warning = Warning::New(text);
        }
    }
}

impl Drop for ChunkDir {
    fn drop(&mut self) {
        if self.temporary {
            // It was made only if there were chunks.
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

/// The chunks of one live run.
#[derive(Debug)]
pub(crate) struct RunChunks {
    /// `None` if the rows stay in memory.
    dir: Option<Arc<ChunkDir>>,
    id_run: Uuid,
    /// The files that its sequences have made; `None` once the run has ended.
    files: Mutex<Option<Vec<PathBuf>>>,
}

impl RunChunks {
    pub(crate) fn new(dir: Option<Arc<ChunkDir>>, id_run: Uuid) -> Self {
        Self {
            dir,
            id_run,
            files: Mutex::new(Some(Vec::new())),
        }
    }

    /// Whether rows are written to files.
    pub(in crate::sequence) fn has_files(&self) -> bool {
        self.dir.is_some()
    }

    /// The run has ended, and makes no more files. These are the ones that it made.
    pub(crate) fn end(&self) -> Vec<PathBuf> {
        lock(&self.files).take().unwrap_or_default()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What they guard is replaced as a whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
