//! The options of an execution.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::{Limits, Rerun};
use crate::exception::Outcome;
use crate::identity::DEFAULT_ROOT_SEED;
use crate::monitor::Monitor;
use crate::store::{self, Durability, IfExists, Terms};

/// What an exception of one run means for the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Policy {
    /// No further run starts; those that are running end, and what completed is kept.
    #[default]
    StopFirst,
    /// No further run starts once so many have failed.
    StopAfter(u64),
    /// All points are attempted; what failed is told at the end.
    KeepGoing,
    /// All or nothing: the runs are held back in memory until all have completed, and are then
    /// committed in one transaction. If one fails, or the execution is asked to stop, no run is
    /// kept.
    ///
    /// If others resume the sweep at the same time, that is said of what this execution takes for
    /// itself: they leave its points alone until it has ended, and it ends, with a transaction or
    /// without, before it waits for theirs. What they then leave undone is taken in the same way:
    /// again all or nothing, in a transaction of its own.
    Staged,
}

/// The order in which points are attempted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Order {
    /// Shuffled, by the root seed: errors show early, and times left are estimated well. Points
    /// that need the same shared value come together.
    #[default]
    Shuffled,
    /// As the grid lists them: the first param varies slowest.
    Grid,
}

/// How an execution goes about its points. Set through [`PlanOptions`], or as a session's defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    pub(crate) name: Option<String>,
    pub(crate) jobs: Option<usize>,
    pub(crate) root_seed: Option<u64>,
    pub(crate) if_exists: Option<IfExists>,
    pub(crate) policy: Option<Policy>,
    pub(crate) order: Option<Order>,
    pub(crate) progress: Option<bool>,
    pub(crate) group: Option<usize>,
    pub(crate) rerun: Option<Rerun>,
    pub(crate) fill: Option<bool>,
    pub(crate) retry: Option<u32>,
    pub(crate) signals: Option<bool>,
    pub(crate) on_run: Option<OnRun>,
    pub(crate) durability: Option<Durability>,
    pub(crate) lock_timeout: Option<Duration>,
    pub(crate) limits: Limits,
    pub(crate) monitor: Option<Monitor>,
    pub(crate) args_field: Option<String>,
}

/// What is called with every run that counts.
#[derive(Clone)]
pub(crate) struct OnRun(pub(crate) Arc<dyn Fn(&RunEnded) + Send + Sync>);

// A call that panics is that of the whole execution, and nothing of it is seen after.
impl std::panic::RefUnwindSafe for OnRun {}
impl std::panic::UnwindSafe for OnRun {}

impl PartialEq for OnRun {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for OnRun {}

impl fmt::Debug for OnRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnRun")
    }
}

/// A run that has ended, and is committed: see [`PlanOptions::on_run`].
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct RunEnded {
    /// The run's id.
    pub id_run: Uuid,
    /// How it ended.
    pub outcome: Outcome,
    /// The number of its last attempt, from 1.
    pub attempt: u32,
    /// How long the last attempt took, in seconds.
    pub elapsed: f64,
}

impl Options {
    /// Options that leave everything to its default.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many runs a transaction holds at most, to compare its cost with that of others.
    #[doc(hidden)]
    #[must_use]
    pub fn group(mut self, runs: usize) -> Self {
        self.group = Some(runs);
        self
    }

    /// These options, and the defaults' where these leave it open.
    pub(crate) fn or(self, defaults: &Self) -> Self {
        Self {
            name: self.name.or_else(|| defaults.name.clone()),
            jobs: self.jobs.or(defaults.jobs),
            root_seed: self.root_seed.or(defaults.root_seed),
            if_exists: self.if_exists.or(defaults.if_exists),
            policy: self.policy.or(defaults.policy),
            order: self.order.or(defaults.order),
            progress: self.progress.or(defaults.progress),
            group: self.group.or(defaults.group),
            rerun: self.rerun.or(defaults.rerun),
            fill: self.fill.or(defaults.fill),
            retry: self.retry.or(defaults.retry),
            signals: self.signals.or(defaults.signals),
            on_run: self.on_run.or_else(|| defaults.on_run.clone()),
            durability: self.durability.or(defaults.durability),
            lock_timeout: self.lock_timeout.or(defaults.lock_timeout),
            limits: self.limits.or(defaults.limits),
            monitor: self.monitor.or_else(|| defaults.monitor.clone()),
            args_field: self.args_field.or_else(|| defaults.args_field.clone()),
        }
    }

    pub(crate) fn jobs_or_default(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        self.jobs.unwrap_or_else(cores)
    }

    pub(crate) fn policy_or_default(&self) -> Policy {
        self.policy.unwrap_or(match self.if_exists {
            Some(IfExists::Resume) => Policy::KeepGoing,
            _ => Policy::default(),
        })
    }

