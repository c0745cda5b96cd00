//! A worker: one thread that takes points and runs their steps.

use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Instant;

use jiff::Timestamp;

use super::attempt::Attempt;
use super::feed::{Block, Feed, Next};
use super::queue::Sender;
use super::task::Task;
use super::{Done, before_the_steps};
use crate::bunch::Bunch;
use crate::exception::{Exception, Outcome};
use crate::identity::{Identity, Inputs};
use crate::panic;
use crate::row::Layout;
use crate::run::{Context, FieldRegistry, Progress, Run};
use crate::sequence::ChunkDir;
use crate::shared::{SharedKey, SharedValues};
use crate::stop::Stop;
use crate::store::{Ended, Finished, Target};

/// The shared values of one execution, and what must be known to find them.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) values: SharedValues,
    /// The value that depends on the fewest inputs; points are grouped by it.
    pub(super) coarsest: usize,
    seen: Option<Mutex<HashSet<Identity>>>,
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
    pub(super) fn is_new(&self, identity: Identity) -> bool {
        self.seen.as_ref().is_none_or(|seen| {
            seen.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(identity)
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
    /// Where the rows of sequences go while their run is live.
    pub(super) chunks: Option<Arc<ChunkDir>>,
    pub(super) id_experiment: uuid::Uuid,
    pub(super) root_seed: u64,
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
    /// The columns that a fill computes, by the point of the run: their places.
    pub(super) lacking: &'a (dyn Fn(u128) -> Vec<usize> + Sync),
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
        });
        let _abort = AbortOnPanic(self.feed);
        let mut block = Block::new();
        let mut keys = Vec::new();
        while let Some(next) = self.feed.next(&mut block) {
            if !self.task.shared().is_empty() {
                self.feed.shared.keys(self.task, &next.point, &mut keys);
            }
            let open = self.run(&next, &context, &keys);
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
    fn run(&self, next: &Next<T::Point>, context: &Arc<Context>, keys: &[SharedKey]) -> bool {
        for attempt in 1.. {
            let Attempted {
                mut finished,
                state,
            } = match self.pruned(next) {
                Some(finished) => Attempted {
                    finished,
                    state: None,
                },
                None => self.attempt(next, context, keys),
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
        let mut finished = Finished::of(next.identity.id_run(), Outcome::Pruned, next.claim);
        finished.started = Timestamp::now().as_microsecond();
        finished.ended = Some(Box::new(ended));
        Some(finished)
    }

    /// One attempt at a point.
    fn attempt(
        &self,
        next: &Next<T::Point>,
        context: &Arc<Context>,
        keys: &[SharedKey],
    ) -> Attempted<T::State> {
        let id_run = next.identity.id_run();
        let started = Timestamp::now().as_microsecond();
        let clock = Instant::now();
        let mut run = Run::live(context, id_run, next.inputs);
        let result = match &next.identified {
            Err(exception) => Err((Outcome::Panicked, (**exception).clone())),
            Ok(Err(error)) => Err((Outcome::Failed, before_the_steps(error))),
            Ok(Ok(())) => {
                let ready = |place| {
                    if let (Some((group, true)), true) =
                        (next.handed.group, place == self.feed.shared.coarsest)
                    {
                        self.feed.schedule.warmed(group);
                    }
                };
                let attempt = Attempt {
                    task: self.task,
                    layout: self.layout,
                    values: &self.feed.shared.values,
                    keys,
                    ready: &ready,
                };
                attempt.run(&next.point, &mut run)
            }
        };
        self.progress.reset();
        let mut finished = Finished::of(id_run, Outcome::Completed, next.claim);
        finished.started = started;
        finished.elapsed = clock.elapsed().as_secs_f64();
        let told = context.told.swap(false, Ordering::Relaxed);
        let mut state = None;
        match result {
            Ok(completed) => {
                finished.cells = completed.cells;
                finished.extra = completed.extra;
                state = self.task.keeps_state().then_some(completed.state);
                self.find_target(&mut finished);
            }
            Err((outcome, exception)) => {
                let is_failure = matches!(outcome, Outcome::Failed | Outcome::Panicked);
                finished.outcome = if told && is_failure {
                    Outcome::Cancelled
                } else {
                    outcome
                };
                finished.ended = Some(Box::new(Ended {
                    exception,
                    inputs: self.inputs(&next.point),
                    fields: Bunch::new(),
                }));
            }
        }
        finished.artifacts = run.take_artifacts();
        finished.files = run.take_chunk_files();
        Attempted { finished, state }
    }

    /// A completed run that is there already is replaced, or only gets what it lacks.
    fn find_target(&self, finished: &mut Finished) {
        let point = finished.id_run.as_u128();
        match self.rules.rows.get(&point) {
            None => {}
            Some((rowid, false)) => finished.target = Target::Replace(*rowid),
            Some((rowid, true)) => {
                let columns = (self.rules.lacking)(point);
                let cells = columns.iter().map(|place| finished.cells[*place].clone());
                finished.cells = cells.collect();
                finished.extra.clear();
                finished.target = Target::Fill {
                    rowid: *rowid,
                    columns,
                };
            }
        }
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
