//! A worker: one thread that takes points and runs their steps.

use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Instant;

use jiff::Timestamp;

use super::feed::{Block, Feed, Next};
use super::queue::Sender;
use super::schedule::{Handed, Schedule};
use super::{Done, Filled, Recorded};
use crate::attempt::{Attempt, Completed, Failed, Ran, Task, before_the_steps};
use crate::bunch::Bunch;
use crate::declare::Portion;
use crate::exception::{Exception, Outcome};
use crate::identity::Inputs;
use crate::isolate::{Child, Host, Sent};
use crate::monitor::Sampler;
use crate::panic;
use crate::row::{Layout, RowWriter};
use crate::run::{Args, Context, FieldRegistry, Progress, Run};
use crate::scope::Watch;
use crate::sequence::ChunkDir;
use crate::shared::{SharedKey, SharedValues};
use crate::stop::Stop;
use crate::store::{Column, Ended, Finished, StoreError, Target};
use crate::stored::StoreWriter;
use crate::usage::{Meter, Of};
use crate::value::Cell;

/// The shared values of one execution, and what must be known to find them.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) values: SharedValues,
    /// The value that depends on the fewest inputs; points are grouped by it.
    pub(super) coarsest: usize,
    seen: Option<Mutex<HashSet<uuid::Uuid>>>,
}

impl Shared {
    pub(super) fn new<T: Task>(task: &T) -> Self {
        let by_size = task
            .shared()
            .iter()
            .enumerate()
            .min_by_key(|(_, needs)| needs.len());
        Self {
            values: SharedValues::default(),
            coarsest: by_size.map_or(0, |(place, _)| place),
            seen: (!task.distinct()).then(Mutex::default),
        }
    }

    /// The keys of the shared values that a point needs; none if it has no valid inputs.
    pub(super) fn keys<T: Task>(&self, task: &T, point: &T::Point, keys: &mut Vec<SharedKey>) {
        keys.clear();
        let mut inputs = Inputs::default();
        for (place, wanted) in task.shared().iter().enumerate() {
            inputs.clear();
            if task.project(point, wanted, &mut inputs).is_err() {
                keys.clear();
                return;
            }
            let hash = inputs.hash();
            let mut half = [0; 16];
            half.copy_from_slice(&hash.as_bytes()[..16]);
            keys.push((place, half));
        }
    }

    /// Notes that a run is over that needed these values.
    pub(super) fn release(&self, keys: &[SharedKey]) {
        if !keys.is_empty() {
            // The drop of a value is the user's code, and its panic no run's.
            let release = || self.values.release(keys);
            let _ = catch_unwind(AssertUnwindSafe(release));
        }
    }

    /// Whether the point occurs for the first time.
    pub(super) fn is_new(&self, id_run: uuid::Uuid) -> bool {
        self.seen.as_ref().is_none_or(|seen| {
            seen.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(id_run)
        })
    }
}

pub(super) struct Worker<'a, T: Task> {
    pub(super) task: &'a T,
    pub(super) layout: &'a Layout,
    pub(super) feed: &'a Feed<'a, T>,
    pub(super) rules: &'a RunRules<'a>,
    pub(super) stop: Arc<Stop>,
    pub(super) sender: Sender<'a, Done<T::State>>,
    pub(super) registry: Arc<FieldRegistry>,
    pub(super) progress: Arc<Progress>,
    /// Set if the runs have processes of their own.
    pub(super) host: Option<&'a Host<T::State>>,
    /// Where the rows of sequences go while their run is live.
    pub(super) chunks: Option<Arc<ChunkDir>>,
    /// Set if what the machine does is recorded with the runs.
    pub(super) sampler: Option<Arc<Sampler>>,
    /// Who writes what has a file of its own.
    pub(super) stores: Option<Arc<StoreWriter>>,
    /// The field in which runs keep their inputs.
    pub(super) args_field: Option<&'a str>,
    pub(super) id_experiment: uuid::Uuid,
    pub(super) root_seed: u64,
}

/// Why a run cannot be filled.
#[derive(Debug, thiserror::Error)]
enum FillError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(
        "a missing field depends on `{input}`, which is {then} in the run that is there, and is {now} \
         now: it is filled with {then} only; `.rerun(Rerun::new().partial(true))` runs it whole"
    )]
    Input {
        input: String,
        then: String,
        now: String,
    },
}