    /// What a run may use, as it is recorded.
    pub(crate) fn recorded_limits(&self) -> store::Limits {
        store::Limits {
            time: self.limits.time.map(|limit| limit.as_secs_f64()),
            cpu: self.limits.cpu.map(|limit| limit.as_secs_f64()),
            memory: self.limits.memory,
        }
    }

    pub(crate) fn root_seed_or_default(&self) -> u64 {
        self.root_seed.unwrap_or(DEFAULT_ROOT_SEED)
    }

    /// How an execution with these options writes.
    pub(crate) fn terms(&self) -> Terms {
        let terms = Terms::default();
        Terms {
            durability: self.durability.unwrap_or(terms.durability),
            lock_timeout: self.lock_timeout.unwrap_or(terms.lock_timeout),
        }
    }
}

impl PlanOptions for Options {
    fn options_mut(&mut self) -> &mut Options {
        self
    }
}

/// The options of a plan. An input of the same name has the method to itself; what is meant then
/// is written as a function: `PlanOptions::jobs(plan, 4)`.
pub trait PlanOptions: Sized {
    /// The options themselves.
    #[doc(hidden)]
    fn options_mut(&mut self) -> &mut Options;

    /// Keeps the runs under another name than the experiment's own.
    fn named(mut self, name: impl Into<String>) -> Self {
        self.options_mut().name = Some(name.into());
        self
    }

    /// The number of worker threads, at least one. The default is the number of cores.
    fn jobs(mut self, jobs: usize) -> Self {
        self.options_mut().jobs = Some(jobs.max(1));
        self
    }

    /// The seed on which all random numbers of the runs depend. The default is 123; any other is
    /// part of the points' identities.
    fn root_seed(mut self, seed: u64) -> Self {
        self.options_mut().root_seed = Some(seed);
        self
    }

    /// Which points that were attempted before are run again by `resume`.
    fn rerun(mut self, rerun: Rerun) -> Self {
        self.options_mut().rerun = Some(rerun);
        self
    }

    /// Gives runs that lack a field, since it was declared after they were made, this field: only
    /// the steps on which it depends are run, and what else is recorded of the run is kept.
    ///
    /// Where it depends on a field or a sequence that a run has, the step is given what is recorded,
    /// as it is read back from the file, and what made it is not run again. A field that is still to
    /// be changed there (`&mut`), vars, states and shared values are computed again: what must be
    /// measured once, because it is expensive or comes out differently each time, is to be declared as
    /// a field.
    ///
    /// A run is not filled, and is counted as stale, if a step on which the missing field depends has
    /// changed since on the way to a field that the run has: its row would hold what two versions
    /// made. With `.rerun(Rerun::new().stale(true))` it is run whole. If only other steps have
    /// changed, it is filled, and stays stale. Nor is a run filled that has other members of the same
    /// flattened field, or had another value of an input that is recorded, is no part of the identity,
    /// and is needed: `.rerun(Rerun::new().partial(true))` runs them whole.
    fn fill(mut self) -> Self {
        self.options_mut().fill = Some(true);
        self
    }

    /// How many times more a run is attempted that fails. Every attempt is recorded; the inputs and
    /// the random numbers are the same in each.
    fn retry(mut self, times: u32) -> Self {
        self.options_mut().retry = Some(times);
        self
    }

    /// Handles SIGINT (Ctrl-C) and SIGTERM while this is executed. The first one asks the steps to
    /// stop ([`Run::cancelled`](crate::Run::cancelled)), and no further run starts; a run that stops
    /// with an error is recorded as cancelled, and what ended is committed; then the files that this
    /// process has open are closed, so that nothing stays beside them that nobody else uses, and the
    /// process exits with 130. The second one ends the process at once.
    ///
    /// Handlers are the process's own, and stay once they are there: in between executions the
    /// signals have their default effect.
    fn handle_signals(mut self) -> Self {
        self.options_mut().signals = Some(true);
        self
    }

    /// Calls a function with each run that has ended, as soon as it is committed: from then on it
    /// survives the death of the process. It is called on one thread of the execution's own, and
    /// while it works nothing is committed.
    ///
    /// ```
    /// # use xp::prelude::*;
    /// # #[step] fn half(x: f64) -> f64 { x / 2.0 }
    /// # #[experiment] fn halves(#[param] x: f64) { #[field] let half: f64 = half(x); }
    /// let plan = halves().x([1.0, 2.0]).on_run(|run| eprintln!("{}: {}", run.id_run, run.outcome));
    /// # Session::in_memory()?.execute(plan)?;
    /// # Ok::<(), xp::Error>(())
    /// ```
    fn on_run(mut self, call: impl Fn(&RunEnded) + Send + Sync + 'static) -> Self {
        self.options_mut().on_run = Some(OnRun(Arc::new(call)));
        self
    }

    /// What [`execute`](crate::Session::execute) does if the experiment is there already. The default
    /// is to refuse.
    fn if_exists(mut self, if_exists: IfExists) -> Self {
        self.options_mut().if_exists = Some(if_exists);
        self
    }

