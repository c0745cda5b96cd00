//! The grammar of the arguments of our attributes: `key` and `key = value`, separated by commas.

use proc_macro2::{Ident, Span, TokenStream};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Expr, Token};

use crate::error::Errors;

/// The arguments of one attribute, known keys only, each at most once.
#[derive(Default)]
pub(crate) struct Args {
    /// How users write the attribute, such as `#[step]`.
    attribute: &'static str,
    args: Vec<Arg>,
}

struct Arg {
    key: Ident,
    value: Option<Expr>,
}

impl Parse for Arg {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let key = input.call(Ident::parse_any).map_err(|error| {
            syn::Error::new(error.span(), "expected a key, such as `key = value`")
        })?;
        let value = match input.parse::<Option<Token![=]>>()? {
            Some(_) => Some(input.parse()?),
            None => None,
        };
        Ok(Self { key, value })
    }
}

impl Args {
    /// Parses `tokens`, and reports what is no argument, unknown keys and repeated keys.
    pub(crate) fn parse(
        attribute: &'static str,
        known: &[&str],
        tokens: TokenStream,
        errors: &mut Errors,
    ) -> Self {
        let mut accepted = Self {
            attribute,
            args: Vec::new(),
        };
        let args = match Punctuated::<Arg, Token![,]>::parse_terminated.parse2(tokens) {
            Ok(args) => args,
            Err(error) => {
                errors.push(error);
                return accepted;
            }
        };
        for arg in args {
            // `r#version` is the same key: without this, it would be a way around the check for duplicates.
            let name = arg.key.unraw();
            if !known.iter().any(|known| name == known) {
                errors.at(
                    arg.key.span(),
                    format_args!("unknown key `{name}`: `{attribute}` knows {}", list(known)),
                );
            } else if accepted.find(&name.to_string()).is_some() {
                errors.at(
                    arg.key.span(),
                    format_args!("`{name}` is given twice: keep one"),
                );
            } else {
                accepted.args.push(arg);
            }
        }
        accepted
    }

    /// Whether the key is present, which must have no value.
    pub(crate) fn flag(&mut self, key: &str, errors: &mut Errors) -> bool {
        let Some(arg) = self.take(key) else {
            return false;
        };
        if let Some(value) = arg.value {
            errors.on(value, format_args!("`{key}` takes no value: write `{key}`"));
        }
        true
    }

    /// The key's place and value, which it must have. `example` is a value to show to who forgot it.
    pub(crate) fn value(
        &mut self,
        key: &str,
        example: &str,
        errors: &mut Errors,
    ) -> Option<(Span, Expr)> {
        let arg = self.take(key)?;
        let span = arg.key.span();
        if arg.value.is_none() {
            let attribute = self
                .attribute
                .trim_start_matches("#[")
                .trim_end_matches(']');
            errors.at(
                span,
                format_args!("`{key}` needs a value: write `#[{attribute}({key} = {example})]`"),
            );
        }
        Some((span, arg.value?))
    }

    /// The key's place and value, which it may have.
    pub(crate) fn optional(&mut self, key: &str) -> Option<(Span, Option<Expr>)> {
        self.take(key).map(|arg| (arg.key.span(), arg.value))
    }

    fn find(&self, key: &str) -> Option<usize> {
        self.args.iter().position(|arg| arg.key.unraw() == key)
    }

    fn take(&mut self, key: &str) -> Option<Arg> {
        self.find(key).map(|index| self.args.remove(index))
    }
}

/// `` `a` ``, or `` `a` and `b` ``, or `` `a`, `b` and `c` ``.
pub(crate) fn list(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        None => "no key".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    fn parse(tokens: TokenStream) -> (Args, Errors) {
        let mut errors = Errors::default();
        let args = Args::parse("#[param]", &["default", "skip"], tokens, &mut errors);
        (args, errors)
    }

    #[test]
    fn values_and_flags_are_taken() {
        let (mut args, mut errors) = parse(quote!(default = f(1, 2), skip,));
        let (_, value) = args.value("default", "1", &mut errors).unwrap();
        assert_eq!(quote!(#value).to_string(), quote!(f(1, 2)).to_string());
        assert!(args.flag("skip", &mut errors));
        assert!(!args.flag("skip", &mut errors));
        assert!(errors.messages().is_empty());
    }

    #[test]
    fn all_independent_errors_are_reported() {
        let (mut args, mut errors) =
            parse(quote!(skip = 1, deflaut = 1, r#default, default = 2, type = 3));
        assert!(args.flag("skip", &mut errors));
        assert!(args.value("default", "0.3", &mut errors).is_none());
        assert_eq!(
            errors.messages(),
            [
                "unknown key `deflaut`: `#[param]` knows `default` and `skip`",
                "`default` is given twice: keep one",
                "unknown key `type`: `#[param]` knows `default` and `skip`",
                "`skip` takes no value: write `skip`",
                "`default` needs a value: write `#[param(default = 0.3)]`",
            ]
        );
    }

    #[test]
    fn what_is_no_argument_is_an_error() {
        assert_eq!(
            parse(quote!("x")).1.messages(),
            ["expected a key, such as `key = value`"]
        );
        assert_eq!(list(&["a", "b", "c"]), "`a`, `b` and `c`");
    }
}
