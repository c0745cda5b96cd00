//! The inputs of an experiment: the parameters of its function.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Attribute, Expr, ExprLit, FnArg, Lit, Meta, Pat, PatIdent, PatType, Signature, Type};

use super::model::{Input, Inputs, Role, RunInput, RunsInput, Sequence};
use super::read;
use crate::attr::Args;
use crate::error::Errors;

/// The attributes of inputs.
const KINDS: [&str; 4] = ["config", "param", "sequence", "field"];

/// Reads the inputs, and reports all that is wrong with them. What can be understood is there.
pub(super) fn read(signature: &Signature, continues: bool, errors: &mut Errors) -> Inputs {
    let mut inputs = Inputs::default();
    let mut seen: Vec<String> = Vec::new();
    let generics = signature.generics.type_params();
    let generics: Vec<String> = generics.map(|of| of.ident.to_string()).collect();
    let generics: Vec<&str> = generics.iter().map(String::as_str).collect();
    for arg in &signature.inputs {
        let arg = match arg {
            FnArg::Typed(arg) => arg,
            // Reported with the rest of the signature.
            FnArg::Receiver(_) => continue,
        };
        let Some(pat) = name_of(arg, errors) else {
            continue;
        };
        let name = pat.ident.unraw().to_string();
        if seen.contains(&name) {
            errors.at(
                pat.ident.span(),
                format_args!("there is an input `{name}` already"),
            );
            continue;
        }
        seen.push(name);
        if find(arg.ty.to_token_stream(), &generics).is_some() {
            // Reported with the rest of the signature.
            inputs.values.push(Input::unsure(arg, pat));
        } else {
            one(arg, pat, continues, &mut inputs, errors);
        }
    }
    inputs
}

fn name_of<'a>(arg: &'a PatType, errors: &mut Errors) -> Option<&'a PatIdent> {
    match &*arg.pat {
        Pat::Ident(pat) if pat.by_ref.is_none() && pat.subpat.is_none() => Some(pat),
        other => {
            errors.on(
                other,
                "an input has a plain name, which is that of its column",
            );
            None
        }
    }
}

fn one(arg: &PatType, pat: &PatIdent, continues: bool, inputs: &mut Inputs, errors: &mut Errors) {
    let told = errors.len();
    let kinds = kinds(&arg.attrs, errors);
    let name = pat.ident.unraw().to_string();
    let [attribute] = kinds.as_slice() else {
        if let [_, second, ..] = kinds.as_slice() {
            errors.on(
                second,
                format_args!("`{name}` is marked twice: an input is one of {}", marks()),
            );
        } else if is_reference_to_run(&arg.ty) {
            return run(arg, &pat.ident, inputs, errors);
        } else if is_runs(&arg.ty) {
            return runs(arg, &pat.ident, continues, inputs, errors);
        } else if is_run(&arg.ty) {
            errors.on(&arg.ty, "the run is borrowed: write `&mut Run`");
            return run(arg, &pat.ident, inputs, errors);
        } else if errors.len() == told {
            errors.at(
                pat.ident.span(),
                format_args!(
                    "`{name}` is not marked: write `#[param] {name}: ..` for what varies, or \
                     `#[config] {name}: ..` for what all runs of an execution have in common"
                ),
            );
        }
        inputs.values.push(Input::unsure(arg, pat));
        return;
    };
    if is_reference_to_run(&arg.ty) {
        errors.on(
            attribute,
            format_args!(
                "`{name}` is the run itself, which is not marked: write `{name}: &mut Run`"
            ),
        );
        return run(arg, &pat.ident, inputs, errors);
    }
    let kind = attribute
        .path()
        .segments
        .last()
        .map(|s| s.ident.to_string())
        .unwrap_or_default();
    match kind.as_str() {
        "config" => {
            value(arg, pat, Role::Config, attribute, inputs, errors);
            if continues
                && inputs
                    .values
                    .last()
                    .is_some_and(|last| last.absent.is_some())
            {
                errors.on(
                    attribute,
                    "`absent` tells which points are there already, and an experiment that continues \
                     has the runs that are there for its points: leave it out",
                );
            }
        }
        "param" if continues => inputs.values.push(read::param(arg, pat, attribute, errors)),
        "sequence" if continues => inputs.read.extend(sequence(arg, pat, attribute, errors)),
        "param" => value(arg, pat, Role::Param, attribute, inputs, errors),
        "sequence" => inputs
            .sequences
            .extend(sequence(arg, pat, attribute, errors)),
        _ if continues => inputs.values.push(read::field(arg, pat, attribute, errors)),
        _ => {
            errors.on(
                attribute,
                format_args!(
                    "`#[field] {name}` reads a field of runs that are there: say of which experiment, \
                     `#[experiment(continues = its_function)]`; a field of this experiment's own is made \
                     by a statement, `#[field] let {name}: Type = step(..);`"
                ),
            );
            inputs.values.push(Input::unsure(arg, pat));
        }
    }
}

