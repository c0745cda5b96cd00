//! What the generated body of an experiment works with: the step at which it is, the shared values
//! that it needs, and the row that it fills.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use crate::bounds::SharedOps;
use crate::exception::{Cause, StepError};
use crate::row::{RowError, RowReader, RowWriter};
use crate::sequence::Sequence;
use crate::shared::{SharedKey, SharedValues};
use crate::step::StepInfo;
use crate::value::Cell;

/// See the module's text.
pub struct Scope<'a> {
    pub(crate) row: RowWriter<'a>,
    pub(crate) values: &'a SharedValues,
    pub(crate) keys: &'a [SharedKey],
    pub(crate) steps: &'a [&'static StepInfo],
    /// The step that was entered last; `None` outside of the steps.
    pub(crate) step: Option<usize>,
    pub(crate) watch: &'a dyn Watch,
    /// What the steps may read besides their inputs.
    pub(crate) source: Option<&'a (dyn Any + Send + Sync)>,
    /// The ordinals of the fields that a fill is to make.
    pub(crate) makes: &'a [usize],
    /// What is recorded of the run that is filled: cells by the places of their columns.
    pub(crate) kept: &'a [(usize, Cell)],
}

/// Is told what a run comes to.
pub(crate) trait Watch {
    /// A step begins.
    fn entered(&self, _step: usize) {}

    /// The shared value of that place is not there yet, and this run computes it.
    fn computing(&self, _place: usize) {}

    /// The shared value of that place is there, or has failed.
    fn ready(&self, _place: usize) {}

    /// A column is filled, before the run has ended.
    fn reached(&self, _column: usize, _cell: &Cell) {}
}

impl Scope<'_> {
    /// Says which step comes next.
    #[inline]
    pub fn enter(&mut self, step: usize) {
        self.step = Some(step);
        self.watch.entered(step);
    }

    /// Says that the steps have ended.
    #[inline]
    pub fn leave(&mut self) {
        self.step = None;
    }

    /// The name of the step that was entered last.
    pub(crate) fn step_name(&self) -> Option<&'static str> {
        self.step
            .and_then(|step| self.steps.get(step))
            .map(|info| info.name)
    }

    /// The shared value of that place, which `compute` makes unless another run did.
    pub fn shared<T>(
        &mut self,
        place: usize,
        ops: &SharedOps<T>,
        compute: impl FnOnce() -> Result<T, StepError>,
    ) -> Result<Arc<T>, StepError> {
        let watch = self.watch;
        let compute = || {
            watch.computing(place);
            compute()
        };
        let value = self
            .values
            .get(&self.keys[place], self.step_name(), ops, compute);
        watch.ready(place);
        value.map_err(|failure| {
            let ended = Box::new((failure.0, failure.1.clone()));
            StepError(Cause::Shared(ended))
        })
    }

    /// Whether the field of that ordinal is to be made, in a fill.
    #[inline]
    pub fn lacks(&self, ordinal: usize) -> bool {
        self.makes.contains(&ordinal)
    }

    /// What is recorded of a field, in a fill: as the run had it, or as it was made just now.
    pub(crate) fn recorded<T>(
        &mut self,
        ordinal: usize,
        read: impl FnOnce(&mut RowReader<'_>) -> Result<T, RowError>,
    ) -> Result<T, RowError> {
        // No step is to blame if it cannot be read.
        self.leave();
        self.row
            .field_or(ordinal, self.kept, read)
            .map_err(|error| match error {
                RowError::Read { ref column, .. } | RowError::Sequence { ref column, .. } => {
                    RowError::Given {
                        column: column.clone(),
                        source: Box::new(error),
                    }
                }
                other => other,
            })
    }

    /// What is recorded of the declared sequence of that ordinal, in a fill.
    pub fn given_sequence<T>(&mut self, ordinal: usize) -> Result<Sequence<T>, RowError> {
        self.recorded(ordinal, |row| row.get_sequence())
    }

    /// Puts the declared sequence of that ordinal into the row.
    pub fn put_sequence<T>(
        &mut self,
        ordinal: usize,
        sequence: Sequence<T>,
    ) -> Result<(), RowError> {
        self.row.seek(ordinal);
        self.row.put_sequence(sequence)
    }
}

impl fmt::Debug for Scope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope")
            .field("step", &self.step)
            .finish_non_exhaustive()
    }
}
