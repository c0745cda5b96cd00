//! What the runtime asks of an experiment.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::Expr;
use syn::spanned::Spanned;

use super::plan::converted;
use super::{continued, fill, ops_of_field, ops_of_input, points, private, steps};
use crate::experiment::model::{Experiment, Kind, Role};
use crate::{callee, doc};

pub(super) fn expand(experiment: &Experiment) -> TokenStream {
    let Experiment {
        names,
        inputs,
        body,
        ..
    } = experiment;
    let (marker, config, params, state, fields, absents) = (
        &names.experiment,
        &names.config,
        &names.params,
        &names.state,
        &names.fields,
        &names.absents,
    );
    let [
        declared,
        run_kind,
        declaration,
        layout,
        visitor,
        input_error,
        reader,
        row_error,
    ] = [
        "Declared",
        "RunKind",
        "Declaration",
        "Layout",
        "Visitor",
        "InputError",
        "RowReader",
        "RowError",
    ]
    .map(private);
    let declaration_body = declaration_body(experiment);
    let steps = steps::expand(experiment);
    let fill = fill::expand(experiment);

    let absent_values = inputs.values.iter().map(|input| {
        let ident = &input.ident;
        match input.absent.as_ref().or(input.default.as_ref()) {
            // `absent = _`
            Some(Expr::Infer(_)) => quote!(#ident: ::core::option::Option::None,),
            Some(value) => {
                let value = converted(&input.ty, quote!(#value));
                quote!(#ident: ::core::option::Option::Some(#value),)
            }
            None => quote!(#ident: ::core::option::Option::None,),
        }
    });
    let layouts = layouts(experiment);
    let visits = inputs.values.iter().enumerate().map(|(place, input)| {
        let (ident, ops) = (&input.ident, ops_of_input(place));
        let side = match input.role {
            Role::Config => quote!(config),
            _ => quote!(params),
        };
        quote! {
            #ops.visit(&declaration.inputs[#place], &#side.#ident, absents.#ident.as_ref(), visitor)?;
        }
    });
    let reads = reads(experiment);
    let (baselines, receive) = (points::baselines(experiment), points::receive(experiment));
    let continued = continued::expand(experiment);
    // The one place that asks the state to be `Send`; where it is not, that is told at a state.
    let mut state_there = state.clone();
    if let Some(last) = body.states.last() {
        state_there.set_span(state.span().located_at(last.ty.span()));
    }
    quote! {
        impl #run_kind for #marker {
            type Fields = #fields;
            type State = #state_there;
            type Inner = ();
        }

        #[allow(clippy::all, clippy::pedantic)]
        impl #declared for #marker {
            type Config = #config;
            type Params = #params;
            type Absents = #absents;

            #steps

            #fill

            fn declaration() -> &'static #declaration {
                #declaration_body
            }

            fn absents() -> #absents {
                #absents { #(#absent_values)* }
            }

            #[allow(unused_variables)]
            fn layout(layout: &mut #layout) {
                #layouts
            }

            #[allow(unused_variables)]
            fn visit(
                config: &#config,
                params: &#params,
                absents: &#absents,
                visitor: &mut #visitor<'_, '_>,
            ) -> ::core::result::Result<(), #input_error> {
                let declaration = <#marker as #declared>::declaration();
                #(#visits)*
                ::core::result::Result::Ok(())
            }

            #baselines

            #receive

            #[allow(unused_variables)]
            fn read(row: &mut #reader<'_>) -> ::core::result::Result<#fields, #row_error> {
                ::core::result::Result::Ok(#fields { #reads })
            }

            #continued

        }
    }
}

fn declaration_body(experiment: &Experiment) -> TokenStream {
    let Experiment {
        name,
        attributes,
        inputs,
        body,
        ..
    } = experiment;
    let [declaration, info, role_type, step_info] =
        ["Declaration", "InputInfo", "InputRole", "StepInfo"].map(private);
    let (fields, slices) = (field_infos(experiment), slices(experiment));
    let docs = doc::joined(attributes);
    let infos = inputs.values.iter().enumerate().map(|(position, input)| {
        let (name, identity) = (&input.name, input.identity);
        let recorded = input.recorded && !input.role.is_read();
        let doc = doc::joined(&input.docs);
        let ty = input.ty.to_token_stream().to_string();
        let role = match input.role {
            Role::Config => quote!(#role_type::Config),
            Role::Param => quote!(#role_type::Param),
            Role::ReadParam | Role::ReadField => quote!(#role_type::Read),
        };
        quote! {
            #info {
                name: #name,
                doc: #doc,
                ty: #ty,
                role: #role,
                identity: #identity,
                recorded: #recorded,
                position: #position,
            },
        }
    });
    let steps = body.steps.iter().map(callee::check);
    let shared = body.shared.iter().map(|needs| quote!(&[#(#needs),*],));
    let uses_run = inputs.run.is_some();
    let keeps_state = !body.states.is_empty();
    quote! {
        const STEPS: &[&#step_info] = &[#(#steps,)*];
        static DECLARATION: #declaration = #declaration {
            name: #name,
            doc: #docs,
            module: ::core::module_path!(),
            inputs: &[#(#infos)*],
            steps: STEPS,
            fields: &[#fields],
            slices: &[#slices],
            shared: &[#(#shared)*],
            uses_run: #uses_run,
            keeps_state: #keeps_state,
        };
        &DECLARATION
    }
}

/// By ordinal: the declared sequences, then the fields.
fn field_infos(experiment: &Experiment) -> TokenStream {
    let field_info = private("FieldInfo");
    let body = &experiment.body;
    let info = |ordinal: usize, name: &str, docs: &[syn::Attribute], ty: &syn::Type| {
        let (doc, ty) = (doc::joined(docs), ty.to_token_stream().to_string());
        let sequence = ordinal < experiment.inputs.sequences.len();
        let target = body.slices.targets.get(ordinal);
        let needs = target.into_iter().flat_map(|target| &target.needs);
        let maker = target.and_then(|target| target.maker);
        let inputs = inputs_of(experiment, maker.iter());
        let depends = target.into_iter().flat_map(|target| &target.depends);
        let steps = depends.filter_map(|place| body.statements[*place].step);
        quote! {
            #field_info {
                name: #name,
                doc: #doc,
                ty: #ty,
                sequence: #sequence,
                inputs: &[#(#inputs),*],
                needs: &[#(#needs),*],
                steps: &[#(#steps),*],
            },
        }
    };
    let sequences = experiment.inputs.sequences.iter();
    let sequences = sequences.map(|of| (&of.name, &of.docs, &of.ty));
    let fields = body.fields.iter().map(|of| (&of.name, &of.docs, &of.ty));
    let all = sequences.chain(fields).enumerate();
    all.map(|(ordinal, (name, docs, ty))| info(ordinal, name, docs, ty))
        .collect()
}

/// The positions of the inputs that some statements use.
fn inputs_of<'a>(
    experiment: &Experiment,
    statements: impl Iterator<Item = &'a usize>,
) -> BTreeSet<usize> {
    let used = statements.flat_map(|place| &experiment.body.statements[*place].flow.uses);
    let is_input = |variable: &usize| *variable < experiment.inputs.values.len();
    used.copied().filter(is_input).collect()
}

fn slices(experiment: &Experiment) -> TokenStream {
    let slice = private("Slice");
    let body = &experiment.body;
    let slices = body.slices.all.iter().map(|of| {
        let (fields, needs) = (&of.fields, &of.needs);
        let inputs = inputs_of(experiment, of.statements.iter());
        let statements = || of.statements.iter().map(|place| &body.statements[*place]);
        let steps = statements().filter_map(|statement| statement.step);
        let own = statements().filter(|of| !matches!(of.kind, Kind::Shared { .. }));
        let own = own.filter_map(|statement| statement.step);
        quote! {
            #slice {
                fields: &[#(#fields),*],
                inputs: &[#(#inputs),*],
                needs: &[#(#needs),*],
                steps: &[#(#steps),*],
                own: &[#(#own),*],
            },
        }
    });
    slices.collect()
}

fn layouts(experiment: &Experiment) -> TokenStream {
    let inputs = experiment.inputs.given();
    let inputs = inputs.map(|(place, input)| {
        let (ops, name) = (ops_of_input(place), &input.name);
        if input.recorded {
            quote!(#ops.layout(layout, #name);)
        } else {
            quote!(#ops.unrecorded(layout, #name);)
        }
    });
    let sequences = experiment.inputs.sequences.iter().map(|sequence| {
        let name = &sequence.name;
        quote!(layout.sequence(#name);)
    });
    let fields = experiment
        .body
        .fields
        .iter()
        .enumerate()
        .map(|(place, field)| {
            let (ops, name) = (ops_of_field(place), &field.name);
            let prefix = field.flatten.as_deref().unwrap_or_default();
            quote!(#ops.layout(layout, #name, #prefix);)
        });
    quote!(#(#inputs)* #(#sequences)* #(#fields)*)
}

/// In the order of the layout.
fn reads(experiment: &Experiment) -> TokenStream {
    let inputs = experiment
        .inputs
        .given()
        .filter(|(_, input)| input.recorded)
        .map(|(place, input)| {
            let ident = &input.ident;
            if input.key.is_some() {
                quote!(#ident: row.get()?,)
            } else {
                let ops = ops_of_input(place);
                quote!(#ident: #ops.read(row)?,)
            }
        });
    let sequences = experiment.inputs.sequences.iter().map(|sequence| {
        let ident = &sequence.ident;
        quote!(#ident: row.get_sequence()?,)
    });
    let fields = experiment
        .body
        .fields
        .iter()
        .enumerate()
        .map(|(place, field)| {
            let (ident, ops) = (&field.ident, ops_of_field(place));
            quote!(#ident: #ops.read(row)?,)
        });
    let read = continued::members(experiment, false);
    quote!(#(#inputs)* #(#sequences)* #(#fields)* #read)
}
