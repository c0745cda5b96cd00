//! What a plan comes to before it is executed.

use std::fmt;

use uuid::Uuid;

use super::resume::{find, rules};
use super::{Session, continued, experiment_name, strangers};
use crate::attempt::Task;
use crate::continued::There;
use crate::declare::Declared;
use crate::exception::Outcome;
use crate::execute::{Action, Counts, PointState, Rules, visit, visit_standings};
use crate::experiment::Result;
use crate::plan::Plan;
use crate::store::History;

/// How the points of a plan stand in the file: see [`Session::plan`]. It prints as a table.
#[must_use = "a report tells what would be run, and runs nothing"]
pub struct PlanReport<X: Declared> {
    /// The name of the experiment.
    pub name: String,
    /// How many points stand how.
    pub counts: Counts,
    /// The points by the reason for which they stand so, in words.
    pub groups: Vec<PlannedGroup>,
    /// Why runs of the file are none of these points, if the inputs have changed since.
    pub hints: Vec<String>,
    each: Each<X::Params>,
}

/// Calls a function with every point.
type Each<P> = Box<dyn Fn(&mut dyn FnMut(PlannedPoint<P>)) + Send + Sync>;

/// Points that stand in the same way for the same reason.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlannedGroup {
    /// How they stand.
    pub state: PointState,
    /// How many they are.
    pub points: u64,
    /// Whether [`Session::resume`] runs them.
    pub runs: bool,
    /// Why they stand so, in words.
    pub reason: String,
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
    if let Some(continues) = X::continues() {
        let ready = continued::ready(session, plan, &continues)
            .map_err(|error| error.of_continuing(X::declaration().name))?;
        let (counts, groups) = count(&ready.task, &ready.rules(), &ready.found.history);
        let name = ready.name.clone();
        let each: Each<X::Params> = Box::new(move |each| {
            // A run that cannot be read fails when it is to be run, and has no params to show.
            let params = |point: There<X>| point.params.ok();
            let history = &ready.found.history;
            show(&ready.task, (&ready.rules(), history), params, each);
        });
        return Ok(PlanReport {
            name,
            counts,
            groups,
            hints: Vec::new(),
            each,
        });
    }
    let (task, layout, options, _) = session.prepared(plan)?;
    let declared = X::declaration().name;
    let name = experiment_name(declared, Uuid::nil(), &options)?;
    let store = session.store.on(options.terms());
    let store = store.as_ref();
    let (known, history) = match find(store, &name, declared, &task, &layout)? {
        Some((known, history)) => (Some(known), history),
        None => (None, History::default()),
    };
    let today = rules(known.as_ref(), &history, &task, &layout, &options);
    let (counts, groups) = count(&task, &today, &history);
    drop(today);
    let hints = match &known {
        Some(known) if counts.missing > 0 => {
            let baselines = task.baselines().map_err(Box::new)?;
            strangers::hints(known, &history, &baselines)
        }
        _ => Vec::new(),
    };
    let each: Each<X::Params> = Box::new(move |each| {
        let rules = rules(known.as_ref(), &history, &task, &layout, &options);
        show(&task, (&rules, &history), |point| Some(point.params), each);
    });
    Ok(PlanReport {
        name,
        counts,
        groups,
        hints,
        each,
    })
}

/// How many points stand how, and why.
fn count<T: Task>(task: &T, rules: &Rules<'_>, history: &History) -> (Counts, Vec<PlannedGroup>) {
    let mut counts = Counts::default();
    let mut groups = Vec::<(Why, PlannedGroup)>::new();
    visit_standings(task, history, |_, point, standing| {
        let (state, action) = rules.decide(point, standing);
        let runs = matches!(action, Action::Run | Action::Fill);
        counts.add(state, runs);
        let why = (
            state,
            action,
            standing.and_then(|standing| standing.makers),
            standing.map(|standing| standing.outcome),
        );
        match groups.iter_mut().find(|(known, _)| *known == why) {
            Some((_, group)) => group.points += 1,
            None => {
                let reason = rules.reason(point, state, action);
                let group = PlannedGroup {
                    state,
                    points: 1,
                    runs,
                    reason,
                };
                groups.push((why, group));
            }
        }
    });
    (counts, joined(groups.into_iter().map(|(_, group)| group)))
}

/// Calls a function with every point.
fn show<T: Task, P>(
    task: &T,
    (rules, history): (&Rules<'_>, &History),
    params: impl Fn(T::Point) -> Option<P>,
    each: &mut dyn FnMut(PlannedPoint<P>),
) {
    visit(task, |_, point, id| {
        let Some(params) = params(point) else { return };
        let (state, action) = rules.decide(id, history.points.get(&id));
        each(PlannedPoint {
            params,
            id_run: Uuid::from_u128(id),
            state,
            runs: matches!(action, Action::Run | Action::Fill),
            reason: rules.reason(id, state, action),
        });
    });
}

/// What the reason depends on.
type Why = (PointState, Action, Option<u32>, Option<Outcome>);

/// One group for each reason, the largest first.
fn joined(groups: impl Iterator<Item = PlannedGroup>) -> Vec<PlannedGroup> {
    let mut all = Vec::<PlannedGroup>::new();
    for group in groups {
        let same = |other: &&mut PlannedGroup| {
            (other.state, other.runs, &other.reason) == (group.state, group.runs, &group.reason)
        };
        match all.iter_mut().find(same) {
            Some(other) => other.points += group.points,
            None => all.push(group),
        }
    }
    all.sort_by_key(|group| std::cmp::Reverse(group.points));
    all
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
        (self.each)(&mut each);
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
        let width = |text: &dyn Fn(&PlannedGroup) -> usize| self.groups.iter().map(text).max();
        let digits = width(&|group| group.points.to_string().len()).unwrap_or_default();
        let state = width(&|group| group.state.as_str().len()).unwrap_or_default();
        for group in &self.groups {
            let runs = if group.runs { "run " } else { "keep" };
            write!(
                f,
                "\n  {:>digits$} {:state$}  {runs}  {}",
                group.points,
                group.state.as_str(),
                group.reason
            )?;
        }
        self.hints.iter().try_for_each(|hint| write!(f, "\n{hint}"))
    }
}
