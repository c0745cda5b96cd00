//! Short runs: what it costs that each is committed before it counts, and that it has a process.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use xp::prelude::*;

use crate::Result;
use crate::bare;
use crate::experiments::{short, spin};
use crate::measure::{Effort, Line, factor, in_turns, timed};

const THREADS: usize = 2;

/// Runs of a millisecond, beside a loop that keeps nothing of them.
pub(crate) fn committed(effort: Effort) -> Result<Line> {
    let runs = runs(effort);
    let pair = in_turns(
        effort,
        5,
        || sweep(runs, Isolation::Thread),
        || {
            let (time, ()) = timed(|| {
                bare::tasks(THREADS, runs, spin);
                Ok(())
            })?;
            Ok(time)
        },
    )?;
    Ok(factor(pair, "1.05 ×"))
}

/// The same in processes of their own, beside the same on threads.
pub(crate) fn isolated(effort: Effort) -> Result<Line> {
    let runs = runs(effort);
    let pair = in_turns(
        effort,
        5,
        || sweep(runs, Isolation::Process),
        || sweep(runs, Isolation::Thread),
    )?;
    Ok(factor(pair, "1.3 ×"))
}

fn runs(effort: Effort) -> u64 {
    match effort {
        Effort::Quick => 1_000,
        Effort::Full => 10_000,
    }
}

/// How long it takes until all runs are counted.
fn sweep(runs: u64, isolation: Isolation) -> Result<Duration> {
    let dir = tempfile::tempdir()?;
    let session = Session::open(dir.path().join("xp.db"))?;
    let counted = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&counted);
    let plan = short().i(0..runs).isolate(isolation).jobs(THREADS);
    let plan = plan.on_run(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
    });
    let (time, _) = timed(|| Ok(session.resume(plan)?))?;
    let counted = counted.load(Ordering::Relaxed);
    anyhow::ensure!(counted == runs, "{counted} runs of {runs} were counted");
    Ok(time)
}
