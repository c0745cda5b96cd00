//! Which statements are needed for which fields.
//!
//! A statement is needed if it makes or changes a name that a needed statement uses further down.
//! What it changes is what it takes by `&mut`, and what is behind a name that may hold such a
//! reference. The run is not followed, nor is what a step changes behind a `&`.
//!
//! Where a needed statement uses a field or a sequence that nothing changes any more, it is given what
//! is recorded of it, and what makes that field is not needed.

use std::collections::BTreeSet;

use super::flow::{Flow, Variable, all_changes};
use super::model::{Body, Inputs, Kind};

/// A declared sequence or a field, in the body.
#[derive(Clone, Debug)]
pub(super) struct Target {
    variable: Variable,
    /// The statements that make or change it.
    touched: Vec<usize>,
    /// The statement that makes it, if it makes nothing else and no other changes it.
    pub(super) maker: Option<usize>,
    /// The statement from which on its value is the one that is recorded, if that is known.
    complete: Option<usize>,
    /// The first statement that uses it then, unless it has a maker.
    pub(super) used_at: Option<usize>,
    /// The fields that its maker uses, by their ordinals.
    pub(super) needs: Vec<usize>,
    /// All statements on which it depends.
    pub(super) depends: BTreeSet<usize>,
}

/// Statements that are enough for some of the fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Slice {
    /// By their ordinals: all that can be made where these statements run. The makers of fields are
    /// no part of the slice: each runs only if its field is asked for.
    pub(super) fields: Vec<usize>,
    pub(super) statements: BTreeSet<usize>,
    /// The fields that these statements are given.
    pub(super) needs: Vec<usize>,
}

/// How fields are filled.
#[derive(Clone, Debug, Default)]
pub(super) struct Slices {
    /// By ordinal: the declared sequences, then the fields.
    pub(super) targets: Vec<Target>,
    pub(super) all: Vec<Slice>,
}

/// As many slices there are at most because others have statements in common.
const MANY_UNIONS: usize = 12;
/// As many statements these have together at most, so that compiling them stays cheap.
const MANY_STATEMENTS: usize = 400;

impl Slices {
    pub(super) fn of(body: &Body, inputs: &Inputs) -> Self {
        let analysis = Analysis::new(body, inputs);
        let all = analysis.choose(body);
        Self {
            targets: analysis.targets,
            all,
        }
    }

    /// The fields that a statement is given, by their ordinals.
    pub(super) fn given(&self, place: usize, flow: &Flow) -> Vec<usize> {
        given(&self.targets, place, flow)
    }

    /// The statements that stand where the slice does: its own, and the makers of its fields.
    pub(super) fn members(&self, slice: &Slice) -> BTreeSet<usize> {
        let makers = slice.fields.iter();
        let makers = makers.filter_map(|ordinal| self.targets[*ordinal].maker);
        slice.statements.iter().copied().chain(makers).collect()
    }

    /// Whether a statement uses the variable as it is before it is complete.
    pub(super) fn is_local(&self, place: usize, flow: &Flow, variable: Variable) -> bool {
        flow.uses.contains(&variable) && !is_given(&self.targets, place, variable)
    }
}

fn is_given(targets: &[Target], place: usize, variable: Variable) -> bool {
    let of = targets.iter().find(|target| target.variable == variable);
    of.and_then(|target| target.complete)
        .is_some_and(|complete| place >= complete)
}

fn given(targets: &[Target], place: usize, flow: &Flow) -> Vec<usize> {
    let is_used = |target: &Target| flow.uses.contains(&target.variable);
    let ordinals = targets.iter().enumerate();
    ordinals
        .filter(|(_, target)| is_used(target) && is_given(targets, place, target.variable))
        .map(|(ordinal, _)| ordinal)
        .collect()
}

struct Analysis<'a> {
    flows: Vec<&'a Flow>,
    changes: Vec<BTreeSet<Variable>>,
    targets: Vec<Target>,
}

