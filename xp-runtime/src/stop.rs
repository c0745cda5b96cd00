//! The wish that an execution comes to its end: because a run failed, or a signal came.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::signals;

/// See the module's text.
#[derive(Debug, Default)]
pub(crate) struct Stop {
    now: AtomicBool,
    /// Whether signals count.
    pub(crate) signals: bool,
}

impl Stop {
    pub(crate) fn new(signals: bool) -> Self {
        Self {
            now: AtomicBool::new(false),
            signals,
        }
    }

    pub(crate) fn set(&self) {
        self.now.store(true, Ordering::Relaxed);
    }

    /// Takes the wish back, for the next run of a process that serves many.
    #[cfg(unix)]
    pub(crate) fn clear(&self) {
        self.now.store(false, Ordering::Relaxed);
    }

    pub(crate) fn is_asked(&self) -> bool {
        self.now.load(Ordering::Relaxed) || (self.signals && signals::came())
    }
}
