//! One attempt at the steps of a point, in this thread; and what the engine asks of what it
//! executes.

mod task;

use std::path::PathBuf;

pub(crate) use task::{Cover, PlanTask, Task, digest, maker_of};

use crate::bunch::Bunch;
use crate::declare::Portion;
use crate::exception::{Exception, Outcome, StepError};
use crate::panic;
use crate::row::{Layout, RowWriter};
use crate::run::Run;
use crate::scope::{Scope, Watch};
use crate::shared::{SharedKey, SharedValues};
use crate::store::{Column, Role};
use crate::usage::Usage;
use crate::value::Cell;

/// What a run leaves whose steps have all completed.
pub(crate) struct Completed<S> {
    pub(crate) cells: Vec<Cell>,
    pub(crate) extra: Vec<(Column, Cell)>,
    /// `None` if only parts of the body were run.
    pub(crate) state: Option<S>,
}

/// What a run leaves that did not complete.
#[derive(Debug, PartialEq)]
pub(crate) struct Failed {
    pub(crate) outcome: Outcome,
    pub(crate) exception: Exception,
    /// The fields that it came to: their columns, by their places.
    pub(crate) reached: Vec<(usize, Cell)>,
    /// What else it came to: sequences, and fields that are not declared.
    pub(crate) left: Bunch,
}

impl Failed {
    pub(crate) fn new(outcome: Outcome, exception: Exception) -> Box<Self> {
        Box::new(Self {
            outcome,
            exception,
            reached: Vec::new(),
            left: Bunch::new(),
        })
    }
}

/// What is left of a run, however it ended.
pub(crate) struct Ran<S> {
    pub(crate) ended: Result<Completed<S>, Box<Failed>>,
    pub(crate) artifacts: Vec<(String, Vec<u8>)>,
    pub(crate) usage: Option<Usage>,
    /// Files that are not needed any more once it is committed.
    pub(crate) files: Vec<PathBuf>,
}

impl<S> Ran<S> {
    /// A run that came to nothing.
    pub(crate) fn failed(outcome: Outcome, exception: Exception) -> Self {
        Failed::new(outcome, exception).into()
    }
}

impl<S> From<Box<Failed>> for Ran<S> {
    fn from(failed: Box<Failed>) -> Self {
        Self {
            ended: Err(failed),
            artifacts: Vec::new(),
            usage: None,
            files: Vec::new(),
        }
    }
}

/// What an attempt needs besides the point.
pub(crate) struct Attempt<'a, T: Task> {
    pub(crate) task: &'a T,
    pub(crate) layout: &'a Layout,
    pub(crate) values: &'a SharedValues,
    pub(crate) keys: &'a [SharedKey],
    pub(crate) watch: &'a dyn Watch,
    /// The parts of the body that are run; none for all of it.
    pub(crate) portions: &'a [Portion],
    /// What they are given of the run that is there: cells by the places of their columns.
    pub(crate) kept: &'a [(usize, Cell)],
}

impl<T: Task> Attempt<'_, T> {
    /// Runs the steps.
    pub(crate) fn run(
        &self,
        point: &T::Point,
        run: &mut Run,
    ) -> Result<Completed<T::State>, Box<Failed>> {
        let task = self.task;
        let before =
            |error: &dyn std::error::Error| Failed::new(Outcome::Failed, before_the_steps(error));
        let mut row = RowWriter::new(self.layout);
        panic::catch(|| task.record(point, &mut row))
            .map_err(|exception| Failed::new(Outcome::Panicked, exception))?
            .map_err(|error| before(&error))?;
        // Inputs stay in their rows.
        row.store_files(run.stores());
        if task.uses_run() {
            let (config, params) = task.bunches(point).map_err(|error| before(&error))?;
            run.inner.config = config;
            run.inner.params = params;
        }
        let mut scope = Scope {
            row,
            values: self.values,
            keys: self.keys,
            steps: task.steps(),
            step: None,
            watch: self.watch,
            source: task.source(),
            makes: &[],
            kept: self.kept,
        };
        let watched = run.watched().map_err(|error| before(&error))?;
        let result = match panic::catch(|| self.steps(point, run, &mut scope)) {
            Ok(Ok(state)) => Ok(state),
            Ok(Err(error)) => {
                let (outcome, exception) = error.into_exception(scope.step_name());
                Err(Failed::new(outcome, exception))
            }
            Err(exception) => {
                let step = scope.step_name().map(str::to_owned);
                Err(Failed::new(
                    Outcome::Panicked,
                    Exception { step, ..exception },
                ))
            }
        };
        // Before the run's sequences end.
        drop(watched);
        let result = result.and_then(|state| {
            let extra = run.take_extra().map_err(|error| before(&error))?;
            Ok((state, extra))
        });
        match result {
            Ok((state, extra)) => Ok(Completed {
                cells: scope.row.into_cells(),
                extra,
                state,
            }),
            Err(mut failed) => {
                let columns = self.layout.columns();
                failed.reached = scope.row.reached();
                failed
                    .reached
                    .retain(|(column, _)| columns[*column].role == Role::Field);
                failed.left = run.left();
                Err(failed)
            }
        }
    }

    fn steps<'a>(
        &'a self,
        point: &T::Point,
        run: &mut Run,
        scope: &mut Scope<'a>,
    ) -> Result<Option<T::State>, StepError> {
        if self.portions.is_empty() {
            return self.task.run(point, run, scope).map(Some);
        }
        for Portion { slice, fields } in self.portions {
            scope.makes = fields;
            self.task.fill(*slice, point, run, scope)?;
        }
        Ok(None)
    }
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
