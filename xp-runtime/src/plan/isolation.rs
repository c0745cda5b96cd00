//! Where runs run, and what they may use there.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::declare::InputError;
use crate::value::{Value, ValueError, from_value};

/// Where runs run: see [`isolate`](crate::Grid::isolate).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Isolation {
    /// On the worker threads of this process. A run that aborts, exits or overflows its stack ends
    /// the execution, and none can be stopped.
    #[default]
    Thread,
    /// In processes of their own. An abort, an overflow of the stack, a call of `exit`, a fault, or
    /// the end of the memory are that run's [`Outcome`](crate::Outcome), the others go on, and a
    /// run can have limits.
    Process,
}

/// The types that a state can have whose run has a process of its own.
#[diagnostic::on_unimplemented(
    message = "a `#[state]` crosses to another process only if it is `Serialize` and `Deserialize`: `{Self}` is not",
    label = "this state cannot cross",
    note = "derive both for the types of its members, or leave the runs on threads"
)]
pub trait CrossingState: Serialize + DeserializeOwned + Send + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + Send + 'static> CrossingState for T {}

/// How the state of a plan's runs comes back, for which the plan's type says that it does.
pub(crate) struct Crossing<S>(pub(crate) fn(Value) -> Result<S, ValueError>);

impl<S> Clone for Crossing<S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for Crossing<S> {}

impl<S: CrossingState> Crossing<S> {
    pub(crate) fn new() -> Self {
        Self(from_value)
    }
}

/// What a run may use at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Time by the clock on the wall.
    pub(crate) time: Option<Duration>,
    /// Processor time of all of its threads.
    pub(crate) cpu: Option<Duration>,
    /// Bytes of memory in use, beyond those that were when it began.
    pub(crate) memory: Option<u64>,
}

impl Limits {
    /// These limits, and the others where these leave it open.
    pub(crate) fn or(self, others: Self) -> Self {
        Self {
            time: self.time.or(others.time),
            cpu: self.cpu.or(others.cpu),
            memory: self.memory.or(others.memory),
        }
    }

    /// What one of the limits that are set is called.
    pub(crate) fn any(&self) -> Option<&'static str> {
        let time = self.time.map(|_| "time");
        let cpu = self.cpu.map(|_| "CPU");
        time.or(cpu).or(self.memory.map(|_| "memory"))
    }
}

/// Why an execution that asks for processes of its own does not start. Nothing was executed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IsolationError {
    /// `main` did not begin with [`child_main`](crate::child_main), so that a child would run the
    /// program itself; or it did so without this experiment.
    #[error(
        "`{experiment}` cannot run in processes of its own: write `xp::child_main::<{marker}>();` \
         as the first statement of `main` (of several experiments: `xp::child_main::<({marker}, ..)>();`)"
    )]
    NoHook {
        /// The experiment's name.
        experiment: &'static str,
        /// The type that the experiment leaves.
        marker: &'static str,
    },
    /// A child was started, and did not come to the hook.
    #[error(
        "the process for the runs of `{experiment}` {what}; `xp::child_main::<{marker}>();` must be \
         the first statement of `main`{}",
        said(stderr)
    )]
    NoHello {
        /// The experiment's name.
        experiment: &'static str,
        /// The type that the experiment leaves.
        marker: &'static str,
        /// What it did instead.
        what: String,
        /// The last that it wrote to stderr.
        stderr: String,
    },
    /// An input cannot be sent to a child.
    #[error("`{experiment}` cannot run in processes of its own")]
    NotSent {
        /// The experiment's name.
        experiment: String,
        /// Which input, and why.
        source: InputError,
    },
    /// Steps that read more than their run of the file.
    #[error(
        "`{experiment}` cannot run in processes of its own, since its steps read {what} of the file; \
         execute it without `.isolate(..)`"
    )]
    Reads {
        /// The experiment's name.
        experiment: &'static str,
        /// What they read.
        what: &'static str,
    },
    /// The system refuses to start a process.
    #[error("no process can be started for the runs of `{experiment}`")]
    Start {
        /// The experiment's name.
        experiment: &'static str,
        /// The system's answer.
        source: Arc<io::Error>,
    },
    /// A limit was set and the runs are threads, which cannot be stopped.
    #[error(
        "`{experiment}` has a {limit} limit, and a thread cannot be stopped: give the plan \
         `.isolate(Isolation::Process)`, too"
    )]
    LimitOfThreads {
        /// The experiment's name.
        experiment: String,
        /// Which limit.
        limit: &'static str,
    },
    /// A limit was set and a closure is executed, which cannot leave its process.
    #[error(
        "the sweep `{experiment}` has a {limit} limit, which takes processes of their own for its \
         runs, and a closure cannot leave its process: declare an `#[experiment]`"
    )]
    LimitOfSweep {
        /// The experiment's name.
        experiment: String,
        /// Which limit.
        limit: &'static str,
    },
    /// This system lacks what it takes.
    #[error("`{experiment}` cannot have {what} on this system")]
    Unsupported {
        /// The experiment's name.
        experiment: &'static str,
        /// What it lacks.
        what: &'static str,
    },
}

fn said(stderr: &str) -> String {
    if stderr.is_empty() {
        return String::new();
    }
    format!("; it said: {stderr}")
}
