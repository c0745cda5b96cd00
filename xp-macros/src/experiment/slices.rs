//! Which statements are needed for which fields.
//!
//! A statement is needed if it makes or changes a name that a needed statement uses further down.
//! What it changes is what it takes by `&mut`, and what is behind a name that may hold such a
//! reference. The run is not followed, nor is what a step changes behind a `&`.

use std::collections::BTreeSet;

use super::model::{Body, Inputs};

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
    /// Whether what it makes may hold a reference: a var may, what has an owned type may not.
    pub(super) lends: bool,
}

/// Where a field is complete.
#[derive(Clone, Copy, Debug)]
enum Sink {
    /// Right after the statement that makes it.
    Made(usize),
    /// At the end, also if later statements change it.
    Changed(Variable),
}

/// Statements that make some of the fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Slice {
    /// By their ordinals: all that the statements make.
    pub(super) fields: Vec<usize>,
    pub(super) statements: BTreeSet<usize>,
}

/// Up to as many fields, there is a slice for each combination of them.
const FEW_FIELDS: usize = 3;
/// As many slices there are at most because of pairs of fields.
const MANY_SLICES: usize = 12;
/// As many statements all slices have together at most, so that compiling them stays cheap.
const MANY_STATEMENTS: usize = 400;

/// The slices that are worth having: each with fewer statements than the body, no two the same.
pub(super) fn of(body: &Body, inputs: &Inputs) -> Vec<Slice> {
    let flows: Vec<_> = body.statements.iter().map(|s| s.flow.clone()).collect();
    let first = inputs.values.len();
    let sequences = (0..inputs.sequences.len()).map(|i| Sink::Changed(first + i));
    let fields = body.fields.iter().enumerate().filter_map(|(place, field)| {
        let made = body
            .statements
            .iter()
            .position(|s| s.field == Some(place))?;
        Some(match field.mutability {
            None => Sink::Made(made),
            Some(_) => Sink::Changed(*flows[made].makes.first()?),
        })
    });
    let sinks: Vec<_> = sequences.chain(fields).collect();
    if sinks.len() < inputs.sequences.len() + body.fields.len() {
        return Vec::new();
    }
    choose(&flows, &sinks)
}

fn choose(flows: &[Flow], sinks: &[Sink]) -> Vec<Slice> {
    let changes = all_changes(flows);
    let each: Vec<_> = sinks.iter().map(|s| needed(flows, &changes, *s)).collect();
    let union = |of: &[usize]| -> BTreeSet<usize> {
        of.iter()
            .flat_map(|sink| each[*sink].iter().copied())
            .collect()
    };
    let mut slices: Vec<Slice> = Vec::new();
    let mut total = 0;
    let mut add = |statements: BTreeSet<usize>| {
        let is_new = slices.iter().all(|slice| slice.statements != statements);
        let is_empty = statements.is_empty();
        if is_empty
            || !is_new
            || statements.len() >= flows.len()
            || total + statements.len() > MANY_STATEMENTS
        {
            return slices.len();
        }
        total += statements.len();
        let made = |sink: &usize| each[*sink].is_subset(&statements);
        slices.push(Slice {
            fields: (0..sinks.len()).filter(made).collect(),
            statements,
        });
        slices.len()
    };
    if sinks.len() <= FEW_FIELDS {
        for chosen in 1_u32..1 << sinks.len() {
            let of: Vec<_> = (0..sinks.len())
                .filter(|i| chosen & (1 << i) != 0)
                .collect();
            add(union(&of));
        }
        return slices;
    }
    for sink in 0..sinks.len() {
        add(union(&[sink]));
    }
    let mut pairs = Vec::new();
    for a in 0..sinks.len() {
        for b in a + 1..sinks.len() {
            // Two slices without a statement in common are as good as their union.
            let common = each[a].intersection(&each[b]).count();
            if common > 0 {
                pairs.push((common, [a, b]));
            }
        }
    }
    pairs.sort_by_key(|(common, _)| std::cmp::Reverse(*common));
    let mut len = add(BTreeSet::new());
    for (_, pair) in pairs {
        if len >= MANY_SLICES {
            break;
        }
        len = add(union(&pair));
    }
    slices
}

/// The statements on which a field depends.
fn needed(flows: &[Flow], changes: &[BTreeSet<Variable>], sink: Sink) -> BTreeSet<usize> {
    let mut wanted = BTreeSet::new();
    let mut needed = BTreeSet::new();
    let last = match sink {
        Sink::Made(statement) => {
            wanted.extend(&flows[statement].makes);
            statement + 1
        }
        Sink::Changed(variable) => {
            wanted.insert(variable);
            flows.len()
        }
    };
    for i in (0..last).rev() {
        let touched = flows[i].makes.iter().chain(&changes[i]);
        if touched
            .into_iter()
            .any(|variable| wanted.contains(variable))
        {
            needed.insert(i);
            wanted.extend(flows[i].uses.iter().chain(&changes[i]));
        }
    }
    needed
}

