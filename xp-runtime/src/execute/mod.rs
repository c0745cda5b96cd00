//! Executing: points are handed to worker threads, which run the steps; what has ended goes to one
//! writer thread, which commits it; only then does it count.

mod attempt;
mod grouping;
mod progress;
mod queue;
mod schedule;
mod task;
mod worker;
mod writer;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use uuid::Uuid;

pub(crate) use attempt::{Attempt, Completed, Failed, Ran};
pub(crate) use task::{PlanTask, Task};

use self::progress::Bar;
use self::queue::Queue;
use self::schedule::Schedule;
use self::worker::{Shared, Worker};
use self::writer::Writer;
use crate::exception::{Exception, Outcome};
use crate::plan::Policy;
use crate::row::Layout;
use crate::run::{FieldRegistry, Progress};
use crate::store::{Ended, Execution, Finished, Store, StoreError};

/// A transaction holds at most so many runs, and so many may wait for the next one: a worker that
/// is further ahead of the writer waits.
const GROUP: usize = 512;

/// At most so many runs that have ended wait for the writer, and no more once their cells take so
/// many bytes.
const WAITING: usize = 1_024;
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
}

/// What came of an execution.
#[derive(Debug)]
pub(crate) struct Summary<S> {
    pub(crate) completed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
    /// The first run that failed.
    pub(crate) first: Option<FirstFailure>,
    /// The states of the runs that completed, if they have one.
    pub(crate) states: Vec<(Uuid, S)>,
}

#[derive(Debug)]
pub(crate) struct FirstFailure {
    pub(crate) id_run: Uuid,
    pub(crate) outcome: Outcome,
    pub(crate) ended: Ended,
}

/// A run that has ended, with its state.
pub(crate) struct Done<S> {
    pub(crate) finished: Finished,
    pub(crate) state: Option<S>,
}

/// Runs all points of a task. Returns once everything that ended is committed.
pub(crate) fn execute<T: Task>(task: &T, job: Job<'_>) -> Result<Summary<T::State>, StoreError> {
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
    } = job;
    // A name that is taken is refused before anything is computed.
    match policy {
        Policy::Staged => store.rehearse(&execution)?,
        _ => store.commit(&mut execution, &[])?,
    }
    let shared = Shared::new(task);
    let (id_experiment, seed) = (execution.new.id, execution.new.root_seed);
    let schedule = match order {
        Some(order) => Schedule::listed(order),
        None if !task.shared().is_empty() => {
            grouping::expect_all(task, &shared, jobs, shuffled.then_some(seed))
        }
        None if shuffled => Schedule::shuffled(task.len(), seed),
        None => Schedule::plain(task.len()),
    };
    if let Schedule::Listed { order, .. } = &schedule {
        grouping::expect_listed(task, &shared, order);
    }
    let registry = Arc::new(FieldRegistry::new(layout.columns()));
    let stopping = Arc::new(AtomicBool::new(false));
    let fractions: Vec<Arc<Progress>> = (0..jobs).map(|_| Arc::default()).collect();
    let bar = Bar::new(&execution.new.name, task.len(), &fractions, progress);

    let queue = Queue::new(WAITING, HEAVIEST);
    let writer = Writer {
        store,
        execution,
        policy,
        group: group.unwrap_or(GROUP).max(1),
        stopping: &stopping,
        bar: &bar,
    };
    let workers: Vec<_> = fractions
        .iter()
        .map(|progress| Worker {
            task,
            layout,
            schedule: &schedule,
            shared: &shared,
            stopping: Arc::clone(&stopping),
            stop_first: policy != Policy::KeepGoing,
            sender: queue.sender(),
            registry: Arc::clone(&registry),
            progress: Arc::clone(progress),
            bar: &bar,
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
    bar.finish();
    written
}

/// The exception of a run that never came to its steps.
pub(crate) fn before_the_steps(error: &dyn std::error::Error) -> Exception {
    let mut causes = Vec::new();
    let mut source = error.source();
    while let Some(cause) = source {
        causes.push(cause.to_string());
        source = cause.source();
    }
    Exception {
        message: error.to_string(),
        causes,
        ..Exception::default()
    }
}
