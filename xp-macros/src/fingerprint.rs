//! The fingerprint of an item: a hash of its tokens that formatting, comments and documentation do not change.
//!
//! # What is hashed
//!
//! The tokens of the item in order, groups without delimiters taken apart, without
//!
//! - the attributes `doc` (so also doc comments), `allow`, `warn`, `deny`, `expect`, `forbid`, and those of the tools
//!   `clippy` and `rustfmt`, outer and inner;
//! - trailing commas: before `]`, `}`, `>` and `;`, before `)` unless the comma makes a tuple of one, and before
//!   the `{` after a `where` clause.
//!
//! Punctuation is grouped into operators by the longest match among [`OPERATORS`]; characters that are in
//! none stand alone, as do all that begin with `<` or `>`, since `Vec<Vec<T>>` and `Vec<Vec<T> >` are the
//! same. Each token then gives the bytes
//!
//! ```text
//! kind: u8      'd' delimiter, 'i' identifier or keyword, 'l' literal, 'p' punctuation, 't' lifetime
//! length: u32   little-endian, of the text in bytes
//! text          UTF-8, as written (`r#` included)
//! ```
//!
//! and the fingerprint is their SipHash-2-4 with 128 bits of output and a key of zeros.

use proc_macro2::{Spacing, TokenStream};
use siphasher::sip128::SipHasher24;

use crate::tokens::{Atom, flatten};

/// Attributes that do not change what an item computes.
const EXCLUDED: [&str; 6] = ["allow", "deny", "doc", "expect", "forbid", "warn"];

/// Tools whose attributes, such as `#[rustfmt::skip]`, do not either.
const EXCLUDED_TOOLS: [&str; 2] = ["clippy", "rustfmt"];

/// Longer operators first. Those that begin with `<` or `>` are left out on purpose.
const OPERATORS: [&str; 18] = [
    "...", "..=", "!=", "%=", "&&", "&=", "*=", "+=", "-=", "->", "..", "/=", "::", "==", "=>",
    "^=", "|=", "||",
];

/// Keywords after which `(x,)` is a tuple, not a list of inputs.
const BEFORE_TUPLE: [&str; 23] = [
    "as", "break", "const", "dyn", "else", "for", "if", "impl", "in", "let", "loop", "match",
    "move", "mut", "ref", "return", "static", "try", "type", "unsafe", "where", "while", "yield",
];

/// The fingerprint of `item`, which must not have our own attribute any more.
pub(crate) fn fingerprint(item: &TokenStream) -> [u8; 16] {
    let mut bytes = Vec::new();
    for Token { kind, text } in canonical(&flatten(item.clone())) {
        bytes.push(kind);
        // A token of 4 GiB cannot be: rustc addresses all source files together with 32 bits.
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
        bytes.extend(length.to_le_bytes());
        bytes.extend(text.as_bytes());
    }
    SipHasher24::new().hash(&bytes).as_bytes()
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Token {
    kind: u8,
    text: String,
}

impl Token {
    fn new(kind: u8, text: impl Into<String>) -> Self {
        Self {
            kind,
            text: text.into(),
        }
    }

    fn is(&self, text: &str) -> bool {
        matches!(self.kind, b'p' | b'd') && self.text == text
    }
}

/// What is known of the group that is being walked.
#[derive(Default)]
struct Frame {
    /// The group lists inputs of what stands before it, so that `(x,)` is no tuple.
    is_call: bool,
    /// Commas met so far.
    commas: usize,
    /// A `where` clause is open.
    in_where: bool,
}

fn canonical(atoms: &[Atom]) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::with_capacity(atoms.len());
    let mut outer: Vec<Frame> = Vec::new();
    let mut frame = Frame::default();
    let mut rest = atoms;
    while let Some(atom) = rest.first() {
        if let Some(after) = skip_excluded_attribute(rest) {
            rest = after;
            continue;
        }
        let after_comma = tokens.last().is_some_and(|token| token.is(","));
        let mut used = 1;
        match atom {
            Atom::Open(open) => {
                if after_comma && frame.in_where && *open == '{' {
                    tokens.pop();
                    frame.in_where = false;
                }
                let is_call = tokens.last().is_some_and(is_callee);
                tokens.push(Token::new(b'd', *open));
                outer.push(std::mem::replace(
                    &mut frame,
                    Frame {
                        is_call,
                        ..Frame::default()
                    },
                ));
            }
            Atom::Close(close) => {
                if after_comma && (*close != ')' || frame.is_call || frame.commas > 1) {
                    tokens.pop();
                }
                tokens.push(Token::new(b'd', *close));
                frame = outer.pop().unwrap_or_default();
            }
            Atom::Ident(ident) => {
                frame.in_where |= ident == "where";
                tokens.push(Token::new(b'i', ident));
            }
            Atom::Literal(literal) => tokens.push(Token::new(b'l', literal)),
            Atom::Punct('\'', _) if matches!(rest.get(1), Some(Atom::Ident(_))) => {
                if let Some(Atom::Ident(name)) = rest.get(1) {
                    tokens.push(Token::new(b't', format!("'{name}")));
                    used = 2;
                }
            }
            Atom::Punct(first, _) => {
                if after_comma && matches!(first, '>' | ';') {
                    tokens.pop();
                }
                frame.commas += usize::from(*first == ',');
                frame.in_where &= *first != ';';
                let operator = operator(rest);
                used = operator.chars().count();
                tokens.push(Token::new(b'p', operator));
            }
        }
        rest = rest.get(used..).unwrap_or_default();
    }
    tokens
}

