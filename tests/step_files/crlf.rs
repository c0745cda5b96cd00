/// Ends its lines
/// as Windows does.
#[xp::prelude::step]
pub(crate) fn windows() -> &'static str {
    // A comment.
    "one
two"
}
