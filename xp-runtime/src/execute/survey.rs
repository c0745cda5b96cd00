//! Before an experiment is continued: how each of its points stands, and which are run.

use std::collections::{HashMap, HashSet};
use std::fmt;

use super::facts::{Facts, Obstacle};
use crate::attempt::Task;
use crate::exception::Outcome;
use crate::identity::Inputs;
use crate::panic;
use crate::plan::{Limited, Rerun};
use crate::row::Layout;
use crate::store::{History, Known, Limits, Standing};

/// How a point of a plan stands in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PointState {
    /// It was never attempted.
    Missing,
    /// Its run completed, and has all declared fields.
    Complete,
    /// Its run completed, and lacks a field that was declared later.
    Partial,
    /// Its run completed, with steps that have changed since.
    Stale,
    /// Its last attempt ended like this: failed, panicked, timed out, and so on.
    Failed(Outcome),
    /// A step said that there is nothing to compute.
    Skipped,
    /// It was not run, since a smaller point had failed ([`prune`](crate::Grid::prune)).
    Pruned,
    /// Its process died, or was asked to stop, before it ended.
    Interrupted,
    /// Another process is about to run it.
    Claimed,
}

impl PointState {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Complete => "complete",
            Self::Partial => "partial",
            Self::Stale => "stale",
            Self::Failed(_) => "failed",
            Self::Skipped => "skipped",
            Self::Pruned => "pruned",
            Self::Interrupted => "interrupted",
            Self::Claimed => "claimed",
        }
    }
}

impl fmt::Display for PointState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How many points of a plan stand how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// All points, equal ones counted once.
    pub points: u64,
    /// Those that were never attempted.
    pub missing: u64,
    /// Those whose runs completed, with all fields and today's steps.
    pub complete: u64,
    /// Those whose runs lack a field.
    pub partial: u64,
    /// Those whose steps have changed since.
    pub stale: u64,
    /// Those that failed.
    pub failed: u64,
    /// Those for which there is nothing to compute.
    pub skipped: u64,
    /// Those that were not run, since a smaller point had failed.
    pub pruned: u64,
    /// Those that were interrupted or cancelled.
    pub interrupted: u64,
    /// Those that another process is about to run.
    pub claimed: u64,
    /// Those that are run when the plan is resumed.
    pub to_run: u64,
}

impl Counts {
    pub(crate) fn add(&mut self, state: PointState, runs: bool) {
        self.points += 1;
        self.to_run += u64::from(runs);
        *match state {
            PointState::Missing => &mut self.missing,
            PointState::Complete => &mut self.complete,
            PointState::Partial => &mut self.partial,
            PointState::Stale => &mut self.stale,
            PointState::Failed(_) => &mut self.failed,
            PointState::Skipped => &mut self.skipped,
            PointState::Pruned => &mut self.pruned,
            PointState::Interrupted => &mut self.interrupted,
            PointState::Claimed => &mut self.claimed,
        } += 1;
    }
}

/// What is to be done with a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Nothing.
    Keep,
    Run,
    /// Only the missing fields are computed.
    Fill,
    /// Nothing, as long as another process is about to run it.
    Wait,
}

/// Decides about points.
pub(crate) struct Rules<'a> {
    known: Option<&'a Known>,
    history: &'a History,
    rerun: Rerun,
    fill: bool,
    limits: Limits,
    /// By the place in [`History::makers`].
    facts: Vec<Facts>,
    /// Runs that were continued with another config.
    other: HashSet<u128>,
}

impl<'a> Rules<'a> {
    pub(crate) fn new<T: Task>(
        known: Option<&'a Known>,
        history: &'a History,
        task: &T,
        layout: &Layout,
        (rerun, fill, limits): (Rerun, bool, Limits),
    ) -> Self {
        let facts = |makers: &Vec<u32>| {
            let makers = makers
                .iter()
                .filter_map(|place| known?.executions.get(*place as usize));
            Facts::new(task, layout, &makers.collect::<Vec<_>>())
        };
        Self {
            known,
            history,
            rerun,
            fill,
            limits,
            facts: history.makers.iter().map(facts).collect(),
            other: HashSet::new(),
        }
    }

    /// With runs that were continued with another config than today's.
    pub(crate) fn with_other(self, other: HashSet<u128>) -> Self {
        Self { other, ..self }
    }

