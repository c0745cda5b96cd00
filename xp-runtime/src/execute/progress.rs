//! The progress bar, on stderr if that is a terminal.

use std::fmt;
use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressState, ProgressStyle};

use crate::exception::Outcome;
use crate::run::Progress;
use crate::store::Finished;

/// Counts what is committed.
pub(super) struct Bar {
    bar: Option<ProgressBar>,
    quiet: bool,
    failed: AtomicU64,
    skipped: AtomicU64,
}

impl Bar {
    /// See [`is_shown`] for `show`.
    pub(super) fn new(
        name: &str,
        total: u64,
        fractions: &[Arc<Progress>],
        show: Option<bool>,
    ) -> Self {
        let bar = is_shown(show).then(|| {
            let style = ProgressStyle::with_template(
                "{prefix} [{bar:32}] {pos}/{len} {eta} {msg}{running}",
            )
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .progress_chars("=> ")
            .with_key("running", running(fractions.to_vec()));
            let target = ProgressDrawTarget::stderr_with_hz(10);
            let bar = ProgressBar::with_draw_target(Some(total), target)
                .with_style(style)
                .with_prefix(name.to_owned())
                .with_finish(ProgressFinish::AndLeave);
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        Self {
            bar,
            quiet: is_quiet(show),
            failed: AtomicU64::new(0),
            skipped: AtomicU64::new(0),
        }
    }

    /// Counts runs that are committed.
    pub(super) fn count(&self, runs: &[Finished]) {
        let Some(bar) = &self.bar else { return };
        let last = || runs.iter().filter(|run| run.last);
        let failed = last().filter(|run| run.outcome.is_failure()).count() as u64;
        let is_skipped =
            |run: &&Finished| matches!(run.outcome, Outcome::Skipped | Outcome::Pruned);
        let skipped = last().filter(is_skipped).count() as u64;
        let failed = self.failed.fetch_add(failed, Ordering::Relaxed) + failed;
        let skipped = self.skipped.fetch_add(skipped, Ordering::Relaxed) + skipped;
        bar.inc(last().count() as u64);
        let mut message = Vec::new();
        if failed > 0 {
            message.push(format!("{failed} failed"));
        }
        if skipped > 0 {
            message.push(format!("{skipped} skipped"));
        }
        bar.set_message(message.join(", "));
    }

    /// A point that is not attempted: filtered, or equal to another one.
    pub(super) fn leave_out(&self) {
        if let Some(bar) = &self.bar {
            bar.set_length(bar.length().unwrap_or_default().saturating_sub(1));
        }
    }

    /// Says something beside the bar, or instead of one.
    pub(super) fn say(&self, text: &str) {
        match &self.bar {
            // Where there is no terminal, it has no place to be drawn.
            Some(bar) if bar.is_hidden() => eprintln!("{text}"),
            Some(bar) => bar.println(text),
            None if self.quiet => {}
            None => eprintln!("{text}"),
        }
    }

    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish();
        }
    }
}

/// Whether nothing is said either: only if nothing was to be shown.
pub(super) fn is_quiet(show: Option<bool>) -> bool {
    show == Some(false)
}

/// Whether progress is shown; `show` overrides the question whether stderr is a terminal.
pub(super) fn is_shown(show: Option<bool>) -> bool {
    show.unwrap_or_else(|| std::io::stderr().is_terminal())
}

/// How far the runs are that tell it, asked anew whenever the bar is drawn.
fn running(
    fractions: Vec<Arc<Progress>>,
) -> impl Fn(&ProgressState, &mut dyn fmt::Write) + Clone + Send + Sync {
    move |_, out| {
        let told = fractions.iter().map(|progress| progress.get());
        let told: Vec<f64> = told.filter(|fraction| *fraction > 0.0).collect();
        if !told.is_empty() {
            let mean = 100.0 * told.iter().sum::<f64>() / told.len() as f64;
            // What cannot be drawn is not drawn.
            let _ = write!(out, " running: {mean:.0} %");
        }
    }
}
