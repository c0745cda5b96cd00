//! The error of everything that a session does.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use uuid::Uuid;

use super::{Experiment, Readable};
use crate::bunch::Bunch;
use crate::datapak::DatapakError;
use crate::declare::InputError;
use crate::exception::{Exception, Outcome};
use crate::plan::PlanError;
use crate::row::{LayoutError, Misfit, RowError};
use crate::run::FieldError;
use crate::sequence::SequenceError;
use crate::store::StoreError;
use crate::table::{QueryRowError, TableError};
use crate::value::{ColumnError, ValueError};

/// The result of everything that a session does.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong with a session and its experiments.
///
/// `Debug` prints what `Display` prints, and the causes, a line each: so a `main` that returns
/// [`Result`] ends with a message for people.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file, or what is in it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The plan. Nothing was executed.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A sweep by closure has no point. Nothing was executed.
    #[error("the sweep `{experiment}` has no point")]
    EmptySweep {
        /// The experiment's name.
        experiment: String,
    },
    /// No experiment was given to [`Session::merge`](crate::Session::merge).
    #[error("there are no experiments of which `{name}` could be made")]
    NothingToMerge {
        /// The name of the experiment that was to be made.
        name: String,
    },
    /// The experiment was deserialised, and is in no file.
    #[error("the experiment `{experiment}` was deserialised, and is in no database")]
    NoDatabase {
        /// The experiment's name.
        experiment: String,
    },
    /// The declaration of the experiment. Nothing was executed.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// Runs failed. What completed is kept, unless the policy was all or nothing.
    #[error(transparent)]
    RunsFailed(#[from] Box<RunsFailed>),
    /// A stored experiment is not of the type that was asked for; all columns that do not fit.
    #[error(
        "the experiment `{experiment}` does not fit: {}",
        misfits.iter().map(misfit).collect::<Vec<_>>().join("; ")
    )]
    Misfit {
        /// The experiment's name.
        experiment: String,
        /// The columns that do not fit.
        misfits: Vec<Misfit>,
    },
    /// The default of an input has changed since runs were made: their points would be others now.
    /// Nothing was executed.
    #[error(transparent)]
    ChangedInputs(#[from] Box<ChangedInputs>),
    /// An input has a default that cannot be recorded.
    #[error(transparent)]
    Input(#[from] Box<InputError>),
    /// The handlers of signals cannot be set.
    #[error("SIGINT and SIGTERM cannot be handled")]
    Signals {
        /// The answer of the system.
        source: Box<std::io::Error>,
    },
    /// A stored run cannot be read.
    #[error("run {id_run} of experiment `{experiment}` cannot be read")]
    Run {
        /// The experiment's name.
        experiment: String,
        /// The run's id.
        id_run: uuid::Uuid,
        /// Which cell, and why.
        source: Box<RowError>,
    },
    /// A stored value cannot be read.
    #[error("`{field}` of run {id_run} of experiment `{experiment}` cannot be read")]
    Cell {
        /// The experiment's name.
        experiment: String,
        /// The run's id.
        id_run: uuid::Uuid,
        /// The column's name.
        field: String,
        /// Why not.
        source: Box<ValueError>,
    },
    /// A field of an experiment cannot be kept.
    #[error("the field `{field}` of experiment `{experiment}` cannot be kept")]
    Field {
        /// The experiment's name.
        experiment: String,
        /// The field's name.
        field: String,
        /// Why not.
        source: ValueError,
    },
    /// A row of a query is not of the type that was asked for.
    #[error(transparent)]
    QueryRow(#[from] QueryRowError),
    /// A table has not what was asked for.
    #[error(transparent)]
    Table(#[from] TableError),
    /// A column is not of the type that was asked for.
    #[error(transparent)]
    Column(#[from] ColumnError),
    /// A sequence cannot be recorded or read.
    #[error(transparent)]
    Sequence(#[from] SequenceError),
    /// A value is of another type.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// A field cannot be inserted.
    #[error(transparent)]
    FieldInsert(#[from] FieldError),
    /// A value in DATAPAK cannot be read.
    #[error(transparent)]
    Datapak(#[from] DatapakError),
}

/// Inputs whose defaults have changed since runs were made.
///
/// A value that equals the default is no part of a point's identity, so that an input can be added
/// to an experiment that has runs: these are taken to have had the default. If it changes, the old
/// runs would be taken to have had another value than they had.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{experiment}` cannot be continued, since its runs were made with other defaults: {}",
    changes.join("; ")
)]
#[non_exhaustive]
pub struct ChangedInputs {
    /// The experiment's name.
    pub experiment: String,
    /// For each input what has changed, and what to write.
    pub changes: Vec<String>,
}

fn misfit(misfit: &Misfit) -> String {
    format!(
        "`{}` should be {}, and is {}",
        misfit.column, misfit.expected, misfit.found
    )
}

/// Runs of an execution failed.
#[derive(Debug)]
#[non_exhaustive]
pub struct RunsFailed {
    /// The experiment's name.
    pub name: String,
    /// The run that failed first, with its inputs.
    pub first: Failure,
    /// How many runs failed.
    pub failed: u64,
    /// How many runs completed, and are kept; without those that were there before.
    pub completed: u64,
    /// How many runs completed and were dropped, since it was all or nothing
    /// ([`Policy::Staged`](crate::Policy::Staged)).
    pub dropped: u64,
    /// How many runs had nothing to compute ([`skip`](crate::skip)), or were not run since a smaller point had
    /// failed ([`prune`](crate::Grid::prune)).
    pub skipped: u64,
    /// The experiment, with the runs that completed and those that failed; `None` if it was all
    /// or nothing, and not resumed. Its runs are untyped: see [`typed`](Self::typed).
    pub experiment: Option<Experiment>,
    pub(crate) states: States,
}

/// The states of the runs that completed, until they are asked for with their type.
#[derive(Default)]
pub(crate) struct States(Mutex<Option<Box<dyn Any + Send>>>);

impl States {
    pub(crate) fn new<S: Send + 'static>(states: Vec<(Uuid, S)>) -> Self {
        Self(Mutex::new(Some(Box::new(states))))
    }

    fn take<S: 'static>(&self) -> Vec<(Uuid, S)> {
        let mut states = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match states.take().map(<Box<dyn Any + Send>>::downcast) {
            Some(Ok(taken)) => *taken,
            Some(Err(other)) => {
                *states = Some(other);
                Vec::new()
            }
            None => Vec::new(),
        }
    }
}

impl fmt::Debug for States {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("States").finish_non_exhaustive()
    }
}

impl RunsFailed {
    /// The experiment with typed runs, which have their states as after an execution without
    /// failures; `None` if there is no [`experiment`](Self::experiment). The states are there for the first call.
    ///
    /// ```
    /// # use xp::prelude::*;
    /// # #[step] fn invert(x: i32) -> Result<f64, String> { if x == 0 { Err("zero".into()) } else { Ok(1.0 / f64::from(x)) } }
    /// # #[experiment] fn inverse(#[param] x: i32) { #[state] let y: f64 = invert(x)?; }
    /// let session = Session::in_memory()?;
    /// let result = session.execute(inverse().x(0..3).policy(Policy::KeepGoing));
    /// let Err(xp::Error::RunsFailed(failed)) = result else { panic!("x = 0 fails") };
    /// let experiment = failed.typed::<Inverse>()?.expect("two runs are kept");
    /// for run in experiment.runs() {
    ///     assert!(run?.state().is_some());
    /// }
    /// # Ok::<(), xp::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The file cannot be read, or the experiment is not of this type.
    pub fn typed<X: Readable<State: Send + 'static>>(&self) -> Result<Option<Experiment<X>>> {
        let states = self.states.take::<X::State>();
        let states = states.into_iter().map(|(id, state)| (id, Arc::new(state)));
        self.experiment
            .as_ref()
            .and_then(|experiment| experiment.retyped(states.collect()))
            .transpose()
    }
}

impl fmt::Display for RunsFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let runs = if self.failed == 1 { "run" } else { "runs" };
        let Self {
            name,
            first,
            failed,
            completed,
            dropped,
            skipped,
            ..
        } = self;
        write!(f, "{failed} {runs} of `{name}` failed")?;
        // What a resume found complete is kept, too, and is not counted here.
        match completed {
            0 => {}
            1 => f.write_str(", 1 completed and is kept")?,
            _ => write!(f, ", {completed} completed and are kept")?,
        }
        match dropped {
            0 if self.experiment.is_none() => f.write_str(", nothing is kept (all or nothing)")?,
            0 => {}
            1 => f.write_str(", 1 completed and was dropped (all or nothing)")?,
            _ => write!(f, ", {dropped} completed and were dropped (all or nothing)")?,
        }
        if *skipped > 0 {
            write!(f, ", {skipped} skipped or pruned")?;
        }
        write!(f, "; first {first}")
    }
}

