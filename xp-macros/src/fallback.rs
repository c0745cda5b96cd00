//! Removing our own attributes from what is emitted.
//!
//! An attribute that stays would run again, or be reported by `rustc` as unknown beside the error that matters.

use proc_macro2::{Group, TokenStream, TokenTree};

use crate::tokens::{attribute_name, leading_attributes};

/// Removes the attributes called one of `names` that stand before the item, not those inside it.
///
/// A path counts by its last segment, so `#[xp::step]` is a `step` too.
pub(crate) fn strip_leading(item: TokenStream, names: &[&str]) -> TokenStream {
    let (attributes, rest) = leading_attributes(item);
    attributes
        .into_iter()
        .filter(|attribute| !is_one_of(attribute, names))
        .flatten()
        .chain(rest)
        .collect()
}

/// Removes the attributes called one of `names` everywhere, at any depth. Spans, also those of groups, stay.
pub(crate) fn strip_inert(tokens: TokenStream, names: &[&str]) -> TokenStream {
    let mut output = Vec::<TokenTree>::new();
    for token in tokens {
        if let Some(hash) = output.pop() {
            let pair = [hash, token.clone()];
            if is_one_of(&pair, names) {
                continue;
            }
            let [hash, _] = pair;
            output.push(hash);
        }
        output.push(match token {
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), strip_inert(group.stream(), names));
                inner.set_span(group.span());
                inner.into()
            }
            other => other,
        });
    }
    output.into_iter().collect()
}

fn is_one_of(attribute: &[TokenTree], names: &[&str]) -> bool {
    attribute_name(attribute).is_some_and(|name| names.contains(&name.as_str()))
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    #[test]
    fn leading_attributes_go_and_inner_ones_stay() {
        let item = quote!(
            #[inline]
            #[xp::step(version = 2)]
            #[doc = "x"]
            fn f() {
                #[step]
                fn g() {}
            }
        );
        assert_eq!(
            strip_leading(item, &["step", "experiment"]).to_string(),
            quote!(
                #[inline]
                #[doc = "x"]
                fn f() {
                    #[step]
                    fn g() {}
                }
            )
            .to_string()
        );
    }

    #[test]
    fn inert_attributes_go_at_any_depth() {
        let item =
            quote!(fn f(#[param] #[param(a)] k: u8) { #[state] let m = [#[doc = "x"] 1]; # });
        assert_eq!(
            strip_inert(item, &["param", "state"]).to_string(),
            quote!(fn f(k: u8) { let m = [#[doc = "x"] 1]; # }).to_string()
        );
    }
}