    /// What an exception means. The default of `execute` is [`Policy::StopFirst`], that of `resume`
    /// is [`Policy::KeepGoing`].
    fn policy(mut self, policy: Policy) -> Self {
        self.options_mut().policy = Some(policy);
        self
    }

    /// The order in which points are attempted. The default is [`Order::Shuffled`].
    fn order(mut self, order: Order) -> Self {
        self.options_mut().order = Some(order);
        self
    }

    /// What a committed run survives: the death of the process, which is the default, or a power
    /// cut, too.
    fn durability(mut self, durability: Durability) -> Self {
        self.options_mut().durability = Some(durability);
        self
    }

    /// How long a call waits each time it finds the file locked by another program, before it gives
    /// up with [`StoreError::Locked`](crate::StoreError::Locked). The default is a minute.
    ///
    /// As an option of a plan it covers its execution, and [`Session::plan`](crate::Session::plan).
    /// As one of a session ([`Session::with`](crate::Session::with)) it covers all calls of this
    /// session (`execute`, `resume`, `plan`, `sweep`, `run`, `ls`, `load`, `delete`, `query`) and of
    /// the experiments that it returns, such as reading their runs. To open a file waits for the
    /// default, since there is no session yet.
    ///
    /// ```no_run
    /// use std::time::Duration;
    /// use xp::{Options, PlanOptions, Session};
    ///
    /// let options = Options::new().lock_timeout(Duration::from_secs(5));
    /// let session = Session::open("iris.db")?.with(options);
    /// let experiment = session.load("iris")?; // waits for 5 s at most
    /// # Ok::<(), xp::Error>(())
    /// ```
    fn lock_timeout(mut self, timeout: Duration) -> Self {
        self.options_mut().lock_timeout = Some(timeout);
        self
    }

    /// Records what the machine does while runs go on, as a sequence of each run with MLtraq's
    /// columns: processors, memory, disk, network. One thread reads them for all live runs at the
    /// same moments; a run that is shorter than the interval may have no row.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use xp::{Monitor, prelude::*};
    ///
    /// # #[step] fn rest(millis: u64) { std::thread::sleep(Duration::from_millis(millis)); }
    /// # #[experiment] fn rests(#[param] millis: u64) { rest(millis); }
    /// let monitor = Monitor::new().interval(Duration::from_millis(20));
    /// let session = Session::in_memory()?;
    /// session.execute(rests().millis([100]).monitor(monitor))?;
    ///
    /// #[derive(serde::Serialize, serde::Deserialize)]
    /// struct Load { cpu_pct: f64, mem_free_gb: f64 }
    ///
    /// for run in session.load("rests")?.runs() {
    ///     let loads = run?.fields.sequence::<Load>("sysmon")?.expect("it is recorded");
    ///     assert!(loads.values()?[0].mem_free_gb > 0.0);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "monitor")]
    fn monitor(mut self, monitor: Monitor) -> Self {
        self.options_mut().monitor = Some(monitor);
        self
    }

    /// Whether progress is shown on stderr. The default is to show it if stderr is a terminal, and to
    /// say in any case what is left as it is; `false` says nothing at all.
    fn show_progress(mut self, show: bool) -> Self {
        self.options_mut().progress = Some(show);
        self
    }

    /// Keeps the inputs of each run that completes in a field of this name, in the form of MLtraq's
    /// `args_field`: `{config: {..}, params: {..}}`. MLtraq continues runs with the inputs that it
    /// finds there, and [`Run::args`](crate::Run::args) reads them.
    ///
    /// The name cannot be that of an input or a field.
    fn args_field(mut self, name: impl Into<String>) -> Self {
        self.options_mut().args_field = Some(name.into());
        self
    }

    /// How long a run may take, by the clock on the wall; it is stopped then, and has timed out.
    ///
    /// Limits need [`isolate`](crate::Grid::isolate), since a thread cannot be stopped. They are
    /// looked at every 10 ms, and what a run spends in `#[shared]` steps does not count.
    fn time_limit(mut self, limit: Duration) -> Self {
        self.options_mut().limits.time = Some(limit);
        self
    }

    /// How much processor time a run may take, in all of its threads together, in the program and
    /// in the system; it is stopped then, and has timed out. Waiting does not count, nor what
    /// other processes do for it. See [`time_limit`](Self::time_limit).
    fn cpu_limit(mut self, limit: Duration) -> Self {
        self.options_mut().limits.cpu = Some(limit);
        self
    }

    /// How much memory a run may have in use, in bytes: the resident set of its process, beyond
    /// what it was when the run began or had its shared values. It is stopped then, and out of
    /// memory. See [`time_limit`](Self::time_limit).
    fn memory_limit(mut self, bytes: u64) -> Self {
        self.options_mut().limits.memory = Some(bytes);
        self
    }
}
