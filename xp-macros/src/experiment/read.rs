//! The inputs of an experiment that continues another: what is read of its runs.

use syn::ext::IdentExt;
use syn::{Attribute, Expr, ExprLit, Lit, PatIdent, PatType};

use super::inputs::{docs, owned, tokens_of};
use super::model::{Input, Role};
use crate::attr::Args;
use crate::error::Errors;

/// What gives an input its values, and what makes columns of its own.
const NOT_READ: [&str; 6] = ["values", "default", "absent", "identity", "key", "skip"];

/// `#[param] k: usize`
pub(super) fn param(
    arg: &PatType,
    pat: &PatIdent,
    attribute: &Attribute,
    errors: &mut Errors,
) -> Input {
    value(arg, pat, Role::ReadParam, attribute, errors)
}

/// `#[field] accuracy: f64`
pub(super) fn field(
    arg: &PatType,
    pat: &PatIdent,
    attribute: &Attribute,
    errors: &mut Errors,
) -> Input {
    value(arg, pat, Role::ReadField, attribute, errors)
}

fn value(
    arg: &PatType,
    pat: &PatIdent,
    role: Role,
    attribute: &Attribute,
    errors: &mut Errors,
) -> Input {
    let name = pat.ident.unraw().to_string();
    let (shown, own): (_, &[&str]) = match role {
        Role::ReadField => ("#[field]", &["flatten", "prefix"]),
        _ => ("#[param]", &["flatten"]),
    };
    let known: Vec<_> = own.iter().chain(&NOT_READ).copied().collect();
    let tokens = tokens_of(attribute, errors);
    let mut args = Args::parse(shown, &known, tokens, errors);
    for key in NOT_READ {
        if let Some((span, _)) = args.optional(key) {
            errors.at(
                span,
                format_args!(
                    "`{name}` is read from the runs that are continued, which have their values: leave \
                     out `{key}`; what this experiment is given is a `#[config]`"
                ),
            );
        }
    }
    let flatten = args.flag("flatten", errors);
    let prefix = match args.value("prefix", "\"train_\"", errors) {
        None => None,
        Some((span, _)) if !flatten => {
            errors.at(
                span,
                "`prefix` is for the members of a struct: write `#[field(flatten, prefix = ..)]`",
            );
            None
        }
        Some((
            _,
            Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }),
        )) => Some(text.value()),
        Some((_, other)) => {
            errors.on(other, "`prefix` is a text, such as `\"train_\"`");
            None
        }
    };
    if !owned(&arg.ty, errors) {
        return Input::unsure(arg, pat);
    }
    Input {
        ident: pat.ident.clone(),
        name,
        mutability: pat.mutability,
        ty: (*arg.ty).clone(),
        docs: docs(&arg.attrs),
        role,
        identity: false,
        recorded: true,
        flatten,
        prefix,
        key: None,
        default: None,
        values: None,
        absent: None,
        unsure: false,
    }
}
