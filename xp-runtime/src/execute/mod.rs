//! Executing: points are handed to worker threads, which run the steps; what has ended goes to one
//! writer thread, which commits it; only then does it count.

mod facts;
mod feed;
mod grouping;
mod progress;
mod queue;
mod schedule;
mod survey;
mod worker;
mod writer;

use std::collections::HashMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, RwLock};

use uuid::Uuid;

pub(crate) use survey::{Action, Rules, Survey, survey, visit, visit_standings};
pub use survey::{Counts, PointState};

use self::feed::{Claims, Feed};
use self::progress::Bar;
use self::queue::Queue;
use self::schedule::Schedule;
use self::worker::{RunRules, Shared, Worker};
use self::writer::Writer;
use crate::attempt::Task;
use crate::declare::Portion;
use crate::exception::Outcome;
use crate::isolate::Host;
use crate::monitor::{Monitor, Sampler};
use crate::plan::{OnRun, Policy};
use crate::row::Layout;
use crate::run::{FieldRegistry, Progress};
use crate::sequence::ChunkDir;
use crate::stop::Stop;
use crate::store::{Claimant, Durability, Ended, Execution, Finished, IfExists, Store, StoreError};
use crate::value::Cell;

/// A transaction holds at most so many runs.
const GROUP: usize = 512;

/// At most so many runs that have ended wait for the writer, and no more once what they hold takes
/// so many bytes: a worker that is further ahead waits.
const WAITING: usize = 4_096;
const HEAVIEST: usize = 64 << 20;

/// What is executed, and how.
pub(crate) struct Job<'a> {
    pub(crate) store: &'a dyn Store,
    pub(crate) execution: Execution,
    pub(crate) layout: &'a Layout,
    pub(crate) policy: Policy,
    pub(crate) jobs: usize,
    /// The points in this order, instead of a shuffle.
    pub(crate) order: Option<Vec<u64>>,
    pub(crate) shuffled: bool,
    pub(crate) progress: Option<bool>,
    /// How many runs a transaction holds at most.
    pub(crate) group: Option<usize>,
    /// How many times a run is attempted that fails, at most.
    pub(crate) attempts: u32,
    pub(crate) signals: bool,
    /// Set if what the machine does is recorded with the runs.
    pub(crate) monitor: Option<Monitor>,
    pub(crate) on_run: Option<&'a OnRun>,
    /// The field in which runs keep their inputs.
    pub(crate) args_field: Option<&'a str>,
    /// Set if the experiment is continued.
    pub(crate) continued: Option<Continued<'a>>,
}

/// What an execution continues.
pub(crate) struct Continued<'a> {
    pub(crate) survey: Survey,
    /// The last entry of the ledger that the survey has seen.
    pub(crate) seen: i64,
    /// The rows of runs that are there, by their points, and whether these are filled.
    pub(crate) rows: HashMap<u128, (i64, bool)>,
    /// What a fill computes, by the point of the run.
    pub(crate) lacking: &'a (dyn Fn(u128) -> Filled + Sync),
    pub(crate) recorded: &'a Recorded<'a>,
}

/// Cells of a row, by the places of their columns.
pub(crate) type RecordedCells = Result<Vec<(usize, Cell)>, StoreError>;

/// Reads some columns, by their places, of the row of a run that is there.
pub(crate) type Recorded<'a> = dyn Fn(Uuid, i64, &[usize]) -> RecordedCells + Sync + 'a;

/// What is computed of a run that lacks fields.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filled {
    /// The places of the columns that it lacks.
    pub(crate) columns: Vec<usize>,
    /// The parts of the body that make them; none for all of it.
    pub(crate) portions: Vec<Portion>,
    /// The places of the columns that these are given of the row.
    pub(crate) reads: Vec<usize>,
    /// The places of the columns of inputs that are to be as they are in the row.
    pub(crate) takes: Vec<usize>,
}

/// What came of an execution.
#[derive(Debug)]
pub(crate) struct Summary<S> {
    pub(crate) completed: u64,
    /// Runs that completed and were dropped, since it was all or nothing.
    pub(crate) dropped: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
    pub(crate) cancelled: u64,
    /// Points that are left to others: these had them to the end, or took them while they were run
    /// here, so that the results were refused.
    pub(crate) left_to_others: u64,
    /// The first run that failed.
    pub(crate) first: Option<FirstFailure>,
    /// The states of the runs that completed, if they have one.
    pub(crate) states: Vec<(Uuid, S)>,
}

