//! Whether a text spells given tokens.
//!
//! The text is walked along the tokens instead of being lexed again: the compiler's lexer reports what it
//! cannot read as an error of the user's, and a text cut out at wrong positions may be anything.

use proc_macro2::{TokenStream, TokenTree};
use syn::LitStr;

use crate::tokens::{Atom, flatten, leading_attributes};

/// Whether `text` spells `item` and nothing else.
///
/// The text may have more attributes before the item: the compiler has already used up `#[cfg(..)]`, other
/// attribute macros and our own.
pub(super) fn is_of(text: &str, item: &TokenStream) -> bool {
    let (attributes, rest) = leading_attributes(item.clone());
    let mut attributes = attributes.into_iter().peekable();
    let mut cursor = Cursor(text);
    while attributes.peek().is_some() || cursor.at_attribute() {
        let before = Cursor(cursor.0);
        match attributes.peek() {
            Some(attribute) if cursor.spells(attribute.iter().cloned()) => {
                attributes.next();
            }
            _ => {
                cursor = before;
                if !cursor.skip_attribute() {
                    return false;
                }
            }
        }
    }
    cursor.spells(rest) && cursor.skip_trivia() && cursor.0.is_empty()
}

/// What is left of the text.
struct Cursor<'a>(&'a str);

impl Cursor<'_> {
    /// Passes over `tokens`, if the text continues with them.
    fn spells(&mut self, tokens: impl IntoIterator<Item = TokenTree>) -> bool {
        let atoms = flatten(tokens);
        let mut rest = atoms.as_slice();
        while let Some(atom) = rest.first() {
            if !self.skip_trivia() {
                return false;
            }
            let used = match doc_comment(rest) {
                Some((content, used)) if self.eat_doc_comment(&content) => used,
                _ if self.eat_atom(atom) => 1,
                _ => return false,
            };
            rest = rest.get(used..).unwrap_or_default();
        }
        true
    }

    fn eat_atom(&mut self, atom: &Atom) -> bool {
        match atom {
            Atom::Open(edge) | Atom::Close(edge) | Atom::Punct(edge, _) => {
                self.eat(edge.encode_utf8(&mut [0; 4]))
            }
            Atom::Literal(text) => self.eat(text),
            Atom::Ident(text) => {
                self.eat(text)
                    && !self
                        .0
                        .starts_with(|c: char| c == '_' || c.is_alphanumeric())
            }
        }
    }

    fn eat(&mut self, text: &str) -> bool {
        match self.0.strip_prefix(text) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    /// A doc comment reaches macros as `#[doc = "content"]`.
    fn eat_doc_comment(&mut self, content: &str) -> bool {
        if !at_doc_comment(self.0) {
            return false;
        }
        let is_line = self.0.starts_with("//");
        self.0 = self.0.get(3..).unwrap_or_default();
        self.eat(content)
            && if is_line {
                self.0.is_empty() || self.0.starts_with('\n')
            } else {
                self.eat("*/")
            }
    }

    /// Passes over white space and comments that are not documentation. `false` if a comment does not end.
    fn skip_trivia(&mut self) -> bool {
        loop {
            self.0 = self.0.trim_start();
            if at_doc_comment(self.0) {
                return true;
            } else if self.0.starts_with("//") {
                self.0 = self
                    .0
                    .find('\n')
                    .and_then(|end| self.0.get(end..))
                    .unwrap_or_default();
            } else if self.0.starts_with("/*") {
                match after_block_comment(self.0) {
                    Some(rest) => self.0 = rest,
                    None => return false,
                }
            } else {
                return true;
            }
        }
    }

    fn at_attribute(&mut self) -> bool {
        self.skip_trivia() && self.0.starts_with('#')
    }

    /// Passes over one attribute, whatever it says. Strings in it may contain brackets.
    fn skip_attribute(&mut self) -> bool {
        if !self.skip_trivia() || !self.eat("#") || !self.skip_trivia() || !self.0.starts_with('[')
        {
            return false;
        }
        let mut depth = 0_usize;
        let mut in_string = false;
        let mut characters = self.0.char_indices();
        while let Some((index, character)) = characters.next() {
            match character {
                '\\' if in_string => {
                    characters.next();
                }
                '"' => in_string = !in_string,
                '[' if !in_string => depth += 1,
                ']' if !in_string => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                self.0 = self.0.get(index + 1..).unwrap_or_default();
                return true;
            }
        }
        false
    }
}

