//! A worker: one thread that takes points and runs their steps.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use jiff::Timestamp;

use super::attempt::{Attempt, Completed, Ran};
use super::progress::Bar;
use super::queue::Sender;
use super::schedule::{Handed, Schedule};
use super::task::Task;
use super::{Done, before_the_steps};
use crate::bunch::Bunch;
use crate::exception::Outcome;
use crate::identity::{Identity, Inputs, InputsHash};
use crate::isolate::{Child, Sent};
use crate::panic;
use crate::row::Layout;
use crate::run::{Context, FieldRegistry, Progress, Run};
use crate::scope::Watch;
use crate::shared::{SharedKey, SharedValues};
use crate::store::{Ended, Finished};
use crate::usage::{Meter, Of};

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

    /// Whether the point occurs for the first time.
    fn is_new(&self, identity: Identity) -> bool {
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
    pub(super) schedule: &'a Schedule,
    pub(super) shared: &'a Shared,
    pub(super) stopping: Arc<AtomicBool>,
    pub(super) stop_first: bool,
    pub(super) sender: Sender<'a, Done<T::State>>,
    pub(super) registry: Arc<FieldRegistry>,
    pub(super) progress: Arc<Progress>,
    pub(super) bar: &'a Bar,
    pub(super) id_experiment: uuid::Uuid,
    pub(super) root_seed: u64,
}

/// A panic outside of the steps, such as one of a plan's own closures, is that of the whole
/// execution: the other workers end, too, instead of waiting for this one.
struct AbortOnPanic<'a> {
    schedule: &'a Schedule,
    stopping: &'a AtomicBool,
}

impl Drop for AbortOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.stopping.store(true, Ordering::Relaxed);
            self.schedule.abort();
        }
    }
}

/// What is reused from run to run.
struct Scratch<'a, S> {
    context: Arc<Context>,
    inputs: Inputs,
    keys: Vec<SharedKey>,
    meter: Meter,
    /// Set if the runs have processes of their own.
    child: Option<Child<'a, S>>,
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

impl<T: Task> Worker<'_, T> {
    /// Runs points until there are none, or until the execution stops.
    pub(super) fn work(self) {
        let context = Context {
            id_experiment: self.id_experiment,
            root_seed: self.root_seed,
            steps: self.task.steps(),
            registry: Arc::clone(&self.registry),
            stopping: Arc::clone(&self.stopping),
            progress: Arc::clone(&self.progress),
        };
        let context = Arc::new(context);
        let mut scratch = Scratch {
            child: self.task.host().map(|host| host.child(&context)),
            context,
            inputs: Inputs::default(),
            keys: Vec::new(),
            meter: Meter::new(Of::Thread),
        };
        let _abort = AbortOnPanic {
            schedule: self.schedule,
            stopping: &self.stopping,
        };
        let mut group = None;
        while let Some(handed) = self.schedule.next(group) {
            group = handed.group.map(|(group, _)| group);
            let mut open = true;
            if !self.stopping.load(Ordering::Relaxed)
                && let Some(point) = self.task.point(handed.index)
            {
                open = self.attempt(&point, handed, &mut scratch);
                if !scratch.keys.is_empty() {
                    // The drop of a value is the user's code, and its panic no run's.
                    let release = || self.shared.values.release(&scratch.keys);
                    let _ = catch_unwind(AssertUnwindSafe(release));
                    scratch.keys.clear();
                }
            } else {
                self.bar.leave_out();
            }
            self.schedule.done(handed);
            if !open || self.stopping.load(Ordering::Relaxed) {
                return;
            }
        }
    }

    /// Runs a point, unless it occurred before; false if nobody wants the result any more.
    fn attempt(
        &self,
        point: &T::Point,
        handed: Handed,
        scratch: &mut Scratch<'_, T::State>,
    ) -> bool {
        if !self.task.shared().is_empty() {
            self.shared.keys(self.task, point, &mut scratch.keys);
        }
        scratch.inputs.clear();
        let identified = panic::catch(|| self.task.identify(point, &mut scratch.inputs));
        let inputs = scratch.inputs.hash();
        let identity = self.task.scheme().identity(&inputs);
        if !self.shared.is_new(identity) {
            self.bar.leave_out();
            return true;
        }
        if let Some(child) = &mut scratch.child {
            // What goes wrong with its start is told when it is given the run.
            let _ = child.prepare();
        }
        let started = Timestamp::now().as_microsecond();
        let clock = Instant::now();
        let id_run = identity.id_run();
        let ran = match identified {
            Err(exception) => Ran::failed(Outcome::Panicked, exception),
            Ok(Err(error)) => Ran::failed(Outcome::Failed, before_the_steps(&error)),
            Ok(Ok(())) => self.run(point, handed, id_run, inputs, clock, scratch),
        };
        self.progress.reset();
        let elapsed = clock.elapsed().as_secs_f64();
        let (outcome, cells, extra, state, ended) = match ran.ended {
            Ok(Completed {
                cells,
                extra,
                state,
            }) => {
                let state = self.task.keeps_state().then_some(state);
                (Outcome::Completed, cells, extra, state, None)
            }
            Err(failed) => {
                let ended = Box::new(Ended {
                    exception: failed.exception,
                    inputs: self.inputs(point),
                    reached: failed.reached,
                });
                (failed.outcome, Vec::new(), Vec::new(), None, Some(ended))
            }
        };
        if self.stop_first && outcome.is_failure() {
            self.stopping.store(true, Ordering::Relaxed);
        }
        let finished = Finished {
            id_run,
            outcome,
            started,
            elapsed,
            cells,
            extra,
            ended,
            artifacts: ran.artifacts,
            usage: ran.usage,
        };
        let weight = finished.weight();
        self.sender.send(Done { finished, state }, weight)
    }

    /// Runs the steps, in this thread or in a process of their own.
    fn run(
        &self,
        point: &T::Point,
        handed: Handed,
        id_run: uuid::Uuid,
        inputs: InputsHash,
        clock: Instant,
        scratch: &mut Scratch<'_, T::State>,
    ) -> Ran<T::State> {
        let keys = &scratch.keys;
        if let Some(child) = &mut scratch.child {
            return match panic::catch(|| self.task.send(point)) {
                Err(exception) => Ran::failed(Outcome::Panicked, exception),
                Ok(Err(error)) => Ran::failed(Outcome::Failed, before_the_steps(&error)),
                Ok(Ok(values)) => child.run(Sent {
                    id_run,
                    inputs,
                    values,
                    keys,
                    side: None,
                }),
            };
        }
        let warm = Warm(self.schedule, handed, self.shared.coarsest);
        let attempt = Attempt {
            task: self.task,
            layout: self.layout,
            values: &self.shared.values,
            keys,
            watch: &warm,
        };
        scratch.meter.start(clock);
        let mut run = Run::live(&scratch.context, id_run, inputs);
        let ended = attempt.run(point, &mut run);
        Ran {
            ended,
            artifacts: run.take_artifacts(),
            usage: scratch.meter.end(Instant::now(), clock.elapsed()),
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
