//! From tokens to the model, with all errors on the way.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::{Expr, ExprLit, FnArg, ItemFn, Lit, PatType, ReturnType, Safety, Signature};

use super::model::{Continues, Experiment};
use super::names::{Names, camel};
use super::{INERT_ATTRIBUTES, NOT_EMITTED, body, inputs};
use crate::attr::Args;
use crate::error::Errors;
use crate::fallback::strip_inert;

/// The model; `None` if the item is no function that can be understood.
pub(super) fn parse(
    args: TokenStream,
    item: TokenStream,
    errors: &mut Errors,
) -> Option<Experiment> {
    let known = ["name", "types", "continues", "args_field"];
    let mut args = Args::parse("#[experiment]", &known, args, errors);
    let name = args.value("name", "\"iris\"", errors);
    let types = args.value("types", "Iris", errors);
    let continues = continues(&mut args, errors);

    let function = match syn::parse2::<ItemFn>(item.clone()) {
        Ok(function) => function,
        Err(error) => {
            errors.push(not_a_function(item, error));
            return None;
        }
    };
    if let Err(error) = function.modifiers.require_empty() {
        errors.push(error);
    }
    attributes(&function, errors);
    signature(&function.sig, errors);
    if let Some(receiver) = function.sig.receiver() {
        // Types cannot stand in an `impl`: there is nothing to leave.
        errors.on(
            receiver,
            "an experiment is a free function: move it out of the `impl`, and make what it needs \
             of `self` an input, such as `#[config] model: Model`",
        );
        return None;
    }
    let inputs = inputs::read(&function.sig, continues.is_some(), errors);
    let body = body::read(&function.block, &inputs, continues.is_some(), errors);

    let ident = function.sig.ident.clone();
    let plain = ident.unraw().to_string();
    let stem = match types {
        None => (camel(&plain), ident.span()),
        Some((_, Expr::Path(path))) if path.path.get_ident().is_some() => {
            let stem = path
                .path
                .get_ident()
                .map(|ident| (ident.to_string(), ident.span()));
            stem.unwrap_or_else(|| (camel(&plain), ident.span()))
        }
        Some((_, other)) => {
            errors.on(
                other,
                "`types` is the name of the experiment's type: `types = Iris`",
            );
            (camel(&plain), ident.span())
        }
    };
    let name = match name {
        None => plain,
        Some((
            _,
            Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }),
        )) => {
            if text.value().is_empty() {
                errors.on(&text, "an experiment's name is not empty");
            }
            text.value()
        }
        Some((_, other)) => {
            errors.on(other, "`name` is a text: `name = \"iris\"`");
            plain
        }
    };
    let broken = (!errors.is_empty()).then(|| broken(&function));
    Some(Experiment {
        visibility: function.vis,
        attributes: function
            .attrs
            .into_iter()
            .filter(|a| {
                !a.path()
                    .segments
                    .last()
                    .is_some_and(|s| NOT_EMITTED.iter().any(|name| s.ident == name))
            })
            .collect(),
        fn_token: function.sig.fn_token,
        ident,
        name,
        continues,
        names: Names::new(&stem.0, stem.1),
        inputs,
        body,
        broken,
    })
}

/// Which runs are continued, if any are.
fn continues(args: &mut Args, errors: &mut Errors) -> Option<Continues> {
    let continues = args.optional("continues");
    let args_field = args.value("args_field", "\"args\"", errors);
    let args_field = match args_field {
        None => "args".to_owned(),
        Some((span, _)) if continues.is_none() => {
            errors.at(
                span,
                "`args_field` says in which field MLtraq kept the params of runs that are continued: \
                 write `continues`, too, or leave it out",
            );
            return None;
        }
        Some((
            _,
            Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }),
        )) => text.value(),
        Some((_, other)) => {
            errors.on(other, "`args_field` is a text: `args_field = \"args\"`");
            "args".to_owned()
        }
    };
    let of = match continues? {
        (_, None) => None,
        (_, Some(Expr::Path(path))) if path.qself.is_none() => Some(path.path),
        (_, Some(other)) => {
            errors.on(
                other,
                "`continues` is the path of an experiment's function: `continues = path::to::iris`; \
                 or has no value, for an experiment that no program declares",
            );
            None
        }
    };
    Some(Continues { of, args_field })
}

