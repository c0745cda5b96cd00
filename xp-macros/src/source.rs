//! The source text of an item, as it stands in the file.
//!
//! On stable Rust only single tokens and groups have a text, so the item is cut out of its file by the
//! positions of its first and last token. A position can lie: inside `macro_rules` it is that of the macro's
//! definition, and the file may have changed under the compiler. So the text is kept only if it spells
//! exactly the tokens that were given. Nothing here fails: where the text cannot be had (some editors know no
//! files), the tokens are rendered instead.
//!
//! Files are read at each expansion. A cache would outlive the file in long-lived servers.

mod spelling;

use std::fs;
use std::path::PathBuf;

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};

/// The text of an item, and whether it is the one that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SourceText {
    /// What the file says, with `\n` as line ends.
    Exact(String),
    /// The tokens, printed by the compiler.
    Rendered(String),
}

/// The text of `item`, beginning at our own attribute if that stands first.
pub(crate) fn capture(item: &TokenStream) -> SourceText {
    match exact(item) {
        Some(text) => SourceText::Exact(text),
        None => SourceText::Rendered(item.to_string()),
    }
}

fn exact(item: &TokenStream) -> Option<String> {
    if !proc_macro::is_available() {
        return None;
    }
    let first = Place::of_start(item.clone().into_iter().next()?.span())?;
    let last = item.clone().into_iter().last()?;
    let end = Place::of_end(last.span())?;
    let attribute = Place::of_start(Span::call_site());
    let text = normalised(&fs::read_to_string(&first.file).ok()?);
    [attribute, Some(first)]
        .into_iter()
        .flatten()
        .filter(|start| start.file == end.file)
        .filter_map(|start| slice(&text, start.at, end.at))
        .find(|text| spelling::is_of(text, item) && ends_with_body(text, &last))
        .map(str::to_owned)
}

/// The compiler's own copy of the body, where it gives one, has the comments that tokens do not have.
fn ends_with_body(text: &str, last: &TokenTree) -> bool {
    match last {
        TokenTree::Group(body) if body.delimiter() == Delimiter::Brace => body
            .span()
            .source_text()
            .is_none_or(|body| text.ends_with(&normalised(&body))),
        _ => true,
    }
}

/// A line and a column, from 1; columns count characters.
type Position = (usize, usize);

struct Place {
    file: PathBuf,
    at: Position,
}

impl Place {
    fn of_start(span: Span) -> Option<Self> {
        let (file, start) = (span.unwrap().local_file()?, span.unwrap().start());
        Some(Self {
            file,
            at: (start.line(), start.column()),
        })
    }

    fn of_end(span: Span) -> Option<Self> {
        let (file, end) = (span.unwrap().local_file()?, span.unwrap().end());
        Some(Self {
            file,
            at: (end.line(), end.column()),
        })
    }
}

/// The text as rustc reads it.
fn normalised(text: &str) -> String {
    text.trim_start_matches('\u{feff}').replace("\r\n", "\n")
}

fn slice(text: &str, start: Position, end: Position) -> Option<&str> {
    text.get(offset(text, start)?..offset(text, end)?)
}

/// The byte at which a position lies; the end of a line is one.
fn offset(text: &str, (line, column): Position) -> Option<usize> {
    let skipped: usize = text
        .split_inclusive('\n')
        .take(line.checked_sub(1)?)
        .map(str::len)
        .sum();
    let rest = text.get(skipped..)?;
    let column = rest
        .char_indices()
        .map(|(index, _)| index)
        .chain([rest.len()])
        .nth(column.checked_sub(1)?)?;
    Some(skipped + column)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use quote::quote;

    use super::*;

    #[test]
    fn positions_count_lines_and_characters_from_one() {
        let text = "aé\n日本 x\n";
        assert_eq!(slice(text, (1, 2), (2, 3)), Some("é\n日本"));
        assert_eq!(slice(text, (2, 4), (2, 5)), Some("x"));
        assert_eq!(slice(text, (2, 5), (2, 4)), None);
        assert_eq!(slice(text, (0, 1), (1, 1)), None);
        assert_eq!(slice(text, (1, 1), (9, 9)), None);
    }

    #[test]
    fn line_ends_and_byte_order_marks_are_normalised() {
        assert_eq!(normalised("\u{feff}a\r\nb\rc\n"), "a\nb\rc\n");
    }

    #[test]
    fn without_a_compiler_tokens_are_rendered() {
        assert_eq!(
            capture(&quote!(
                fn f() {}
            )),
            SourceText::Rendered("fn f () { }".to_owned())
        );
    }

    proptest! {
        #[test]
        fn every_position_of_a_text_is_found(text in "[ab\né日\t]{0,40}", cut in 0_usize..40) {
            let cut = cut.min(text.chars().count());
            let before: String = text.chars().take(cut).collect();
            let line = before.matches('\n').count() + 1;
            let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
            prop_assert_eq!(offset(&text, (line, column)), Some(before.len()));
        }
    }
}
