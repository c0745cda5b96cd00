//! The one place that knows where generated code finds the runtime.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;

/// `::xp::__private::<item>`, reported and resolved at `span`.
pub(crate) fn private(item: &str, span: Span) -> TokenStream {
    let item = Ident::new(item, span);
    quote_spanned!(span=> ::xp::__private::#item)
}
