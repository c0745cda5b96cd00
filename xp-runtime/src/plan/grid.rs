//! What can be made of a plan's points.

use std::sync::Arc;

use super::points::{Filter, Map, Points, ZipError};
use super::{
    Crossing, CrossingState, IntoPlan, Isolation, Options, Part, Plan, PlanError, Planned,
};
use crate::declare::Declared;
use crate::run::RunKind;

/// What can be made of a complete plan's points. An input of the same name has the method to
/// itself; what is meant then is written as a function: `Grid::filter(plan, ..)`.
pub trait Grid: Planned + Sized {
    /// Pairs the inputs' values instead of combining all of them: the first point has the first
    /// value of each input, and so on. An input with one value has it in every point.
    fn zip(self) -> Plan<Self::Of>
    where
        Self: IntoPlan<Experiment = Self::Of>,
    {
        let experiment = Self::Of::declaration().name;
        self.into_plan().try_each(|points| {
            points.zip().map_err(|error| match error {
                ZipError::NoProduct => PlanError::ZipOrder { experiment },
                ZipError::OfRuns => PlanError::OfRuns { experiment },
                ZipError::Lengths(found) => PlanError::ZipLengths { experiment, found },
            })
        })
    }

    /// Leaves out the points for which `keep` is false.
    fn filter<F>(self, keep: F) -> Plan<Self::Of>
    where
        Self: IntoPlan<Experiment = Self::Of>,
        F: Fn(&<Self::Of as Declared>::Params) -> bool + Send + Sync + 'static,
    {
        let keep = Arc::new(keep);
        self.into_plan().each(move |points| {
            let keep = Arc::clone(&keep);
            Arc::new(Filter {
                points,
                keep: move |p: &_| keep(p),
            })
        })
    }

    /// Changes every point, to bring points that mean the same into one form: equal points are one.
    fn map<F>(self, change: F) -> Plan<Self::Of>
    where
        Self: IntoPlan<Experiment = Self::Of>,
        F: Fn(<Self::Of as Declared>::Params) -> <Self::Of as Declared>::Params
            + Send
            + Sync
            + 'static,
    {
        let change = Arc::new(change);
        self.into_plan().each(move |points| {
            let change = Arc::clone(&change);
            Arc::new(Map {
                points,
                change: move |p| change(p),
            })
        })
    }

    /// Attempts the points in the order of a key, the smallest first. The points are all made once
    /// to be sorted; eight bytes of each stay in memory.
    fn order_by_key<K: Ord, F>(self, key: F) -> Plan<Self::Of>
    where
        Self: IntoPlan<Experiment = Self::Of>,
        F: Fn(&<Self::Of as Declared>::Params) -> K + Send + Sync + 'static,
    {
        let mut plan = self.into_plan();
        plan.order_by = Some(Arc::new(move |parts: &[Part<Self::Of>]| {
            let mut keyed = Vec::new();
            let mut first = 0;
            for part in parts {
                let len = part.points.len();
                keyed.extend((0..len).filter_map(|i| Some((key(&part.points.get(i)?), first + i))));
                first += len;
            }
            keyed.sort();
            keyed.into_iter().map(|(_, i)| i).collect()
        }));
        plan
    }

    /// Does not attempt a point once another one has failed for which `is_needless` is true, given
    /// the point and the one that failed: what is larger than what took too long, say. It ends as
    /// [`Pruned`](crate::Outcome::Pruned), which is no failure, and is looked at again by the next
    /// `resume`. With [`order_by_key`](Grid::order_by_key) the small points come first; runs that
    /// are under way when one fails go on. What fails in other processes that share the sweep at the
    /// same time prunes nothing here.
    ///
    /// ```
    /// # use xp::prelude::*;
    /// # #[step] fn solve(n: u32) -> Result<u32, String> { if n < 8 { Ok(n) } else { Err("too large".into()) } }
    /// # #[experiment] fn solving(#[param] n: u32) { #[field] let m: u32 = solve(n)?; }
    /// let plan = solving().n([4, 8, 16, 32]).order_by_key(|p| p.n).prune(|p, failed| p.n > failed.n);
    /// let session = Session::in_memory()?;
    /// let Err(xp::Error::RunsFailed(failed)) = session.resume(plan.jobs(1)) else { panic!("8 fails") };
    /// assert_eq!((failed.completed, failed.failed), (1, 1));
    /// # Ok::<(), xp::Error>(())
    /// ```
    fn prune<F>(self, is_needless: F) -> Plan<Self::Of>
    where
        Self: IntoPlan<Experiment = Self::Of>,
        F: Fn(&<Self::Of as Declared>::Params, &<Self::Of as Declared>::Params) -> bool
            + Send
            + Sync
            + 'static,
    {
        let mut plan = self.into_plan();
        plan.prune = Some(Arc::new(is_needless));
        plan
    }

