//! The types that are named after the experiment.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, Type};

use super::private;
use crate::experiment::model::{Experiment, Role};

/// A member of one of the types.
struct Member<'a> {
    ident: &'a Ident,
    ty: TokenStream,
    docs: TokenStream,
}

impl<'a> Member<'a> {
    fn new(ident: &'a Ident, ty: &Type, docs: &[Attribute], otherwise: String) -> Self {
        Self {
            ident,
            ty: ty.to_token_stream(),
            docs: docs_or(docs, &otherwise),
        }
    }
}

/// The user's own documentation, or a line of ours.
pub(super) fn docs_or(docs: &[Attribute], otherwise: &str) -> TokenStream {
    if docs.is_empty() {
        quote!(#[doc = #otherwise])
    } else {
        quote!(#(#docs)*)
    }
}

pub(super) fn expand(experiment: &Experiment) -> TokenStream {
    let names = &experiment.names;
    let (vis, name) = (&experiment.visibility, &experiment.name);
    let continues = experiment.continues.is_some();
    let of = |config: bool| {
        let inputs = experiment
            .inputs
            .values
            .iter()
            .filter(move |input| (input.role == Role::Config) == config);
        let member = |input: &'_ crate::experiment::model::Input| {
            (
                input.ident.clone(),
                input.ty.clone(),
                input.docs.clone(),
                input.name.clone(),
            )
        };
        inputs.map(member).collect::<Vec<_>>()
    };
    let (configs, mut params) = (of(true), of(false));
    params.extend(experiment.inputs.read.iter().map(|sequence| {
        let ty = &sequence.ty;
        (
            sequence.ident.clone(),
            syn::parse_quote!(::std::sync::Arc<#ty>),
            sequence.docs.clone(),
            sequence.name.clone(),
        )
    }));
    let members = |of: &[(Ident, Type, Vec<Attribute>, String)], word: &str| {
        of.iter()
            .map(|(ident, ty, docs, name)| {
                let docs = docs_or(docs, &format!("The {word} `{name}`."));
                quote!(#docs pub #ident: #ty,)
            })
            .collect::<TokenStream>()
    };
    let config_members = members(&configs, "config");
    let param_members = members(&params, if continues { "input" } else { "param" });
    let fields = fields(experiment);
    let states: Vec<_> = experiment
        .body
        .states
        .iter()
        .map(|state| {
            Member::new(
                &state.ident,
                &state.ty,
                &state.docs,
                format!("The state `{}`.", state.name),
            )
        })
        .collect();
    let (marker, config, params_type) = (&names.experiment, &names.config, &names.params);
    // At the user's token, so that it is the place where the name is told to be taken.
    let marker_item = quote_spanned!(marker.span()=> enum #marker {});
    let marker_text = marker.to_string();
    let docs = [
        format!("The experiment `{name}`: `Experiment<{marker}>`, `Run<{marker}>`."),
        format!("The config of `{name}`: the inputs that all runs of an execution have in common."),
        if continues {
            format!("What `{name}` reads of a run.")
        } else {
            format!("The params of `{name}`: the inputs of one point.")
        },
    ];
    let [marker_doc, config_doc, params_doc] = &docs;
    let clones = |of: &[(Ident, Type, Vec<Attribute>, String)]| {
        of.iter()
            .map(|(ident, ..)| quote!(#ident: ::core::clone::Clone::clone(&self.#ident),))
            .collect::<TokenStream>()
    };
    let (config_clones, param_clones) = (clones(&configs), clones(&params));
    let debug_config = debug(
        config,
        &configs
            .iter()
            .map(|(i, t, ..)| (i, t.to_token_stream()))
            .collect::<Vec<_>>(),
    );
    let debug_params = debug(
        params_type,
        &params
            .iter()
            .map(|(i, t, ..)| (i, t.to_token_stream()))
            .collect::<Vec<_>>(),
    );
    let state_struct = kept(
        experiment,
        &names.state,
        &format!("What the runs of `{name}` leave in memory."),
        &states,
    );
    let field_struct = kept(
        experiment,
        &names.fields,
        &format!("What is recorded of the runs of `{name}`: inputs and fields, as columns."),
        &fields,
    );
    quote! {
        #[doc = #marker_doc]
        #[derive(Clone, Copy)]
        #vis #marker_item

        #[doc = #config_doc]
        #[allow(private_interfaces, non_snake_case)]
        #vis struct #config { #config_members }

        #[doc = #params_doc]
        #[allow(private_interfaces, non_snake_case)]
        #vis struct #params_type { #param_members }

        const _: () = {
            impl ::core::clone::Clone for #config {
                fn clone(&self) -> Self { Self { #config_clones } }
            }
            impl ::core::clone::Clone for #params_type {
                fn clone(&self) -> Self { Self { #param_clones } }
            }
            impl ::core::fmt::Debug for #marker {
                fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    f.write_str(#marker_text)
                }
            }
            #debug_config
            #debug_params
        };

        #state_struct
        #field_struct
    }
}

/// Recorded inputs, sequences and fields.
fn fields(experiment: &Experiment) -> Vec<Member<'_>> {
    let mut members = Vec::new();
    for input in experiment
        .inputs
        .values
        .iter()
        .filter(|input| input.recorded)
    {
        let role = input.role.word();
        let mut member = Member::new(
            &input.ident,
            &input.ty,
            &input.docs,
            format!("The {role} `{}`.", input.name),
        );
        if input.key.is_some() {
            member.ty = quote!(::std::string::String);
        }
        members.push(member);
    }
    let inputs = &experiment.inputs;
    for sequence in inputs.sequences.iter().chain(&inputs.read) {
        let otherwise = format!("The sequence `{}`.", sequence.name);
        members.push(Member::new(
            &sequence.ident,
            &sequence.ty,
            &sequence.docs,
            otherwise,
        ));
    }
    for field in &experiment.body.fields {
        let otherwise = format!("The field `{}`.", field.name);
        members.push(Member::new(&field.ident, &field.ty, &field.docs, otherwise));
    }
    members
}

/// A struct that is `Debug`, `Serialize` and `Deserialize` where all of its members are.
fn kept(experiment: &Experiment, name: &Ident, doc: &str, members: &[Member<'_>]) -> TokenStream {
    let vis = &experiment.visibility;
    let declared = members
        .iter()
        .map(|Member { ident, ty, docs }| quote!(#docs pub #ident: #ty,));
    let idents: Vec<_> = members.iter().map(|member| member.ident).collect();
    let types: Vec<_> = members.iter().map(|member| &member.ty).collect();
    let params: Vec<_> = (0..members.len()).map(|i| format_ident!("T{i}")).collect();
    let serde = private("serde");
    let serde_path = "::xp::__private::serde";
    let debug = debug(
        name,
        &idents
            .iter()
            .copied()
            .zip(types.iter().map(|ty| (*ty).clone()))
            .collect::<Vec<_>>(),
    );
    let serialize = types
        .iter()
        .map(|ty| quote_spanned!(ty.span()=> for<'a> #ty: #serde::Serialize));
    let deserialize = types
        .iter()
        .map(|ty| quote_spanned!(ty.span()=> for<'a> #ty: #serde::de::DeserializeOwned));
    let text = name.to_string();
    // Generic mirrors, so that serde asks for the traits where they are used and not before.
    quote! {
        #[doc = #doc]
        #[allow(private_interfaces, non_snake_case)]
        #vis struct #name { #(#declared)* }

        #[allow(non_snake_case)]
        const _: () = {
            #[derive(#serde::Serialize)]
            #[serde(crate = #serde_path, rename = #text)]
            struct Borrowed<'a, #(#params),*> {
                #(#idents: &'a #params,)*
                #[serde(skip)]
                __of: ::core::marker::PhantomData<&'a ()>,
            }
            #[derive(#serde::Deserialize)]
            #[serde(crate = #serde_path, rename = #text)]
            struct Owned<#(#params),*> { #(#idents: #params,)* }

            #[allow(unused_lifetimes)]
            impl #serde::Serialize for #name where #(#serialize,)* {
                fn serialize<S: #serde::Serializer>(&self, serializer: S) -> ::core::result::Result<S::Ok, S::Error> {
                    let borrowed = Borrowed { #(#idents: &self.#idents,)* __of: ::core::marker::PhantomData };
                    #serde::Serialize::serialize(&borrowed, serializer)
                }
            }
            #[allow(unused_lifetimes)]
            impl<'de> #serde::Deserialize<'de> for #name where #(#deserialize,)* {
                fn deserialize<D: #serde::Deserializer<'de>>(deserializer: D) -> ::core::result::Result<Self, D::Error> {
                    let owned: Owned<#(#types),*> = #serde::Deserialize::deserialize(deserializer)?;
                    ::core::result::Result::Ok(Self { #(#idents: owned.#idents,)* })
                }
            }
            #debug
        };
    }
}

fn debug(name: &Ident, members: &[(&Ident, TokenStream)]) -> TokenStream {
    use syn::ext::IdentExt;
    let text = name.to_string();
    let idents: Vec<_> = members.iter().map(|(ident, _)| ident).collect();
    let texts = idents.iter().map(|ident| ident.unraw().to_string());
    let bounds = members
        .iter()
        .map(|(_, ty)| quote!(for<'a> #ty: ::core::fmt::Debug));
    quote! {
        #[allow(unused_lifetimes)]
        impl ::core::fmt::Debug for #name where #(#bounds,)* {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.debug_struct(#text) #(.field(#texts, &self.#idents))* .finish()
            }
        }
    }
}
