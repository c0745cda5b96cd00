//! What a step's function may not be.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{FnArg, Safety, Signature};

use super::parse::Input;
use crate::error::Errors;

/// Reports everything that keeps the function from being a step.
pub(super) fn validate(input: &Input, errors: &mut Errors) {
    attributes(input, errors);
    qualifiers(&input.signature, errors);
    inputs(&input.signature, errors);
}

fn attributes(input: &Input, errors: &mut Errors) {
    for attribute in &input.attributes {
        let path = attribute.path();
        let Some(name) = path
            .segments
            .last()
            .map(|segment| segment.ident.to_string())
        else {
            continue;
        };
        match name.as_str() {
            "step" => errors.on(attribute, "`#[step]` is given twice: keep one"),
            "experiment" => errors.on(
                attribute,
                "a function is a step or an experiment, not both: remove one of the two attributes",
            ),
            "test" | "bench" => errors.on(
                attribute,
                format_args!("a step is no `#[{name}]`: call the step from a function that is one"),
            ),
            _ => {}
        }
    }
}

fn qualifiers(signature: &Signature, errors: &mut Errors) {
    if let Some(asyncness) = signature.asyncness {
        errors.on(
            asyncness,
            "a step is an ordinary function: remove `async`, and wait for futures \
             in its body",
        );
    }
    match signature.safety {
        Safety::Unsafe(unsafety) => {
            errors.on(
                unsafety,
                "a step is called by safe code: remove `unsafe`, and use an `unsafe` block \
                 in its body",
            );
        }
        Safety::Safe(safe) => errors.on(safe, "a step is an ordinary function: remove `safe`"),
        Safety::Default => {}
    }
    if let Some(abi) = &signature.abi {
        errors.on(
            abi,
            "a step is called from Rust: remove `extern`, and call the foreign function \
             in its body",
        );
    }
    if let Some(variadic) = &signature.variadic {
        errors.on(
            variadic,
            "a step has a fixed number of inputs: take a slice, such as `values: &[T]`",
        );
    }
}

fn inputs(signature: &Signature, errors: &mut Errors) {
    for input in &signature.inputs {
        let attributes = match input {
            FnArg::Receiver(receiver) => {
                errors.on(
                    receiver,
                    "a step is a free function: move it out of the `impl`, and take the receiver \
                     as an ordinary input, such as `model: &Model`",
                );
                &receiver.attrs
            }
            FnArg::Typed(input) => &input.attrs,
        };
        for attribute in attributes {
            if attribute.path().is_ident("cfg") {
                errors.on(
                    attribute,
                    "an input of a step is always there: put `#[cfg(..)]` on the function, \
                     and write one for each case",
                );
            }
        }
    }
    if signature.receiver().is_none()
        && let Some(span) = position_of_self_type(signature.to_token_stream())
    {
        errors.at(
            span,
            "a step is a free function: move it out of the `impl`, and write the type \
             instead of `Self`",
        );
    }
}

fn position_of_self_type(tokens: TokenStream) -> Option<Span> {
    tokens.into_iter().find_map(|token| match token {
        TokenTree::Ident(ident) if ident == "Self" => Some(ident.span()),
        TokenTree::Group(group) => position_of_self_type(group.stream()),
        _ => None,
    })
}

/// Whether the function stands in an `impl` or a `trait`, as far as its signature tells.
pub(super) fn is_associated(signature: &Signature) -> bool {
    signature.receiver().is_some() || position_of_self_type(signature.to_token_stream()).is_some()
}
