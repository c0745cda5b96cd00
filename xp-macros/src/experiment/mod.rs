//! `#[experiment]`: the declaration as data, a plan with a setter for each input, and one function
//! that runs the steps.

mod body;
mod expand;
mod inputs;
mod model;
mod names;
mod parse;
mod places;

use proc_macro2::TokenStream;
use quote::quote;

use crate::debug;
use crate::error::{self, Errors};
use crate::fallback::{strip_inert, strip_leading};

/// Our attributes on a function; what is emitted has none of them.
const OWN_ATTRIBUTES: [&str; 2] = ["step", "experiment"];

/// The attributes inside of an experiment.
const INERT_ATTRIBUTES: [&str; 6] = ["config", "param", "sequence", "shared", "state", "field"];

/// The expansion of `#[experiment(args)] item`, with all errors found in it.
pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    let cleaned = strip_inert(
        strip_leading(item.clone(), &OWN_ATTRIBUTES),
        &INERT_ATTRIBUTES,
    );
    error::boundary("#[experiment]", cleaned.clone(), || {
        let mut errors = Errors::default();
        match parse::parse(args, item, &mut errors) {
            Some(experiment) => {
                let output = expand::expand(&experiment);
                debug::show(&experiment.name, &output);
                let errors = errors.into_contained_errors();
                quote!(#output #errors)
            }
            None => {
                let errors = errors.into_compile_errors();
                quote!(#cleaned #errors)
            }
        }
    })
}
