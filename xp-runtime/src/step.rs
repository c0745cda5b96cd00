//! What is known of a step: its name, place, documentation, source text and fingerprint.
//!
//! `#[step]` fills this in when the program is compiled. The text is for people; the fingerprint tells versions apart.

use std::fmt;

/// Implemented by the hidden braced struct beside each `#[step]` function.
///
/// The struct has the function's name and visibility, so importing the function imports its struct.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a step",
    label = "not a step",
    note = "annotate its definition with `#[step]`"
)]
pub trait Step {
    /// What is known of the function.
    const INFO: &'static StepInfo;
}

/// A step as it was when the program was compiled. Made by `#[step]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepInfo {
    /// The function's name, without `r#`.
    pub name: &'static str,
    /// Path of the module in which the function stands, beginning with its crate, as [`module_path!`] gives it.
    pub module: &'static str,
    /// The file in which it is written, as [`file!`] gives it.
    pub file: &'static str,
    /// The line of its name in that file, from 1.
    pub line: u32,
    /// Its documentation: the lines of its doc comments, without their common indentation. Empty if it has
    /// none.
    pub doc: &'static str,
    /// Its text.
    pub source: SourceText,
    /// What its tokens hash to.
    pub fingerprint: Fingerprint,
    /// The declared version of its meaning (`#[step(version = 2)]`), from 1.
    pub version: u32,
}

impl StepInfo {
    /// The function's full path, such as `my_crate::data::load`.
    #[must_use]
    pub fn path(&self) -> String {
        format!("{}::{}", self.module, self.name)
    }
}

/// The text of a step, from its first attribute or doc comment to the end of its body; line ends are `\n`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SourceText {
    /// As it stands in its file, comments and formatting included.
    Exact(&'static str),
    /// Its tokens, printed by the compiler: the function was written by a macro, or its file could not be
    /// read. Ordinary comments are lost.
    Rendered(&'static str),
}

impl SourceText {
    /// The text, whichever it is.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Exact(text) | Self::Rendered(text) => text,
        }
    }

    /// Whether the text is the one in the file.
    #[must_use]
    pub const fn is_exact(&self) -> bool {
        matches!(self, Self::Exact(_))
    }
}

impl fmt::Display for SourceText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A hash of a function's tokens. Displayed as 32 hexadecimal digits.
///
/// Comments, spacing, doc and lint attributes, trailing commas and the arguments of `#[step]` do not change
/// it. It is SipHash-2-4 with 128 bits and a key of zeros, over tokens as `xp-macros/src/fingerprint.rs` lays
/// them out; it tells edits apart and is no protection against forgery.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(
    /// The hash, in the order in which it is displayed.
    pub [u8; 16],
);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_displayed_as_32_digits() {
        let fingerprint = Fingerprint([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255]);
        assert_eq!(fingerprint.to_string(), "000102030405060708090a0b0c0d0eff");
        assert_eq!(
            format!("{fingerprint:?}"),
            "Fingerprint(000102030405060708090a0b0c0d0eff)"
        );
    }

    #[test]
    fn a_text_says_whether_it_is_exact() {
        assert!(SourceText::Exact("fn f() {}").is_exact());
        assert!(!SourceText::Rendered("fn f () {}").is_exact());
        assert_eq!(SourceText::Rendered("fn f () {}").to_string(), "fn f () {}");
    }
}