impl std::error::Error for RunsFailed {}

/// A run that did not complete.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Failure {
    /// The run's id.
    pub id_run: uuid::Uuid,
    /// How it ended.
    pub outcome: Outcome,
    /// What ended it.
    pub exception: Exception,
    /// Its config and params, by their names.
    pub inputs: Bunch,
    /// The fields and sequences that it had reached, by their names.
    pub fields: Bunch,
    /// The number of the attempt within its execution, from 1.
    pub attempt: u32,
}

/// With its inputs, or if there are none, which tell runs apart, with its id.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            outcome,
            inputs,
            exception,
            id_run,
            ..
        } = self;
        if inputs.is_empty() {
            write!(f, "{outcome} run {id_run}: {exception}")
        } else {
            write!(f, "{outcome} {inputs}: {exception}")
        }
    }
}

impl Error {
    /// The same, where it is missing what an experiment was to continue.
    pub(crate) fn of_continuing(mut self, declared: &'static str) -> Self {
        if let Error::Store(StoreError::ExperimentNotFound { continuing, .. }) = &mut self {
            *continuing = Some(declared);
        }
        self
    }

    /// What is wrong, and the causes, in one line.
    pub(crate) fn with_causes(&self) -> String {
        let mut text = self.to_string();
        let mut source = std::error::Error::source(self);
        while let Some(cause) = source {
            text.push_str(&format!(": {cause}"));
            source = cause.source();
        }
        text
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        let mut source = std::error::Error::source(self);
        while let Some(cause) = source {
            write!(f, "\n  caused by: {cause}")?;
            source = cause.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::declare::InputError;
    use crate::exception::StepError;

    /// From 128 bytes clippy warns at every function of a user's that returns one.
    #[test]
    fn errors_are_small() {
        let sizes = [
            size_of::<Error>(),
            size_of::<PlanError>(),
            size_of::<StoreError>(),
            size_of::<FieldError>(),
            size_of::<SequenceError>(),
            size_of::<RowError>(),
            size_of::<InputError>(),
            size_of::<StepError>(),
        ];
        assert!(sizes.iter().all(|size| *size < 128), "{sizes:?}");
    }
}
