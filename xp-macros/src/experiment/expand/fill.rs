//! The function that runs one of the slices: those of the statements on which some fields depend.
//!
//! The maker of a field runs only if the field is asked for. Where a statement uses a field that
//! nothing changes any more, it is given what is recorded of it, under the same name.
//!
//! A slice compiles wherever the whole body does. It borrows and moves less; what it lacks are
//! statements that may determine the type of a name, as `take(n)` does with `let n = 1;`. So the
//! types of such names are tied to those that they have in the whole body, which stands once more
//! where it is never reached: it is given types, and no code.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Pat, PatType};

use super::private;
use super::steps::{self, Own, own};
use crate::experiment::flow::Variable;
use crate::experiment::inputs::find;
use crate::experiment::model::{Experiment, Kept, Kind, Statement};
use crate::experiment::patterns::names_of;
use crate::experiment::slices::Slice;

pub(super) fn expand(experiment: &Experiment) -> TokenStream {
    let own = Own::new();
    let slice = steps::own("slice");
    let (parameters, error) = (own.parameters(experiment), private("StepError"));
    let head = quote! {
        #[allow(warnings)]
        fn fill(#slice: usize, #parameters) -> ::core::result::Result<(), #error>
    };
    if experiment.broken.is_some() {
        return quote!(#head { ::core::unreachable!() });
    }
    let slices = &experiment.body.slices.all;
    let ties = ties(experiment);
    let arms = slices.iter().enumerate().map(|(place, slice)| {
        let arm = arm(experiment, slice, &own, &ties);
        quote!(#place => { #arm })
    });
    let tied = ties.iter().map(|variable| {
        let tie = tie(*variable);
        quote!(let #tie = ::core::marker::PhantomData;)
    });
    let whole = (!ties.is_empty()).then(|| whole(experiment, &own, &ties));
    quote! {
        #head {
            #(#tied)*
            #whole
            match #slice {
                #(#arms)*
                _ => {}
            }
            ::core::result::Result::Ok(())
        }
    }
}

/// The names whose type statements outside of their slice may determine.
fn ties(experiment: &Experiment) -> BTreeSet<Variable> {
    let body = &experiment.body;
    let mut ties = BTreeSet::new();
    for slice in &body.slices.all {
        let members = body.slices.members(slice);
        let outside = (0..body.statements.len()).filter(|i| !members.contains(i));
        let used: BTreeSet<_> = outside
            .flat_map(|i| &body.statements[i].flow.uses)
            .collect();
        let untyped = members.iter().map(|i| &body.statements[*i]);
        let made = untyped
            .filter(|statement| matches!(&statement.kind, Kind::Var { pat, .. } if !is_typed(pat)))
            .flat_map(|statement| &statement.flow.makes);
        ties.extend(made.filter(|variable| used.contains(variable)));
    }
    ties
}

fn is_typed(pat: &Pat) -> bool {
    matches!(pat, Pat::Type(PatType { ty, .. }) if find(ty.to_token_stream(), &["_"]).is_none())
}

fn tie(variable: Variable) -> proc_macro2::Ident {
    own(&format!("type_of_{variable}"))
}

/// A statement, and the types of what it makes.
fn tied(statement: &Statement, own: &Own, ties: &BTreeSet<Variable>) -> TokenStream {
    let tokens = own.statement(statement);
    let Kind::Var { pat, .. } = &statement.kind else {
        return tokens;
    };
    let mut names = Vec::new();
    names_of(pat, &mut names);
    let same = private("same_type");
    let made = names.iter().zip(&statement.flow.makes);
    let tied = made.filter(|(_, variable)| ties.contains(variable));
    let tied = tied.map(|(name, variable)| {
        let tie = tie(*variable);
        quote!(#same(&#name, &#tie);)
    });
    quote!(#tokens #(#tied)*)
}

/// The whole body, where it is never reached.
fn whole(experiment: &Experiment, own: &Own, ties: &BTreeSet<Variable>) -> TokenStream {
    let (inputs, body) = (&experiment.inputs, &experiment.body);
    let bound = inputs.values.iter().map(|input| own.input(input));
    let handle = own.handle(experiment);
    let sequences = inputs.sequences.iter().map(|of| own.sequence(of));
    let kept = body.states.iter().chain(&body.fields).map(steps::kept);
    let statements = body
        .statements
        .iter()
        .map(|statement| tied(statement, own, ties));
    quote! {
        if false {
            return ::core::result::Result::Ok(());
            #(#bound)*
            #(#sequences)*
            #handle
            #(#kept)*
            #(#statements)*
        }
    }
}

fn arm(
    experiment: &Experiment,
    slice: &Slice,
    own: &Own,
    ties: &BTreeSet<Variable>,
) -> TokenStream {
    let (inputs, body) = (&experiment.inputs, &experiment.body);
    let members = body.slices.members(slice);
    let flows = || members.iter().map(|i| (*i, &body.statements[*i].flow));
    let used: BTreeSet<_> = flows().flat_map(|(_, flow)| &flow.uses).collect();
    let bound = inputs.values.iter().enumerate();
    let bound = bound.filter(|(variable, _)| used.contains(variable));
    let bound = bound.map(|(_, input)| own.input(input));
    let handle = own.handle(experiment);
    let sequences = inputs.sequences.iter().enumerate();
    let sequences = sequences.filter(|(ordinal, _)| {
        let variable = inputs.values.len() + ordinal;
        let mut flows = flows();
        slice.fields.contains(ordinal)
            || flows.any(|(place, flow)| body.slices.is_local(place, flow, variable))
    });
    let sequences = sequences.map(|(_, sequence)| own.sequence(sequence));
    let is_kept = |kept: &&Kept| {
        let mut statements = slice.statements.iter().map(|i| &body.statements[*i]);
        statements.any(|of| matches!(&of.kind, Kind::Kept { local, .. } if *local == kept.local))
    };
    let kept = body.states.iter().chain(&body.fields).filter(is_kept);
    let kept = kept.map(steps::kept);
    let mut known = BTreeSet::new();
    let statements: Vec<_> = body
        .statements
        .iter()
        .enumerate()
        .map(|(place, statement)| {
            let complete = complete(experiment, slice, own, Some(place));
            let given = body.slices.given(place, &statement.flow);
            if slice.statements.contains(&place) {
                let given = given.into_iter().filter(|ordinal| known.insert(*ordinal));
                let given = given.map(|ordinal| own.given(experiment, ordinal));
                let (tokens, reached) = (
                    tied(statement, own, ties),
                    reached(experiment, slice, own, statement),
                );
                quote!(#complete #(#given)* #tokens #reached)
            } else if members.contains(&place) {
                let given = given
                    .into_iter()
                    .map(|ordinal| own.given(experiment, ordinal));
                let made = own.asked_for(experiment, statement, quote!(#(#given)*));
                quote!(#complete #made)
            } else {
                complete
            }
        })
        .collect();
    let complete = complete(experiment, slice, own, None);
    let scope = &own.scope;
    quote! {
        #(#bound)*
        #(#sequences)*
        #handle
        #(#kept)*
        {
            #(#statements)*
        }
        #scope.leave();
        #complete
    }
}

/// Puts the fields without a maker of their own before the statement that is the first to use what is
/// recorded of them: the user's own statements show that nothing refers to them there. Those that
/// none uses are put at the end.
fn complete(
    experiment: &Experiment,
    slice: &Slice,
    own: &Own,
    before: Option<usize>,
) -> TokenStream {
    let (scope, slices) = (&own.scope, &experiment.body.slices);
    let puts = slice.fields.iter().filter_map(|ordinal| {
        let target = slices.targets.get(*ordinal)?;
        let put = (target.maker.is_none() && target.used_at == before)
            .then(|| own.put(experiment, *ordinal))??;
        Some(quote!(if #scope.lacks(#ordinal) { #put }))
    });
    quote!(#(#puts)*)
}

/// Puts a field that a statement of the slice makes, and which cannot be changed.
fn reached(
    experiment: &Experiment,
    slice: &Slice,
    own: &Own,
    statement: &Statement,
) -> Option<TokenStream> {
    let ordinal = experiment.inputs.sequences.len() + statement.field?;
    let (reach, scope) = (own.reach(experiment, statement)?, &own.scope);
    let is_made = slice.fields.contains(&ordinal);
    is_made.then(|| quote!(if #scope.lacks(#ordinal) { #reach }))
}
