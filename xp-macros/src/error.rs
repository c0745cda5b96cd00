//! All independent errors at once, and the boundary that a panic of ours does not cross.

use std::any::Any;
use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::Error;

/// Collects errors; each stays on its own tokens.
#[derive(Debug, Default)]
pub(crate) struct Errors(Option<Error>);

impl Errors {
    /// Adds an error, or several combined ones.
    pub(crate) fn push(&mut self, error: Error) {
        match &mut self.0 {
            Some(errors) => errors.combine(error),
            none => *none = Some(error),
        }
    }

    /// Adds an error at one token.
    pub(crate) fn at(&mut self, span: Span, message: impl Display) {
        self.push(Error::new(span, message));
    }

    /// Adds an error that underlines `tokens` from the first to the last.
    pub(crate) fn on(&mut self, tokens: impl ToTokens, message: impl Display) {
        self.push(Error::new_spanned(tokens, message));
    }

    /// How many errors there are so far.
    pub(crate) fn len(&self) -> usize {
        self.0.iter().flat_map(|errors| errors.into_iter()).count()
    }

    /// Whether there is no error so far.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// One `compile_error!` item for each error; nothing if there is none.
    pub(crate) fn into_compile_errors(self) -> TokenStream {
        self.0.map(Error::into_compile_error).unwrap_or_default()
    }

    /// The same beside items that are complete. Directly in a module, an error would make the compiler
    /// keep silent about all names that it cannot find there, also those that have nothing to do with it.
    pub(crate) fn into_contained_errors(self) -> TokenStream {
        let errors = self.into_compile_errors();
        if errors.is_empty() {
            errors
        } else {
            quote!(const _: () = { #errors };)
        }
    }

    /// The messages, in the order in which they were found.
    #[cfg(test)]
    pub(crate) fn messages(self) -> Vec<String> {
        self.0
            .map(|error| error.into_iter().map(|error| error.to_string()).collect())
            .unwrap_or_default()
    }
}

/// Runs `expand`; if it panics, gives `fallback` and an error that asks for a report.
///
/// `name` is how users write the macro, such as `#[step]`.
pub(crate) fn boundary(
    name: &str,
    fallback: TokenStream,
    expand: impl FnOnce() -> TokenStream,
) -> TokenStream {
    catch_unwind(AssertUnwindSafe(expand)).unwrap_or_else(|panic| {
        let message = format!(
            "this is a bug in xp, please report it: `{name}` panicked: {}",
            panic_message(&*panic)
        );
        let error = Error::new(Span::call_site(), message).into_compile_error();
        quote!(#fallback #error)
    })
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a message")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_kept_in_order() {
        let mut errors = Errors::default();
        errors.at(Span::call_site(), "one");
        errors.on(quote!(a b), "two");
        assert_eq!(errors.messages(), ["one", "two"]);
    }

    #[test]
    fn no_error_is_no_token() {
        assert!(Errors::default().into_compile_errors().is_empty());
    }

    #[test]
    fn a_panic_becomes_an_error_beside_the_item() {
        let output = boundary(
            "#[step]",
            quote!(
                fn f() {}
            ),
            || panic!("by {}", "test"),
        )
        .to_string();
        assert!(output.starts_with("fn f () { }"), "{output}");
        assert!(output.contains("this is a bug in xp"), "{output}");
        assert!(output.contains("by test"), "{output}");
    }
}
