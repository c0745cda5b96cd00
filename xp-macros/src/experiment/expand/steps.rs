//! The function that runs the steps: the user's statements, between what they need and what is
//! made of what they leave.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::{ops_of_field, ops_of_shared, private};
use crate::experiment::model::{Experiment, Kept, Kind, Role, Statement};

/// The variables of the expansion, which no name of the user's can be.
struct Own {
    config: Ident,
    params: Ident,
    run: Ident,
    scope: Ident,
}

pub(super) fn expand(experiment: &Experiment) -> TokenStream {
    let Experiment {
        names,
        inputs,
        body,
        ..
    } = experiment;
    let own = |name| Ident::new(name, Span::mixed_site());
    let own = Own {
        config: own("config"),
        params: own("params"),
        run: own("run"),
        scope: own("scope"),
    };
    let Own {
        config,
        params,
        run,
        scope,
    } = &own;
    let [run_type, scope_type, error] = ["Run", "Scope", "StepError"].map(private);
    let (config_type, params_type, state) = (&names.config, &names.params, &names.state);
    let head = quote! {
        #[allow(unused_variables, unused_mut, unused_parens, unused_braces)]
        fn steps(
            #config: &#config_type,
            #params: &#params_type,
            #run: &mut #run_type,
            #scope: &mut #scope_type<'_>,
        ) -> ::core::result::Result<#state, #error>
    };
    if experiment.broken.is_some() {
        // The errors are told, and the body stands in a function of its own.
        return quote!(#head { ::core::unreachable!() });
    }
    let bound = inputs.values.iter().map(|input| {
        let (ident, ty, mutability) = (&input.ident, &input.ty, &input.mutability);
        let side = match input.role {
            Role::Config => config,
            Role::Param => params,
        };
        quote! {
            let #mutability #ident: #ty = ::core::clone::Clone::clone(&#side.#ident);
            // An input that no step takes, such as the number of a repetition, is no mistake.
            let _ = &#ident;
        }
    });
    let handle = inputs.run.as_ref().map(|handle| {
        let (ident, ty) = (&handle.ident, &handle.ty);
        quote!(let #ident: #ty = #run;)
    });
    let sequences = inputs.sequences.iter().map(|sequence| {
        let (ident, ty, name) = (&sequence.ident, &sequence.ty, &sequence.name);
        quote_spanned!(ty.span()=> let mut #ident: #ty = <#ty>::declare_for(&*#run, #name)?;)
    });
    let kept = body.states.iter().chain(&body.fields).map(
        |Kept {
             local,
             ty,
             mutability,
             ..
         }| { quote!(let #mutability #local: #ty;) },
    );
    let statements = body.statements.iter().map(|statement| one(statement, &own));
    let puts_sequences = inputs.sequences.iter().map(|sequence| {
        let ident = &sequence.ident;
        quote!(#scope.put_sequence(#ident)?;)
    });
    let puts = body.fields.iter().enumerate().map(|(place, field)| {
        let (ops, local) = (ops_of_field(place), &field.local);
        quote!(#ops.put(#scope, &#local)?;)
    });
    let states = body
        .states
        .iter()
        .map(|Kept { ident, local, .. }| quote!(#ident: #local,));
    // The statements stand in a block of their own: what they borrow of a state or of a field ends
    // there, also if it has a `Drop`.
    quote! {
        #head {
            #(#bound)*
            #(#sequences)*
            #handle
            #(#kept)*
            {
                #(#statements)*
            }
            #scope.leave();
            #(#puts_sequences)*
            #(#puts)*
            ::core::result::Result::Ok(#state { #(#states)* })
        }
    }
}

fn one(statement: &Statement, own: &Own) -> TokenStream {
    let scope = &own.scope;
    let enter = statement.step.map(|step| quote!(#scope.enter(#step);));
    let statement = match &statement.kind {
        Kind::Var { pat, value } => quote!(let #pat = #value;),
        Kind::Call(value) => quote!(#value;),
        Kind::Kept { local, value } => quote!(#local = #value;),
        Kind::Shared {
            place,
            name,
            local,
            ty,
            value,
        } => {
            let (error, ops) = (private("StepError"), ops_of_shared(*place));
            let held = Ident::new("held", Span::mixed_site());
            quote! {
                let #held = #scope.shared::<#ty>(#place, &#ops, || -> ::core::result::Result<#ty, #error> {
                    let #name: #ty = #value;
                    ::core::result::Result::Ok(#name)
                })?;
                let #local: &#ty = &*#held;
            }
        }
    };
    quote!(#enter #statement)
}