    /// By the place in [`History::makers`], the declared columns that are lacking.
    pub(crate) fn into_lacks(self) -> Vec<Vec<String>> {
        self.facts.into_iter().map(|facts| facts.lacks).collect()
    }

    fn facts(&self, standing: &Standing) -> Option<&Facts> {
        self.facts.get(standing.makers? as usize)
    }

    /// How a point stands that stood like this at its last attempt, and what is to be done with it.
    pub(crate) fn decide(&self, point: u128, standing: Option<&Standing>) -> (PointState, Action) {
        let free = self.decide_if_free(point, standing);
        if !self.history.taken.contains(&point) {
            return free;
        }
        // What another one runs by a policy of its own need not be waited for.
        let waits = free.1 != Action::Keep;
        let action = if waits { Action::Wait } else { Action::Keep };
        (PointState::Claimed, action)
    }

    /// The same where no other process is about to run the point, or where it dies before.
    fn decide_if_free(&self, point: u128, standing: Option<&Standing>) -> (PointState, Action) {
        let run = |again: bool| if again { Action::Run } else { Action::Keep };
        let Some(standing) = standing else {
            return if self.history.lost.contains(&point) {
                (PointState::Interrupted, Action::Run)
            } else {
                (PointState::Missing, Action::Run)
            };
        };
        if let Some(facts) = self.facts(standing) {
            if facts.other_runs || self.other.contains(&point) {
                return (PointState::Stale, run(self.rerun.stale));
            }
            let is_stale = !facts.changed.is_empty();
            if facts.lacks.is_empty() && !is_stale {
                return (PointState::Complete, Action::Keep);
            }
            if is_stale && (facts.lacks.is_empty() || self.rerun.stale) {
                return (PointState::Stale, run(self.rerun.stale));
            }
            return match &facts.obstacle {
                _ if self.rerun.partial => (PointState::Partial, Action::Run),
                Some(Obstacle::Changed(_)) if is_stale => (PointState::Stale, Action::Keep),
                Some(_) => (PointState::Partial, Action::Keep),
                None if self.fill => (PointState::Partial, Action::Fill),
                None => (PointState::Partial, Action::Keep),
            };
        }
        if self.history.lost.contains(&point) {
            return (PointState::Interrupted, Action::Run);
        }
        match standing.outcome {
            Outcome::Skipped => (PointState::Skipped, run(self.rerun.skipped)),
            Outcome::Pruned => (PointState::Pruned, run(self.rerun.pruned)),
            Outcome::Interrupted | Outcome::Cancelled => (PointState::Interrupted, Action::Run),
            outcome @ (Outcome::TimedOut | Outcome::OutOfMemory) => {
                let again = match self.rerun.limited {
                    Limited::Always => true,
                    Limited::Never => false,
                    Limited::WithLargerLimit => self.limit_is_larger(outcome, standing),
                };
                (PointState::Failed(outcome), run(again))
            }
            outcome => (PointState::Failed(outcome), run(self.rerun.failed)),
        }
    }

    /// Whether a run that exceeded a limit may have more now.
    fn limit_is_larger(&self, outcome: Outcome, standing: &Standing) -> bool {
        let executions = self.known.map(|known| &known.executions);
        let Some(then) = executions.and_then(|all| all.get(standing.last as usize)) else {
            return true;
        };
        let (then, now) = (then.limits, self.limits);
        let larger = |then: Option<f64>, now: Option<f64>| match (then, now) {
            (Some(then), Some(now)) => now > then,
            (Some(_), None) => true,
            (None, _) => false,
        };
        match outcome {
            Outcome::OutOfMemory => match (then.memory, now.memory) {
                (Some(then), Some(now)) => now > then,
                (_, None) => then.memory.is_some(),
                (None, Some(_)) => false,
            },
            // It is not known which of the two it was.
            _ => larger(then.time, now.time) || larger(then.cpu, now.cpu),
        }
    }

