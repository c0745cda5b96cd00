//! One thread that reads what the machine does, for all the runs that are live.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use super::Monitor;
use super::sample::{Reader, columns, cpus};
use crate::sequence::{self, Buffer};

/// Why a run cannot be monitored.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MonitorError {
    #[error("what the machine does cannot be read")]
    System(#[from] sysinfo::Error),
    #[error("the thread that reads what the machine does cannot be started")]
    Thread(#[from] io::Error),
}

/// See the module's text. The thread begins with the first run.
#[derive(Debug)]
pub(crate) struct Sampler {
    settings: Arc<Monitor>,
    live: Arc<Live>,
    started: Mutex<Option<Started>>,
}

#[derive(Debug)]
struct Started {
    cpus: usize,
    thread: JoinHandle<()>,
}

/// What the thread adds rows to.
#[derive(Debug, Default)]
struct Live {
    sequences: Mutex<Sequences>,
    over: Condvar,
}

#[derive(Debug, Default)]
struct Sequences {
    of: Vec<(u64, Arc<Mutex<Buffer>>)>,
    next: u64,
    over: bool,
}

/// A run that is monitored until this is dropped.
#[derive(Debug)]
pub(crate) struct Watched {
    live: Arc<Live>,
    number: u64,
}

impl Sampler {
    pub(crate) fn new(settings: Monitor) -> Self {
        Self {
            settings: Arc::new(settings),
            live: Arc::default(),
            started: Mutex::default(),
        }
    }

    pub(crate) fn settings(&self) -> &Monitor {
        &self.settings
    }

    /// An empty sequence for a run.
    pub(crate) fn sequence(&self) -> Result<Buffer, MonitorError> {
        let mut started = lock(&self.started);
        let cpus = match &*started {
            Some(started) => started.cpus,
            None => started.insert(self.start()?).cpus,
        };
        let columns = columns(&self.settings, cpus);
        Ok(Buffer::with(&self.settings.field, columns))
    }

    fn start(&self) -> Result<Started, MonitorError> {
        let cpus = cpus()?;
        let (settings, live) = (Arc::clone(&self.settings), Arc::clone(&self.live));
        let builder = std::thread::Builder::new().name("xp monitor".to_owned());
        let thread = builder.spawn(move || {
            // It was possible a moment ago, in `cpus`.
            if let Ok(reader) = Reader::begin(&settings, cpus) {
                live.fill(reader);
            }
        })?;
        Ok(Started { cpus, thread })
    }

    /// Adds rows to the sequence from now on.
    pub(crate) fn watch(&self, sequence: Arc<Mutex<Buffer>>) -> Watched {
        let mut sequences = lock(&self.live.sequences);
        let number = sequences.next;
        sequences.next += 1;
        sequences.of.push((number, sequence));
        Watched {
            live: Arc::clone(&self.live),
            number,
        }
    }
}

impl Live {
    /// Adds a row to each sequence, whenever one is due.
    fn fill(&self, mut reader: Reader<'_>) {
        let interval = reader.interval();
        let mut due = Instant::now() + interval;
        let mut sequences = lock(&self.sequences);
        while !sequences.over {
            let now = Instant::now();
            if now < due {
                let waited = self.over.wait_timeout(sequences, due - now);
                sequences = waited.unwrap_or_else(PoisonError::into_inner).0;
                continue;
            }
            // A machine that was asleep has missed some.
            due = (due + interval).max(now);
            drop(sequences);
            let sample = reader.read();
            sequences = lock(&self.sequences);
            for (_, sequence) in &sequences.of {
                sequence::lock(sequence).append(&sample);
            }
        }
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        lock(&self.live.sequences).over = true;
        self.live.over.notify_all();
        if let Some(started) = lock(&self.started).take() {
            // A panic of it has been told, and no run depends on it.
            let _ = started.thread.join();
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let mut sequences = lock(&self.live.sequences);
        sequences.of.retain(|(number, _)| *number != self.number);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is guarded is changed in steps that do not panic.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
