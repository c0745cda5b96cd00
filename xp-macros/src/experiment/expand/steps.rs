//! The function that runs the steps: the user's statements, between what they need and what is
//! made of what they leave.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::{ops_of_field, ops_of_shared, private};
use crate::experiment::lints::Lints;
use crate::experiment::model::{Experiment, Input, Inputs, Kept, Kind, Role, Sequence, Statement};
use crate::experiment::names::local;

/// The variables of the expansion, which no name of the user's can be.
pub(super) struct Own {
    pub(super) config: Ident,
    pub(super) params: Ident,
    pub(super) run: Ident,
    pub(super) scope: Ident,
}

pub(super) fn own(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

impl Own {
    pub(super) fn new() -> Self {
        Self {
            config: own("config"),
            params: own("params"),
            run: own("run"),
            scope: own("scope"),
        }
    }

    /// The parameters of a function that has statements in it.
    pub(super) fn parameters(&self, experiment: &Experiment) -> TokenStream {
        let Self {
            config,
            params,
            run,
            scope,
        } = self;
        let [run_type, scope_type] = ["Run", "Scope"].map(private);
        let names = &experiment.names;
        let (config_type, params_type) = (&names.config, &names.params);
        quote! {
            #config: &#config_type,
            #params: &#params_type,
            #run: &mut #run_type,
            #scope: &mut #scope_type<'_>,
        }
    }

    /// The input as a variable of its name.
    pub(super) fn input(&self, input: &Input) -> TokenStream {
        let (ident, ty, mutability) = (&input.ident, &input.ty, &input.mutability);
        let side = match input.role {
            Role::Config => &self.config,
            _ => &self.params,
        };
        quote! {
            let #mutability #ident: #ty = ::core::clone::Clone::clone(&#side.#ident);
            // An input that no step takes, such as the number of a repetition, is no mistake.
            let _ = &#ident;
        }
    }

    /// Declares a sequence, of the run that is not handed to the statements yet.
    pub(super) fn sequence(&self, sequence: &Sequence) -> TokenStream {
        let (ident, ty, name, run) = (&sequence.ident, &sequence.ty, &sequence.name, &self.run);
        quote_spanned! {ty.span()=>
            let mut #ident: #ty = <#ty>::declare_in(#run.declared_sequences(), #name)?;
        }
    }

    /// What is read of the run that is continued, and all runs.
    pub(super) fn read(&self, inputs: &Inputs) -> TokenStream {
        let (params, scope) = (&self.params, &self.scope);
        let sequences = inputs.read.iter().map(|sequence| {
            let (ident, ty) = (&sequence.ident, &sequence.ty);
            let local = local(ident);
            quote!(let #local: &#ty = &*#params.#ident;)
        });
        let runs = inputs.runs.as_ref().map(|runs| {
            let (ident, ty) = (&runs.ident, &runs.ty);
            let (held, runs_in) = (own("held_runs"), private("runs_in"));
            quote! {
                let #held = #runs_in(#scope)?;
                let #ident: #ty = &#held;
                let _ = #ident;
            }
        });
        quote!(#(#sequences)* #runs)
    }

    /// The run as a variable of its name, if the experiment takes it.
    pub(super) fn handle(&self, experiment: &Experiment) -> Option<TokenStream> {
        let handle = experiment.inputs.run.as_ref()?;
        let (ident, ty, run) = (&handle.ident, &handle.ty, &self.run);
        Some(quote!(let #ident: #ty = #run;))
    }

    pub(super) fn statement(&self, statement: &Statement) -> TokenStream {
        let scope = &self.scope;
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
                let held = own("held");
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

    /// Puts the field that a statement makes, unless it is still to be changed: so it is known, too,
    /// if a later step fails.
    pub(super) fn reach(
        &self,
        experiment: &Experiment,
        statement: &Statement,
    ) -> Option<TokenStream> {
        let place = statement.field?;
        let field = experiment.body.fields.get(place)?;
        if field.mutability.is_some() {
            return None;
        }
        let (ops, local, scope) = (ops_of_field(place), &field.local, &self.scope);
        let ordinal = experiment.inputs.sequences.len() + place;
        Some(quote!(#ops.reach(#scope, #ordinal, &#local)?;))
    }

    /// Makes a field only if it is asked for.
    pub(super) fn asked_for(
        &self,
        experiment: &Experiment,
        statement: &Statement,
        before: TokenStream,
    ) -> Option<TokenStream> {
        let place = statement.field?;
        let Kept { local, ty, .. } = experiment.body.fields.get(place)?;
        let Kind::Kept { value, .. } = &statement.kind else {
            return None;
        };
        let scope = &self.scope;
        let ordinal = experiment.inputs.sequences.len() + place;
        let enter = statement.step.map(|step| quote!(#scope.enter(#step);));
        let ops = ops_of_field(place);
        Some(quote! {
            if #scope.lacks(#ordinal) {
                #before
                #enter
                let #local: #ty = #value;
                #ops.reach(#scope, #ordinal, &#local)?;
            }
        })
    }

    /// What is recorded of a sequence or a field, as a variable of its name.
    pub(super) fn given(&self, experiment: &Experiment, ordinal: usize) -> Option<TokenStream> {
        let scope = &self.scope;
        if let Some(Sequence { ident, ty, .. }) = experiment.inputs.sequences.get(ordinal) {
            return Some(quote!(let #ident: #ty = #scope.given_sequence(#ordinal)?;));
        }
        let place = ordinal - experiment.inputs.sequences.len();
        let Kept { local, ty, .. } = experiment.body.fields.get(place)?;
        let ops = ops_of_field(place);
        Some(quote!(let #local: #ty = #ops.given(#scope, #ordinal)?;))
    }

    /// Puts a sequence or a field at the end; nothing for a field that is there already.
    pub(super) fn put(&self, experiment: &Experiment, ordinal: usize) -> Option<TokenStream> {
        let scope = &self.scope;
        if let Some(Sequence { ident, .. }) = experiment.inputs.sequences.get(ordinal) {
            return Some(quote!(#scope.put_sequence(#ordinal, #ident)?;));
        }
        let place = ordinal - experiment.inputs.sequences.len();
        let field = experiment.body.fields.get(place)?;
        field.mutability?;
        let (ops, local) = (ops_of_field(place), &field.local);
        Some(quote!(#ops.put(#scope, #ordinal, &#local)?;))
    }
}

/// A state or a field, before it has a value.
pub(super) fn kept(kept: &Kept) -> TokenStream {
    let Kept {
        local,
        ty,
        mutability,
        ..
    } = kept;
    quote!(let #mutability #local: #ty;)
}

pub(super) fn expand(experiment: &Experiment) -> TokenStream {
    let Experiment {
        names,
        inputs,
        body,
        ..
    } = experiment;
    let own = Own::new();
    let (parameters, error, state) = (
        own.parameters(experiment),
        private("StepError"),
        &names.state,
    );
    let lints = Lints::of(&experiment.attributes).body;
    let head = quote! {
        #lints
        #[allow(unused_variables, unused_mut, unused_parens, unused_braces)]
        fn steps(#parameters) -> ::core::result::Result<#state, #error>
    };
    if experiment.broken.is_some() {
        // The errors are told, and the body stands in a function of its own.
        return quote!(#head { ::core::unreachable!() });
    }
    let bound = inputs.values.iter().map(|input| own.input(input));
    let read = own.read(inputs);
    let handle = own.handle(experiment);
    let sequences = inputs.sequences.iter().map(|of| own.sequence(of));
    let kept = body.states.iter().chain(&body.fields).map(kept);
    let statements = body.statements.iter().map(|statement| {
        let reach = own.reach(experiment, statement);
        let statement = own.statement(statement);
        quote!(#statement #reach)
    });
    let ordinals = 0..inputs.sequences.len() + body.fields.len();
    let puts = ordinals.filter_map(|ordinal| own.put(experiment, ordinal));
    let states = body
        .states
        .iter()
        .map(|Kept { ident, local, .. }| quote!(#ident: #local,));
    let scope = &own.scope;
    // The statements stand in a block of their own: what they borrow of a state or of a field ends
    // there, also if it has a `Drop`.
    quote! {
        #head {
            #(#bound)*
            #read
            #(#sequences)*
            #handle
            #(#kept)*
            {
                #(#statements)*
            }
            #scope.leave();
            #(#puts)*
            ::core::result::Result::Ok(#state { #(#states)* })
        }
    }
}
