//! Runs of the file that can be no points of a plan, since its inputs are others.

use std::collections::BTreeMap;

use crate::declare::Baseline;
use crate::store::{History, Known};

/// For each input that runs of the file lack, or that only they have, what that means and what to write.
pub(super) fn hints(known: &Known, history: &History, today: &[Baseline]) -> Vec<String> {
    let is_declared = |name: &str| today.iter().any(|input| input.name == name);
    let has = |makers: &[u32], name: &str| {
        let executions = makers
            .iter()
            .filter_map(|place| known.executions.get(*place as usize));
        executions
            .into_iter()
            .any(|execution| execution.columns.contains_key(name))
    };
    // An input that is not recorded has no column to tell by.
    let recorded = |name: &str| history.makers.iter().any(|makers| has(makers, name));
    let runs = runs(history);
    let count = |counts: &dyn Fn(&[u32]) -> bool| -> u64 {
        let counted = runs.iter().filter(|(makers, _)| counts(makers));
        counted.map(|(_, runs)| runs).sum()
    };
    let new = today
        .iter()
        .filter(|input| input.identity && input.absent.is_none())
        .map(|input| {
            let known = known.inputs.iter().any(|known| known.name == input.name);
            let lack = count(&|makers| !has(makers, &input.name));
            let lack = if known && !recorded(&input.name) {
                0
            } else {
                lack
            };
            (input.name.as_str(), lack)
        });
    let gone = (known.inputs.iter())
        .filter(|input| input.absent.is_none() && !is_declared(&input.name))
        .map(|input| {
            (
                input.name.as_str(),
                count(&|makers| has(makers, &input.name)),
            )
        });
    let some = |(_, runs): &(&str, u64)| *runs > 0;
    let (new, gone): (Vec<_>, Vec<_>) = (new.filter(some).collect(), gone.filter(some).collect());
    if let ([(new, lack)], [(gone, runs)]) = (&*new, &*gone)
        && lack == runs
    {
        return vec![format!(
            "{} of the file {} an input `{gone}` and no input `{new}`: if it is the same one, call it \
             `{gone}` to go on with them",
            told(*runs),
            if *runs == 1 { "has" } else { "have" },
        )];
    }
    let new = new.into_iter().map(|(name, runs)| {
        let (have, them) = if runs == 1 {
            ("has", "it")
        } else {
            ("have", "them")
        };
        format!(
            "{} of the file {have} no input `{name}`: give it a default to go on with {them}",
            told(runs)
        )
    });
    let gone = gone.into_iter().map(|(name, runs)| {
        let (have, them) = if runs == 1 { ("has", "it") } else { ("have", "them") };
        format!(
            "{} of the file {have} an input `{name}` that is not declared any more: declare it again \
             to go on with {them}",
            told(runs)
        )
    });
    new.chain(gone).collect()
}

fn told(runs: u64) -> String {
    let noun = if runs == 1 { "run" } else { "runs" };
    format!("{runs} {noun}")
}

/// How many completed runs there are of which executions.
fn runs(history: &History) -> Vec<(&[u32], u64)> {
    let mut runs = BTreeMap::<u32, u64>::new();
    for standing in history.points.values() {
        if let Some(makers) = standing.makers {
            *runs.entry(makers).or_default() += 1;
        }
    }
    let of = |(makers, runs): (u32, u64)| Some((&**history.makers.get(makers as usize)?, runs));
    runs.into_iter().filter_map(of).collect()
}
