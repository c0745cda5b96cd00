//! Token trees as a flat list, and the attributes before an item.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// A leaf of a token tree, or the edge of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Atom {
    /// `(`, `[` or `{`.
    Open(char),
    /// `)`, `]` or `}`.
    Close(char),
    /// An identifier or keyword, with `r#` if written so.
    Ident(String),
    /// One character of punctuation, and whether the next one follows it immediately.
    Punct(char, Spacing),
    /// A literal, as written.
    Literal(String),
}

/// Flattens token trees. Groups without delimiters, which `macro_rules` puts around what it substitutes,
/// vanish.
pub(crate) fn flatten(tokens: impl IntoIterator<Item = TokenTree>) -> Vec<Atom> {
    let mut atoms = Vec::new();
    flatten_into(tokens, &mut atoms);
    atoms
}

fn flatten_into(tokens: impl IntoIterator<Item = TokenTree>, atoms: &mut Vec<Atom>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                let edges = match group.delimiter() {
                    Delimiter::Parenthesis => Some(('(', ')')),
                    Delimiter::Bracket => Some(('[', ']')),
                    Delimiter::Brace => Some(('{', '}')),
                    Delimiter::None => None,
                };
                atoms.extend(edges.map(|(open, _)| Atom::Open(open)));
                flatten_into(group.stream(), atoms);
                atoms.extend(edges.map(|(_, close)| Atom::Close(close)));
            }
            TokenTree::Ident(ident) => atoms.push(Atom::Ident(ident.to_string())),
            TokenTree::Punct(punct) => atoms.push(Atom::Punct(punct.as_char(), punct.spacing())),
            TokenTree::Literal(literal) => {
                let text = literal.to_string();
                // A macro can make the literal `-1`; the same text in a file is two tokens.
                match text.strip_prefix('-') {
                    Some(positive) => atoms.extend([
                        Atom::Punct('-', Spacing::Alone),
                        Atom::Literal(positive.to_owned()),
                    ]),
                    None => atoms.push(Atom::Literal(text)),
                }
            }
        }
    }
}

/// Splits an item into its outer attributes (`#` and `[..]`, doc comments included) and the rest.
pub(crate) fn leading_attributes(item: TokenStream) -> (Vec<[TokenTree; 2]>, Vec<TokenTree>) {
    let mut attributes = Vec::new();
    let mut rest = Vec::new();
    let mut tokens = item.into_iter();
    while let Some(first) = tokens.next() {
        let Some(second) = tokens.next() else {
            rest.push(first);
            break;
        };
        let pair = [first, second];
        if attribute_name(&pair).is_some() {
            attributes.push(pair);
        } else {
            rest.extend(pair);
            rest.extend(tokens);
            break;
        }
    }
    (attributes, rest)
}

/// The last segment of the path of an attribute given as `#` and `[..]`; `None` if that is no attribute.
pub(crate) fn attribute_name(tokens: &[TokenTree]) -> Option<String> {
    let [TokenTree::Punct(hash), TokenTree::Group(group)] = tokens else {
        return None;
    };
    if hash.as_char() != '#' || group.delimiter() != Delimiter::Bracket {
        return None;
    }
    let mut name = None;
    for token in group.stream() {
        match token {
            // The key of `#[unsafe(no_mangle)]` is of no use here: `unsafe` stands for it.
            TokenTree::Ident(ident) => name = Some(ident.to_string()),
            TokenTree::Punct(punct) if punct.as_char() == ':' => {}
            _ => break,
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use proc_macro2::Literal;
    use quote::quote;

    use super::*;

    #[test]
    fn undelimited_groups_and_negative_literals_are_taken_apart() {
        let inner = TokenStream::from(TokenTree::from(Literal::i32_unsuffixed(-1)));
        let group = proc_macro2::Group::new(Delimiter::None, inner);
        assert_eq!(
            flatten(quote!((#group))),
            [
                Atom::Open('('),
                Atom::Punct('-', Spacing::Alone),
                Atom::Literal("1".to_owned()),
                Atom::Close(')'),
            ]
        );
    }

    #[test]
    fn attributes_are_split_off_and_named() {
        let (attributes, rest) = leading_attributes(quote!(
            #[doc = "a"]
            #[xp::step(b)]
            pub fn f() {}
        ));
        let names: Vec<_> = attributes
            .iter()
            .filter_map(|a| attribute_name(a))
            .collect();
        assert_eq!(names, ["doc", "step"]);
        assert_eq!(rest.len(), 5);
        assert_eq!(leading_attributes(quote!(x)).1.len(), 1);
    }
}