/// What each statement may change: also through the names that may hold a `&mut`.
fn all_changes(flows: &[Flow]) -> Vec<BTreeSet<Variable>> {
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
fn is_free(flows: &[Flow], made: usize, name: Variable, of: Variable) -> bool {
    let after = &flows[made + 1..];
    let first_use = after.iter().position(|flow| flow.uses.contains(&of));
    first_use.is_some_and(|i| after[i..].iter().any(|flow| flow.uses.contains(&name)))
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;
    use crate::error::Errors;
    use crate::experiment::parse;

    /// For each slice its fields and its statements.
    fn slices(item: proc_macro2::TokenStream) -> Vec<(Vec<usize>, Vec<usize>)> {
        let mut errors = Errors::default();
        let experiment = parse::parse(quote!(), item, &mut errors).unwrap();
        assert_eq!(errors.messages(), [""; 0]);
        let slices = of(&experiment.body, &experiment.inputs).into_iter();
        slices
            .map(|slice| (slice.fields, slice.statements.into_iter().collect()))
            .collect()
    }

    #[test]
    fn a_slice_has_what_its_fields_depend_on() {
        let found = slices(quote!(
            fn iris(#[param] k: u8) {
                let split = load(k);
                #[field]
                let size: usize = count(&split);
                let model = fit(&split);
                #[field]
                let accuracy: f64 = score(&model, &split);
                log(&model);
            }
        ));
        assert_eq!(
            found,
            [
                (vec![0], vec![0, 1]),
                (vec![1], vec![0, 2, 3]),
                (vec![0, 1], vec![0, 1, 2, 3])
            ]
        );
    }

    #[test]
    fn a_field_that_is_made_on_the_way_is_made() {
        let found = slices(quote!(
            fn sums(#[param] k: u8) {
                #[field]
                let sum: u64 = sum(k);
                #[field]
                let digits: u64 = digits(sum);
                warn(digits);
            }
        ));
        assert_eq!(found, [(vec![0], vec![0]), (vec![0, 1], vec![0, 1])]);
    }

    #[test]
    fn changes_count_also_through_names_that_hold_a_reference() {
        let found = slices(quote!(
            fn f(#[param] mut k: u8, run: &mut Run) {
                let mut a = make(k, run);
                let (b, _) = (&mut a.part);
                change(b);
                grow(&mut k);
                #[field]
                let x: f64 = look(&a);
                change(&mut a);
                #[field]
                let mut y: f64 = late(k);
                note(run);
                round(&mut y);
            }
        ));
        assert_eq!(
            found,
            [
                (vec![0], vec![0, 1, 2, 4]),
                (vec![1], vec![3, 6, 8]),
                (vec![0, 1], vec![0, 1, 2, 3, 4, 6, 8])
            ]
        );
    }

    #[test]
    fn a_result_that_outlives_the_next_use_holds_no_reference() {
        let found = slices(quote!(
            fn f(#[param] k: u8) {
                let mut model = make(k);
                let loss = train(&mut model);
                #[field]
                let size: f64 = look(&model);
                note(loss);
                #[field]
                let accuracy: f64 = score(&model);
            }
        ));
        assert_eq!(
            found,
            [
                (vec![0], vec![0, 1, 2]),
                (vec![1], vec![0, 1, 4]),
                (vec![0, 1], vec![0, 1, 2, 4])
            ]
        );
    }

    #[test]
    fn a_name_that_cannot_change_what_it_refers_to_changes_nothing() {
        let found = slices(quote!(
            fn f(#[param] k: u8) {
                let mut model = make(k);
                let loss = train(&mut model);
                look(&loss, loss.clone());
                let rounds: u32 = train(&mut model);
                note(rounds);
                let guard = open(&mut model);
                close(guard);
                #[field]
                let x: f64 = last();
                #[field]
                let y: f64 = score(&model);
            }
        ));
        assert_eq!(found[1], (vec![1], vec![0, 1, 3, 5, 6, 8]));
    }

    #[test]
    fn a_name_that_shadows_another_is_another() {
        let found = slices(quote!(
            fn f(#[param] k: u8, #[sequence] losses: Sequence<Loss>) {
                let a = one(k);
                #[field]
                let x: f64 = look(&a);
                let a = two(k);
                train(&a, &mut losses);
                let losses = three(k);
                log(&mut losses);
            }
        ));
        assert_eq!(
            found,
            [
                (vec![0], vec![2, 3]),
                (vec![1], vec![0, 1]),
                (vec![0, 1], vec![0, 1, 2, 3])
            ]
        );
    }

    #[test]
    fn many_fields_have_a_bounded_number_of_slices() {
        let fields: Vec<_> = (0..30).map(|i| quote::format_ident!("x{i}")).collect();
        let found = slices(quote!(
            fn f(#[param] k: u8) {
                let a = make(k);
                #(#[field] let #fields: f64 = look(&a);)*
            }
        ));
        assert_eq!(found.len(), 30);
        let fields = &fields[..5];
        let found = slices(quote!(
            fn f(#[param] k: u8) {
                let a = make(k);
                #(#[field] let #fields: f64 = look(&a);)*
            }
        ));
        assert_eq!(found.len(), 12);
    }
}