/// The operator that begins here: the longest known one, or a single character.
fn operator(atoms: &[Atom]) -> String {
    let mut joint = String::new();
    for atom in atoms {
        let Atom::Punct(character, spacing) = atom else {
            break;
        };
        joint.push(*character);
        if *spacing == Spacing::Alone {
            break;
        }
    }
    match OPERATORS
        .iter()
        .find(|operator| joint.starts_with(**operator))
    {
        Some(operator) => (*operator).to_owned(),
        None => joint.chars().take(1).collect(),
    }
}

/// Whether `(` after this token begins a list of inputs rather than a tuple.
fn is_callee(token: &Token) -> bool {
    match token.kind {
        b'i' => !BEFORE_TUPLE.contains(&token.text.as_str()),
        _ => [")", "]", "?", ">", "!"].iter().any(|text| token.is(text)),
    }
}

/// What follows the attribute that begins here, if that is one of [`EXCLUDED`].
fn skip_excluded_attribute(atoms: &[Atom]) -> Option<&[Atom]> {
    let [Atom::Punct('#', _), rest @ ..] = atoms else {
        return None;
    };
    let rest = match rest {
        [Atom::Punct('!', _), rest @ ..] => rest,
        _ => rest,
    };
    let [Atom::Open('['), Atom::Ident(name), next, ..] = rest else {
        return None;
    };
    let names = match next {
        Atom::Punct(':', _) => &EXCLUDED_TOOLS[..],
        Atom::Punct('=', _) | Atom::Open(_) | Atom::Close(_) => &EXCLUDED[..],
        _ => &[],
    };
    if !names.contains(&name.as_str()) {
        return None;
    }
    let mut depth = 0_usize;
    for (index, atom) in rest.iter().enumerate() {
        match atom {
            Atom::Open(_) => depth += 1,
            Atom::Close(_) => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return rest.get(index + 1..);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(text: &str) -> [u8; 16] {
        fingerprint(&text.parse().unwrap())
    }

    #[track_caller]
    fn same(one: &str, other: &str) {
        assert_eq!(of(one), of(other), "{one}  |  {other}");
    }

    #[track_caller]
    fn different(one: &str, other: &str) {
        assert_ne!(of(one), of(other), "{one}  |  {other}");
    }

    #[test]
    fn the_bytes_are_as_documented() {
        let bytes =
            b"i\x02\0\0\0fnd\x01\0\0\0{l\x01\0\0\x001p\x02\0\0\0::t\x02\0\0\0'ad\x01\0\0\0}";
        assert_eq!(
            of("fn { 1 :: 'a }"),
            SipHasher24::new().hash(bytes).as_bytes()
        );
    }

    #[test]
    fn test_vector() {
        // Both computed with another implementation of SipHash-2-4-128; the first is of no bytes.
        assert_eq!(hex(of("")), "5049d74780a3e07d4202ab47d4cef2f4");
        assert_eq!(
            hex(of("fn half(x: f64) -> f64 { x / 2.0 }")),
            "7c5197158d9877ffbe9c4e695d0eca14"
        );
    }

    fn hex(bytes: [u8; 16]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn comments_spacing_and_documentation_do_not_count() {
        same(
            "fn f() -> u8 { 1 + 2 }",
            "/// Doc.\nfn f()->u8{ // why\n 1+2 /* how */ }",
        );
        same(
            "fn f() { g() }",
            "#[allow(dead_code)] #[doc(hidden)] fn f() { #![expect(unused)] #[warn(x)] g() }",
        );
        same(
            "fn f() { }",
            "#[rustfmt::skip] fn f() { #![clippy::msrv = \"1\"] }",
        );
        same("a = -1", "a =-1");
        same("f(&-x, &'a y)", "f(& -x, &'a y)");
        same("Vec<Vec<u8>>", "Vec<Vec<u8> >");
        same("let x: Vec<u8>= y", "let x: Vec<u8> = y");
    }

    #[test]
    fn trailing_commas_do_not_count() {
        same("f(a, b)", "f(a, b,)");
        same("f(a)", "f(a,)");
        same("vec![a]", "vec![a,]");
        same("f::<T>(a)", "f::<T,>(a,)");
        same("S { a: 1 }", "S { a: 1, }");
        same(
            "fn f<T>(x: T) where T: Copy { }",
            "fn f<T,>(x: T,) where T: Copy, { }",
        );
        same("let x = (a, b);", "let x = (a, b,);");
    }

    #[test]
    fn what_computes_something_else_counts() {
        different("1 + 2", "1 + 3");
        different("a && b", "a & &b");
        different("let x = (a);", "let x = (a,);");
        different("-> (a)", "-> (a,)");
        different("return (a)", "return (a,)");
        different("x => (a)", "x => (a,)");
        different("[a, b]", "[a b]");
        different("ab", "a b");
        different("(a) b", "(a b)");
        different("'a", "a");
        different("#[inline] fn f() {}", "fn f() {}");
        different("f(a, {b})", "f(a {b})");
        different("doc", "allow");
    }

    fn token() -> impl Strategy<Value = &'static str> {
        prop::sample::select(vec![
            "a", "'b", "1", "\"s\"", "(", ")", "[", "]", "{", "}", "=", "-", "&&", "::", "->", ",",
            "#", "!", "doc", "where", ";", "<", ">", "..=",
        ])
    }

    proptest! {
        #[test]
        fn spacing_of_any_tokens_does_not_count(words in prop::collection::vec(token(), 0..24)) {
            let narrow: Result<TokenStream, _> = words.join(" ").parse();
            let wide: Result<TokenStream, _> = words.join(" /* c */\n\t").parse();
            if let (Ok(narrow), Ok(wide)) = (narrow, wide) {
                prop_assert_eq!(fingerprint(&narrow), fingerprint(&wide));
            }
        }
    }
}
