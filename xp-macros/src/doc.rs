//! Doc comments as text.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Expr, ExprLit, Lit, Meta};

/// The documentation of an item, as an expression of type `&'static str`.
///
/// Lines are joined by `\n`, without the indentation common to all, as rustdoc does it. What is not a
/// literal (`#[doc = include_str!("..")]`) is left to the compiler.
pub(crate) fn joined(attributes: &[Attribute]) -> TokenStream {
    let parts: Vec<Part<'_>> = attributes.iter().filter_map(Part::of).collect();
    let indentation = parts.iter().flat_map(Part::indentations).min().unwrap_or(0);
    let mut text = String::new();
    let mut arguments = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            text.push('\n');
        }
        match part {
            Part::Lines(lines) => {
                let lines: Vec<&str> = lines
                    .iter()
                    .map(|line| unindent(line, indentation))
                    .collect();
                text.push_str(&without_outer_blanks(&lines).join("\n"));
            }
            Part::Computed(value) => {
                let before = std::mem::take(&mut text);
                arguments.push(quote!(#before, #value));
            }
        }
    }
    if arguments.is_empty() {
        let text = text.trim();
        quote!(#text)
    } else {
        quote!(::core::concat!(#(#arguments,)* #text))
    }
}

/// What one doc attribute contributes.
enum Part<'a> {
    Lines(Vec<String>),
    Computed(&'a Expr),
}

impl<'a> Part<'a> {
    fn of(attribute: &'a Attribute) -> Option<Self> {
        match &attribute.meta {
            Meta::NameValue(meta) if meta.path.is_ident("doc") => Some(match &meta.value {
                Expr::Lit(ExprLit {
                    lit: Lit::Str(text),
                    ..
                }) => Self::Lines(lines(&text.value())),
                other => Self::Computed(other),
            }),
            _ => None,
        }
    }

    /// The indentation of each line that has one to be compared.
    fn indentations(&self) -> Vec<usize> {
        let lines = match self {
            Self::Lines(lines) => lines.as_slice(),
            Self::Computed(_) => &[],
        };
        // The first line of a block comment follows the `/**` itself.
        lines
            .iter()
            .skip(usize::from(lines.len() > 1))
            .filter(|line| !line.trim().is_empty())
            .map(|line| line.len() - line.trim_start_matches(' ').len())
            .collect()
    }
}

/// The lines of one comment, without the `*` that begins each line of a block.
fn lines(comment: &str) -> Vec<String> {
    let (first, rest) = comment.split_once('\n').unwrap_or((comment, ""));
    let starred = !rest.is_empty()
        && rest
            .lines()
            .all(|line| line.trim().is_empty() || line.trim_start().starts_with('*'));
    let rest = rest
        .lines()
        .map(|line| match line.trim_start().strip_prefix('*') {
            Some(line) if starred => line,
            _ => line,
        });
    std::iter::once(first)
        .chain(rest)
        .map(str::to_owned)
        .collect()
}

fn unindent(line: &str, indentation: usize) -> &str {
    let own = line.len() - line.trim_start_matches(' ').len();
    line.get(indentation.min(own)..)
        .unwrap_or_default()
        .trim_end()
}

/// A block comment often begins and ends with a line of its own.
fn without_outer_blanks<'a, 'b>(lines: &'a [&'b str]) -> &'a [&'b str] {
    match lines {
        ["", inner @ .., ""] | ["", inner @ ..] | [inner @ .., ""] if !inner.is_empty() => inner,
        _ => lines,
    }
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    fn text(attributes: &[Attribute]) -> String {
        syn::parse2::<syn::LitStr>(joined(attributes))
            .unwrap()
            .value()
    }

    #[test]
    fn lines_are_joined_without_their_common_indentation() {
        let attributes = [
            parse_quote!(#[doc = " One."]),
            parse_quote!(#[doc = ""]),
            parse_quote!(#[doc = "   two"]),
        ];
        assert_eq!(text(&attributes), "One.\n\n  two");
        assert_eq!(
            text(&[parse_quote!(#[inline]), parse_quote!(#[doc(hidden)])]),
            ""
        );
    }

    #[test]
    fn block_comments_lose_their_stars() {
        assert_eq!(
            text(&[parse_quote!(#[doc = "\n * One\n *   two\n "])]),
            "One\n  two"
        );
        assert_eq!(
            text(&[parse_quote!(#[doc = "\n    One\n      two\n    "])]),
            "One\n  two"
        );
    }

    #[test]
    fn macros_are_left_to_the_compiler() {
        let attributes = [
            parse_quote!(#[doc = " One."]),
            parse_quote!(#[doc = include_str!("x")]),
        ];
        assert_eq!(
            joined(&attributes).to_string(),
            quote!(::core::concat!("One.\n", include_str!("x"), "")).to_string()
        );
    }
}
