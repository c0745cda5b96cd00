//! One attempt at the steps of a point, in this thread.

use std::path::PathBuf;

use super::before_the_steps;
use super::task::Task;
use crate::bunch::Bunch;
use crate::exception::{Exception, Outcome, StepError};
use crate::panic;
use crate::row::{Layout, RowWriter};
use crate::run::Run;
use crate::scope::{Scope, Watch};
use crate::shared::{SharedKey, SharedValues};
use crate::store::Column;
use crate::usage::Usage;
use crate::value::Cell;

/// What a run leaves whose steps have all completed.
pub(crate) struct Completed<S> {
    pub(crate) cells: Vec<Cell>,
    pub(crate) extra: Vec<(Column, Cell)>,
    /// `None` if only parts of the body were run.
    pub(crate) state: Option<S>,
}

/// What is left of a run, however it ended.
pub(crate) struct Ran<S> {
    pub(crate) ended: Result<Completed<S>, (Outcome, Exception)>,
    /// The columns that were filled by a run that did not complete, by their places.
    pub(crate) reached: Vec<(usize, Cell)>,
    /// What else it had reached: sequences, and fields that are not declared.
    pub(crate) left: Bunch,
    pub(crate) artifacts: Vec<(String, Vec<u8>)>,
    pub(crate) usage: Option<Usage>,
    /// Files that are not needed any more once it is committed.
    pub(crate) files: Vec<PathBuf>,
}

impl<S> Ran<S> {
    /// A run of which nothing is left.
    pub(crate) fn ended(outcome: Outcome, exception: Exception) -> Self {
        Self {
            ended: Err((outcome, exception)),
            reached: Vec::new(),
            left: Bunch::new(),
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
    pub(crate) slices: &'a [usize],
}

impl<T: Task> Attempt<'_, T> {
    /// Runs the steps. What was put of a run that did not complete is added to `reached`.
    #[expect(
        clippy::result_large_err,
        reason = "an exception is rare, and is boxed right after"
    )]
    pub(crate) fn run(
        &self,
        point: &T::Point,
        run: &mut Run,
        reached: &mut Vec<(usize, Cell)>,
    ) -> Result<Completed<T::State>, (Outcome, Exception)> {
        let task = self.task;
        let before = |error: &dyn std::error::Error| (Outcome::Failed, before_the_steps(error));
        let mut row = RowWriter::new(self.layout);
        panic::catch(|| task.record(point, &mut row))
            .map_err(|exception| (Outcome::Panicked, exception))?
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
        let result = match panic::catch(|| self.steps(point, run, &mut scope)) {
            Ok(Ok(state)) => Ok(state),
            Ok(Err(error)) => Err(error.into_exception(scope.step_name())),
            Err(exception) => {
                let step = scope.step_name().map(str::to_owned);
                Err((Outcome::Panicked, Exception { step, ..exception }))
            }
        };
        let result = result.and_then(|state| {
            let extra = run.take_extra().map_err(|error| before(&error))?;
            Ok((state, extra))
        });
        let (state, extra) = match result {
            Ok(completed) => completed,
            Err(ended) => {
                reached.extend(scope.row.reached());
                return Err(ended);
            }
        };
        let cells = scope.row.into_cells();
        Ok(Completed {
            cells,
            extra,
            state,
        })
    }

    fn steps(
        &self,
        point: &T::Point,
        run: &mut Run,
        scope: &mut Scope<'_>,
    ) -> Result<Option<T::State>, StepError> {
        if self.slices.is_empty() {
            return self.task.run(point, run, scope).map(Some);
        }
        for slice in self.slices {
            self.task.fill(*slice, point, run, scope)?;
        }
        Ok(None)
    }
}
