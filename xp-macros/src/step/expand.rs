//! From the function to the function and its `StepInfo`. Cannot fail.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;

use super::parse::{Input, Options};
use super::validate::is_associated;
use crate::fingerprint::fingerprint;
use crate::source::{self, SourceText};
use crate::{debug, doc, paths};

/// What is left of a step in the user's crate.
///
/// The function stands first, so that editors take it for the definition of its name.
pub(super) fn expand(input: &Input, options: &Options) -> TokenStream {
    let item = &input.item;
    if is_associated(&input.signature) {
        // A struct cannot stand in an `impl`, and the error has been reported.
        return item.clone();
    }
    let visibility = &input.visibility;
    let user_name = &input.signature.ident;
    // Placed at the user's name but not written by the user: lints about the name and its use stay with the
    // function.
    let mut name = user_name.clone();
    name.set_span(Span::call_site().located_at(user_name.span()));
    let step = paths::private("Step", Span::call_site());
    let info = paths::private("StepInfo", Span::call_site());
    let fields = fields(input, options, user_name);
    let expansion = quote! {
        #item

        #[doc(hidden)]
        #visibility struct #name {}

        impl #step for #name {
            const INFO: &'static #info = &#info { #fields };
        }
    };
    debug::show(&user_name.unraw().to_string(), &expansion);
    expansion
}

fn fields(input: &Input, options: &Options, user_name: &Ident) -> TokenStream {
    let name = user_name.unraw().to_string();
    // With the user's span, these two give the function's place and not the attribute's.
    let file = quote_spanned!(user_name.span()=> ::core::file!());
    let line = quote_spanned!(user_name.span()=> ::core::line!());
    let doc = doc::joined(&input.attributes);
    let source_text = paths::private("SourceText", Span::call_site());
    let source = match source::capture(&input.item) {
        SourceText::Exact(text) => quote!(#source_text::Exact(#text)),
        SourceText::Rendered(text) => quote!(#source_text::Rendered(#text)),
    };
    let fingerprint_type = paths::private("Fingerprint", Span::call_site());
    let fingerprint = Literal::byte_string(&fingerprint(&input.item));
    let version = Literal::u32_unsuffixed(options.version);
    quote! {
        name: #name,
        module: ::core::module_path!(),
        file: #file,
        line: #line,
        doc: #doc,
        source: #source,
        fingerprint: #fingerprint_type(*#fingerprint),
        version: #version,
    }
}