/// What becomes of a run, and of the others if it fails.
pub(super) struct RunRules<'a> {
    /// How many times a run is attempted that fails.
    pub(super) attempts: u32,
    /// How many failures stop the execution.
    pub(super) most_failures: Option<u64>,
    pub(super) failures: AtomicU64,
    /// The rows of runs that are there, by their points, and whether these are filled.
    pub(super) rows: &'a HashMap<u128, (i64, bool)>,
    /// What a fill computes, by the point of the run.
    pub(super) lacking: &'a (dyn Fn(u128) -> Filled + Sync),
    pub(super) recorded: &'a Recorded<'a>,
    /// The points that failed, if others are pruned because of them.
    pub(super) failed: RwLock<Vec<u64>>,
}

/// A panic outside of the steps, such as one of a plan's own closures, is that of the whole
/// execution: the other workers end, too, instead of waiting for this one.
struct AbortOnPanic<'a, T: Task>(&'a Feed<'a, T>);

impl<T: Task> Drop for AbortOnPanic<'_, T> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.stop.set();
            self.0.schedule.abort();
        }
    }
}

/// Tells the schedule that the value is there by which points are grouped.
struct Warm<'a>(&'a Schedule, Handed, usize);

impl Watch for Warm<'_> {
    fn ready(&self, place: usize) {
        let Self(schedule, handed, coarsest) = self;
        if let (Some((group, true)), true) = (handed.group, place == *coarsest) {
            schedule.warmed(group);
        }
    }
}

/// What is kept from run to run.
struct Kept<'a, S> {
    context: Arc<Context>,
    meter: Meter,
    /// Set if the runs have processes of their own.
    child: Option<Child<'a, S>>,
}

/// What one attempt came to.
struct Attempted<S> {
    finished: Finished,
    state: Option<S>,
}