fn marks() -> String {
    "`#[config]`, `#[param]` and `#[sequence]`".to_owned()
}

/// The attributes that say what the input is; all others but docs are errors.
fn kinds<'a>(attributes: &'a [Attribute], errors: &mut Errors) -> Vec<&'a Attribute> {
    let mut kinds = Vec::new();
    for attribute in attributes {
        let path = attribute.path();
        if KINDS.iter().any(|kind| path.is_ident(kind)) {
            kinds.push(attribute);
        } else if path.is_ident("cfg") || path.is_ident("cfg_attr") {
            errors.on(
                attribute,
                "an input is always there: its column and its setter cannot depend on `#[cfg]`",
            );
        } else if path.is_ident("shared") || path.is_ident("state") {
            errors.on(
                attribute,
                format_args!(
                    "`#[{}]` marks a statement (`let name: Type = step(..);`), not an input",
                    path.to_token_stream()
                ),
            );
        } else if !path.is_ident("doc") {
            errors.on(
                attribute,
                format_args!("an input is marked by one of {}", marks()),
            );
        }
    }
    kinds
}

fn value(
    arg: &PatType,
    pat: &PatIdent,
    role: Role,
    attribute: &Attribute,
    inputs: &mut Inputs,
    errors: &mut Errors,
) {
    let (shown, known): (_, &[&str]) = match role {
        Role::Config => (
            "#[config]",
            &["default", "absent", "identity", "flatten", "key", "skip"],
        ),
        _ => (
            "#[param]",
            &[
                "values", "default", "absent", "identity", "flatten", "key", "skip",
            ],
        ),
    };
    let mut args = Args::parse(shown, known, tokens_of(attribute, errors), errors);
    let default = args.value("default", "0.3", errors);
    let values = args.value("values", "[1, 2]", errors);
    let absent = args.value("absent", "0.3", errors);
    let identity = args.value("identity", "false", errors);
    let key = args.value("key", "function", errors);
    let flatten = args.flag("flatten", errors);
    let skip = args.flag("skip", errors);
    if let (Some(_), Some((span, _))) = (&default, &values) {
        errors.at(
            *span,
            "a param has a `default`, or a default grid of `values`, not both",
        );
    }
    if let (None, Some((span, Expr::Infer(_)))) = (&default, &absent) {
        errors.at(
            *span,
            "`absent = _` says that the `default` counts for the identity, and there is none: \
             leave it out",
        );
    }
    if let (true, Some((span, _))) = (flatten, &key) {
        errors.at(
            *span,
            "`key` makes one text of the value, and `flatten` many columns: keep one",
        );
    }
    let identity = match identity {
        None => true,
        Some((
            _,
            Expr::Lit(ExprLit {
                lit: Lit::Bool(value),
                ..
            }),
        )) => value.value,
        Some((_, other)) => {
            errors.on(other, "`identity` is `true` or `false`");
            true
        }
    };
    if !owned(&arg.ty, errors) {
        inputs.values.push(Input::unsure(arg, pat));
        return;
    }
    let keep = |value: Option<(proc_macro2::Span, Expr)>| value.map(|(_, expr)| expr);
    inputs.values.push(Input {
        ident: pat.ident.clone(),
        name: pat.ident.unraw().to_string(),
        mutability: pat.mutability,
        ty: (*arg.ty).clone(),
        docs: docs(&arg.attrs),
        role,
        identity,
        recorded: !skip,
        flatten,
        prefix: None,
        key: keep(key),
        default: keep(default),
        values: keep(values),
        absent: keep(absent),
        unsure: false,
    });
}

impl Input {
    /// An input that is in error: what uses it is left in peace.
    pub(super) fn unsure(arg: &PatType, pat: &PatIdent) -> Self {
        Self {
            ident: pat.ident.clone(),
            name: pat.ident.unraw().to_string(),
            mutability: None,
            ty: syn::parse_quote!(()),
            docs: docs(&arg.attrs),
            role: Role::Config,
            identity: true,
            recorded: false,
            flatten: false,
            prefix: None,
            key: None,
            default: Some(syn::parse_quote!(())),
            values: None,
            absent: None,
            unsure: true,
        }
    }
}

pub(super) fn tokens_of(attribute: &Attribute, errors: &mut Errors) -> TokenStream {
    match &attribute.meta {
        Meta::Path(_) => TokenStream::new(),
        Meta::List(list) => list.tokens.clone(),
        Meta::NameValue(_) => {
            let name = attribute.path().to_token_stream();
            errors.on(
                attribute,
                format_args!("write the keys in parentheses: `#[{name}(key = value)]`"),
            );
            TokenStream::new()
        }
    }
}

