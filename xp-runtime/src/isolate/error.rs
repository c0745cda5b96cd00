//! Why an execution cannot be isolated.

use std::io;
use std::sync::Arc;

use crate::declare::InputError;

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
