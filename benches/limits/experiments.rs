//! What is executed, written as any program would write it.

use serde::{Deserialize, Serialize};

/// A point of a sequence.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Point {
    pub(crate) value: f64,
}

/// The work of an empty run.
pub(crate) fn half(i: u64) -> f64 {
    i as f64 / 2.0
}
