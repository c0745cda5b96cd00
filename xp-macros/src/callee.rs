//! The check that what stands where a step is called is one.
//!
//! A plain function in a type's place is an error of name resolution, whose text is the compiler's own. But
//! below it the compiler names the macro that the name came out of. So the check is a macro of its own, and
//! its name is the advice.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::{Path, PathArguments};

use crate::{error, paths};

/// The call of the check for generated code: an expression of type `&'static StepInfo`, reported at the last
/// name of `path`.
pub(crate) fn check(path: &Path) -> TokenStream {
    let path = without_last_arguments(path.clone());
    let span = span_of_name(&path);
    let check = paths::private("callee_must_be_a_step", span);
    quote_spanned!(span=> #check!(#path))
}

/// The expansion of the check.
pub(crate) fn expand(tokens: TokenStream) -> TokenStream {
    error::boundary("callee_must_be_a_step!", TokenStream::new(), || {
        syn::parse2::<Path>(tokens).map_or_else(syn::Error::into_compile_error, |path| {
            info(without_last_arguments(path))
        })
    })
}

fn info(mut path: Path) -> TokenStream {
    // Resolved here, so that the compiler's note names this macro; located at the user's token, so that the
    // error is there.
    let span = span_of_name(&path).resolved_at(Span::call_site());
    if let Some(segment) = path.segments.last_mut() {
        segment.ident.set_span(span);
    }
    let step = paths::private("Step", span);
    quote_spanned!(span=> <#path as #step>::INFO)
}

/// The struct of a step is not generic, also where the function is: `fit::<Knn>` is the step `fit`.
fn without_last_arguments(mut path: Path) -> Path {
    if let Some(segment) = path.segments.last_mut() {
        segment.arguments = PathArguments::None;
    }
    path
}

fn span_of_name(path: &Path) -> Span {
    path.segments
        .last()
        .map_or_else(Span::call_site, |segment| segment.ident.span())
}

#[cfg(test)]
mod tests {
    use quote::quote;
    use syn::parse_quote;

    use super::*;

    #[test]
    fn the_info_of_the_step_is_asked_for() {
        assert_eq!(
            expand(quote!(crate::m::fit::<Knn, 3>)).to_string(),
            quote!(<crate::m::fit as ::xp::__private::Step>::INFO).to_string()
        );
    }

    #[test]
    fn the_call_has_the_name_that_advises() {
        assert_eq!(
            check(&parse_quote!(m::r#type::<u8>)).to_string(),
            quote!(::xp::__private::callee_must_be_a_step!(m::r#type)).to_string()
        );
    }

    #[test]
    fn what_is_no_path_is_an_error() {
        assert!(expand(quote!(1)).to_string().contains("compile_error"));
    }
}