/// The parser's own error, unless the item is something else altogether.
fn not_a_function(item: TokenStream, error: syn::Error) -> syn::Error {
    match syn::parse2::<syn::Item>(item.clone()) {
        Ok(syn::Item::Fn(_)) | Err(_) => error,
        Ok(_) => {
            let start = item
                .into_iter()
                .find(|token| !matches!(token, proc_macro2::TokenTree::Punct(_)));
            let span = start.map_or_else(proc_macro2::Span::call_site, |token| token.span());
            syn::Error::new(
                span,
                "`#[experiment]` goes on a function: its parameters are the inputs, its body calls the steps",
            )
        }
    }
}

fn attributes(function: &ItemFn, errors: &mut Errors) {
    for attribute in &function.attrs {
        let Some(name) = attribute
            .path()
            .segments
            .last()
            .map(|s| s.ident.to_string())
        else {
            continue;
        };
        match name.as_str() {
            "experiment" => errors.on(attribute, "`#[experiment]` is given twice: keep one"),
            "step" => errors.on(
                attribute,
                "a function is a step or an experiment, not both: remove one of the two attributes",
            ),
            "test" | "bench" => errors.on(
                attribute,
                format_args!(
                    "an experiment is no `#[{name}]`: execute it in a function that is one"
                ),
            ),
            _ => {}
        }
    }
}

fn signature(signature: &Signature, errors: &mut Errors) {
    if let Some(token) = &signature.constness {
        errors.on(
            token,
            "an experiment is executed, not computed by the compiler: remove `const`",
        );
    }
    if let Some(token) = &signature.asyncness {
        errors.on(
            token,
            "an experiment runs on threads: remove `async`, and wait for futures inside a step",
        );
    }
    if let Safety::Unsafe(token) = &signature.safety {
        errors.on(
            token,
            "an experiment is safe: remove `unsafe`, and use an `unsafe` block inside a step",
        );
    }
    if let Some(abi) = &signature.abi {
        errors.on(abi, "an experiment is a Rust function: remove `extern`");
    }
    if !signature.generics.params.is_empty() {
        errors.on(
            &signature.generics,
            "an experiment is not generic: its columns have types; a step may be, and a choice \
             among types is a `#[param]` of an enum",
        );
    } else if let Some(clause) = &signature.generics.where_clause {
        errors.on(
            clause,
            "an experiment is not generic: remove the `where` clause",
        );
    }
    if let Some(variadic) = &signature.variadic {
        errors.on(variadic, "an experiment has a fixed number of inputs");
    }
    if let ReturnType::Type(_, ty) = &signature.output {
        errors.on(
            ty,
            "an experiment returns nothing: mark what it gives by `#[field] let name: Type = step(..);`",
        );
    }
}

/// A function with the user's own inputs and body, so that editors go on completing in it. The
/// compiler does not see it: what it says of a body that is none yet is of no use.
fn broken(function: &ItemFn) -> TokenStream {
    let name = format_ident!("__xp_body_of_{}", function.sig.ident.unraw());
    let inputs = function.sig.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(PatType { pat, ty, .. }) => Some(quote!(#pat: #ty)),
        FnArg::Receiver(_) => None,
    });
    let generics = &function.sig.generics;
    let clause = &generics.where_clause;
    let statements = &function.block.stmts;
    let statements = strip_inert(quote!(#(#statements)*), &INERT_ATTRIBUTES);
    quote! {
        #[allow(unexpected_cfgs)]
        const _: () = {
            #[cfg(rust_analyzer)]
            fn #name #generics (#(#inputs),*) -> ::core::result::Result<(), ::xp::__private::StepError> #clause {
                #statements
                ;
                ::core::result::Result::Ok(())
            }
        };
    }
}