impl<'a> Analysis<'a> {
    fn new(body: &'a Body, inputs: &Inputs) -> Self {
        let flows: Vec<_> = body.statements.iter().map(|s| &s.flow).collect();
        let first = inputs.values.len();
        let sequences = (0..inputs.sequences.len()).map(|i| first + i);
        let made = |place| {
            let maker = |statement: &&super::model::Statement| statement.field == Some(place);
            let statement = body.statements.iter().find(maker)?;
            statement.flow.makes.first().copied()
        };
        let variables: Vec<_> = sequences
            .map(Some)
            .chain((0..body.fields.len()).map(made))
            .collect();
        let mut analysis = Self {
            changes: all_changes(&flows),
            flows,
            targets: Vec::new(),
        };
        for variable in variables {
            // Every field has a maker: otherwise there were errors.
            let Some(variable) = variable else {
                analysis.targets.clear();
                return analysis;
            };
            let target = analysis.target(variable);
            analysis.targets.push(target);
        }
        for ordinal in 0..analysis.targets.len() {
            let depends = analysis.needed(ordinal, false);
            let maker = analysis.targets[ordinal].maker;
            let needs = maker.map(|place| given(&analysis.targets, place, analysis.flows[place]));
            let target = &mut analysis.targets[ordinal];
            target.needs = needs.unwrap_or_default();
            target.depends = depends;
        }
        analysis
    }

    fn target(&self, variable: Variable) -> Target {
        let touches = |place: &usize| {
            self.flows[*place].makes.contains(&variable) || self.changes[*place].contains(&variable)
        };
        let touched: Vec<_> = (0..self.flows.len()).filter(touches).collect();
        let is_sure = |flow: &&Flow| !flow.unsure.contains(&variable);
        let last = touched.last().filter(|_| self.flows.iter().all(is_sure));
        let maker = last
            .filter(|last| touched.len() == 1 && self.flows[**last].makes.as_slice() == [variable]);
        let complete = last.map(|last| last + 1);
        let later = complete
            .filter(|_| maker.is_none())
            .map(|from| from..self.flows.len());
        let used_at =
            later.and_then(|mut later| later.find(|i| self.flows[*i].uses.contains(&variable)));
        Target {
            variable,
            maker: maker.copied(),
            complete,
            used_at,
            needs: Vec::new(),
            depends: BTreeSet::new(),
            touched,
        }
    }

    /// The statements on which a field depends; if others are given, only those that are needed
    /// besides, and without its maker.
    fn needed(&self, ordinal: usize, others_are_given: bool) -> BTreeSet<usize> {
        let target = &self.targets[ordinal];
        let mut needed = BTreeSet::new();
        let mut wanted = BTreeSet::new();
        let want = |place: usize, wanted: &mut BTreeSet<Variable>| {
            let uses = self.flows[place].uses.iter().chain(&self.changes[place]);
            wanted.extend(uses.copied().filter(|variable| {
                !others_are_given || !is_given(&self.targets, place, *variable)
            }));
        };
        let last = match target.maker {
            Some(maker) => {
                want(maker, &mut wanted);
                if !others_are_given {
                    needed.insert(maker);
                }
                maker
            }
            None => {
                wanted.insert(target.variable);
                self.flows.len()
            }
        };
        for place in (0..last).rev() {
            let mut touched = self.flows[place].makes.iter().chain(&self.changes[place]);
            if touched.any(|variable| wanted.contains(variable)) {
                needed.insert(place);
                want(place, &mut wanted);
            }
        }
        needed
    }

