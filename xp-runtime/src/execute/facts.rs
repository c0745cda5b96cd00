//! What is known of runs whose fields were computed by the same executions: what they lack, which of
//! their steps have changed, and whether they can be filled.
//!
//! A row that is filled holds fields of two executions. They belong together only if the steps are
//! the same on which both depend; where that is not so, or not known, the row is not filled.

use std::collections::BTreeSet;

use super::Action;
use crate::attempt::{Task, digest};
use crate::row::Layout;
use crate::store::KnownExecution;

/// See the module's text.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// The declared columns that they lack.
    pub(super) lacks: Vec<String>,
    /// The steps that have changed since, on which fields depend that they have.
    pub(super) changed: Vec<String>,
    /// Whether their steps were given other runs than there are now.
    pub(super) other_runs: bool,
    /// Why they cannot be filled.
    pub(super) obstacle: Option<Obstacle>,
}

/// Why a run cannot be filled.
#[derive(Debug, PartialEq)]
pub(super) enum Obstacle {
    /// These steps have changed, on which a missing field depends: the run has values which other
    /// code made.
    Changed(Vec<String>),
    /// It has some members of a flattened field, and lacks this one: they are made together.
    Torn(String),
}

/// A column of a field that the runs have.
struct Present<'a> {
    ordinal: usize,
    made: &'a KnownExecution,
    /// The digest of its steps, if it is known.
    then: Option<&'a String>,
    now: Option<String>,
}

/// Of as many steps that are gone it is found out on which ones a field depended.
const FEW_GONE: usize = 8;

/// A step: its name, and its fingerprint.
type Step<'a> = (&'a str, String);

impl Facts {
    pub(super) fn new<T: Task>(task: &T, layout: &Layout, makers: &[&KnownExecution]) -> Self {
        let today = task.given().map(|given| given.digest.as_slice());
        let is_other = |made: &&KnownExecution| made.given.as_deref() != today;
        let mut facts = Self {
            other_runs: today.is_some() && makers.iter().any(is_other),
            ..Self::default()
        };
        let (mut present, mut missing) = (Vec::new(), Vec::new());
        for (ordinal, field) in layout.fields().iter().enumerate() {
            let mut lacks = Vec::new();
            for place in field.columns.clone() {
                let name = &layout.columns()[place].name;
                // A fill computes only what those before it lack.
                match makers.iter().find(|made| made.columns.contains_key(name)) {
                    Some(made) => present.push(Present {
                        ordinal,
                        made,
                        then: made.columns[name].as_ref(),
                        now: task.maker(place),
                    }),
                    None => lacks.push(name.clone()),
                }
            }
            if !lacks.is_empty() {
                missing.push(ordinal);
                if lacks.len() < field.columns.len() && facts.obstacle.is_none() {
                    facts.obstacle = lacks.first().cloned().map(Obstacle::Torn);
                }
                facts.lacks.append(&mut lacks);
            }
        }
        let today: Vec<Step<'_>> = (task.steps().iter())
            .map(|step| (step.name, step.fingerprint.to_string()))
            .collect();
        let needed: BTreeSet<_> = missing.iter().flat_map(|of| task.depends(*of)).collect();
        let mut clash: Vec<String> = Vec::new();
        for column in &present {
            let depends = task.depends(column.ordinal);
            let difference = column.difference(&depends, &today);
            add(&mut facts.changed, &difference.names);
            if depends.iter().any(|place| needed.contains(place)) && difference.reaches(&needed) {
                add(&mut clash, &difference.names);
            }
        }
        // What else a run may have is not known by its steps.
        if task.uses_run() || present.iter().any(|column| column.then.is_none()) {
            for (name, fingerprint) in needed.iter().filter_map(|place| today.get(*place)) {
                let is_other = |made: &&KnownExecution| {
                    let mut then = made
                        .steps
                        .iter()
                        .filter(|(then, _)| then == name)
                        .peekable();
                    then.peek().is_some() && then.all(|(_, then)| then != fingerprint)
                };
                if makers.iter().any(is_other) {
                    add(&mut clash, &[(*name).to_owned()]);
                }
            }
        }
        if !clash.is_empty() {
            facts.obstacle = Some(Obstacle::Changed(clash));
        }
        facts
    }

