//! `XP_MACROS_DEBUG=<name>` in the environment of the compiler prints what the function of that name becomes.

use proc_macro2::TokenStream;

/// Prints `expansion` to standard error if `name` is the one asked for.
pub(crate) fn show(name: &str, expansion: &TokenStream) {
    if std::env::var("XP_MACROS_DEBUG").is_ok_and(|asked| asked == name) {
        eprintln!("{expansion}");
    }
}