    /// The slices that are worth having, no two the same; the last one has all statements that are
    /// no makers, and makes any of the fields.
    fn choose(&self, body: &Body) -> Vec<Slice> {
        // One that lacks its only field lacks all.
        if self.targets.len() < 2 {
            return Vec::new();
        }
        let kernels: Vec<_> = (0..self.targets.len())
            .map(|ordinal| self.needed(ordinal, true))
            .collect();
        let mut sets: Vec<BTreeSet<usize>> = Vec::new();
        for kernel in &kernels {
            if !sets.contains(kernel) {
                sets.push(kernel.clone());
            }
        }
        // Two slices without a step in common are as good as their union: each step runs once.
        let is_shared = |place: &usize| matches!(body.statements[*place].kind, Kind::Shared { .. });
        let most = sets.len() + MANY_UNIONS;
        let (mut i, mut total) = (1, 0);
        while i < sets.len() {
            for j in 0..i {
                let union: BTreeSet<_> = sets[i].union(&sets[j]).copied().collect();
                let is_apart = sets[i].intersection(&sets[j]).all(is_shared);
                let fits = sets.len() < most && total + union.len() <= MANY_STATEMENTS;
                if !is_apart && fits && !sets.contains(&union) {
                    total += union.len();
                    sets.push(union);
                }
            }
            i += 1;
        }
        let makers: BTreeSet<_> = self.targets.iter().filter_map(|of| of.maker).collect();
        let rest = (0..self.flows.len()).filter(|place| !makers.contains(place));
        let rest: BTreeSet<_> = rest.collect();
        sets.retain(|set| *set != rest);
        sets.push(rest);
        sets.into_iter()
            .map(|statements| self.slice(statements, &kernels))
            .collect()
    }

    fn slice(&self, statements: BTreeSet<usize>, kernels: &[BTreeSet<usize>]) -> Slice {
        let is_made = |ordinal: &usize| {
            let target = &self.targets[*ordinal];
            match target.maker {
                Some(_) => kernels[*ordinal].is_subset(&statements),
                None => target
                    .touched
                    .iter()
                    .all(|place| statements.contains(place)),
            }
        };
        let needs: BTreeSet<_> = statements
            .iter()
            .flat_map(|place| given(&self.targets, *place, self.flows[*place]))
            .collect();
        Slice {
            fields: (0..self.targets.len()).filter(is_made).collect(),
            needs: needs.into_iter().collect(),
            statements,
        }
    }
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;
    use crate::error::Errors;
    use crate::experiment::parse;

    /// Fields, statements, and the fields that these are given.
    type Shown = (Vec<usize>, Vec<usize>, Vec<usize>);

    fn read(item: proc_macro2::TokenStream) -> Slices {
        let mut errors = Errors::default();
        let experiment = parse::parse(quote!(), item, &mut errors).unwrap();
        assert_eq!(errors.messages(), [""; 0]);
        experiment.body.slices
    }

    fn slices(item: proc_macro2::TokenStream) -> Vec<Shown> {
        let slices = read(item).all.into_iter();
        slices
            .map(|slice| {
                (
                    slice.fields,
                    slice.statements.into_iter().collect(),
                    slice.needs,
                )
            })
            .collect()
    }

    fn all_on_which(item: proc_macro2::TokenStream) -> Vec<Vec<usize>> {
        let targets = read(item).targets.into_iter();
        targets
            .map(|target| target.depends.into_iter().collect())
            .collect()
    }

    #[test]
    fn a_slice_has_what_its_fields_depend_on_but_their_makers() {
        let body = quote!(
            fn iris(#[param] k: u8) {
                let split = load(k);
                #[field]
                let size: usize = count(&split);
                let model = fit(&split);
                #[field]
                let accuracy: f64 = score(&model, &split);
                log(&model);
            }
        );
        assert_eq!(
            slices(body.clone()),
            [
                (vec![0], vec![0], vec![]),
                (vec![0, 1], vec![0, 2], vec![]),
                (vec![0, 1], vec![0, 2, 4], vec![])
            ]
        );
        assert_eq!(all_on_which(body), [vec![0, 1], vec![0, 2, 3]]);
    }

    #[test]
    fn a_field_is_given_where_it_is_used() {
        let body = quote!(
            fn sums(#[param] k: u8) {
                let table = load(k);
                #[field]
                let sum: u64 = sum(table);
                #[field]
                let digits: u64 = digits(sum);
                let text = show(digits);
                #[field]
                let width: usize = width(&text, sum);
            }
        );
        let read = read(body.clone());
        let needs: Vec<_> = read.targets.iter().map(|target| &target.needs).collect();
        assert_eq!(needs, [&vec![], &vec![0], &vec![0]]);
        assert_eq!(
            slices(body.clone()),
            [
                (vec![0, 1], vec![0], vec![]),
                (vec![1], vec![], vec![]),
                (vec![1, 2], vec![3], vec![1]),
                (vec![0, 1, 2], vec![0, 3], vec![1])
            ]
        );
        assert_eq!(
            all_on_which(body),
            [vec![0, 1], vec![0, 1, 2], vec![0, 1, 2, 3, 4]]
        );
    }