impl<S> Default for Summary<S> {
    fn default() -> Self {
        Self {
            completed: 0,
            dropped: 0,
            failed: 0,
            skipped: 0,
            cancelled: 0,
            left_to_others: 0,
            first: None,
            states: Vec::new(),
        }
    }
}

impl<S> Summary<S> {
    /// Whether every run that was begun has completed, and is committed.
    fn is_of_completed_runs(&self) -> bool {
        self.dropped + self.failed + self.skipped + self.cancelled + self.left_to_others == 0
    }

    /// Adds what came of a later execution.
    pub(crate) fn add(&mut self, later: Self) {
        self.completed += later.completed;
        self.dropped += later.dropped;
        self.failed += later.failed;
        self.skipped += later.skipped;
        self.cancelled += later.cancelled;
        self.left_to_others = later.left_to_others;
        self.first = self.first.take().or(later.first);
        self.states.extend(later.states);
    }
}

#[derive(Debug)]
pub(crate) struct FirstFailure {
    pub(crate) id_run: Uuid,
    pub(crate) attempt: u32,
    pub(crate) outcome: Outcome,
    pub(crate) ended: Ended,
}

/// A run that has ended, with its state.
pub(crate) struct Done<S> {
    pub(crate) finished: Finished,
    pub(crate) state: Option<S>,
}

/// Says what is left as it is of a plan of which there is nothing to run.
pub(crate) fn tell_left(name: &str, survey: &Survey, progress: Option<bool>) {
    if let Some(left) = told(name, survey).filter(|_| !progress::is_quiet(progress)) {
        eprintln!("{left}");
    }
}

fn told(name: &str, survey: &Survey) -> Option<String> {
    let left = survey.left();
    (!left.is_empty()).then(|| format!("{name}: left as they are: {left}"))
}

/// Frees what an execution has taken, however it ends.
struct Active<'a>(&'a dyn Store, i64);

impl Drop for Active<'_> {
    fn drop(&mut self) {
        self.0.set_active(self.1, false);
    }
}

