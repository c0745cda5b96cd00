//! The options of an execution.

use std::time::Duration;

use crate::identity::DEFAULT_ROOT_SEED;
use crate::isolate::Limits;
use crate::store::IfExists;

/// What an exception of one run means for the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Policy {
    /// No further run starts; those that are running end, and what completed is kept.
    #[default]
    StopFirst,
    /// All points are attempted; what failed is told at the end.
    KeepGoing,
    /// All or nothing: the runs are held back in memory until all have completed, and are then
    /// committed in one transaction. If one fails, nothing is changed in the file.
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
    pub(crate) limits: Limits,
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
            limits: self.limits.or(defaults.limits),
        }
    }

    pub(crate) fn jobs_or_default(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        self.jobs.unwrap_or_else(cores)
    }

    pub(crate) fn root_seed_or_default(&self) -> u64 {
        self.root_seed.unwrap_or(DEFAULT_ROOT_SEED)
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

    /// What to do if the experiment is there already. The default is to refuse.
    fn if_exists(mut self, if_exists: IfExists) -> Self {
        self.options_mut().if_exists = Some(if_exists);
        self
    }

    /// What an exception means. The default of `execute` is [`Policy::StopFirst`].
    fn policy(mut self, policy: Policy) -> Self {
        self.options_mut().policy = Some(policy);
        self
    }

    /// The order in which points are attempted. The default is [`Order::Shuffled`].
    fn order(mut self, order: Order) -> Self {
        self.options_mut().order = Some(order);
        self
    }

    /// Whether progress is shown on stderr. The default is to show it if stderr is a terminal.
    fn show_progress(mut self, show: bool) -> Self {
        self.options_mut().progress = Some(show);
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
