//! The function that runs one of the slices: those of the statements on which some fields depend.
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
use crate::experiment::inputs::find;
use crate::experiment::model::{Experiment, Kept, Kind, Statement};
use crate::experiment::patterns::names_of;
use crate::experiment::slices::{Slice, Variable};

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
    let slices = &experiment.body.slices;
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
    for slice in &body.slices {
        let outside = (0..body.statements.len()).filter(|i| !slice.statements.contains(i));
        let used: BTreeSet<_> = outside
            .flat_map(|i| &body.statements[i].flow.uses)
            .collect();
        let untyped = slice.statements.iter().map(|i| &body.statements[*i]);
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
    let sequences = inputs.sequences.iter().map(steps::sequence);
    let kept = body.states.iter().chain(&body.fields).map(steps::kept);
    let statements = body
        .statements
        .iter()
        .map(|statement| tied(statement, own, ties));
    quote! {
        if false {
            return ::core::result::Result::Ok(());
            #(#bound)*
            #handle
            #(#sequences)*
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
    let statements: Vec<_> = slice
        .statements
        .iter()
        .map(|i| &body.statements[*i])
        .collect();
    let used: BTreeSet<_> = statements.iter().flat_map(|s| &s.flow.uses).collect();
    let bound = inputs.values.iter().enumerate();
    let bound = bound.filter(|(variable, _)| used.contains(variable));
    let bound = bound.map(|(_, input)| own.input(input));
    let handle = own.handle(experiment);
    let sequences = inputs.sequences.iter().enumerate();
    let sequences = sequences.filter(|(ordinal, _)| {
        slice.fields.contains(ordinal) || used.contains(&(inputs.values.len() + ordinal))
    });
    let sequences = sequences.map(|(_, sequence)| steps::sequence(sequence));
    let is_made = |kept: &&Kept| {
        let of = |statement: &&Statement| matches!(&statement.kind, Kind::Kept { local, .. } if *local == kept.local);
        statements.iter().any(of)
    };
    let kept = body.states.iter().chain(&body.fields).filter(is_made);
    let kept = kept.map(steps::kept);
    let ordinal_of = |place: usize| inputs.sequences.len() + place;
    let statements = statements.iter().map(|statement| {
        let tokens = tied(statement, own, ties);
        let is_filled = |place| slice.fields.contains(&ordinal_of(place));
        let reach = statement.field.is_some_and(is_filled);
        let reach = reach.then(|| own.reach(experiment, statement));
        quote!(#tokens #reach)
    });
    let puts = slice.fields.iter();
    let puts = puts.filter_map(|ordinal| own.put(experiment, *ordinal));
    let scope = &own.scope;
    quote! {
        #(#bound)*
        #handle
        #(#sequences)*
        #(#kept)*
        {
            #(#statements)*
        }
        #scope.leave();
        #(#puts)*
    }
}
