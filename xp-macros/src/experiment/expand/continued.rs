//! What an experiment has besides that continues another: what it reads of the runs that are there.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::plan::{needs_name, slots};
use super::{ops_of_input, private};
use crate::experiment::model::{Continues, Experiment, Input, Role};

/// The functions of `Declared` that only such an experiment has.
pub(super) fn expand(experiment: &Experiment) -> Option<TokenStream> {
    let continues = experiment.continues.as_ref()?;
    let [declared, layout, reader, row_error] =
        ["Continues", "Layout", "RowReader", "RowError"].map(private);
    let what = what(experiment, continues);
    let (layouts, members) = (layouts(experiment), members(experiment, true));
    let params = &experiment.names.params;
    Some(quote! {
        fn continues() -> ::core::option::Option<#declared> {
            ::core::option::Option::Some(#what)
        }

        #[allow(unused_variables)]
        fn reads(layout: &mut #layout) {
            #layouts
        }

        #[allow(unused_variables)]
        fn take(row: &mut #reader<'_>) -> ::core::result::Result<#params, #row_error> {
            ::core::result::Result::Ok(#params { #members })
        }
    })
}

fn what(experiment: &Experiment, continues: &Continues) -> TokenStream {
    let args_field = &continues.args_field;
    let sequences = !experiment.inputs.read.is_empty();
    let runs = experiment.inputs.runs.as_ref().map(|runs| &runs.ty);
    let ty = runs.map(|ty| quote_spanned!(ty.span()=> ::core::marker::PhantomData::<fn(#ty)>));
    match &continues.of {
        None => {
            let continues = private("continues");
            let runs = ty.map(|ty| quote!(.with_runs(#ty)));
            quote!(#continues(#args_field, #sequences) #runs)
        }
        Some(of) => {
            let span = of.span();
            let continues = crate::paths::private("continues_must_name_an_experiment", span);
            let made = quote_spanned!(span=> #continues(&#of, #args_field, #sequences));
            let runs = runs.zip(ty);
            let runs = runs.map(|(written, ty)| {
                let span = written.span();
                quote_spanned!(span=> .with_runs_of(&#of, #ty))
            });
            quote!(#made #runs)
        }
    }
}

/// The columns that are read: params, fields, sequences.
fn layouts(experiment: &Experiment) -> TokenStream {
    let inputs = &experiment.inputs;
    let of = |(place, input): (usize, &Input)| {
        let (ops, name) = (ops_of_input(place), &input.name);
        match &input.prefix {
            Some(prefix) => quote!(#ops.layout(layout.prefixed(#prefix), #name);),
            None => quote!(#ops.layout(layout, #name);),
        }
    };
    let (params, fields): (Vec<_>, Vec<_>) = inputs
        .read_values()
        .partition(|(_, input)| input.role == Role::ReadParam);
    let (params, fields) = (params.into_iter().map(of), fields.into_iter().map(of));
    let sequences = inputs.read.iter().map(|sequence| {
        let name = &sequence.name;
        quote!(layout.sequence(#name);)
    });
    quote! {
        layout.params(|layout| { #(#params)* });
        #(#fields)*
        #(#sequences)*
    }
}

/// The members of a struct of what is read, in the order of the layout. A sequence is shared by the
/// attempts at a run.
pub(super) fn members(experiment: &Experiment, shared: bool) -> TokenStream {
    let inputs = &experiment.inputs;
    let values = inputs.read_values().map(|(place, input)| {
        let (ident, ops) = (&input.ident, ops_of_input(place));
        quote!(#ident: #ops.read(row)?,)
    });
    let sequences = inputs.read.iter().map(|sequence| {
        let ident = &sequence.ident;
        let read = quote!(row.get_sequence()?);
        if shared {
            quote!(#ident: ::std::sync::Arc::new(#read),)
        } else {
            quote!(#ident: #read,)
        }
    });
    values.chain(sequences).collect()
}

/// Why a plan that lacks the name is none, and why what is read is not given.
pub(super) fn plan_items(experiment: &Experiment) -> TokenStream {
    let (vis, names, name) = (&experiment.visibility, &experiment.names, &experiment.name);
    let given = private("Given");
    let any = private("Any");
    let needs = needs_name(experiment).then(|| {
        let needs = names.needs("name");
        let message = format!("the plan of `{name}` does not say which experiment it continues");
        let note = "no Rust program declares it, so name the one of the file: `.named(\"..\")`";
        quote! {
            #[doc(hidden)]
            #[diagnostic::on_unimplemented(message = #message, label = "this plan is not complete", note = #note)]
            #vis trait #needs {}
            impl #needs for #given {}
            impl #needs for #any {}
        }
    });
    let read = experiment.inputs.read_values().map(|(_, input)| {
        let reads = names.reads(&input.name);
        let message = format!(
            "`{}` is read from the runs that `{name}` continues: it is not given",
            input.name
        );
        let note = format!(
            "leave the call out; `.filter(|run| ..)` takes some of the runs, by `run.{}`",
            input.name
        );
        quote! {
            #[doc(hidden)]
            #[diagnostic::on_unimplemented(message = #message, label = "read, and not given", note = #note)]
            #vis trait #reads {}
        }
    });
    quote!(#needs #(#read)*)
}

/// The name as a setter that the compiler asks for, and setters that say that there are none.
pub(super) fn plan_impls(experiment: &Experiment) -> TokenStream {
    let (names, plan) = (&experiment.names, &experiment.names.plan);
    let slots = slots(experiment);
    let slot = private("Slot");
    let named = needs_name(experiment).then(|| {
        let last = slots.len() - 1;
        let after = slots.iter().enumerate().map(|(i, of)| {
            if i == last {
                quote!(<#of as #slot>::Filled)
            } else {
                quote!(#of)
            }
        });
        quote! {
            /// Says which experiment of the file is continued.
            pub fn named(
                mut self,
                name: impl ::core::convert::Into<::std::string::String>,
            ) -> #plan<#(#after),*> {
                self.options = ::xp::__private::PlanOptions::named(self.options, name);
                #plan { inputs: self.inputs, options: self.options, slots: ::core::marker::PhantomData }
            }
        }
    });
    let read = experiment.inputs.read_values().map(|(_, input)| {
        let (ident, reads) = (&input.ident, names.reads(&input.name));
        quote! {
            #[doc(hidden)]
            pub fn #ident<T: #reads>(self, _: T) -> Self {
                self
            }
        }
    });
    quote! {
        #[allow(private_bounds, non_snake_case, clippy::all, clippy::pedantic)]
        impl<#(#slots: #slot),*> #plan<#(#slots),*> {
            #named
            #(#read)*
        }
    }
}
