//! Continuing the runs that are there: what generated code asks for, and the runs as points.

mod check;
mod kind;
mod rows;
mod task;

pub(crate) use check::check;
pub use kind::{ExperimentFn, RunsOf, continues, continues_must_name_an_experiment, runs_in};
pub(crate) use kind::{RunsSource, source};
pub(crate) use rows::Rows;
pub(crate) use task::{ContinueTask, There};
