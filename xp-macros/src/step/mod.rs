//! `#[step]`: the function unchanged, and a struct of its name that says what it is.

mod expand;
mod parse;
mod validate;

use proc_macro2::TokenStream;
use quote::quote;

use crate::error::{self, Errors};
use crate::fallback::strip_leading;
use parse::{Input, Options};

/// What is emitted has none of these: our own attributes, and those that are errors and would make
/// the function vanish from an ordinary build.
const NOT_EMITTED: [&str; 4] = ["step", "experiment", "test", "bench"];

/// The expansion of `#[step(args)] item`, with all errors found in it.
pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    let cleaned = strip_leading(item.clone(), &NOT_EMITTED);
    error::boundary("#[step]", cleaned.clone(), || {
        let mut errors = Errors::default();
        let options = Options::parse(args, &mut errors);
        match Input::parse(item, cleaned.clone()) {
            Ok(input) => {
                validate::validate(&input, &mut errors);
                let output = expand::expand(&input, &options);
                let errors = if validate::is_associated(&input.signature) {
                    errors.into_compile_errors()
                } else {
                    errors.into_contained_errors()
                };
                quote!(#output #errors)
            }
            Err(error) => {
                errors.push(error);
                let errors = errors.into_compile_errors();
                quote!(#cleaned #errors)
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(args: TokenStream, item: TokenStream) -> Vec<String> {
        let mut errors = Errors::default();
        Options::parse(args, &mut errors);
        let cleaned = strip_leading(item.clone(), &NOT_EMITTED);
        match Input::parse(item, cleaned) {
            Ok(input) => validate::validate(&input, &mut errors),
            Err(error) => errors.push(error),
        }
        errors.messages()
    }

    fn expanded(args: TokenStream, item: TokenStream) -> String {
        expand(args, item).to_string()
    }

    #[test]
    fn the_function_comes_first_and_unchanged() {
        let item = quote!(
            #[must_use]
            pub(crate) fn r#type<'a, T: Copy, const N: usize>(
                x: &'a [T; N],
                (a, b): (u8, u8),
            ) -> &'a T
            where
                T: 'a,
            {
                &x[0]
            }
        );
        let output = expanded(TokenStream::new(), item.clone());
        assert!(output.starts_with(&item.to_string()), "{output}");
        let rest = quote!(
            #[doc(hidden)]
            pub(crate) struct r#type {}
        )
        .to_string();
        assert!(output.contains(&rest), "{output}");
        assert!(output.contains("name : \"type\""), "{output}");
        assert!(!output.contains("compile_error"), "{output}");
    }

    #[test]
    fn a_body_that_is_no_rust_passes_through() {
        let output = expanded(TokenStream::new(), quote!(fn f() { let x = = x. ; }));
        assert!(
            output.starts_with("fn f () { let x = = x . ; }"),
            "{output}"
        );
        assert!(!output.contains("compile_error"), "{output}");
    }

    #[test]
    fn allowed_shapes() {
        for item in [
            quote!(
                const fn f() {}
            ),
            quote!(
                fn f(x: impl Iterator<Item = u8>) -> impl Iterator<Item = u8> {
                    x
                }
            ),
            quote!(
                fn f<T>(#[allow(unused)] mut x: T, _: &mut [u8]) -> Result<T, String> {
                    Ok(x)
                }
            ),
        ] {
            assert_eq!(errors(quote!(version = 2), item), [""; 0]);
        }
    }

    #[test]
    fn all_independent_errors_are_reported() {
        let item = quote!(
            #[test]
            async unsafe extern "C" fn f(#[cfg(unix)] x: u8, _: ...) -> Self {
                x
            }
        );
        let messages = errors(quote!(version = 0, verison = 2), item);
        assert_eq!(messages.len(), 9, "{messages:#?}");
    }

    #[test]
    fn a_step_is_no_experiment() {
        let item = quote!(
            #[xp::experiment(name = "f")]
            fn f() {}
        );
        assert_eq!(errors(TokenStream::new(), item.clone()).len(), 1);
        // The other attribute is not emitted again: it would report the same mistake.
        assert!(!expanded(TokenStream::new(), item).contains("experiment ("));
    }

    #[test]
    fn on_an_error_the_function_and_its_struct_are_there_too() {
        let output = expanded(
            quote!(nothing),
            quote!(
                #[xp::step]
                async fn f() {}
            ),
        );
        assert!(output.starts_with("async fn f () { }"), "{output}");
        assert!(output.contains("struct f"), "{output}");
        assert_eq!(output.matches("compile_error").count(), 3, "{output}");
    }

    #[test]
    fn a_method_gets_no_struct() {
        let output = expanded(
            TokenStream::new(),
            quote!(
                fn f(&self) {}
            ),
        );
        assert!(output.starts_with("fn f (& self) { }"), "{output}");
        assert!(!output.contains("struct"), "{output}");
    }

    #[test]
    fn other_items_are_emitted_as_they_are() {
        for item in [
            quote!(
                struct S;
            ),
            quote!(
                pub const X: u8 = 1;
            ),
            quote!(
                unsafe impl Send for S {}
            ),
            quote!(
                mod m {}
            ),
            quote!(
                fn f();
            ),
            quote!(
                macro_rules! m { () => { fn }; }
            ),
            TokenStream::new(),
        ] {
            let output = expanded(TokenStream::new(), item.clone());
            assert!(output.starts_with(&item.to_string()), "{output}");
            assert_eq!(output.matches("compile_error").count(), 1, "{output}");
        }
    }
}
