//! The function that makes a plan, and the plan with a setter for each input.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

use super::types::docs_or;
use super::{continued, ops_of_input, private};
use crate::experiment::lints::Lints;
use crate::experiment::model::{Experiment, Input, Role};

/// The function, the type of the plan, and what it holds.
pub(super) fn items(experiment: &Experiment) -> TokenStream {
    let Experiment {
        visibility: vis,
        attributes,
        fn_token,
        ident,
        name,
        names,
        inputs,
        ..
    } = experiment;
    let (plan, held) = (&names.plan, &names.inputs);
    let (missing, given) = (private("Missing"), private("Given"));
    let options = private("Options");
    let slots = slots(experiment);
    let members = inputs.given().map(|(_, input)| {
        let (ident, ty) = (&input.ident, &input.ty);
        match input.role {
            Role::Config => quote!(#ident: ::core::option::Option<#ty>,),
            _ => {
                quote!(#ident: ::core::option::Option<::std::sync::Arc<::std::vec::Vec<#ty>>>,)
            }
        }
    });
    let absents = &names.absents;
    let absent_members = inputs.values.iter().map(|input| {
        let (ident, ty) = (&input.ident, &input.ty);
        quote!(#ident: ::core::option::Option<#ty>,)
    });
    let initial = inputs.given().map(|(_, input)| {
        let (ident, value) = (&input.ident, initial(input));
        quote!(#ident: #value,)
    });
    let states: Vec<_> = inputs
        .given()
        .map(|(_, input)| {
            if input.default.is_some() || input.values.is_some() {
                &given
            } else {
                &missing
            }
        })
        .chain(needs_name(experiment).then_some(&missing))
        .collect();
    let defaults = slots
        .iter()
        .zip(&states)
        .map(|(slot, state)| quote!(#slot = #state));
    let needs = inputs.given().map(|(_, input)| needs(experiment, input));
    let of_runs = continued::plan_items(experiment);
    let plan_doc =
        format!("The plan of `{name}`: give each input a value, and execute it in a session.");
    // A `#[cfg]` counts for the function alone, which is all that users wrote.
    // All of the signature stands at the user's name, so that lints take it for the user's.
    let made = quote! {
        #plan {
            inputs: #held { #(#initial)* },
            options: #options::new(),
            slots: ::core::marker::PhantomData,
        }
    };
    let function = Lints::of(attributes).function;
    let block = quote_spanned!(ident.span()=> { #made });
    let signature = quote_spanned!(ident.span()=> #fn_token #ident() -> #plan<#(#states),*>);
    quote! {
        #function
        #[allow(private_interfaces)]
        #[allow(clippy::all, clippy::pedantic)]
        #vis #signature #block

        #[doc = #plan_doc]
        #[must_use = "a plan does nothing until a session executes it"]
        #vis struct #plan<#(#defaults),*> {
            inputs: #held,
            options: #options,
            slots: ::core::marker::PhantomData<fn() -> (#(#slots,)*)>,
        }

        #[doc(hidden)]
        #[allow(non_snake_case)]
        #vis struct #held { #(#members)* }

        #[doc(hidden)]
        #[allow(non_snake_case)]
        #vis struct #absents { #(#absent_members)* }

        #(#needs)*
        #of_runs
    }
}

/// The value that an input has before it is given one.
fn initial(input: &Input) -> TokenStream {
    let ty = &input.ty;
    match (&input.default, &input.values, input.role) {
        (Some(default), _, Role::Config) => {
            let value = converted(ty, quote!(#default));
            quote!(::core::option::Option::Some(#value))
        }
        (Some(default), _, _) => {
            let value = converted(ty, quote!(#default));
            quote!(::core::option::Option::Some(::std::sync::Arc::new(
                ::std::vec![#value]
            )))
        }
        (None, Some(values), _) => {
            let span = values.span();
            let function = crate::paths::private("values", span);
            let values = quote_spanned!(span=> #function::<#ty, _>(#values));
            quote!(::core::option::Option::Some(::std::sync::Arc::new(#values)))
        }
        (None, None, _) => quote!(::core::option::Option::None),
    }
}

/// A value of the type; texts and paths are made of what becomes one.
pub(super) fn converted(ty: &Type, value: TokenStream) -> TokenStream {
    if takes_into(ty) {
        quote!(::core::convert::Into::<#ty>::into(#value))
    } else {
        quote!({ let value: #ty = #value; value })
    }
}

fn takes_into(ty: &Type) -> bool {
    let Type::Path(path) = ty else { return false };
    path.path
        .segments
        .last()
        .is_some_and(|s| s.ident == "String" || s.ident == "PathBuf")
}

/// One for each input that the plan gives, and one for the name if that must be given.
pub(super) fn slots(experiment: &Experiment) -> Vec<Ident> {
    let len = experiment.inputs.given().count() + usize::from(needs_name(experiment));
    (0..len).map(|i| format_ident!("S{i}")).collect()
}

/// Whether the plan must say which experiment is continued.
pub(super) fn needs_name(experiment: &Experiment) -> bool {
    let continues = experiment.continues.as_ref();
    continues.is_some_and(|continues| continues.of.is_none())
}

/// The trait without which a plan is not complete.
fn needs(experiment: &Experiment, input: &Input) -> TokenStream {
    let vis = &experiment.visibility;
    let (given, any) = (private("Given"), private("Any"));
    let name = experiment.names.needs(&input.name);
    let message = format!(
        "the plan of `{}` lacks the input `{}`",
        experiment.name, input.name
    );
    let call = match input.role {
        Role::Config => format!("`.{}(..)`", input.name),
        _ => format!("`.{}([..])`", input.name),
    };
    let note = format!("give it a value before executing: {call}");
    quote! {
        #[doc(hidden)]
        #[diagnostic::on_unimplemented(message = #message, label = "this plan is not complete", note = #note)]
        #vis trait #name {}
        impl #name for #given {}
        impl #name for #any {}
    }
}

/// What can be done with the plan.
pub(super) fn impls(experiment: &Experiment) -> TokenStream {
    let setters = setters(experiment);
    let of_runs = continued::plan_impls(experiment);
    let complete = complete(experiment);
    let any = any(experiment);
    quote!(#setters #of_runs #complete #any)
}

fn setters(experiment: &Experiment) -> TokenStream {
    let plan = &experiment.names.plan;
    let slot = private("Slot");
    let slots = slots(experiment);
    let setters = experiment.inputs.given().enumerate().map(|(place, (_, input))| {
        let (ident, ty) = (&input.ident, &input.ty);
        let doc = docs_or(&input.docs, &format!("Gives the {} `{}`.", input.role.word(), input.name));
        let after = slots.iter().enumerate().map(|(i, of)| {
            if i == place { quote!(<#of as #slot>::Filled) } else { quote!(#of) }
        });
        let one = if takes_into(ty) { quote!(impl ::core::convert::Into<#ty>) } else { quote!(#ty) };
        let into = takes_into(ty).then(|| quote!(.map(::core::convert::Into::into)));
        let (argument, value) = match input.role {
            Role::Config if takes_into(ty) => (one, quote!(::core::convert::Into::into(value))),
            Role::Config => (one, quote!(value)),
            _ => (
                quote!(impl ::core::iter::IntoIterator<Item = #one>),
                quote!(::std::sync::Arc::new(
                    ::core::iter::IntoIterator::into_iter(value) #into .collect()
                )),
            ),
        };
        // What is wrong with the input itself is told once, and not again wherever it is given a value.
        let (argument, value) = if input.unsure {
            (quote!(impl ::core::marker::Sized), quote!({ let _ = value; }))
        } else {
            (argument, value)
        };
        quote! {
            #doc
            pub fn #ident(mut self, value: #argument) -> #plan<#(#after),*> {
                self.inputs.#ident = ::core::option::Option::Some(#value);
                #plan { inputs: self.inputs, options: self.options, slots: ::core::marker::PhantomData }
            }
        }
    });
    let held = &experiment.names.inputs;
    let clones = experiment.inputs.given().map(|(_, input)| {
        let ident = &input.ident;
        quote!(#ident: ::core::clone::Clone::clone(&self.inputs.#ident),)
    });
    let options_trait = private("PlanOptions");
    let options = private("Options");
    quote! {
        #[allow(private_interfaces, non_snake_case, clippy::all, clippy::pedantic)]
        impl<#(#slots: #slot),*> #plan<#(#slots),*> { #(#setters)* }

        impl<#(#slots),*> #options_trait for #plan<#(#slots),*> {
            fn options_mut(&mut self) -> &mut #options {
                &mut self.options
            }
        }

        impl<#(#slots),*> ::core::clone::Clone for #plan<#(#slots),*> {
            fn clone(&self) -> Self {
                #plan {
                    inputs: #held { #(#clones)* },
                    options: ::core::clone::Clone::clone(&self.options),
                    slots: ::core::marker::PhantomData,
                }
            }
        }

        impl<#(#slots),*> ::core::fmt::Debug for #plan<#(#slots),*> {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.debug_struct(::core::stringify!(#plan)).field("options", &self.options).finish_non_exhaustive()
            }
        }
    }
}

/// A plan that lacks nothing becomes one that can be executed.
fn complete(experiment: &Experiment) -> TokenStream {
    let Experiment { names, inputs, .. } = experiment;
    let (marker, plan, config, params, axes) = (
        &names.experiment,
        &names.plan,
        &names.config,
        &names.params,
        &names.axes,
    );
    let [
        planned,
        into_plan,
        has_configs,
        with_points,
        runtime_plan,
        error,
        axes_trait,
        declared,
    ] = [
        "Planned",
        "IntoPlan",
        "HasConfigs",
        "WithPoints",
        "Plan",
        "PlanError",
        "Axes",
        "Declared",
    ]
    .map(private);
    let slots = slots(experiment);
    let name_slot = needs_name(experiment).then(|| slots.last()).flatten();
    let bounds = |role: Option<Role>| {
        let of = inputs.given().zip(&slots).map(move |((_, input), slot)| {
            if role.is_none_or(|role| input.role == role) {
                let needs = names.needs(&input.name);
                // At the input's own name, where the trait is told to come from.
                quote_spanned!(input.ident.span()=> #slot: #needs)
            } else {
                quote!(#slot)
            }
        });
        let named = name_slot.map(|slot| {
            let needs = names.needs("name");
            quote!(#slot: #needs)
        });
        of.chain(named).collect::<Vec<_>>()
    };
    let all = bounds(None);
    let configs_only = bounds(Some(Role::Config));
    let of = |role: Role| {
        inputs
            .values
            .iter()
            .enumerate()
            .filter(move |(_, input)| input.role == role)
    };
    let configs = of(Role::Config).map(|(place, input)| {
        let (ident, ops) = (&input.ident, ops_of_input(place));
        quote!(#ident: #ops.one(declaration.name, &declaration.inputs[#place], inputs.#ident)?,)
    });
    let configs: TokenStream = configs.collect();
    let param_axes = of(Role::Param).map(|(place, input)| {
        let (ident, ops) = (&input.ident, ops_of_input(place));
        quote!(#ident: #ops.axis(declaration.name, &declaration.inputs[#place], inputs.#ident)?,)
    });
    let axis = private("Axis");
    let members = of(Role::Param).map(|(_, input)| {
        let (ident, ty) = (&input.ident, &input.ty);
        quote!(#ident: #axis<#ty>,)
    });
    let lengths = of(Role::Param).map(|(_, input)| {
        let (ident, name) = (&input.ident, &input.name);
        quote!((#name, self.#ident.len(repeated)),)
    });
    // Values that do not count for the identity make points that are equal.
    let distinct = of(Role::Param)
        .filter(|(_, input)| !input.identity)
        .map(|(_, input)| {
            let ident = &input.ident;
            quote!(&& self.#ident.len(false) < 2)
        });
    let point = of(Role::Param).enumerate().map(|(i, (_, input))| {
        let ident = &input.ident;
        quote!(#ident: self.#ident.get(at[#i], repeated),)
    });
    if experiment.continues.is_some() {
        return quote! {
            impl<#(#slots),*> #planned for #plan<#(#slots),*> {
                type Of = #marker;
            }

            impl<#(#all),*> #into_plan for #plan<#(#slots),*> {
                type Experiment = #marker;

                fn into_plan(self) -> #runtime_plan<#marker> {
                    let (inputs, options) = (self.inputs, self.options);
                    let declaration = <#marker as #declared>::declaration();
                    #[allow(unused_variables)]
                    let plan = move || -> ::core::result::Result<#runtime_plan<#marker>, #error> {
                        ::core::result::Result::Ok(#runtime_plan::of_runs(#config { #configs }, options))
                    };
                    plan().unwrap_or_else(#runtime_plan::failed)
                }
            }
        };
    }
    quote! {
        #[allow(non_snake_case)]
        struct #axes { #(#members)* }

        impl #axes_trait<#params> for #axes {
            #[allow(unused_variables)]
            fn lengths(&self, repeated: bool) -> ::std::vec::Vec<(&'static str, usize)> {
                ::std::vec![#(#lengths)*]
            }
            fn distinct(&self) -> bool {
                true #(#distinct)*
            }
            #[allow(unused_variables)]
            fn point(&self, at: &[usize], repeated: bool) -> #params {
                #params { #(#point)* }
            }
        }

        impl<#(#slots),*> #planned for #plan<#(#slots),*> {
            type Of = #marker;
        }

        impl<#(#all),*> #into_plan for #plan<#(#slots),*> {
            type Experiment = #marker;

            fn into_plan(self) -> #runtime_plan<#marker> {
                let (inputs, options) = (self.inputs, self.options);
                let declaration = <#marker as #declared>::declaration();
                #[allow(unused_variables)]
                let plan = move || -> ::core::result::Result<#runtime_plan<#marker>, #error> {
                    let config = #config { #configs };
                    let axes = #axes { #(#param_axes)* };
                    #runtime_plan::product(config, axes, options)
                };
                plan().unwrap_or_else(#runtime_plan::failed)
            }
        }

        impl<#(#configs_only),*> #has_configs for #plan<#(#slots),*> {}

        impl<#(#slots),*> #with_points for #plan<#(#slots),*> {
            fn points(
                self,
                points: impl ::core::iter::IntoIterator<Item = #params>,
            ) -> #runtime_plan<#marker>
            where
                Self: #has_configs,
            {
                let (inputs, options) = (self.inputs, self.options);
                let points = ::core::iter::IntoIterator::into_iter(points).collect();
                let declaration = <#marker as #declared>::declaration();
                #[allow(unused_variables)]
                let plan = move || -> ::core::result::Result<#runtime_plan<#marker>, #error> {
                    #runtime_plan::listed(#config { #configs }, points, options)
                };
                plan().unwrap_or_else(#runtime_plan::failed)
            }
        }
    }
}

/// The plan whose inputs are given by name.
fn any(experiment: &Experiment) -> TokenStream {
    let Experiment { names, inputs, .. } = experiment;
    let (marker, plan) = (&names.experiment, &names.plan);
    let [into_any, any_plan, any, error, value, declared] = [
        "IntoAny",
        "AnyPlan",
        "Any",
        "PlanError",
        "Value",
        "Declared",
    ]
    .map(private);
    let slots = slots(experiment);
    let anys: Vec<_> = slots.iter().map(|_| &any).collect();
    let arms = inputs.given().map(|(place, input)| {
        let (ident, name, ops) = (&input.ident, &input.name, ops_of_input(place));
        let set = match input.role {
            Role::Config => quote!(set_one),
            _ => quote!(set_axis),
        };
        quote!(#name => self.inputs.#ident = #ops.#set(declaration.name, &declaration.inputs[#place], values)?,)
    });
    let flat = inputs
        .values
        .iter()
        .enumerate()
        .filter(|(_, i)| i.flatten && i.role == Role::Param);
    let members = flat.map(|(place, input)| {
        let (ident, ops) = (&input.ident, ops_of_input(place));
        let info = quote!(&declaration.inputs[#place]);
        quote! {
            if #ops.set_member(declaration.name, #info, &mut self.inputs.#ident, other, &values)? {
                return ::core::result::Result::Ok(());
            }
        }
    });
    quote! {
        impl<#(#slots),*> #into_any for #plan<#(#slots),*> {
            type Any = #plan<#(#anys),*>;

            fn any(self) -> Self::Any {
                #plan { inputs: self.inputs, options: self.options, slots: ::core::marker::PhantomData }
            }
        }

        impl #any_plan for #plan<#(#anys),*> {
            fn set_values(
                &mut self,
                name: &str,
                values: ::std::vec::Vec<#value>,
            ) -> ::core::result::Result<(), #error> {
                let declaration = <#marker as #declared>::declaration();
                match name {
                    #(#arms)*
                    other => {
                        #(#members)*
                        return ::core::result::Result::Err(#error::unknown_input(declaration, other));
                    }
                }
                #[allow(unreachable_code)]
                ::core::result::Result::Ok(())
            }

            fn experiment(&self) -> &'static str {
                <#marker as #declared>::declaration().name
            }
        }
    }
}
