//! The live run, which steps see.

use std::cell::{OnceCell, RefCell};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::{FieldError, FieldRegistry, LiveFields, Run, RunKind};
use crate::bunch::Bunch;
use crate::identity::{Inputs, InputsHash};
use crate::monitor::{MonitorError, Sampler, Watched};
use crate::rng::Rng;
use crate::sequence::{ChunkDir, RunSequences, Sequence, SequenceError, Sequences};
use crate::step::StepInfo;
use crate::stop::Stop;
use crate::store::Column;
use crate::stored::StoreWriter;
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
    /// Who writes what has a file of its own; `None` if there is no place for files.
    pub(crate) stores: Option<Arc<StoreWriter>>,
    /// Set if what runs leave must be known elsewhere before they end.
    pub(crate) keeper: Option<Arc<dyn Keeper>>,
}

/// Is told what a run leaves that is not declared, as soon as it is there.
pub(crate) trait Keeper: Send + Sync + fmt::Debug {
    /// A field was inserted, or inserted again.
    fn inserted(&self, column: &Column, cell: &Cell);

    /// An artifact was kept, or kept again. It is the keeper's from then on.
    fn artifact(&self, name: String, content: Vec<u8>);
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
    artifacts: RefCell<Vec<(String, Vec<u8>)>>,
    /// Made for the first sequence.
    sequences: OnceCell<Arc<RunSequences>>,
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
                artifacts: RefCell::default(),
                sequences: OnceCell::new(),
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
        let registry = &self.inner.context.registry;
        self.sequences().named(name, || {
            let checked = registry.check(name, ColumnType::SERIALIZED);
            checked.map_err(|error| error.to_string())
        })
    }

    /// Who writes what has a file of its own.
    pub(crate) fn stores(&self) -> Option<&Arc<StoreWriter>> {
        self.inner.context.stores.as_ref()
    }

    /// Records what the machine does until the guard is dropped, if that was asked for.
    pub(crate) fn watched(&self) -> Result<Option<Watched>, WatchError> {
        let Some(sampler) = &self.inner.context.sampler else {
            return Ok(None);
        };
        let registry = &self.inner.context.registry;
        let name = sampler.settings().field_name();
        let sequence = self.sequences().fresh(name, sampler.sequence()?, || {
            let checked = registry.check(name, ColumnType::SERIALIZED);
            checked.map_err(|error| error.to_string())
        })?;
        Ok(Some(sampler.watch(sequence)))
    }

    /// Keeps bytes with the run, under a name: a plot, a model, a log. They are committed with the
    /// run, whatever its outcome, and read by [`Experiment::artifact`](crate::Experiment::artifact).
    /// Keeping another content under the name replaces it.
    pub fn artifact(&self, name: impl Into<String>, content: impl Into<Vec<u8>>) {
        let (name, content) = (name.into(), content.into());
        if let Some(keeper) = &self.inner.context.keeper {
            return keeper.artifact(name, content);
        }
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
        let named = self.inner.sequences.get().map(|all| all.end_named());
        for (name, blob) in named.transpose()?.into_iter().flatten() {
            if self.fields.names().any(|field| field == name) {
                return Err(FieldError::Sequence { name }.into());
            }
            self.fields
                .insert_cell(&name, ColumnType::SERIALIZED, Cell::Blob(blob))?;
        }
        Ok(self.fields.take()?)
    }

    fn sequences(&self) -> &Arc<RunSequences> {
        let dir = || self.inner.context.chunks.clone();
        (self.inner.sequences).get_or_init(|| RunSequences::new(dir(), self.id_run))
    }

    /// What the sequences belong to that its experiment declares.
    #[doc(hidden)]
    pub fn declared_sequences(&self) -> Sequences {
        Sequences(Arc::clone(self.sequences()))
    }

    /// The files with the rows of a run that has ended; it makes no more. They are to be removed
    /// once the run is committed.
    pub(crate) fn take_chunk_files(&self) -> Vec<PathBuf> {
        let sequences = self.inner.sequences.get();
        sequences.map(|all| all.end()).unwrap_or_default()
    }

    /// What a run that did not complete has recorded beside its declared fields.
    pub(crate) fn left(&mut self) -> Bunch {
        let mut left: Bunch = self.fields.so_far().collect();
        let sequences = self.inner.sequences.get().map(|all| all.so_far());
        for (name, rows) in sequences.into_iter().flatten() {
            left.set(name, rows);
        }
        left
    }

    pub(crate) fn take_artifacts(&self) -> Vec<(String, Vec<u8>)> {
        self.inner.artifacts.take()
    }
}