/// Runs all points of a task that are wanted. Returns the experiment's id once everything that
/// ended is committed.
pub(crate) fn execute<T: Task>(
    task: &T,
    job: Job<'_>,
    host: Option<&Host<T::State>>,
) -> Result<(Uuid, Summary<T::State>), StoreError> {
    let Job {
        store,
        mut execution,
        layout,
        policy,
        jobs,
        order,
        shuffled,
        progress,
        group,
        attempts,
        signals,
        monitor,
        on_run,
        args_field,
        continued,
    } = job;
    // A name that is taken is refused before anything is computed. What is continued is shared with
    // others, and its points are claimed also if their runs are staged.
    if policy == Policy::Staged && execution.new.if_exists != IfExists::Resume {
        store.rehearse(&execution)?;
    } else {
        store.commit(&mut execution, &mut Vec::new())?;
    }
    let active = execution.key.map(|_| {
        store.set_active(execution.execution, true);
        Active(store, execution.execution)
    });
    let left = (continued.as_ref()).and_then(|of| told(&execution.new.name, &of.survey));
    let (wanted, seen, rows, failed, lacking, recorded) = match continued {
        Some(of) => {
            let Survey {
                wanted,
                len,
                failed,
                ..
            } = of.survey;
            let wanted = Some((wanted, len));
            (wanted, of.seen, of.rows, failed, of.lacking, of.recorded)
        }
        None => {
            let none: &(dyn Fn(u128) -> Filled + Sync) = &|_| Filled::default();
            let nothing: &Recorded<'_> = &|_, _, _| Ok(Vec::new());
            (None, 0, HashMap::new(), Vec::new(), none, nothing)
        }
    };
    let (wanted, len) = match &wanted {
        Some((wanted, len)) => (Some(wanted), *len),
        None => (None, task.len()),
    };
    let shared = Shared::new(task);
    let (id_experiment, seed) = (execution.id, execution.new.root_seed);
    // Processes that share a sweep do not begin with the same points.
    let shuffle = if wanted.is_some() {
        seed ^ execution.execution.unsigned_abs().rotate_left(32)
    } else {
        seed
    };
    let schedule = match order {
        Some(order) => Schedule::listed(order),
        None if !task.shared().is_empty() => {
            let seed = shuffled.then_some(shuffle);
            grouping::expect_all(task, &shared, wanted, jobs, host.is_some(), seed)
        }
        None if shuffled => Schedule::shuffled(task.len(), shuffle),
        None => Schedule::plain(task.len()),
    };
    if let Schedule::Listed { order, .. } = &schedule {
        grouping::expect_listed(task, &shared, wanted, order);
    }
    let chunks = match store.live_directory()? {
        Some(path) => {
            let synced = store.durability() == Durability::PowerLoss;
            Some(ChunkDir::new(path).synced(synced))
        }
        // What kills a process of a run leaves this one.
        None => host.map(|_| ChunkDir::temporary()),
    };
    let chunks = chunks.map(Arc::new);
    // A run that is continued inserts nothing that is there.
    let taken = execution.continuing.iter().flat_map(|of| &of.foreign);
    let taken: Vec<_> = layout.columns().iter().chain(taken).cloned().collect();
    let registry = Arc::new(FieldRegistry::new(&taken, &execution.extra));
    if let Some(field) = args_field {
        registry.reserve(field);
    }
    let stores = store.writer_of_files(id_experiment, &execution.new.name);
    let stop = Arc::new(Stop::new(signals));
    let fractions: Vec<Arc<Progress>> = (0..jobs).map(|_| Arc::default()).collect();
    let bar = Bar::new(&execution.new.name, len, &fractions, progress);
    if let Some(left) = left {
        bar.say(&left);
    }
    let claims = execution.key.map(|key| {
        let who = Claimant {
            key,
            execution: execution.execution,
        };
        Claims::new(store, who, seen, policy == Policy::Staged)
    });
    let feed = Feed {
        task,
        schedule: &schedule,
        jobs,
        shared: &shared,
        wanted,
        claims,
        bar: &bar,
        stop: &stop,
    };
    let rules = RunRules {
        attempts,
        most_failures: match policy {
            Policy::StopFirst | Policy::Staged => Some(1),
            Policy::StopAfter(most) => Some(most.max(1)),
            Policy::KeepGoing => None,
        },
        failures: AtomicU64::new(0),
        rows: &rows,
        lacking,
        recorded,
        failed: RwLock::new(failed),
    };

    let sampler = monitor.map(|monitor| Arc::new(Sampler::new(monitor)));
    let queue = Queue::new(WAITING, HEAVIEST);
    let writer = Writer {
        store,
        execution,
        policy,
        group: group.unwrap_or(GROUP).max(1),
        stop: &stop,
        bar: &bar,
        on_run,
        committed: None,
    };
    let workers: Vec<_> = fractions
        .iter()
        .map(|progress| Worker {
            task,
            layout,
            feed: &feed,
            rules: &rules,
            stop: Arc::clone(&stop),
            sender: queue.sender(),
            registry: Arc::clone(&registry),
            progress: Arc::clone(progress),
            host,
            chunks: chunks.clone(),
            sampler: sampler.clone(),
            stores: stores.clone(),
            args_field,
            id_experiment,
            root_seed: seed,
        })
        .collect();
    let receiver = queue.receiver();
    let written = std::thread::scope(|scope| {
        let writer = scope.spawn(move || writer.write_all(receiver));
        let workers: Vec<_> = workers
            .into_iter()
            .map(|worker| scope.spawn(move || worker.work()))
            .collect();
        for worker in workers {
            // A worker catches the panics of runs; one of its own is a bug, and not to be hidden.
            if let Err(panic) = worker.join() {
                std::panic::resume_unwind(panic);
            }
        }
        match writer.join() {
            Ok(written) => written,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    });
    if let Some(warning) = chunks.and_then(|chunks| chunks.take_warning()) {
        bar.say(&warning);
    }
    bar.finish();
    let left = feed.claims.map_or(Ok(0), Claims::end);
    drop(active);
    if let Some(stores) = stores {
        // What a run has written is kept with its row, or with its exception.
        let every_run_is_kept = attempts <= 1
            && host.is_none()
            && rows.is_empty()
            && (written.as_ref()).is_ok_and(|(_, summary)| summary.is_of_completed_runs());
        store.end_of_files(&stores, every_run_is_kept);
    }
    let (id, mut summary) = written?;
    // What is left of an execution that was stopped is nobody's.
    if !stop.is_asked() {
        summary.left_to_others += left?;
    } else {
        left?;
    }
    Ok((id, summary))
}
