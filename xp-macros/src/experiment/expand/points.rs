//! Points as data: what is known of them without a plan, and how they are made elsewhere.

use proc_macro2::TokenStream;
use quote::quote;

use super::plan::converted;
use super::{ops_of_input, private, steps};
use crate::experiment::model::{Experiment, Role};

/// Defaults and absent values, as data.
pub(super) fn baselines(experiment: &Experiment) -> TokenStream {
    let names = &experiment.names;
    let (marker, absents) = (&names.experiment, &names.absents);
    let [declared, baseline, input_error] = ["Declared", "Baseline", "InputError"].map(private);
    let each = experiment.inputs.given();
    let each = each.map(|(place, input)| {
        let (ident, ty, ops) = (&input.ident, &input.ty, ops_of_input(place));
        let default = match &input.default {
            Some(default) => {
                let default = converted(ty, quote!(#default));
                quote!(::core::option::Option::Some(&#default))
            }
            None => quote!(::core::option::Option::None),
        };
        quote! {
            #ops.baselines(
                &declaration.inputs[#place], #default, absents.#ident.as_ref(), &mut baselines,
            )?;
        }
    });
    quote! {
        #[allow(unused_variables, unused_mut)]
        fn baselines(
            absents: &#absents,
        ) -> ::core::result::Result<::std::vec::Vec<#baseline>, #input_error> {
            let declaration = <#marker as #declared>::declaration();
            let mut baselines = ::std::vec::Vec::new();
            #(#each)*
            ::core::result::Result::Ok(baselines)
        }
    }
}

/// A point of values that came from another process.
pub(super) fn receive(experiment: &Experiment) -> TokenStream {
    let Experiment { names, inputs, .. } = experiment;
    let (marker, config, params) = (&names.experiment, &names.config, &names.params);
    let [declared, value, input_error] = ["Declared", "Value", "InputError"].map(private);
    let received = |place: usize| steps::own(&format!("input_{place}"));
    let each = inputs.values.iter().enumerate().map(|(place, _)| {
        let (ops, received) = (ops_of_input(place), received(place));
        quote!(let #received = #ops.receive(&declaration.inputs[#place], &mut values)?;)
    });
    let members = |config: bool| {
        let of = inputs.values.iter().enumerate();
        let of = of.filter(move |(_, input)| (input.role == Role::Config) == config);
        of.map(|(place, input)| {
            let (ident, received) = (&input.ident, received(place));
            quote!(#ident: #received,)
        })
        .collect::<TokenStream>()
    };
    let (configs, param_members) = (members(true), members(false));
    let made = match inputs.read.first() {
        None => {
            quote!(::core::result::Result::Ok((#config { #configs }, #params { #param_members })))
        }
        // The runtime refuses to send one, before the first run.
        Some(sequence) => {
            let (name, not_sent) = (&sequence.name, private("not_sent"));
            quote!(::core::result::Result::Err(#not_sent(#name)))
        }
    };
    quote! {
        #[allow(unused_variables, unused_mut)]
        fn receive(
            values: ::std::vec::Vec<#value>,
        ) -> ::core::result::Result<(#config, #params), #input_error> {
            let declaration = <#marker as #declared>::declaration();
            let mut values = ::core::iter::IntoIterator::into_iter(values);
            #(#each)*
            #made
        }
    }
}
