//! From the model to what stands in the user's crate. Cannot fail.

mod continued;
mod declared;
mod fill;
mod plan;
mod points;
mod steps;
mod types;

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

use super::lints::Lints;
use super::model::{Experiment, Input};

/// All items that an experiment leaves.
pub(super) fn expand(experiment: &Experiment) -> TokenStream {
    let types = types::expand(experiment);
    let plan = plan::items(experiment);
    let plan_impls = plan::impls(experiment);
    let declared = declared::expand(experiment);
    let constants = constants(experiment);
    let kept_names = kept_names(experiment);
    let broken = &experiment.broken;
    quote! {
        #plan
        #types
        #broken

        const _: () = {
            #constants
            #kept_names
            #plan_impls
            #declared
        };
    }
}

/// The constant that says what can be done with an input.
fn ops_of_input(place: usize) -> Ident {
    format_ident!("INPUT_{place}")
}

/// The constant that says what can be done with a field.
fn ops_of_field(place: usize) -> Ident {
    format_ident!("FIELD_{place}")
}

/// The constant that says how a shared value is held.
fn ops_of_shared(place: usize) -> Ident {
    format_ident!("SHARED_{place}")
}

/// `::xp::__private::item`.
fn private(item: &str) -> TokenStream {
    crate::paths::private(item, proc_macro2::Span::call_site())
}

/// The names of states and fields once more: they stand in several items, and lints tell of them here.
fn kept_names(experiment: &Experiment) -> TokenStream {
    let lints = Lints::of(&experiment.attributes).names;
    let kept = experiment.body.states.iter().chain(&experiment.body.fields);
    let names = kept.map(|kept| {
        let ident = &kept.ident;
        quote! {
            #lints
            const _: () = {
                #[allow(dead_code)]
                struct Kept { #ident: () }
            };
        }
    });
    names.collect()
}

/// Each type is looked at in one place, at the user's tokens: one that will not do is one error.
fn constants(experiment: &Experiment) -> TokenStream {
    let inputs = experiment
        .inputs
        .values
        .iter()
        .enumerate()
        .map(|(place, input)| {
            let name = ops_of_input(place);
            let Input {
                ty, key, flatten, ..
            } = input;
            let span = ty.span();
            let ops = crate::paths::private("InputOps", span);
            let made = match (key, flatten) {
                (Some(key), _) => quote_spanned!(span=> text(#key)),
                (None, true) => quote_spanned!(span=> flat()),
                (None, false) => quote_spanned!(span=> plain()),
            };
            quote_spanned!(span=> #[allow(dead_code)] const #name: #ops<#ty> = #ops::<#ty>::#made;)
        });
    let fields = experiment
        .body
        .fields
        .iter()
        .enumerate()
        .map(|(place, field)| {
            let name = ops_of_field(place);
            let ty = &field.ty;
            let span = ty.span();
            let ops = crate::paths::private("FieldOps", span);
            let made = match &field.flatten {
                Some(_) => quote_spanned!(span=> flat()),
                None => quote_spanned!(span=> plain()),
            };
            quote_spanned!(span=> #[allow(dead_code)] const #name: #ops<#ty> = #ops::<#ty>::#made;)
        });
    let states = experiment.body.states.iter().map(|state| {
        let ty = &state.ty;
        let check = crate::paths::private("state_must_be_send", ty.span());
        quote_spanned!(ty.span()=> const _: () = #check::<#ty>();)
    });
    let shared = experiment
        .body
        .statements
        .iter()
        .filter_map(|statement| match &statement.kind {
            super::model::Kind::Shared { place, ty, .. } => Some((*place, ty)),
            _ => None,
        });
    let shared = shared.map(|(place, ty)| {
        let (name, span) = (ops_of_shared(place), ty.span());
        let ops = crate::paths::private("SharedOps", span);
        quote_spanned!(span=> #[allow(dead_code)] const #name: #ops<#ty> = #ops::<#ty>::new();)
    });
    let given = given_types(experiment);
    quote!(#(#inputs)* #given #(#fields)* #(#states)* #(#shared)*)
}

/// What an experiment is given stands in its rows: a type that has a file of its own is an error.
fn given_types(experiment: &Experiment) -> Option<TokenStream> {
    let given = experiment
        .inputs
        .given()
        .filter(|(_, input)| input.key.is_none());
    let checks: Vec<_> = given
        .map(|(_, input)| {
            let ty = &input.ty;
            let of = crate::paths::private("InputType", ty.span());
            quote_spanned!(ty.span()=> #of::<#ty>::check();)
        })
        .collect();
    let any = private("AnyInput");
    (!checks.is_empty()).then(|| {
        quote! {
            #[allow(dead_code)]
            fn given_types() {
                #[allow(unused_imports)]
                use #any as _;
                #(#checks)*
            }
        }
    })
}
