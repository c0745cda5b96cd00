//! Whether an input of a plan has a value, as a type: an incomplete plan does not compile where it
//! is executed.

use serde::Serialize;

use super::{Plan, PlanError};
use crate::declare::Declared;
use crate::value::{Value, to_value};

/// The input lacks a value.
#[derive(Clone, Copy, Debug)]
pub enum Missing {}

/// The input has a value.
#[derive(Clone, Copy, Debug)]
pub enum Given {}

/// It is checked at run time whether the input has a value: see [`AnyPlan`].
#[derive(Clone, Copy, Debug)]
pub enum Any {}

/// What becomes of an input's state when it is given a value.
pub trait Slot {
    /// The state afterwards.
    type Filled;
}

impl Slot for Missing {
    type Filled = Given;
}

impl Slot for Given {
    type Filled = Given;
}

impl Slot for Any {
    type Filled = Any;
}

/// A plan whose type stays the same whatever inputs it is given, as `.any()` makes it: for loops,
/// and for values that come from files. What it lacks is told when it is executed.
///
/// ```
/// # use xp::prelude::*;
/// # #[step] fn area(a: u32, b: u32) -> u32 { a * b }
/// # #[experiment] fn areas(#[param] a: u32, #[param] b: u32) { #[field] let area: u32 = area(a, b); }
/// let mut plan = areas().any();
/// for (name, values) in [("a", vec![1, 2]), ("b", vec![3])] {
///     plan.set(name, values)?;
/// }
/// assert_eq!(Session::in_memory()?.execute(plan)?.runs().count(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait AnyPlan {
    /// Sets an input, or a member of a flattened one, that is not named before the program runs.
    #[doc(hidden)]
    fn set_values(&mut self, name: &str, values: Vec<Value>) -> Result<(), PlanError>;

    #[doc(hidden)]
    fn experiment(&self) -> &'static str;

    /// Gives an input its values, by its name. A config takes one.
    ///
    /// # Errors
    ///
    /// There is no input of that name, or a value is not of its type.
    fn set<V: Serialize>(
        &mut self,
        name: &str,
        values: impl IntoIterator<Item = V>,
    ) -> Result<&mut Self, PlanError> {
        let values = values.into_iter().map(|value| to_value(&value));
        let values =
            values
                .collect::<Result<Vec<_>, _>>()
                .map_err(|source| PlanError::WrongType {
                    experiment: self.experiment(),
                    input: "values",
                    expected: "value that can be recorded",
                    source,
                })?;
        self.set_values(name, values)?;
        Ok(self)
    }
}

/// `.any()` on the plan of an experiment.
pub trait IntoAny {
    /// The plan whose type stays the same.
    type Any: AnyPlan;

    /// Gives up the check of the compiler that no input is missing: see [`AnyPlan`].
    fn any(self) -> Self::Any;
}

/// A plan, whether it is complete or not.
///
/// What can be done with a complete plan only is a method that asks for [`IntoPlan`](super::IntoPlan),
/// and not a trait that an incomplete plan lacks: so the compiler says which input is missing, and
/// not that there is no such method.
pub trait Planned {
    /// The experiment whose plan it is.
    type Of: Declared;
}

/// A plan whose configs all have a value.
#[doc(hidden)]
pub trait HasConfigs {}

/// `.points(..)` on the plan of an experiment.
pub trait WithPoints: Planned {
    /// The plan of exactly these points, in place of a grid. Equal points are one. All configs
    /// have a value.
    fn points(
        self,
        points: impl IntoIterator<Item = <Self::Of as Declared>::Params>,
    ) -> Plan<Self::Of>
    where
        Self: HasConfigs;
}