    /// Why such a run stands as it does, and what can be done, in words.
    pub(super) fn reason(&self, action: Action) -> String {
        let changed = |steps: &[String]| match steps {
            [step] => format!("the step `{step}` has changed since"),
            steps => format!("the steps {} have changed since", quoted(steps)),
        };
        let keeps = action == Action::Keep;
        if self.lacks.is_empty() {
            let changed = changed(&self.changed);
            return if keeps {
                format!("{changed}; `.rerun(Rerun::new().stale(true))` runs it again")
            } else {
                changed
            };
        }
        let (lacks, it) = match self.lacks.as_slice() {
            [field] => (format!("it lacks the field `{field}`"), "it"),
            fields => (format!("it lacks the fields {}", quoted(fields)), "them"),
        };
        let which = if self.changed.is_empty() {
            "partial"
        } else {
            "stale"
        };
        let whole = format!("`.rerun(Rerun::new().{which}(true))` runs it whole");
        match &self.obstacle {
            Some(Obstacle::Changed(steps)) if keeps => {
                format!(
                    "{lacks}, and {}, so it cannot be filled; {whole}",
                    changed(steps)
                )
            }
            Some(Obstacle::Torn(member)) if keeps => format!(
                "{lacks}, and has what is made together with `{member}`, so it cannot be filled; {whole}"
            ),
            None if keeps && self.changed.is_empty() => format!("{lacks}; `.fill()` computes {it}"),
            None if keeps => format!(
                "{lacks}; `.fill()` computes {it}, and leaves the others, though {}",
                changed(&self.changed)
            ),
            _ if self.changed.is_empty() => lacks,
            _ => format!("{lacks}, and {}", changed(&self.changed)),
        }
    }
}

/// How the steps of a field differ from those that made it.
#[derive(Default)]
struct Difference {
    names: Vec<String>,
    /// Those of today that differ, by their places, if nothing else differs.
    places: Option<Vec<usize>>,
}

impl Difference {
    /// Whether it is, or may be, on the way to fields that need these steps.
    fn reaches(&self, needed: &BTreeSet<usize>) -> bool {
        match &self.places {
            Some(places) => places.iter().any(|place| needed.contains(place)),
            None => !self.names.is_empty(),
        }
    }
}

impl Present<'_> {
    /// How the steps on which it depends today, by their places, differ from those that made it.
    fn difference(&self, depends: &[usize], today: &[Step<'_>]) -> Difference {
        let (Some(then), Some(now)) = (self.then, &self.now) else {
            return Difference::default();
        };
        if then == now {
            return Difference::default();
        }
        let was = |name: &str| self.made.steps.iter().find(|(then, _)| then == name);
        let steps = || {
            depends
                .iter()
                .filter_map(|place| Some((*place, today.get(*place)?)))
        };
        let differs = |name: &str, fingerprint: &String| {
            was(name).is_none_or(|(_, then)| then != fingerprint)
        };
        let places: Vec<_> = steps()
            .filter(|(_, (name, fingerprint))| differs(name, fingerprint))
            .map(|(place, _)| place)
            .collect();
        let mut names = Vec::new();
        for place in &places {
            add(&mut names, &[today[*place].0.to_owned()]);
        }
        // If the same steps made it, of which some had other bodies, that is all.
        let same = steps().map(|(_, (name, _))| was(name).map(|(_, then)| (*name, then.clone())));
        let same: Option<Vec<_>> = same.collect();
        if same.is_some_and(|same| digest(same.into_iter()) == *then) {
            return Difference {
                names,
                places: Some(places),
            };
        }
        let gone = self.made.steps.iter().map(|(name, _)| name.clone());
        let gone = gone.filter(|then| today.iter().all(|(name, _)| name != then));
        let gone: Vec<_> = gone.collect();
        let is_today = |name: &str| steps().any(|(_, (now, _))| *now == name);
        let with = |some: &[String]| {
            let of = self.made.steps.iter();
            let of = of.filter(|(name, _)| is_today(name) || some.contains(name));
            digest(of.map(|(name, then)| (name.as_str(), then.clone())))
        };
        // Which of those that are gone it depended on shows in the digest.
        let some = (1_u32..1 << gone.len().min(FEW_GONE)).find_map(|bits| {
            let places = (0..gone.len()).filter(|place| bits & (1 << place) != 0);
            let some: Vec<_> = places.map(|place| gone[place].clone()).collect();
            (with(&some) == *then).then_some(some)
        });
        match some {
            Some(some) => add(&mut names, &some),
            None if names.is_empty() => add(&mut names, &gone),
            None => {}
        }
        if names.is_empty() {
            let all: Vec<_> = steps().map(|(_, (name, _))| (*name).to_owned()).collect();
            add(&mut names, &all);
        }
        Difference {
            names,
            places: None,
        }
    }
}

/// Adds names that are not there yet.
fn add(names: &mut Vec<String>, more: &[String]) {
    for name in more {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
}

fn quoted(names: &[String]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}
