//! Isolation: runs in processes of their own, which can be stopped and may die.
//!
//! A child is the program itself, started again: the hook at the start of `main` makes it serve
//! runs. Each worker thread has one child at most, which serves run after run until something
//! kills it; the next run then starts another one. What crosses is the point, as values, and what
//! came of it, as cells: only a state must be `Serialize` for it.
//!
//! Parent and child speak over a pair of Unix sockets, the child's end being its standard input.
//! The child tells each step that it enters, each field that it makes and each artifact that it keeps
//! at once, so that they are known whatever ends it; rows of sequences go to files. The parent
//! enforces the limits, while it waits. An end of the
//! stream means to the child that its parent is dead, and it ends itself with all that it started.

#[cfg(unix)]
mod child;
#[cfg(unix)]
mod data;
#[cfg(unix)]
mod death;
#[cfg(unix)]
mod frame;
mod hook;
#[cfg(unix)]
mod host;
mod limits;
#[cfg(unix)]
mod link;
#[cfg(unix)]
mod message;
#[cfg(unix)]
mod process;
#[cfg(unix)]
mod underway;
#[cfg(not(unix))]
mod unsupported;
#[cfg(unix)]
mod wire;

pub(crate) use hook::end_unhooked_child;
pub use hook::{Experiments, child_main};
#[cfg(unix)]
pub(crate) use host::{Child, Host, Sent};
#[cfg(not(unix))]
pub(crate) use unsupported::{Child, Host, Sent};

use crate::attempt::Task;
use crate::declare::Declared;
use crate::plan::{Crossing, CrossingState, IsolationError, Limits, PlanError};

/// The name that a child has instead of the program's.
const CHILD: &str = "xp-child";

/// What makes children for the runs of a plan, if it is to have them.
pub(crate) fn host<X: Declared>(
    crossing: Option<Crossing<X::State>>,
    limits: Limits,
) -> Result<Option<Host<X::State>>, PlanError> {
    let declaration = X::declaration();
    match (crossing, limits.any()) {
        (Some(crossing), _) => Ok(Some(Host::new::<X>(crossing, limits).map_err(Box::new)?)),
        (None, Some(limit)) => Err(Box::new(IsolationError::LimitOfThreads {
            experiment: declaration.name.to_owned(),
            limit,
        })
        .into()),
        (None, None) => Ok(None),
    }
}

/// Refuses a plan whose points cannot be sent, for which one of them is tried.
pub(crate) fn check_sent<T: Task>(experiment: &str, task: &T) -> Result<(), PlanError> {
    let first = (0..task.len()).find_map(|i| task.point(i));
    match first.map(|point| task.send(&point)) {
        Some(Err(source)) => {
            let experiment = experiment.to_owned();
            Err(Box::new(IsolationError::NotSent { experiment, source }).into())
        }
        _ => Ok(()),
    }
}

/// Refuses limits for a sweep by closure.
pub(crate) fn refuse_limits(experiment: &str, limits: Limits) -> Result<(), PlanError> {
    match limits.any() {
        None => Ok(()),
        Some(limit) => Err(Box::new(IsolationError::LimitOfSweep {
            experiment: experiment.to_owned(),
            limit,
        })
        .into()),
    }
}
