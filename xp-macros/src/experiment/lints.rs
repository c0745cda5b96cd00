//! The lint attributes of an experiment: some are about the function that stands in its place, and
//! some about the body, which stands elsewhere.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Attribute, Meta, Token};

/// What these say of an item, the function that makes the plan may keep or break. All others are
/// about what is written in the body.
const OF_THE_FUNCTION: [&str; 4] = ["dead_code", "missing_docs", "unreachable_pub", "unused"];

/// Each name stands in several items. It is told once, so that nothing can be expected of it.
const OF_NAMES: [&str; 3] = ["non_snake_case", "nonstandard_style", "bad_style"];

/// The attributes, by what they are about.
#[derive(Default)]
pub(super) struct Lints {
    /// For the function, with those that are no lints.
    pub(super) function: TokenStream,
    /// For the statements.
    pub(super) body: TokenStream,
    /// For what only repeats a name.
    pub(super) names: TokenStream,
}

impl Lints {
    pub(super) fn of(attributes: &[Attribute]) -> Self {
        let mut lints = Lints::default();
        for attribute in attributes {
            lints.add(attribute);
        }
        lints
    }

    fn add(&mut self, attribute: &Attribute) {
        let path = attribute.path();
        let level = ["allow", "warn", "deny", "expect"]
            .into_iter()
            .find(|level| path.is_ident(level));
        let parts = |level| Some((level, parts(attribute)?));
        let Some((level, metas)) = level.and_then(parts) else {
            self.function.extend(quote!(#attribute));
            return;
        };
        let reason: Vec<_> = (metas.iter())
            .filter(|meta| matches!(meta, Meta::NameValue(_)))
            .collect();
        for lint in metas.iter().filter(|meta| matches!(meta, Meta::Path(_))) {
            let is = |name: &&str| lint.path().is_ident(name);
            let written = quote!(#[#path(#lint #(, #reason)*)]);
            if OF_NAMES.iter().any(|name| is(name)) {
                let written = match level {
                    "expect" => quote!(#[allow(#lint #(, #reason)*)]),
                    _ => written,
                };
                self.function.extend(written.clone());
                self.body.extend(written.clone());
                self.names.extend(written);
            } else if level != "expect" {
                self.function.extend(written.clone());
                // Clippy is kept away from what the macro makes.
                if lint.path().get_ident().is_some() {
                    self.body.extend(written);
                }
            } else if OF_THE_FUNCTION.iter().any(|name| is(name))
                || lint.path().get_ident().is_none()
            {
                self.function.extend(written);
            } else {
                self.body.extend(written);
            }
        }
    }
}

/// The lints, and the reason; `None` if they cannot be told apart.
fn parts(attribute: &Attribute) -> Option<Vec<Meta>> {
    let list = attribute.meta.require_list().ok()?;
    let metas = Punctuated::<Meta, Token![,]>::parse_terminated.parse2(list.tokens.clone());
    let metas: Vec<_> = metas.ok()?.into_iter().collect();
    (!metas.iter().any(|meta| matches!(meta, Meta::List(_)))).then_some(metas)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lints(attribute: &Attribute) -> [String; 3] {
        let Lints {
            function,
            body,
            names,
        } = Lints::of(std::slice::from_ref(attribute));
        [function, body, names].map(|tokens| tokens.to_string().replace(' ', ""))
    }

    #[test]
    fn attributes_go_where_their_lint_speaks() {
        let none = String::new();
        let doc = syn::parse_quote!(#[doc = "text"]);
        assert_eq!(lints(&doc), ["#[doc=\"text\"]", "", ""]);
        let allowed = syn::parse_quote!(#[allow(non_snake_case)]);
        assert_eq!(lints(&allowed), ["#[allow(non_snake_case)]"; 3]);
        let expected = syn::parse_quote!(#[expect(non_snake_case)]);
        assert_eq!(lints(&expected), ["#[allow(non_snake_case)]"; 3]);
        let several = syn::parse_quote!(#[expect(dead_code, deprecated, reason = "r")]);
        let [dead, deprecated] =
            ["dead_code", "deprecated"].map(|lint| format!("#[expect({lint},reason=\"r\")]"));
        assert_eq!(lints(&several), [dead, deprecated, none.clone()]);
        let clippy: Attribute = syn::parse_quote!(#[warn(clippy::all, deprecated)]);
        let both = "#[warn(clippy::all)]#[warn(deprecated)]".to_owned();
        assert_eq!(
            lints(&clippy),
            [both, "#[warn(deprecated)]".to_owned(), none]
        );
    }
}