/// The content of the doc attribute that begins here, and how many atoms it has.
fn doc_comment(atoms: &[Atom]) -> Option<(String, usize)> {
    let [Atom::Punct('#', _), rest @ ..] = atoms else {
        return None;
    };
    let (rest, used) = match rest {
        [Atom::Punct('!', _), rest @ ..] => (rest, 7),
        _ => (rest, 6),
    };
    match rest {
        [
            Atom::Open('['),
            Atom::Ident(doc),
            Atom::Punct('=', _),
            Atom::Literal(content),
            Atom::Close(']'),
            ..,
        ] if doc == "doc" => Some((syn::parse_str::<LitStr>(content).ok()?.value(), used)),
        _ => None,
    }
}

fn at_doc_comment(text: &str) -> bool {
    let starts = |prefix| text.starts_with(prefix);
    starts("//!")
        || starts("/*!")
        || (starts("///") && !starts("////"))
        || (starts("/**") && !starts("/***") && !starts("/**/"))
}

/// Block comments nest.
fn after_block_comment(text: &str) -> Option<&str> {
    let mut depth = 0_usize;
    let mut rest = text;
    loop {
        if let Some(after) = rest.strip_prefix("/*") {
            depth += 1;
            rest = after;
        } else if let Some(after) = rest.strip_prefix("*/") {
            depth -= 1;
            rest = after;
            if depth == 0 {
                return Some(rest);
            }
        } else {
            let mut characters = rest.chars();
            characters.next()?;
            rest = characters.as_str();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spells(text: &str, item: &str) -> bool {
        is_of(text, &item.parse().unwrap())
    }

    #[test]
    fn formatting_and_comments_are_free() {
        let item = "pub fn f<'a>(x: &'a [u8]) -> u8 { x[0] >> 1 }";
        assert!(spells(
            "pub fn f<'a>(x:&'a [u8]/* in */)->u8 // out\n{ /* /* { */ */ x[0]>>1 }",
            item
        ));
        assert!(!spells(
            "pub fn f<'a>(x: &'a [u8]) -> u8 { x[0] >> 2 }",
            item
        ));
        assert!(!spells(
            "pub fn f<'a>(x: &'a [u8]) -> u8 { x[0] >> 1 } }",
            item
        ));
        assert!(!spells("pub fn f<'a>(x: &'a [u8]) -> u8 { x[0] >> 1", item));
        assert!(!spells(
            "pub fnf<'a>(x: &'a [u8]) -> u8 { x[0] >> 1 }",
            item
        ));
        assert!(!spells("pub fn f /* open", item));
    }

    #[test]
    fn literals_are_compared_as_written() {
        assert!(spells(
            r####"fn f() { "a\"}" ; r#"/* " "# ; b'\'' ; 1_000 }"####,
            r####"fn f() { "a\"}"; r#"/* " "#; b'\''; 1_000 }"####
        ));
        assert!(!spells("fn f() { 1000 }", "fn f() { 1_000 }"));
    }

    #[test]
    fn what_a_macro_substitutes_is_not_in_the_text() {
        assert!(!spells("fn $name() { $e }", "fn f() { 40 + 2 }"));
    }

    #[test]
    fn doc_comments_are_attributes() {
        let item = "#[doc = \" One.\"] #[doc = \" two \"] fn f() { #![doc = \" in\"] }";
        assert!(spells("/// One.\n/** two */ fn f() { //! in\n }", item));
        assert!(spells(
            "/// One.\n#[doc = \" two \"] fn f() { //! in\n }",
            item
        ));
        assert!(!spells("/// One\n/** two */ fn f() { //! in\n }", item));
        assert!(!spells("/// One.\n/// two\nfn f() { //! in\n }", item));
    }

    #[test]
    fn attributes_that_are_used_up_may_stand_in_the_text() {
        let item = "#[inline] #[must_use] fn f() {}";
        assert!(spells(
            "#[step(version = 2)]\n#[inline]\n#[cfg(not(feature = \"]\\\"\"))]\n#[must_use]\n// why\nfn f() {}",
            item
        ));
        assert!(spells("#[inline] #[must_use] #[step] fn f() {}", item));
        assert!(!spells("#[must_use] fn f() {}", item));
        assert!(!spells("#[step] ) #[inline] #[must_use] fn f() {}", item));
        assert!(!spells("#[step #[inline] #[must_use] fn f() {}", item));
    }
}
