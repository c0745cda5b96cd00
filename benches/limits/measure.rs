//! Measuring two things in turns.

use std::time::{Duration, Instant};

use crate::Result;

pub(crate) const HEAD: &str = "\
| what | xp | limit | ratio | at most |
|---|---|---|---|---|";

/// How often things are repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effort {
    /// Just enough to see that a benchmark works.
    Quick,
    Full,
}

impl Effort {
    pub(crate) fn repetitions(self, full: usize) -> usize {
        match self {
            Self::Quick => 3.min(full),
            Self::Full => full,
        }
    }
}

/// A line of the table.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) xp: String,
    pub(crate) limit: String,
    pub(crate) ratio: String,
    pub(crate) at_most: &'static str,
}

impl Line {
    pub(crate) fn show(&self, name: &str) -> String {
        let Self {
            xp,
            limit,
            ratio,
            at_most,
        } = self;
        format!("| {name} | {xp} | {limit} | {ratio} | {at_most} |")
    }
}

/// The medians of two things that were measured in turns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair {
    /// Seconds.
    pub(crate) xp: f64,
    /// Seconds.
    pub(crate) limit: f64,
    /// Of `xp` to `limit`.
    pub(crate) ratio: f64,
}

/// The line of a pair whose ratio counts.
pub(crate) fn factor(pair: Pair, at_most: &'static str) -> Line {
    Line {
        xp: show(pair.xp),
        limit: show(pair.limit),
        ratio: format!("{:.2} ×", pair.ratio),
        at_most,
    }
}

/// Measures two things in turns, each first as often as the other. What they return is the time
/// that counts: preparations do not.
pub(crate) fn in_turns(
    effort: Effort,
    repetitions: usize,
    mut xp: impl FnMut() -> Result<Duration>,
    mut limit: impl FnMut() -> Result<Duration>,
) -> Result<Pair> {
    // The first of each warms up caches, files and the allocator.
    xp()?;
    limit()?;
    let (mut xps, mut limits, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for i in 0..effort.repetitions(repetitions) {
        let (x, l) = if i % 2 == 0 {
            let x = xp()?;
            (x, limit()?)
        } else {
            let l = limit()?;
            (xp()?, l)
        };
        let (x, l) = (x.as_secs_f64(), l.as_secs_f64());
        xps.push(x);
        limits.push(l);
        ratios.push(x / l);
    }
    Ok(Pair {
        xp: median(xps),
        limit: median(limits),
        ratio: median(ratios),
    })
}

/// Calls `f`, and says how long that took.
pub(crate) fn timed<T>(f: impl FnOnce() -> Result<T>) -> Result<(Duration, T)> {
    let clock = Instant::now();
    let value = f()?;
    Ok((clock.elapsed(), value))
}

pub(crate) fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    let middle = all.len() / 2;
    if all.is_empty() {
        f64::NAN
    } else if all.len() % 2 == 1 {
        all[middle]
    } else {
        f64::midpoint(all[middle - 1], all[middle])
    }
}

/// Seconds in the unit that suits them.
pub(crate) fn show(seconds: f64) -> String {
    match seconds {
        s if s >= 1.0 => format!("{s:.2} s"),
        s if s >= 1e-3 => format!("{:.2} ms", s * 1e3),
        s if s >= 1e-6 => format!("{:.2} µs", s * 1e6),
        s => format!("{:.1} ns", s * 1e9),
    }
}
