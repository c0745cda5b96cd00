//! One attempt at the steps of a point, in this thread.

use super::before_the_steps;
use super::task::Task;
use crate::exception::{Exception, Outcome};
use crate::panic;
use crate::row::{Layout, RowWriter};
use crate::run::Run;
use crate::scope::Scope;
use crate::shared::{SharedKey, SharedValues};
use crate::store::Column;
use crate::value::Cell;

/// What a run leaves whose steps have all completed.
pub(super) struct Completed<S> {
    pub(super) cells: Vec<Cell>,
    pub(super) extra: Vec<(Column, Cell)>,
    pub(super) state: S,
}

/// What an attempt needs besides the point.
pub(super) struct Attempt<'a, T: Task> {
    pub(super) task: &'a T,
    pub(super) layout: &'a Layout,
    pub(super) values: &'a SharedValues,
    pub(super) keys: &'a [SharedKey],
    /// Called with the place of a shared value once it is there.
    pub(super) ready: &'a dyn Fn(usize),
}

impl<T: Task> Attempt<'_, T> {
    #[expect(
        clippy::result_large_err,
        reason = "an exception is rare, and is boxed right after"
    )]
    pub(super) fn run(
        &self,
        point: &T::Point,
        run: &mut Run,
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
            ready: self.ready,
            reached: None,
        };
        let state = match panic::catch(|| task.run(point, run, &mut scope)) {
            Ok(Ok(state)) => state,
            Ok(Err(error)) => return Err(error.into_exception(scope.step_name())),
            Err(exception) => {
                let step = scope.step_name().map(str::to_owned);
                return Err((Outcome::Panicked, Exception { step, ..exception }));
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
}
