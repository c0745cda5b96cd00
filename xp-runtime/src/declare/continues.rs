//! What an experiment declares that continues the runs of another one.

use crate::row::{Layout, Misfit};
use crate::store::StoredExperiment;

/// What an experiment continues, and what it reads besides its inputs.
#[derive(Clone, Copy, Debug)]
pub struct Continues {
    /// The name of the experiment; `None` if no Rust program declares it.
    pub experiment: Option<&'static str>,
    /// The field in which MLtraq may have kept the params.
    pub args_field: &'static str,
    /// How the runs are read that a step takes all together.
    pub runs: Option<RunsKind>,
    /// Whether it reads sequences.
    pub sequences: bool,
}

/// How the runs are read that a step takes all together.
#[derive(Clone, Copy, Debug)]
pub struct RunsKind {
    /// The columns that a complete run was given.
    pub(crate) columns: fn() -> Layout,
    /// The columns that do not fit.
    pub(crate) misfits: fn(&StoredExperiment) -> Vec<Misfit>,
    /// The declared name, if these are the runs of an experiment that itself continues another.
    pub(crate) continuing: Option<&'static str>,
}
