//! What `#[step]` needs to know of its arguments and its function. The body is not looked at.

use proc_macro2::{TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Expr, ExprLit, Lit, Signature, Token, Visibility};

use crate::attr::Args;
use crate::error::Errors;

/// The arguments of the attribute.
#[derive(Debug)]
pub(super) struct Options {
    /// The declared version of the step's meaning, from 1.
    pub(super) version: u32,
}

impl Options {
    /// Parses the arguments; what is wrong is reported and has its default.
    pub(super) fn parse(args: TokenStream, errors: &mut Errors) -> Self {
        let mut args = Args::parse("#[step]", &["version"], args, errors);
        let version = args.value("version", "2", errors).and_then(|(_, value)| {
            let version = whole_number(&value);
            if version.is_none() {
                errors.on(
                    value,
                    "a version is a whole number from 1 on, such as `version = 2`",
                );
            }
            version
        });
        Self {
            version: version.unwrap_or(1),
        }
    }
}

fn whole_number(value: &Expr) -> Option<u32> {
    match value {
        Expr::Lit(ExprLit {
            lit: Lit::Int(number),
            ..
        }) if number.suffix().is_empty() => number.base10_parse().ok().filter(|number| *number > 0),
        _ => None,
    }
}

/// The function below the attribute.
pub(super) struct Input {
    /// The whole item without our own attributes.
    pub(super) item: TokenStream,
    /// All attributes, also our own.
    pub(super) attributes: Vec<Attribute>,
    /// The visibility of the function.
    pub(super) visibility: Visibility,
    /// Everything up to the body.
    pub(super) signature: Signature,
}

impl Input {
    /// Parses `item`; `cleaned` is the same item without our own attributes.
    pub(super) fn parse(item: TokenStream, cleaned: TokenStream) -> syn::Result<Self> {
        let Head {
            attributes,
            visibility,
            signature,
        } = Head::parse_with_body.parse2(item)?;
        Ok(Self {
            item: cleaned,
            attributes,
            visibility,
            signature,
        })
    }
}

struct Head {
    attributes: Vec<Attribute>,
    visibility: Visibility,
    signature: Signature,
}

impl Head {
    fn parse_with_body(input: ParseStream<'_>) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        if !is_function(input) {
            return Err(input.error(
                "`#[step]` goes on a free function, such as `fn name(input: T) -> Output { .. }`",
            ));
        }
        let signature = input.parse()?;
        if input.peek(Token![;]) {
            return Err(input.error(
                "a step has a body: write `{ .. }`, or put `#[step]` on the function that has one",
            ));
        }
        input.parse::<TokenStream>()?;
        Ok(Self {
            attributes,
            visibility,
            signature,
        })
    }
}

/// Whether `fn` comes, after nothing but its qualifiers (`extern "C"` is one).
fn is_function(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    while let Ok(token) = ahead.parse() {
        match token {
            TokenTree::Ident(word) if word == "fn" => return true,
            TokenTree::Ident(word)
                if ["async", "const", "extern", "safe", "unsafe"]
                    .iter()
                    .any(|q| word == q) => {}
            TokenTree::Literal(_) => {}
            _ => return false,
        }
    }
    false
}
