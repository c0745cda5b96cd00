//! The live run, which steps see.

use std::cell::{OnceCell, RefCell};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::{FieldError, FieldRegistry, LiveFields, Run, RunKind};
use crate::bunch::Bunch;
use crate::identity::{Inputs, InputsHash};
use crate::monitor::{MonitorError, Sampler, Watched};
use crate::rng::Rng;
use crate::sequence::{Buffer, ChunkDir, Chunks, RunChunks, Sequence, SequenceError, lock};
use crate::step::StepInfo;
use crate::stop::Stop;
use crate::store::Column;
use crate::value::{Cell, ColumnType};

/// The kind of the run that steps see.
#[derive(Clone, Copy, Debug)]
pub enum Live {}

impl RunKind for Live {
    type Fields = LiveFields;
    type State = ();
    type Inner = LiveInner;
}

/// What the live runs of one worker share.
#[derive(Debug, Default)]
pub(crate) struct Context {
    pub(crate) id_experiment: Uuid,
    pub(crate) root_seed: u64,
    pub(crate) steps: &'static [&'static StepInfo],
    pub(crate) registry: Arc<FieldRegistry>,
    pub(crate) stop: Arc<Stop>,
    /// Whether the current run was told that it is cancelled.
    pub(crate) told: AtomicBool,
    pub(crate) progress: Arc<Progress>,
    /// Where the rows of sequences go while their run is live; `None` if only to memory.
    pub(crate) chunks: Option<Arc<ChunkDir>>,
    /// Set if what the machine does is recorded with the runs.
    pub(crate) sampler: Option<Arc<Sampler>>,
}

/// How far the current run of a worker is, from 0 to 1.
#[derive(Debug, Default)]
pub(crate) struct Progress(AtomicU64);

impl Progress {
    pub(crate) fn set(&self, fraction: f64) {
        self.0
            .store(fraction.clamp(0.0, 1.0).to_bits(), Ordering::Relaxed);
    }

    /// Back to 0. Most runs do not tell, and then nothing is written that other threads read.
    pub(crate) fn reset(&self) {
        if self.get() != 0.0 {
            self.set(0.0);
        }
    }

    pub(crate) fn get(&self) -> f64 {
        f64::from_bits(self.0.load(Ordering::Relaxed))
    }
}

