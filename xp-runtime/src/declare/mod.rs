//! What `#[experiment]` leaves for the runtime: data about the inputs and fields, and one function
//! that runs the steps. Everything else follows from it here.

mod baseline;
mod continues;
mod field;
mod input;
mod slice;
#[cfg(test)]
mod tests;
mod visit;

use std::sync::Arc;

pub use baseline::{Baseline, Recorded};
pub use continues::{Continues, RunsKind};
pub use field::FieldOps;
pub use input::{InputCause, InputError, InputOps, not_sent};
pub(crate) use slice::Portion;
pub use slice::{FieldInfo, Slice, same_type};
pub(crate) use visit::See;
pub use visit::Visitor;

use crate::exception::StepError;
use crate::row::{Layout, RowError, RowReader};
use crate::run::{Run, RunKind};
use crate::scope::Scope;
use crate::step::StepInfo;
use crate::value::{Value, ValueError};

/// Whether an input is a config or a param.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InputRole {
    /// One value per execution.
    Config,
    /// A value per point.
    Param,
    /// Read from the run that is there, in an experiment that continues another.
    Read,
}

/// An input of an experiment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputInfo {
    /// The input's name.
    pub name: &'static str,
    /// Its doc comment.
    pub doc: &'static str,
    /// Its type, as it is written.
    pub ty: &'static str,
    /// Config or param.
    pub role: InputRole,
    /// Whether it is part of a point's identity.
    pub identity: bool,
    /// Whether it is recorded as a column.
    pub recorded: bool,
    /// Its place among the inputs, from 0.
    pub position: usize,
}

/// What is declared of an experiment.
#[derive(Clone, Copy, Debug)]
pub struct Declaration {
    /// The experiment's name, which is part of its points' identities.
    pub name: &'static str,
    /// Its doc comment.
    pub doc: &'static str,
    /// The module in which it is.
    pub module: &'static str,
    /// Config and params, in order.
    pub inputs: &'static [InputInfo],
    /// The steps, in order.
    pub steps: &'static [&'static StepInfo],
    /// Declared sequences, then fields in the order of the body: a field's place is its ordinal.
    pub fields: &'static [FieldInfo],
    /// Parts of the body that make some of the fields; the last one can make any.
    pub slices: &'static [Slice],
    /// For each shared value, in order, the positions of the inputs on which it depends.
    pub shared: &'static [&'static [usize]],
    /// Whether a step takes the run.
    pub uses_run: bool,
    /// Whether there is a `#[state]`.
    pub keeps_state: bool,
}

/// Implemented by the type that `#[experiment]` leaves, such as `Iris`.
pub trait Declared: RunKind<Inner = ()> + 'static {
    /// The values of the config inputs.
    type Config: Send + Sync + 'static;
    /// The values of the params: a point.
    type Params: Clone + Send + Sync + 'static;
    /// The values that inputs are taken to have had before they existed.
    type Absents: Send + Sync + 'static;

    /// What is declared.
    fn declaration() -> &'static Declaration;
    /// Evaluates the `absent` and `default` expressions.
    fn absents() -> Self::Absents;
    /// Names the columns, inputs first.
    fn layout(layout: &mut Layout);
    /// Shows each input to a visitor, in the order of the declaration.
    fn visit(
        config: &Self::Config,
        params: &Self::Params,
        absents: &Self::Absents,
        visitor: &mut Visitor<'_, '_>,
    ) -> Result<(), InputError>;
    /// Defaults and absent values of the inputs, in the order of the declaration; of a flattened
    /// input, those of its members.
    fn baselines(absents: &Self::Absents) -> Result<Vec<Baseline>, InputError>;
    /// Makes a point of the values that [`visit`](Self::visit) sent, in the order of the declaration.
    fn receive(values: Vec<Value>) -> Result<(Self::Config, Self::Params), InputError>;
    /// Runs the steps, and puts the fields into the scope's row.
    fn steps(
        config: &Self::Config,
        params: &Self::Params,
        run: &mut Run,
        scope: &mut Scope<'_>,
    ) -> Result<Self::State, StepError>;
    /// Runs the statements of a slice, by its place in [`Declaration::slices`], and puts those of its
    /// fields into the scope's row that the scope lacks. What the statements leave as state is
    /// dropped.
    fn fill(
        slice: usize,
        config: &Self::Config,
        params: &Self::Params,
        run: &mut Run,
        scope: &mut Scope<'_>,
    ) -> Result<(), StepError>;
    /// Reads the recorded inputs and the fields, in the order of the layout.
    fn read(row: &mut RowReader<'_>) -> Result<Self::Fields, RowError>;
    /// What it continues; `None` if it makes runs of its own.
    fn continues() -> Option<Continues> {
        None
    }
    /// Names the columns that are read of the runs that are there: behind those of
    /// [`layout`](Self::layout) for [`read`](Self::read), and alone for [`take`](Self::take).
    fn reads(layout: &mut Layout) {
        let _ = layout;
    }
    /// Reads what a run has that is there.
    fn take(row: &mut RowReader<'_>) -> Result<Self::Params, RowError> {
        let _ = row;
        Err(RowError::Read {
            column: "id_run".to_owned(),
            source: ValueError::new("its experiment continues none"),
        })
    }
}

/// A point of an experiment: params, with the config of the part of the plan they come from.
#[derive(Debug)]
pub(crate) struct Point<X: Declared> {
    pub(crate) config: Arc<X::Config>,
    pub(crate) params: X::Params,
}