    #[test]
    fn a_field_that_is_still_to_be_changed_is_not_given() {
        let body = quote!(
            fn f(#[param] k: u8, #[sequence] losses: Sequence<Loss>) {
                #[field]
                let mut noise: f64 = draw(k);
                #[field]
                let raw: f64 = copy(noise);
                round(&mut noise);
                #[field]
                let twice: f64 = double(noise);
                train(noise, &mut losses);
                #[field]
                let best: f64 = best(&losses);
            }
        );
        let read = read(body.clone());
        let needs: Vec<_> = read
            .targets
            .iter()
            .map(|target| target.needs.clone())
            .collect();
        // The sequence is the first, and the fields follow.
        assert_eq!(needs, [vec![], vec![], vec![], vec![1], vec![0]]);
        let places: Vec<_> = read.targets.iter().map(|target| target.used_at).collect();
        assert_eq!(places, [Some(5), Some(3), None, None, None]);
        assert_eq!(
            slices(body),
            [
                (vec![0, 3, 4], vec![4], vec![1]),
                (vec![1, 2, 3, 4], vec![0, 2], vec![]),
                (vec![2, 3, 4], vec![0], vec![]),
                (vec![3, 4], vec![], vec![]),
                (vec![0, 1, 2, 3, 4], vec![0, 2, 4], vec![1])
            ]
        );
    }

    #[test]
    fn changes_count_also_through_names_that_hold_a_reference() {
        let found = all_on_which(quote!(
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
        assert_eq!(found, [vec![0, 1, 2, 4], vec![3, 6, 8]]);
    }

    #[test]
    fn a_result_that_outlives_the_next_use_holds_no_reference() {
        let found = all_on_which(quote!(
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
        assert_eq!(found, [vec![0, 1, 2], vec![0, 1, 4]]);
    }

    #[test]
    fn a_name_that_cannot_change_what_it_refers_to_changes_nothing() {
        let found = all_on_which(quote!(
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
        assert_eq!(found, [vec![7], vec![0, 1, 3, 5, 6, 8]]);
    }

    #[test]
    fn a_name_that_shadows_another_is_another() {
        let found = all_on_which(quote!(
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
        assert_eq!(found, [vec![2, 3], vec![0, 1]]);
        let needs = read(quote!(
            fn f(#[param] k: u8) {
                #[field]
                let x: f64 = one(k);
                let x = two(x);
                #[field]
                let y: f64 = look(&x);
            }
        ));
        assert_eq!(needs.all[1].needs, [0]);
        assert_eq!(needs.targets[1].needs, [0; 0]);
    }

    #[test]
    fn fields_of_the_same_statements_have_one_slice() {
        let fields: Vec<_> = (0..30).map(|i| quote::format_ident!("x{i}")).collect();
        let found = slices(quote!(
            fn f(#[param] k: u8) {
                let a = make(k);
                #(#[field] let #fields: f64 = look(&a);)*
            }
        ));
        assert_eq!(found, [((0..30).collect(), vec![0], vec![])]);
    }

    #[test]
    fn the_number_of_slices_is_bounded() {
        let names =
            |of: &str| -> Vec<_> { (0..40).map(|i| quote::format_ident!("{of}{i}")).collect() };
        let (vars, fields) = (names("a"), names("x"));
        let found = slices(quote!(
            fn f(#[param] k: u8) {
                let a = make(k);
                #(let #vars = more(&a); #[field] let #fields: f64 = look(&#vars);)*
            }
        ));
        assert_eq!(found.len(), 40 + MANY_UNIONS + 1);
        assert_eq!(found.last().unwrap().0.len(), 40);
    }
}