/// What a run inserted cannot be kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExtraError {
    #[error(transparent)]
    Field(#[from] FieldError),
    #[error(transparent)]
    Sequence(#[from] SequenceError),
}

/// What the machine does cannot be recorded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WatchError {
    #[error(transparent)]
    Monitor(#[from] MonitorError),
    #[error(transparent)]
    Sequence(#[from] SequenceError),
}

#[doc(hidden)]
#[derive(Debug)]
pub struct LiveInner {
    context: Arc<Context>,
    inputs: InputsHash,
    pub(crate) config: Bunch,
    pub(crate) params: Bunch,
    sequences: RefCell<Vec<(String, Arc<Mutex<Buffer>>)>>,
    artifacts: RefCell<Vec<(String, Vec<u8>)>>,
    /// Made for the first sequence.
    chunks: OnceCell<Arc<RunChunks>>,
}

impl Run {
    pub(crate) fn live(context: &Arc<Context>, id_run: Uuid, inputs: InputsHash) -> Self {
        Self {
            id_experiment: context.id_experiment,
            id_run,
            fields: LiveFields::new(Arc::clone(context)),
            exception: None,
            state: None,
            inner: LiveInner {
                context: Arc::clone(context),
                inputs,
                config: Bunch::new(),
                params: Bunch::new(),
                sequences: RefCell::default(),
                artifacts: RefCell::default(),
                chunks: OnceCell::new(),
            },
        }
    }

    /// A run that belongs to no experiment, to test a step that takes one. `seed` is the root seed
    /// of its random numbers.
    ///
    /// ```
    /// use xp::Run;
    ///
    /// fn draw(run: &Run) -> f64 {
    ///     run.rng("draw").f64()
    /// }
    /// assert_eq!(draw(&Run::detached(7)), draw(&Run::detached(7)));
    /// assert_ne!(draw(&Run::detached(7)), draw(&Run::detached(8)));
    /// ```
    pub fn detached(seed: u64) -> Self {
        let context = Context {
            root_seed: seed,
            ..Context::default()
        };
        let inputs = Inputs::default().hash();
        Self::live(&Arc::new(context), Uuid::nil(), inputs)
    }

    /// The execution's config: the inputs of which there is one value, by their names.
    pub fn config(&self) -> &Bunch {
        &self.inner.config
    }

    /// This run's params: the inputs that vary, by their names.
    pub fn params(&self) -> &Bunch {
        &self.inner.params
    }

    /// The steps of the experiment, in order, each with its source.
    pub fn steps(&self) -> &'static [&'static StepInfo] {
        self.inner.context.steps
    }

    /// A generator of random numbers of its own. It depends on the root seed, on config and params,
    /// and on the label: not on the schedule, on other points, or on the machine. Two calls with
    /// one label give the same numbers.
    pub fn rng(&self, label: &str) -> Rng {
        Rng::for_run(self.inner.context.root_seed, &self.inner.inputs, label)
    }

    /// A sequence that this run records under that name: an owned handle, which may be sent to
    /// another thread. Handles of one name extend the same sequence.
    ///
    /// # Errors
    ///
    /// `T` is no flat struct, the sequence of this name has other columns, or the name is taken.
    pub fn sequence<T: Serialize + DeserializeOwned + 'static>(
        &self,
        name: &str,
    ) -> Result<Sequence<T>, SequenceError> {
        let fresh = Buffer::of::<T>(name)?;
        let sequences = self.inner.sequences.borrow();
        if let Some((_, buffer)) = sequences.iter().find(|(n, _)| n == name) {
            lock(buffer).same_columns::<T>(&fresh)?;
            return Ok(Sequence::shared(Arc::clone(buffer)));
        }
        drop(sequences);
        self.add_sequence(fresh).map(Sequence::shared)
    }

    /// Records a new sequence.
    fn add_sequence(&self, fresh: Buffer) -> Result<Arc<Mutex<Buffer>>, SequenceError> {
        let name = fresh.name().to_owned();
        if let Err(error) = self
            .inner
            .context
            .registry
            .check(&name, ColumnType::SERIALIZED)
        {
            return Err(SequenceError::Name {
                name,
                reason: error.to_string(),
            });
        }
        let buffer = Arc::new(Mutex::new(fresh.flushed(Some(self.chunks()))));
        let mut sequences = self.inner.sequences.borrow_mut();
        sequences.push((name, Arc::clone(&buffer)));
        Ok(buffer)
    }

    /// Records what the machine does until the guard is dropped, if that was asked for.
    pub(crate) fn watched(&self) -> Result<Option<Watched>, WatchError> {
        let Some(sampler) = &self.inner.context.sampler else {
            return Ok(None);
        };
        let sequence = self.add_sequence(sampler.sequence()?)?;
        Ok(Some(sampler.watch(sequence)))
    }

    /// Keeps bytes with the run, under a name: a plot, a model, a log. They are committed with the
    /// run, whatever its outcome, and read by [`Experiment::artifact`](crate::Experiment::artifact).
    /// Keeping another content under the name replaces it.
    pub fn artifact(&self, name: impl Into<String>, content: impl Into<Vec<u8>>) {
        let (name, content) = (name.into(), content.into());
        let mut artifacts = self.inner.artifacts.borrow_mut();
        match artifacts.iter_mut().find(|(n, _)| *n == name) {
            Some((_, old)) => *old = content,
            None => artifacts.push((name, content)),
        }
    }

    /// Says how far the run is, from 0 to 1; the progress bar shows the mean over the live runs.
    pub fn progress(&self, fraction: f64) {
        self.inner.context.progress.set(fraction);
    }

    /// Whether the execution is about to stop, because another run failed or a signal came. A step
    /// that takes long may ask, and return an error: the run is then recorded as cancelled.
    pub fn cancelled(&self) -> bool {
        let cancelled = self.inner.context.stop.is_asked();
        if cancelled {
            self.inner.context.told.store(true, Ordering::Relaxed);
        }
        cancelled
    }

    /// The fields and sequences that a run has inserted whose steps have all completed. The
    /// sequences end: a handle that is still there cannot extend them.
    pub(crate) fn take_extra(&mut self) -> Result<Vec<(Column, Cell)>, ExtraError> {
        for (name, buffer) in self.inner.sequences.take() {
            let blob = lock(&buffer).end()?;
            if self.fields.names().any(|field| field == name) {
                return Err(FieldError::Sequence { name }.into());
            }
            self.fields
                .insert_cell(&name, ColumnType::SERIALIZED, Cell::Blob(blob))?;
        }
        Ok(self.fields.take()?)
    }

    /// Where the sequences of this run go while it is live.
    pub(crate) fn chunks(&self) -> Arc<RunChunks> {
        let dir = || self.inner.context.chunks.clone();
        let chunks = self
            .inner
            .chunks
            .get_or_init(|| Arc::new(RunChunks::new(dir(), self.id_run)));
        Arc::clone(chunks)
    }

    /// The same, for the sequences that its experiment declares.
    #[doc(hidden)]
    pub fn chunks_of_sequences(&self) -> Chunks {
        Chunks(Some(self.chunks()))
    }

    /// The files with the rows of a run that has ended; it makes no more. They are to be removed
    /// once the run is committed: [`ChunkDir::remove`].
    pub(crate) fn take_chunk_files(&self) -> Vec<PathBuf> {
        self.inner
            .chunks
            .get()
            .map(|chunks| chunks.end())
            .unwrap_or_default()
    }

    /// What a run that did not complete has recorded beside its declared fields.
    pub(crate) fn left(&mut self) -> Bunch {
        let mut left: Bunch = self.fields.so_far().collect();
        for (name, buffer) in self.inner.sequences.take() {
            if let Some(rows) = lock(&buffer).so_far() {
                left.set(name, rows);
            }
        }
        let declared = self.inner.chunks.get().map(|chunks| chunks.take_left());
        for (name, rows) in declared.into_iter().flatten() {
            left.set(name, rows);
        }
        left
    }

    pub(crate) fn take_artifacts(&self) -> Vec<(String, Vec<u8>)> {
        self.inner.artifacts.take()
    }
}