impl<T: Task> Worker<'_, T> {
    /// Runs points until there are none, or until the execution stops.
    pub(super) fn work(self) {
        let context = Arc::new(Context {
            id_experiment: self.id_experiment,
            root_seed: self.root_seed,
            steps: self.task.steps(),
            registry: Arc::clone(&self.registry),
            stop: Arc::clone(&self.stop),
            told: AtomicBool::new(false),
            progress: Arc::clone(&self.progress),
            chunks: self.chunks.clone(),
            sampler: self.sampler.clone(),
            stores: self.stores.clone(),
            keeper: None,
        });
        let mut kept = Kept {
            child: self.host.map(|host| host.child(&context)),
            context,
            meter: Meter::new(Of::Thread),
        };
        let _abort = AbortOnPanic(self.feed);
        let mut block = Block::new();
        let mut keys = Vec::new();
        while let Some(next) = self.feed.next(&mut block) {
            if !self.task.shared().is_empty() {
                self.feed.shared.keys(self.task, &next.point, &mut keys);
            }
            let open = self.run(&next, &mut kept, &keys);
            self.feed.shared.release(&keys);
            keys.clear();
            self.feed.schedule.done(next.handed);
            if !open || self.stop.is_asked() {
                self.feed.schedule.abort();
                return;
            }
        }
    }

    /// Runs a point, as often as it takes; false if nobody wants the result.
    fn run(
        &self,
        next: &Next<T::Point>,
        kept: &mut Kept<'_, T::State>,
        keys: &[SharedKey],
    ) -> bool {
        for attempt in 1.. {
            let Attempted {
                mut finished,
                state,
            } = match self.pruned(next) {
                Some(finished) => Attempted {
                    finished,
                    state: None,
                },
                None => self.attempt(next, kept, keys),
            };
            let failed = finished.outcome.is_failure() && finished.outcome != Outcome::Cancelled;
            finished.attempt = attempt;
            finished.last = !failed || attempt >= self.rules.attempts || self.stop.is_asked();
            let last = finished.last;
            if failed && last {
                self.failed(next);
            }
            let weight = finished.weight();
            if !self.sender.send(Done { finished, state }, weight) {
                return false;
            }
            if last {
                break;
            }
        }
        true
    }

    fn failed(&self, next: &Next<T::Point>) {
        if self.task.prunes() {
            let mut failed = self
                .rules
                .failed
                .write()
                .unwrap_or_else(PoisonError::into_inner);
            failed.push(next.handed.index);
        }
        let failures = self.rules.failures.fetch_add(1, Ordering::Relaxed) + 1;
        if self
            .rules
            .most_failures
            .is_some_and(|most| failures >= most)
        {
            self.stop.set();
        }
    }

    /// What a point ends with that need not be run, since a smaller one failed.
    fn pruned(&self, next: &Next<T::Point>) -> Option<Finished> {
        if !self.task.prunes() {
            return None;
        }
        let failed = self
            .rules
            .failed
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let failed = failed.iter().filter_map(|index| self.task.point(*index));
        let because = failed
            .into_iter()
            .find(|failed| self.task.is_pruned_by(&next.point, failed))?;
        let exception = Exception {
            message: format!("{} failed", self.inputs(&because)),
            ..Exception::default()
        };
        let ended = Ended {
            exception,
            inputs: self.inputs(&next.point),
            fields: Bunch::new(),
        };
        let mut finished = Finished::of(next.id_run, Outcome::Pruned, next.claim);
        finished.started = Timestamp::now().as_microsecond();
        finished.ended = Some(Box::new(ended));
        Some(finished)
    }

    /// One attempt at a point.
    fn attempt(
        &self,
        next: &Next<T::Point>,
        kept: &mut Kept<'_, T::State>,
        keys: &[SharedKey],
    ) -> Attempted<T::State> {
        if let Some(child) = &mut kept.child {
            // What goes wrong with its start is told when it is given the run.
            let _ = child.prepare();
        }
        let id_run = next.id_run;
        let started = Timestamp::now().as_microsecond();
        let clock = Instant::now();
        let filled = self.filled(id_run);
        let ran = match &next.identified {
            Err(exception) => Ran::failed(Outcome::Panicked, (**exception).clone()),
            Ok(Err(error)) => Ran::failed(Outcome::Failed, before_the_steps(error)),
            Ok(Ok(())) => match self.recorded(next, filled.as_ref()) {
                Err(error) => Ran::failed(Outcome::Failed, before_the_steps(&error)),
                Ok(cells) => {
                    let portions = filled.as_ref().map_or(&[][..], |filled| &filled.portions);
                    self.ran(next, kept, keys, (portions, cells), clock)
                }
            },
        };
        self.progress.reset();
        let mut finished = Finished::of(id_run, Outcome::Completed, next.claim);
        finished.started = started;
        finished.elapsed = clock.elapsed().as_secs_f64();
        finished.usage = ran.usage;
        finished.artifacts = ran.artifacts;
        finished.files = ran.files;
        let told = kept.context.told.swap(false, Ordering::Relaxed);
        let mut state = None;
        match self.with_args(ran.ended, &next.point) {
            Ok(completed) => {
                finished.cells = completed.cells;
                finished.extra = completed.extra;
                state = completed.state.filter(|_| self.task.keeps_state());
                self.find_target(&mut finished, filled);
            }
            Err(failed) => {
                let Failed {
                    outcome,
                    exception,
                    reached,
                    left,
                } = *failed;
                let is_failure = matches!(outcome, Outcome::Failed | Outcome::Panicked);
                finished.outcome = if told && is_failure {
                    Outcome::Cancelled
                } else {
                    outcome
                };
                finished.ended = Some(Box::new(Ended {
                    exception,
                    inputs: self.inputs(&next.point),
                    fields: self.fields(reached, left),
                }));
            }
        }
        Attempted { finished, state }
    }

    /// A run that has completed, with its inputs in a field of their own if that is wanted.
    fn with_args(
        &self,
        ended: Result<Completed<T::State>, Box<Failed>>,
        point: &T::Point,
    ) -> Result<Completed<T::State>, Box<Failed>> {
        let mut completed = ended?;
        if let Some(name) = self.args_field {
            let failed = |error: &dyn std::error::Error| {
                Failed::new(Outcome::Failed, before_the_steps(error))
            };
            let (config, params) = panic::catch(|| self.task.bunches(point))
                .map_err(|exception| Failed::new(Outcome::Panicked, exception))?
                .map_err(|error| failed(&error))?;
            let field = Args::new(config, params).into_field(name);
            completed.extra.push(field.map_err(|error| failed(&error))?);
        }
        Ok(completed)
    }

    /// Runs the steps, in this thread or in a process of their own.
    fn ran(
        &self,
        next: &Next<T::Point>,
        kept: &mut Kept<'_, T::State>,
        keys: &[SharedKey],
        (portions, cells): (&[Portion], Vec<(usize, Cell)>),
        clock: Instant,
    ) -> Ran<T::State> {
        if let Some(child) = &mut kept.child {
            return match panic::catch(|| self.task.send(&next.point)) {
                Err(exception) => Ran::failed(Outcome::Panicked, exception),
                Ok(Err(error)) => Ran::failed(Outcome::Failed, before_the_steps(&error)),
                Ok(Ok(values)) => child.run(Sent {
                    id_run: next.id_run,
                    stores: self.stores.as_deref(),
                    inputs: next.inputs,
                    values,
                    keys,
                    chunks: self.chunks.as_deref(),
                    portions: portions.to_vec(),
                    kept: cells,
                }),
            };
        }
        let warm = Warm(self.feed.schedule, next.handed, self.feed.shared.coarsest);
        let attempt = Attempt {
            task: self.task,
            layout: self.layout,
            values: &self.feed.shared.values,
            keys,
            watch: &warm,
            portions,
            kept: &cells,
        };
        kept.meter.start(clock);
        let mut run = Run::live(&kept.context, next.id_run, next.inputs);
        let ended = attempt.run(&next.point, &mut run);
        let usage = kept.meter.end(Instant::now(), clock.elapsed());
        Ran {
            ended,
            artifacts: run.take_artifacts(),
            usage,
            files: run.take_chunk_files(),
        }
    }

    /// The fields that a run had reached which did not complete.
    fn fields(&self, reached: Vec<(usize, Cell)>, left: Bunch) -> Bunch {
        let columns = self.layout.columns();
        let decode = |column: &Column, cell| match &self.stores {
            Some(stores) => {
                let decode = || column.ty.decode_value(cell);
                stores.holder().within(None, &column.name, decode)
            }
            None => column.ty.decode_value(cell),
        };
        let declared = reached.into_iter().filter_map(|(place, cell)| {
            let column = columns.get(place)?;
            Some((column.name.clone(), decode(column, cell).ok()?))
        });
        declared.chain(left.into_members()).collect()
    }

    /// What is computed of a run that is there, if that is not all.
    fn filled(&self, id_run: uuid::Uuid) -> Option<Filled> {
        let point = id_run.as_u128();
        let (_, fill) = self.rules.rows.get(&point)?;
        fill.then(|| (self.rules.lacking)(point))
    }

    /// What a fill is given of the run that is there.
    fn recorded(
        &self,
        next: &Next<T::Point>,
        filled: Option<&Filled>,
    ) -> Result<Vec<(usize, Cell)>, FillError> {
        let id_run = next.id_run;
        let row = self.rules.rows.get(&id_run.as_u128());
        let (Some((rowid, _)), Some(Filled { reads, takes, .. })) = (row, filled) else {
            return Ok(Vec::new());
        };
        let places: Vec<_> = reads.iter().chain(takes).copied().collect();
        if places.is_empty() {
            return Ok(Vec::new());
        }
        let mut cells = (self.rules.recorded)(id_run, *rowid, &places)?;
        let mut now = RowWriter::new(self.layout);
        if !takes.is_empty() {
            // What goes wrong is told where the inputs are recorded.
            let _ = panic::catch(|| self.task.record(&next.point, &mut now));
        }
        let now = now.into_cells();
        for (place, then) in cells.split_off(reads.len()) {
            let (column, now) = (&self.layout.columns()[place], &now[place]);
            if then != Cell::Null && then != *now {
                let shown = |cell: Cell| match column.ty.decode_value(cell) {
                    Ok(value) => value.to_string(),
                    Err(_) => "another value".to_owned(),
                };
                return Err(FillError::Input {
                    input: column.name.clone(),
                    then: shown(then),
                    now: shown(now.clone()),
                });
            }
        }
        Ok(cells)
    }

    /// A completed run that is there already is replaced, or only gets what it lacks.
    fn find_target(&self, finished: &mut Finished, filled: Option<Filled>) {
        let Some((rowid, _)) = self.rules.rows.get(&finished.id_run.as_u128()) else {
            return;
        };
        finished.target = match filled {
            None if self.task.continues() => Target::Continue(*rowid),
            None => Target::Replace(*rowid),
            Some(Filled { columns, .. }) => {
                let cells = columns.iter().map(|place| finished.cells[*place].clone());
                finished.cells = cells.collect();
                finished.extra.clear();
                Target::Fill {
                    rowid: *rowid,
                    columns,
                }
            }
        };
    }

    /// All inputs of a run that did not complete, as far as they can be recorded.
    fn inputs(&self, point: &T::Point) -> Bunch {
        match panic::catch(|| self.task.bunches(point)) {
            Ok(Ok((config, params))) => config
                .into_members()
                .into_iter()
                .chain(params.into_members())
                .collect(),
            Ok(Err(_)) | Err(_) => Bunch::new(),
        }
    }
}
