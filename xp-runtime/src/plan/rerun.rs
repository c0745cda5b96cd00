//! Which points are attempted again.

/// Which points of an experiment that is there [`resume`](crate::Session::resume) runs again, besides
/// those that are missing.
///
/// | a point that | is run again |
/// |---|---|
/// | failed, panicked, was killed | yes, unless `.failed(false)` |
/// | took too long or too much memory | yes, or as `.limited(..)` says |
/// | was interrupted or cancelled | yes |
/// | was pruned, since a smaller one failed | yes, unless `.pruned(false)`; if the smaller one fails again, or has failed and is not run again, it is pruned again |
/// | is stale: its steps have changed since | only with `.stale(true)` |
/// | is partial: it lacks a field | only with `.partial(true)`; see also [`fill`](crate::PlanOptions::fill) |
/// | was skipped | only with `.skipped(true)` |
///
/// ```
/// # use xp::prelude::*;
/// # use xp::{Limited, Rerun};
/// # #[step] fn half(x: f64) -> f64 { x / 2.0 }
/// # #[experiment] fn halves(#[param] x: f64) { #[field] let half: f64 = half(x); }
/// # let session = Session::in_memory()?;
/// // What changed since, and what timed out if it has more time now; but not what failed.
/// let rerun = Rerun::new().stale(true).failed(false).limited(Limited::WithLargerLimit);
/// session.resume(halves().x([1.0, 2.0]).rerun(rerun))?;
/// # Ok::<(), xp::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rerun {
    pub(crate) failed: bool,
    pub(crate) limited: Limited,
    pub(crate) stale: bool,
    pub(crate) partial: bool,
    pub(crate) skipped: bool,
    pub(crate) pruned: bool,
}

/// Whether what took too long, or too much memory, is run again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Limited {
    /// Every time.
    #[default]
    Always,
    /// Only if its limit is larger now than when it was exceeded, or gone.
    WithLargerLimit,
    /// Not again.
    Never,
}

impl Default for Rerun {
    fn default() -> Self {
        Self {
            failed: true,
            limited: Limited::Always,
            stale: false,
            partial: false,
            skipped: false,
            pruned: true,
        }
    }
}

impl Rerun {
    /// The default.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same without those that have failed, or were skipped or pruned: what is left then was not
    /// run to its end.
    pub(crate) fn only_unended(self) -> Self {
        Self {
            failed: false,
            limited: Limited::Never,
            skipped: false,
            pruned: false,
            ..self
        }
    }

    /// Whether points are run again that failed, panicked or were killed.
    #[must_use]
    pub fn failed(self, failed: bool) -> Self {
        Self { failed, ..self }
    }

    /// Whether points are run again that took too long, or too much memory.
    #[must_use]
    pub fn limited(self, limited: Limited) -> Self {
        Self { limited, ..self }
    }

    /// Whether points are run again whose steps have changed since. Their old runs are replaced.
    #[must_use]
    pub fn stale(self, stale: bool) -> Self {
        Self { stale, ..self }
    }

    /// Whether points are run again, with all steps, that lack a field. Their old runs are replaced.
    #[must_use]
    pub fn partial(self, partial: bool) -> Self {
        Self { partial, ..self }
    }

    /// Whether points are run again that were skipped.
    #[must_use]
    pub fn skipped(self, skipped: bool) -> Self {
        Self { skipped, ..self }
    }

    /// Whether points are considered again that were pruned: run, or pruned again if a smaller one
    /// has failed.
    #[must_use]
    pub fn pruned(self, pruned: bool) -> Self {
        Self { pruned, ..self }
    }
}
