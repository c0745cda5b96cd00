//! One attempt at the steps of a point, in this thread.

use super::before_the_steps;
use super::task::Task;
use crate::exception::{Exception, Outcome};
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
    pub(crate) state: S,
}

/// What a run leaves that did not complete.
#[derive(Debug, PartialEq)]
pub(crate) struct Failed {
    pub(crate) outcome: Outcome,
    pub(crate) exception: Exception,
    /// The fields that it came to: their columns, by their places.
    pub(crate) reached: Vec<(usize, Cell)>,
}

impl Failed {
    pub(crate) fn new(outcome: Outcome, exception: Exception) -> Box<Self> {
        Box::new(Self {
            outcome,
            exception,
            reached: Vec::new(),
        })
    }
}

/// What is left of a run, however it ended.
pub(crate) struct Ran<S> {
    pub(crate) ended: Result<Completed<S>, Box<Failed>>,
    pub(crate) artifacts: Vec<(String, Vec<u8>)>,
    pub(crate) usage: Option<Usage>,
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
}

impl<T: Task> Attempt<'_, T> {
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
        };
        let state = match panic::catch(|| task.run(point, run, &mut scope)) {
            Ok(Ok(state)) => state,
            Ok(Err(error)) => {
                let (outcome, exception) = error.into_exception(scope.step_name());
                return Err(self.failed(outcome, exception, scope.row));
            }
            Err(exception) => {
                let step = scope.step_name().map(str::to_owned);
                let exception = Exception { step, ..exception };
                return Err(self.failed(Outcome::Panicked, exception, scope.row));
            }
        };
        let cells = scope.row.into_cells();
        let extra = run.take_extra().map_err(|error| before(&error))?;
        Ok(Completed {
            cells,
            extra,
            state,
        })
    }

    fn failed(&self, outcome: Outcome, exception: Exception, row: RowWriter<'_>) -> Box<Failed> {
        let columns = self.layout.columns();
        let mut reached = row.reached();
        reached.retain(|(column, _)| columns[*column].role == Role::Field);
        Box::new(Failed {
            outcome,
            exception,
            reached,
        })
    }
}
