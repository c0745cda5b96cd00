//! What the statements of a body do with its names, and what each of them may change.

use std::collections::BTreeSet;

/// A name, by its place among all that are bound: inputs, sequences, the run, then those of the body.
/// A name that shadows another is another variable.
pub(super) type Variable = usize;

/// What a statement does with the variables.
#[derive(Clone, Debug, Default)]
pub(super) struct Flow {
    pub(super) makes: Vec<Variable>,
    pub(super) uses: Vec<Variable>,
    /// Those of its uses that are by `&mut`.
    pub(super) changes: Vec<Variable>,
    /// Those that are by `&`: what is behind a `&mut` in there cannot be changed.
    pub(super) looks: Vec<Variable>,
    /// Those that may be meant, among others of one spelling.
    pub(super) unsure: Vec<Variable>,
    /// Whether what it makes may hold a reference: a var may, what has an owned type may not.
    pub(super) lends: bool,
}

/// What each statement may change: also through the names that may hold a `&mut`.
pub(super) fn all_changes(flows: &[&Flow]) -> Vec<BTreeSet<Variable>> {
    // Which variables each name may refer to.
    let mut behind: Vec<(Variable, Variable)> = Vec::new();
    let mut changes: Vec<BTreeSet<Variable>> = Vec::new();
    for (i, flow) in flows.iter().enumerate() {
        let mut changed: BTreeSet<Variable> = flow.changes.iter().copied().collect();
        for (name, of) in &behind {
            let uses = flow.uses.iter().filter(|used| *used == name).count();
            let looks = flow.looks.iter().filter(|seen| *seen == name).count();
            if uses > looks {
                changed.insert(*of);
            }
        }
        if flow.lends {
            for name in &flow.makes {
                let held = changed.iter().filter(|of| !is_free(flows, i, *name, **of));
                behind.extend(held.map(|of| (*name, *of)));
            }
        }
        changes.push(changed);
    }
    changes
}

/// Whether the name, made by that statement, cannot refer to the variable: the compiler would not let the
/// variable be used before the last use of the name.
fn is_free(flows: &[&Flow], made: usize, name: Variable, of: Variable) -> bool {
    let after = &flows[made + 1..];
    let first_use = after.iter().position(|flow| flow.uses.contains(&of));
    first_use.is_some_and(|i| after[i..].iter().any(|flow| flow.uses.contains(&name)))
}
