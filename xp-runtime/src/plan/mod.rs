//! Plans: which points an execution has, and how it goes about them.

mod axis;
mod error;
mod grid;
mod isolation;
mod options;
mod points;
mod rerun;
mod slot;

use std::fmt;
use std::sync::Arc;

pub use axis::{Axis, ValueOf, values};
pub use error::PlanError;
pub use grid::{Grid, union};
pub(crate) use isolation::{Crossing, Limits};
pub use isolation::{CrossingState, Isolation, IsolationError};
pub(crate) use options::OnRun;
pub use options::{Options, Order, PlanOptions, Policy, RunEnded};
pub use points::Axes;
pub(crate) use points::{Points, ZipError};
pub use rerun::{Limited, Rerun};
pub use slot::{Any, AnyPlan, Given, HasConfigs, IntoAny, Missing, Planned, Slot, WithPoints};

use crate::declare::{Declared, Point};

/// A complete plan: the points of an experiment, and the options of their execution.
///
/// `#[experiment] fn iris(..)` leaves `fn iris() -> IrisPlan`, which has a setter for each input;
/// with all of them given it becomes a `Plan<Iris>`, by itself, where one is asked for. Points are
/// made when they are needed: a plan of 10⁹ points costs no more memory than one of 10. Where a
/// plan is asked for, a reference to one will do.
#[must_use = "a plan does nothing until a session executes it"]
pub struct Plan<X: Declared> {
    pub(crate) parts: Vec<Part<X>>,
    /// Sorts the points, given by their index.
    pub(crate) order_by: Option<OrderBy<X>>,
    pub(crate) options: Options,
    /// Whether a point is not attempted, once another one has failed.
    pub(crate) prune: Option<Prune<X>>,
    /// Set if the runs are to have processes of their own.
    pub(crate) crossing: Option<Crossing<X::State>>,
    pub(crate) error: Option<PlanError>,
}

pub(crate) type OrderBy<X> = Arc<dyn Fn(&[Part<X>]) -> Vec<u64> + Send + Sync>;

/// Whether the first point is not attempted, once the second one has failed.
pub(crate) type Prune<X> =
    Arc<dyn Fn(&<X as Declared>::Params, &<X as Declared>::Params) -> bool + Send + Sync>;

/// Points that have the config in common.
pub(crate) struct Part<X: Declared> {
    pub(crate) config: Arc<X::Config>,
    pub(crate) points: Arc<dyn Points<X::Params>>,
}

impl<X: Declared> Clone for Part<X> {
    fn clone(&self) -> Self {
        Self {
            config: Arc::clone(&self.config),
            points: Arc::clone(&self.points),
        }
    }
}

impl<X: Declared> Part<X> {
    pub(crate) fn point(&self, i: u64) -> Option<Point<X>> {
        let params = self.points.get(i)?;
        Some(Point {
            config: Arc::clone(&self.config),
            params,
        })
    }
}

/// A clone shares the points and their values, whatever their number.
impl<X: Declared> Clone for Plan<X> {
    fn clone(&self) -> Self {
        Self {
            parts: self.parts.clone(),
            order_by: self.order_by.clone(),
            crossing: self.crossing,
            prune: self.prune.clone(),
            options: self.options.clone(),
            error: self.error.clone(),
        }
    }
}

impl<X: Declared> Plan<X> {
    /// The product of the axes: what the generated plan becomes.
    #[doc(hidden)]
    pub fn product(
        config: X::Config,
        axes: impl Axes<X::Params>,
        options: Options,
    ) -> Result<Self, PlanError> {
        let points = points::Product::new(X::declaration().name, axes)?;
        Ok(Self::of(config, Arc::new(points), options))
    }

    /// The runs of another experiment that are there.
    #[doc(hidden)]
    pub fn of_runs(config: X::Config, options: Options) -> Self {
        Self::of(config, Arc::new(points::OfRuns), options)
    }

    /// Points that are given as such.
    #[doc(hidden)]
    pub fn listed(
        config: X::Config,
        points: Vec<X::Params>,
        options: Options,
    ) -> Result<Self, PlanError> {
        let experiment = X::declaration().name;
        if points.is_empty() {
            return Err(PlanError::Empty {
                experiment,
                input: "the points".to_owned(),
            });
        }
        Ok(Self::of(config, Arc::new(points::Listed(points)), options))
    }

    fn of(config: X::Config, points: Arc<dyn Points<X::Params>>, options: Options) -> Self {
        let parts = vec![Part {
            config: Arc::new(config),
            points,
        }];
        Self {
            parts,
            order_by: None,
            options,
            crossing: None,
            prune: None,
            error: None,
        }
    }

    /// A plan that is known to be in error; executing it returns the error.
    #[doc(hidden)]
    pub fn failed(error: PlanError) -> Self {
        Self {
            parts: Vec::new(),
            order_by: None,
            options: Options::default(),
            crossing: None,
            prune: None,
            error: Some(error),
        }
    }

    /// How many points there are at most: those that a filter leaves out count.
    pub fn size(&self) -> u64 {
        self.parts
            .iter()
            .map(|part| part.points.len())
            .fold(0, u64::saturating_add)
    }

    /// The params of the points, in the order of the grid, without those that a filter leaves out.
    pub fn params(&self) -> impl Iterator<Item = X::Params> + '_ {
        self.parts
            .iter()
            .flat_map(|part| (0..part.points.len()).filter_map(move |i| part.points.get(i)))
    }
}

impl<X: Declared> fmt::Debug for Plan<X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan")
            .field("experiment", &X::declaration().name)
            .field("size", &self.size())
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

/// What becomes a plan: a [`Plan`] itself, and the plan that an experiment's function returns as
/// soon as it lacks no input.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no complete plan",
    label = "this is not a complete plan",
    note = "call the experiment's function and give its inputs values: `iris().k([1, 3])`"
)]
pub trait IntoPlan: Clone {
    /// The experiment whose plan it is.
    type Experiment: Declared;

    /// Makes the plan. What is wrong with it (an empty grid, say) is told when it is executed.
    fn into_plan(self) -> Plan<Self::Experiment>;
}

/// A plan that is still needed afterwards: `session.execute(&plan)` leaves it as it was.
impl<P: IntoPlan> IntoPlan for &P {
    type Experiment = P::Experiment;

    fn into_plan(self) -> Plan<P::Experiment> {
        self.clone().into_plan()
    }
}

impl<X: Declared> Planned for Plan<X> {
    type Of = X;
}

impl<X: Declared> IntoPlan for Plan<X> {
    type Experiment = X;

    fn into_plan(self) -> Self {
        self
    }
}

impl<X: Declared> PlanOptions for Plan<X> {
    fn options_mut(&mut self) -> &mut Options {
        &mut self.options
    }
}
