//! What a plan comes to before it is executed.

use std::fmt;

use uuid::Uuid;

use super::resume::{find, rules};
use super::{Session, experiment_name};
use crate::declare::Declared;
use crate::execute::{Action, Counts, PlanTask, PointState, visit};
use crate::experiment::Result;
use crate::plan::{Options, Plan};
use crate::row::Layout;
use crate::store::{History, Known};

/// How the points of a plan stand in the file: see [`Session::plan`]. It prints as a table.
#[must_use = "a report tells what would be run, and runs nothing"]
pub struct PlanReport<X: Declared> {
    /// The name of the experiment.
    pub name: String,
    /// How many points stand how.
    pub counts: Counts,
    task: PlanTask<X>,
    layout: Layout,
    options: Options,
    known: Option<Known>,
    history: History,
}

/// How a point stands.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PlannedPoint<P> {
    /// The point.
    pub params: P,
    /// The id of its run.
    pub id_run: Uuid,
    /// How it stands.
    pub state: PointState,
    /// Whether [`Session::resume`] runs it.
    pub runs: bool,
    /// Why it stands so, in words.
    pub reason: String,
}

pub(super) fn plan<X: Declared>(session: &Session, plan: Plan<X>) -> Result<PlanReport<X>> {
    let (task, layout, options, _) = session.prepared(plan)?;
    let declared = X::declaration().name;
    let name = experiment_name(declared, Uuid::nil(), &options)?;
    let store = session.store.as_ref();
    let (known, history) = match find(store, &name, declared, &task, &layout)? {
        Some((known, history)) => (Some(known), history),
        None => (None, History::default()),
    };
    let mut counts = Counts::default();
    let rules = rules(known.as_ref(), &history, &task, &layout, &options);
    visit(&task, |_, _, point| {
        let (state, action) = rules.decide(point);
        counts.add(state, matches!(action, Action::Run | Action::Fill));
    });
    drop(rules);
    Ok(PlanReport {
        name,
        counts,
        task,
        layout,
        options,
        known,
        history,
    })
}

impl<X: Declared> PlanReport<X> {
    /// All points of the plan, in the order of the grid; equal ones once. They are made anew for
    /// each call.
    pub fn points(&self) -> Vec<PlannedPoint<X::Params>> {
        let mut points = Vec::new();
        self.each(|point| points.push(point));
        points
    }

    /// Calls a function with every point, without keeping them.
    pub fn each(&self, mut each: impl FnMut(PlannedPoint<X::Params>)) {
        let rules = rules(
            self.known.as_ref(),
            &self.history,
            &self.task,
            &self.layout,
            &self.options,
        );
        visit(&self.task, |_, point, id| {
            let (state, action) = rules.decide(id);
            each(PlannedPoint {
                params: point.params,
                id_run: Uuid::from_u128(id),
                state,
                runs: matches!(action, Action::Run | Action::Fill),
                reason: rules.reason(id, state, action),
            });
        });
    }
}

impl<X: Declared> fmt::Debug for PlanReport<X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlanReport")
            .field("name", &self.name)
            .field("counts", &self.counts)
            .finish_non_exhaustive()
    }
}

impl<X: Declared> fmt::Display for PlanReport<X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts { points, to_run, .. } = self.counts;
        let of = if points == 1 { "point" } else { "points" };
        write!(f, "{}: {points} {of}, {to_run} to run", self.name)?;
        Ok(())
    }
}
