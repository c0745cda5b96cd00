//! What the generated body of an experiment works with: the step at which it is, the shared values
//! that it needs, and the row that it fills.

use std::fmt;
use std::sync::Arc;

use crate::bounds::SharedOps;
use crate::exception::{Cause, StepError};
use crate::row::{RowError, RowWriter};
use crate::sequence::Sequence;
use crate::shared::{SharedKey, SharedValues};
use crate::step::StepInfo;

/// See the module's text.
pub struct Scope<'a> {
    pub(crate) row: RowWriter<'a>,
    pub(crate) values: &'a SharedValues,
    pub(crate) keys: &'a [SharedKey],
    pub(crate) steps: &'a [&'static StepInfo],
    /// The step that was entered last; `None` outside of the steps.
    pub(crate) step: Option<usize>,
    /// Called with the place of a shared value once it is there.
    pub(crate) ready: &'a dyn Fn(usize),
    /// Called with the ordinal of a field once it is in the row, while steps are still to come.
    pub(crate) reached: Option<&'a Reached>,
}

/// What is told of a field that has been reached: its ordinal, and the row that has it.
pub(crate) type Reached = dyn Fn(usize, &RowWriter<'_>);

impl Scope<'_> {
    /// Says which step comes next.
    #[inline]
    pub fn enter(&mut self, step: usize) {
        self.step = Some(step);
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
        let value = self
            .values
            .get(&self.keys[place], self.step_name(), ops, compute);
        (self.ready)(place);
        value.map_err(|failure| {
            let ended = Box::new((failure.0, failure.1.clone()));
            StepError(Cause::Shared(ended))
        })
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
