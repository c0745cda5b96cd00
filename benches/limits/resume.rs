//! Sweeps that are finished: what it takes to find that nothing is left to do.

use std::collections::HashSet;
use std::path::Path;

use rusqlite::Connection;
use uuid::Uuid;
use xp::identity::{DEFAULT_ROOT_SEED, IdentityScheme, Inputs};
use xp::prelude::*;

use crate::Result;
use crate::experiments::{execute_grid, plan_grid, resume_grid};
use crate::measure::{Effort, Line, factor, in_turns, timed};
use crate::memory;

/// How wide the grid is.
const WIDTH: u64 = 1_000;

/// Resuming a sweep of which all runs are there.
pub(crate) fn finished(effort: Effort) -> Result<Line> {
    let high = 100;
    let dir = tempfile::tempdir()?;
    let file = dir.path().join("xp.db");
    execute_grid(&Session::open(&file)?, high)?;
    let pair = in_turns(
        effort,
        31,
        || {
            let (time, ()) = timed(|| Ok(resume_grid(&Session::open(&file)?, high)?))?;
            Ok(time)
        },
        || {
            let (time, missing) = timed(|| missing(&file, high))?;
            anyhow::ensure!(missing == 0, "{missing} points are missing");
            Ok(time)
        },
    )?;
    Ok(factor(pair, "3 ×"))
}

/// How many points of the grid are not among the runs.
fn missing(file: &Path, high: u64) -> Result<usize> {
    let db = Connection::open(file)?;
    let mut select = db.prepare("SELECT id_run FROM xp_run")?;
    let mut rows = select.query([])?;
    let mut there = HashSet::new();
    while let Some(row) = rows.next()? {
        there.insert(Uuid::try_parse(row.get_ref(0)?.as_str()?)?);
    }
    let scheme = IdentityScheme::new("grid", &[], DEFAULT_ROOT_SEED);
    let mut inputs = Inputs::default();
    let mut missing = 0;
    for i in 0..high {
        for j in 0..WIDTH {
            inputs.clear();
            inputs.push("i", &i)?;
            inputs.push("j", &j)?;
            let id = scheme.identity(&inputs.hash()).id_run();
            missing += usize::from(!there.contains(&id));
        }
    }
    Ok(missing)
}

/// Planning a sweep of which all runs are there: time and the peak of the memory, in a process of
/// its own.
pub(crate) fn planned(effort: Effort) -> Result<Line> {
    let points = match effort {
        Effort::Quick => 100_000,
        Effort::Full => 1_000_000,
    };
    let dir = tempfile::tempdir()?;
    let file = dir.path().join("xp.db");
    execute_grid(&Session::open(&file)?, points / WIDTH)?;
    memory::planned(effort, &file, points)
}

/// What the child process does: plans, and returns how many seconds that took.
pub(crate) fn plan_in_child(file: &Path, points: u64) -> Result<f64> {
    let (time, to_run) = timed(|| Ok(plan_grid(&Session::open(file)?, points / WIDTH)?))?;
    anyhow::ensure!(to_run == 0, "{to_run} points are to be run");
    Ok(time.as_secs_f64())
}
