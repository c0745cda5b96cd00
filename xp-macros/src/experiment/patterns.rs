//! The left sides of statements.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Pat, PatIdent, PatType, Type};

/// The name, if the pattern is nothing else.
pub(super) fn plain_name(pat: &Pat) -> Option<PatIdent> {
    match pat {
        Pat::Ident(name) if name.by_ref.is_none() && name.subpat.is_none() => Some(name.clone()),
        _ => None,
    }
}

/// Whether a pattern has a type that is written out and holds no reference, as far as is known.
pub(super) fn holds_no_reference(pat: &Pat) -> bool {
    const PLAIN: [&str; 17] = [
        "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16",
        "u32", "u64", "u128", "usize", "String",
    ];
    matches!(pat, Pat::Type(PatType { ty, .. }) if matches!(&**ty, Type::Path(path)
        if PLAIN.iter().any(|plain| path.path.is_ident(plain))))
}

/// Whether a pattern binds a name by `ref mut`.
pub(super) fn refers_by_mut(pat: &Pat) -> bool {
    let words: Vec<String> = words(pat.to_token_stream());
    words.windows(2).any(|pair| pair == ["ref", "mut"])
}

fn words(tokens: TokenStream) -> Vec<String> {
    let word = |token| match token {
        TokenTree::Group(group) => words(group.stream()),
        other => vec![other.to_string()],
    };
    tokens.into_iter().flat_map(word).collect()
}

/// All names that a pattern binds.
pub(super) fn names_of(pat: &Pat, names: &mut Vec<Ident>) {
    match pat {
        Pat::Ident(name) => {
            names.push(name.ident.clone());
            if let Some((_, pat)) = &name.subpat {
                names_of(pat, names);
            }
        }
        Pat::Type(typed) => names_of(&typed.pat, names),
        Pat::Reference(reference) => names_of(&reference.pat, names),
        Pat::Paren(paren) => names_of(&paren.pat, names),
        Pat::Tuple(tuple) => tuple.elems.iter().for_each(|pat| names_of(pat, names)),
        Pat::TupleStruct(tuple) => tuple.elems.iter().for_each(|pat| names_of(pat, names)),
        Pat::Slice(slice) => slice.elems.iter().for_each(|pat| names_of(pat, names)),
        Pat::Or(or) => or.cases.iter().for_each(|pat| names_of(pat, names)),
        Pat::Struct(fields) => fields
            .fields
            .iter()
            .for_each(|field| names_of(&field.pat, names)),
        _ => {}
    }
}
