//! The sequences of a live run.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::buffer::Buffer;
use super::chunks::{ChunkDir, RunChunks, Waiting};
use super::{Sequence, SequenceError, lock};
use crate::value::Value;

/// See the module's text.
#[derive(Debug)]
pub(crate) struct RunSequences {
    chunks: Arc<RunChunks>,
    all: Mutex<Vec<Live>>,
}

#[derive(Clone, Debug)]
struct Live {
    name: String,
    /// Whether the run's experiment declares it.
    declared: bool,
    buffer: Arc<Mutex<Buffer>>,
}

impl RunSequences {
    /// Those of a new run, with the directory for their rows while it is live, if there is one.
    pub(crate) fn new(dir: Option<Arc<ChunkDir>>, id_run: Uuid) -> Arc<Self> {
        let this = Arc::new(Self {
            chunks: Arc::new(RunChunks::new(dir.clone(), id_run)),
            all: Mutex::default(),
        });
        if let Some(dir) = dir {
            let weak = Arc::downgrade(&this);
            dir.look_after(weak);
        }
        this
    }

    fn all(&self) -> MutexGuard<'_, Vec<Live>> {
        // What is in it is added as a whole.
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, name: &str, declared: bool, buffer: Buffer) -> Arc<Mutex<Buffer>> {
        let buffer = Arc::new(Mutex::new(buffer.flushed(&self.chunks)));
        self.all().push(Live {
            name: name.to_owned(),
            declared,
            buffer: Arc::clone(&buffer),
        });
        buffer
    }

    /// A new one that the experiment declares.
    pub(super) fn declare<T: Serialize + DeserializeOwned + 'static>(
        &self,
        name: &str,
    ) -> Result<Sequence<T>, SequenceError> {
        let buffer = Buffer::of::<T>(name)?;
        Ok(Sequence::of(self.add(name, true, buffer)))
    }

    /// The one of that name, which is new if `check` says that the name is free.
    pub(crate) fn named<T: Serialize + DeserializeOwned + 'static>(
        &self,
        name: &str,
        check: impl FnOnce() -> Result<(), String>,
    ) -> Result<Sequence<T>, SequenceError> {
        let fresh = Buffer::of::<T>(name)?;
        let of = |live: &&Live| !live.declared && live.name == name;
        let there = self.all().iter().find(of).cloned();
        if let Some(Live { buffer, .. }) = there {
            lock(&buffer).same_columns::<T>(&fresh)?;
            return Ok(Sequence::of(buffer));
        }
        self.fresh(name, fresh, check).map(Sequence::of)
    }

    /// A new one of that name, if `check` says that it is free.
    pub(crate) fn fresh(
        &self,
        name: &str,
        fresh: Buffer,
        check: impl FnOnce() -> Result<(), String>,
    ) -> Result<Arc<Mutex<Buffer>>, SequenceError> {
        check().map_err(|reason| SequenceError::Name {
            name: name.to_owned(),
            reason,
        })?;
        Ok(self.add(name, false, fresh))
    }

    /// Those that are not declared, as DATAPAK. They end.
    pub(crate) fn end_named(&self) -> Result<Vec<(String, Vec<u8>)>, SequenceError> {
        let all = self.all();
        let named = all.iter().filter(|live| !live.declared);
        named
            .map(|live| Ok((live.name.clone(), lock(&live.buffer).end()?)))
            .collect()
    }

    /// Those that have not ended and have rows, as they would be stored.
    pub(crate) fn so_far(&self) -> Vec<(String, Value)> {
        let all = self.all();
        let rows = |live: &Live| Some((live.name.clone(), lock(&live.buffer).so_far()?));
        all.iter().filter_map(rows).collect()
    }

    /// The run has ended, and makes no more files. These are the ones that it made.
    pub(crate) fn end(&self) -> Vec<PathBuf> {
        self.chunks.end()
    }
}

impl Waiting for RunSequences {
    fn write_after(&self, age: Duration) {
        let all = self.all().clone();
        for Live { buffer, .. } in all {
            if let Some(mut buffer) = lock_soon(&buffer) {
                buffer.write_after(age);
            }
        }
    }
}

/// The buffer once no row is being added to it. A row that never comes to its end, in the
/// `Serialize` of its type, must not keep others from being written.
fn lock_soon(buffer: &Mutex<Buffer>) -> Option<MutexGuard<'_, Buffer>> {
    const TIMES: u32 = 50;
    for _ in 0..TIMES {
        match buffer.try_lock() {
            Ok(buffer) => return Some(buffer),
            Err(TryLockError::Poisoned(buffer)) => return Some(buffer.into_inner()),
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(1)),
        }
    }
    None
}
