//! The attribute macros of `xp`. Use them through the facade: `use xp::prelude::*;`.
//!
//! Each attribute goes parse → validate → expand, on `proc_macro2` throughout, and expands to data plus
//! paths into `::xp::__private`. On an error the item is emitted too, so that editors keep completing in it.

mod attr;
mod callee;
mod debug;
mod doc;
mod error;
mod fallback;
mod fingerprint;
mod paths;
mod source;
mod step;
mod tokens;

use proc_macro::TokenStream;

/// Declares a free function to be a step of experiments.
///
/// The function stays as it is: call it in unit tests, pass it to `map`, document it. Beside it, in the type
/// namespace, stands a hidden struct of the same name and visibility which implements `Step` and says what the
/// function is: its name, place, documentation, source text and fingerprint.
///
/// ```ignore
/// /// Share of the rows classified correctly.
/// #[step]
/// fn score(model: &Knn, rows: &Rows) -> f64 { .. }
///
/// /// Fit the classifier.
/// #[step(version = 2)] // what earlier versions computed is no longer the same
/// fn fit(rows: &Rows, k: usize) -> anyhow::Result<Knn> { .. }
/// ```
///
/// Inputs are owned or borrowed, the function may be generic, and it returns a `T` or a `Result<T, E>`. It is
/// an ordinary, safe function: no `async`, no `unsafe`, no `self`.
///
/// | key | meaning |
/// |---|---|
/// | `version = 2` | the function's meaning changed: points computed with another version are other points (default 1) |
///
/// The struct needs the function's name in the type namespace. So a step and a module (or another type) of one
/// name cannot stand in one scope, nor be imported into one: instead of `mod train;` with
/// `use train::train;`, write `train::train(..)` or rename one of the two.
///
/// # Source text and fingerprint
///
/// The text is the item as it is in the file, from its first attribute or doc comment to its closing brace,
/// with line ends as `\n`; where that cannot be had (the function comes out of a macro) it is a rendering,
/// and marked as one.
///
/// The fingerprint is of the function's tokens: comments, spacing, doc and lint attributes and trailing
/// commas do not count, nor do the keys above. Functions called by the step are not part of it.
#[proc_macro_attribute]
pub fn step(args: TokenStream, item: TokenStream) -> TokenStream {
    step::expand(args.into(), item.into()).into()
}

/// Checks that a path names a `#[step]`, and gives its `&'static StepInfo`. Used by generated code only.
///
/// The name is the advice: `rustc` prints it below its own error when the path names a plain function.
#[doc(hidden)]
#[proc_macro]
pub fn callee_must_be_a_step(path: TokenStream) -> TokenStream {
    callee::expand(path.into()).into()
}