    /// Why a point stands as it does, in words.
    pub(crate) fn reason(&self, point: u128, state: PointState, action: Action) -> String {
        let standing = self.history.points.get(&point);
        let facts = standing.and_then(|standing| self.facts(standing));
        let reason = match (state, facts) {
            (PointState::Missing, _) => "it was never run".to_owned(),
            (PointState::Complete, _) => "it is complete".to_owned(),
            (PointState::Stale, Some(_)) if self.other.contains(&point) => match action {
                Action::Keep => "it was computed with another config; \
                                 `.rerun(Rerun::new().stale(true))` runs it again"
                    .to_owned(),
                _ => "it was computed with another config".to_owned(),
            },
            (PointState::Stale, Some(facts)) if facts.other_runs => match action {
                Action::Keep => "it was computed of other runs than there are now; \
                                 `.rerun(Rerun::new().stale(true))` runs it again"
                    .to_owned(),
                _ => "it was computed of other runs than there are now".to_owned(),
            },
            (PointState::Partial | PointState::Stale, Some(facts)) => facts.reason(action),
            (PointState::Partial | PointState::Stale, None) => "it is not as declared".to_owned(),
            (PointState::Failed(outcome), _) => match outcome {
                Outcome::Failed => "its last attempt failed".to_owned(),
                Outcome::Panicked => "its last attempt panicked".to_owned(),
                Outcome::TimedOut => "its last attempt took too long".to_owned(),
                Outcome::OutOfMemory => "its last attempt needed too much memory".to_owned(),
                Outcome::Killed => "a signal ended the process of its last attempt".to_owned(),
                Outcome::Exited => "its last attempt ended its process".to_owned(),
                other => format!("its last attempt ended: {other}"),
            },
            (PointState::Skipped, _) => "there is nothing to compute for it".to_owned(),
            (PointState::Pruned, _) => "it was pruned, since a smaller point failed".to_owned(),
            (PointState::Interrupted, _) => match standing.map(|standing| standing.outcome) {
                Some(Outcome::Cancelled) => "its last attempt was cancelled".to_owned(),
                _ => "its process died before it ended".to_owned(),
            },
            (PointState::Claimed, _) => "a live process is about to run it".to_owned(),
        };
        match (state, action) {
            (PointState::Claimed, Action::Wait) => format!("{reason}; `resume` waits for it"),
            (PointState::Failed(_) | PointState::Skipped | PointState::Pruned, Action::Keep) => {
                format!("{reason}; `.rerun(..)` decides whether it is run again")
            }
            _ => reason,
        }
    }
}

/// A set of indices of points.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bits(Vec<u64>);

impl Bits {
    pub(crate) fn set(&mut self, i: u64) {
        // An index of a point that was made.
        let word = (i / 64) as usize;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (i % 64);
    }

    pub(crate) fn has(&self, i: u64) -> bool {
        let word = usize::try_from(i / 64).ok();
        word.and_then(|word| self.0.get(word))
            .is_some_and(|word| word & (1 << (i % 64)) != 0)
    }
}

/// What was found before an experiment is continued.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    pub(crate) counts: Counts,
    /// The points that are neither complete nor run.
    kept: Counts,
    /// The points that are run, filled, or waited for.
    pub(crate) wanted: Bits,
    /// How many these are.
    pub(crate) len: u64,
    /// Those of them that have a completed run: by their ids, and whether they are filled.
    pub(crate) rows: HashMap<u128, bool>,
    /// The points that failed before, and are not run again.
    pub(crate) failed: Vec<u64>,
}

impl Survey {
    /// The points that are neither complete nor run, in words.
    pub(crate) fn left(&self) -> String {
        let kept = [
            (self.kept.stale, PointState::Stale.as_str()),
            (self.kept.partial, PointState::Partial.as_str()),
            (self.kept.failed, "failed"),
            (self.kept.pruned, PointState::Pruned.as_str()),
            (self.kept.skipped, PointState::Skipped.as_str()),
        ];
        let kept = kept.iter().filter(|(count, _)| *count > 0);
        let kept: Vec<_> = kept
            .map(|(count, word)| format!("{count} {word}"))
            .collect();
        kept.join(", ")
    }
}

impl Survey {
    /// All points, whatever is known of them.
    pub(crate) fn of_all(len: u64) -> Self {
        let mut wanted = Bits::default();
        (0..len).for_each(|i| wanted.set(i));
        Self {
            wanted,
            len,
            ..Self::default()
        }
    }
}