    /// Says where the runs run: on threads, which is the default, or in processes of their own,
    /// where a run that aborts, exits or runs out of memory leaves the others in peace, and can
    /// have limits ([`PlanOptions::time_limit`](super::PlanOptions::time_limit)).
    ///
    /// `main` must begin with [`child_main`](crate::child_main). Inputs, fields and states cross as
    /// data: an input with a `key` cannot, and a `#[state]` must be `Serialize`. What else a step
    /// finds in its process (statics, open files) is that of the child, which serves many runs.
    /// With `#[shared]` values, one child has all runs that need the same, and no other one helps
    /// it; where the plan sets the order of the points, every child computes what its runs need.
    fn isolate(self, isolation: Isolation) -> Plan<Self::Of>
    where
        Self: IntoPlan<Experiment = Self::Of>,
        <Self::Of as RunKind>::State: CrossingState,
    {
        let mut plan = self.into_plan();
        plan.crossing = match isolation {
            Isolation::Thread => None,
            Isolation::Process => Some(Crossing::new()),
        };
        plan
    }
}

impl<T: Planned> Grid for T {}

impl<X: Declared> Plan<X> {
    fn each(
        mut self,
        change: impl Fn(Arc<dyn Points<X::Params>>) -> Arc<dyn Points<X::Params>>,
    ) -> Self {
        self.parts = self
            .parts
            .into_iter()
            .map(|part| Part {
                config: part.config,
                points: change(part.points),
            })
            .collect();
        self
    }

    fn try_each(
        mut self,
        change: impl Fn(Arc<dyn Points<X::Params>>) -> Result<Arc<dyn Points<X::Params>>, PlanError>,
    ) -> Self {
        let mut parts = Vec::new();
        for part in self.parts {
            match change(part.points) {
                Ok(points) => parts.push(Part {
                    config: part.config,
                    points,
                }),
                Err(error) => return Self::failed(error),
            }
        }
        self.parts = parts;
        self
    }
}

/// One plan with the points of several, for grids in which one input depends on another, and for
/// parts with other configs. Equal points are one. The options are those of the first plan.
///
/// ```
/// # use xp::prelude::*;
/// # #[derive(Clone, Copy, serde::Serialize, serde::Deserialize)] enum Algorithm { Quadratic, Fast }
/// # #[step] fn time(_algorithm: Algorithm, n: u64) -> f64 { n as f64 }
/// # #[experiment] fn sort(#[param] algorithm: Algorithm, #[param] n: u64) { #[field] let time: f64 = time(algorithm, n); }
/// let plan = xp::union([
///     sort().algorithm([Algorithm::Quadratic]).n([100, 1_000]),
///     sort().algorithm([Algorithm::Fast]).n([100, 1_000, 1_000_000]),
/// ]);
/// assert_eq!(plan.size(), 5);
/// ```
pub fn union<P: IntoPlan>(plans: impl IntoIterator<Item = P>) -> Plan<P::Experiment> {
    let mut all: Option<Plan<P::Experiment>> = None;
    for plan in plans {
        let plan = plan.into_plan();
        if plan.error.is_some() {
            return plan;
        }
        match &mut all {
            None => all = Some(plan),
            Some(all) => all.parts.extend(plan.parts),
        }
    }
    all.unwrap_or_else(|| {
        let experiment = P::Experiment::declaration().name;
        let error = PlanError::Empty {
            experiment,
            input: "the union".to_owned(),
        };
        Plan {
            options: Options::default(),
            ..Plan::failed(error)
        }
    })
}