fn sequence(
    arg: &PatType,
    pat: &PatIdent,
    attribute: &Attribute,
    errors: &mut Errors,
) -> Option<Sequence> {
    Args::parse("#[sequence]", &[], tokens_of(attribute, errors), errors);
    let is_sequence = matches!(&*arg.ty, Type::Path(path)
        if path.path.segments.last().is_some_and(|s| s.ident == "Sequence"));
    if !is_sequence {
        errors.on(
            &arg.ty,
            "a sequence has the type `Sequence<Row>`, where `Row` is a flat struct",
        );
        return None;
    }
    Some(Sequence {
        ident: pat.ident.clone(),
        name: pat.ident.unraw().to_string(),
        ty: (*arg.ty).clone(),
        docs: docs(&arg.attrs),
    })
}

fn runs(arg: &PatType, ident: &Ident, continues: bool, inputs: &mut Inputs, errors: &mut Errors) {
    if !continues {
        errors.on(
            &arg.ty,
            format_args!(
                "`{ident}` gives all runs of an experiment that is continued: say which, \
                 `#[experiment(continues = its_function)]`"
            ),
        );
    }
    if let Type::Reference(reference) = &*arg.ty
        && let Some(mutability) = &reference.mutability
    {
        errors.on(
            mutability,
            "the runs are shared, and read only: write `&Runs<..>`",
        );
        return;
    }
    if !matches!(&*arg.ty, Type::Reference(_)) {
        errors.on(&arg.ty, "the runs are borrowed: write `&Runs<..>`");
        return;
    }
    if inputs.runs.is_some() {
        errors.at(
            ident.span(),
            "the runs are there once: keep one `runs: &Runs<..>`",
        );
        return;
    }
    inputs.runs = Some(RunsInput {
        ident: ident.clone(),
        ty: (*arg.ty).clone(),
    });
}

fn run(arg: &PatType, ident: &Ident, inputs: &mut Inputs, errors: &mut Errors) {
    if inputs.run.is_some() {
        errors.at(
            ident.span(),
            "an experiment has one run: keep one `run: &mut Run`",
        );
        return;
    }
    inputs.run = Some(RunInput {
        ident: ident.clone(),
        ty: (*arg.ty).clone(),
    });
}

fn is_reference_to_run(ty: &Type) -> bool {
    matches!(ty, Type::Reference(reference) if is_run(&reference.elem))
}

fn is_run(ty: &Type) -> bool {
    matches!(ty, Type::Path(path)
        if path.path.segments.last().is_some_and(|s| s.ident == "Run"))
}

/// Whether these are the runs of an experiment, borrowed or not.
fn is_runs(ty: &Type) -> bool {
    match ty {
        Type::Reference(reference) => is_runs(&reference.elem),
        Type::Path(path) => path
            .path
            .segments
            .last()
            .is_some_and(|segment| segment.ident == "Runs"),
        _ => false,
    }
}

/// Whether the input owns its value, in a type that is written out.
pub(super) fn owned(ty: &Type, errors: &mut Errors) -> bool {
    match ty {
        Type::Reference(reference) => {
            let owned = match &*reference.elem {
                Type::Path(path) if path.path.is_ident("str") => "`String`".to_owned(),
                Type::Slice(slice) => format!("`Vec<{}>`", slice.elem.to_token_stream()),
                other => format!("`{}`", other.to_token_stream()),
            };
            errors.on(ty, format_args!("an input owns its value: write {owned}"));
            false
        }
        Type::ImplTrait(_) => {
            errors.on(
                ty,
                "an input has one type, which is that of its column: write it out",
            );
            false
        }
        _ => {
            if let Some(infer) = find(ty.to_token_stream(), &["_"]) {
                errors.at(infer.span(), "the type of an input is written out");
                return false;
            }
            if let Some(ident) = find(ty.to_token_stream(), &["HashSet"]) {
                errors.at(
                    ident.span(),
                    "a `HashSet` has no order of its own, so equal points would have different \
                     identities: use a `BTreeSet`",
                );
            }
            true
        }
    }
}

/// The first identifier that is one of `names`, at any depth.
pub(super) fn find(tokens: TokenStream, names: &[&str]) -> Option<Ident> {
    tokens.into_iter().find_map(|token| match token {
        TokenTree::Ident(ident) if names.iter().any(|name| ident == name) => Some(ident),
        TokenTree::Group(group) => find(group.stream(), names),
        _ => None,
    })
}

pub(super) fn docs(attributes: &[Attribute]) -> Vec<Attribute> {
    attributes
        .iter()
        .filter(|a| a.path().is_ident("doc"))
        .cloned()
        .collect()
}