/// Goes through all points of a task: calls `each` with every one that is no repetition.
pub(crate) fn visit<T: Task>(task: &T, mut each: impl FnMut(u64, T::Point, u128)) {
    let mut seen = (!task.distinct()).then(HashSet::new);
    let mut inputs = Inputs::default();
    for i in 0..task.len() {
        let Some(point) = task.point(i) else { continue };
        inputs.clear();
        // What cannot be identified fails when it is run, under the identity that it has then.
        let _ = panic::catch(|| task.identify(&point, &mut inputs));
        let made = || task.scheme().identity(&inputs.hash()).id_run();
        let id = task.id_of(i).unwrap_or_else(made).as_u128();
        if seen.as_mut().is_none_or(|seen| seen.insert(id)) {
            each(i, point, id);
        }
    }
}

/// The same without the points, which need not be made where their ids are known.
fn visit_ids<T: Task>(task: &T, mut each: impl FnMut(u64, u128)) {
    if task.id_of(0).is_none() || task.selects() {
        return visit(task, |i, _, id| each(i, id));
    }
    for i in 0..task.len() {
        if let Some(id) = task.id_of(i) {
            each(i, id.as_u128());
        }
    }
}

/// So many points are looked up at once.
const AT_ONCE: usize = 64;

/// The same, with how each of them stood at its last attempt.
///
/// What is known of a point is anywhere in memory. It is looked up for many points in a row, so that
/// the processor waits for all of them together.
pub(crate) fn visit_standings<T: Task>(
    task: &T,
    history: &History,
    mut each: impl FnMut(u64, u128, Option<&Standing>),
) {
    let mut tell = |points: &mut Vec<(u64, u128)>| {
        let mut standings = [None; AT_ONCE];
        for (standing, (_, point)) in standings.iter_mut().zip(&*points) {
            *standing = history.points.get(point).copied();
        }
        for ((i, point), standing) in points.drain(..).zip(&standings) {
            each(i, point, standing.as_ref());
        }
    };
    let mut points = Vec::with_capacity(AT_ONCE);
    visit_ids(task, |i, point| {
        points.push((i, point));
        if points.len() == AT_ONCE {
            tell(&mut points);
        }
    });
    tell(&mut points);
}

/// Decides about all points of a task.
pub(crate) fn survey<T: Task>(task: &T, rules: &Rules<'_>) -> Survey {
    let mut survey = Survey::default();
    visit_standings(task, rules.history, |i, point, standing| {
        let (state, action) = rules.decide(point, standing);
        survey
            .counts
            .add(state, matches!(action, Action::Run | Action::Fill));
        if action == Action::Keep {
            survey.kept.add(state, false);
            if matches!(state, PointState::Failed(_)) {
                survey.failed.push(i);
            }
            return;
        }
        survey.wanted.set(i);
        survey.len += 1;
        if standing.is_some_and(|standing| standing.makers.is_some()) {
            let (_, action) = rules.decide_if_free(point, standing);
            survey.rows.insert(point, action == Action::Fill);
        }
    });
    survey
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_there_that_were_set() {
        let mut bits = Bits::default();
        for i in [0, 63, 64, 1_000] {
            assert!(!bits.has(i));
            bits.set(i);
            assert!(bits.has(i));
        }
        assert!(!bits.has(1) && !bits.has(999) && !bits.has(u64::MAX));
    }

    #[test]
    fn what_another_process_has_taken_is_waited_for_if_it_would_be_run() {
        let (partial, unknown) = (1, 2);
        let mut history = History::default();
        let standing = Standing {
            outcome: Outcome::Completed,
            last: 0,
            makers: Some(0),
        };
        history.points.insert(partial, standing);
        history.taken.extend([partial, unknown]);
        let rules = |fill: bool| Rules {
            known: None,
            history: &history,
            rerun: Rerun::default(),
            fill,
            limits: Limits::default(),
            facts: vec![Facts {
                lacks: vec!["score".to_owned()],
                ..Facts::default()
            }],
            other: HashSet::new(),
        };
        let claimed = |action| (PointState::Claimed, action);
        let decide = |fill, point| rules(fill).decide(point, history.points.get(&point));
        assert_eq!(decide(false, partial), claimed(Action::Keep));
        assert_eq!(decide(true, partial), claimed(Action::Wait));
        assert_eq!(decide(false, unknown), claimed(Action::Wait));
        assert_eq!(
            rules(true).decide_if_free(partial, history.points.get(&partial)),
            (PointState::Partial, Action::Fill)
        );
    }
}
