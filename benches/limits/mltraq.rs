//! Against the real `mltraq`, where there is a Python that has it.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Context;
use xp::prelude::*;

use crate::Result;
use crate::experiments::execute_curves;
use crate::measure::{Effort, Line, in_turns, show, timed};

/// A million points of sequences, in the rows of a thousand runs.
pub(crate) fn sequences(effort: Effort) -> Result<Line> {
    let python = std::env::var("XP_MLTRAQ_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let has_it = Command::new(&python).args(["-c", "import mltraq"]).output();
    anyhow::ensure!(
        has_it.is_ok_and(|output| output.status.success()),
        "skipped: needs Python with mltraq"
    );
    let runs = match effort {
        Effort::Quick => 100,
        Effort::Full => 1_000,
    };
    let pair = in_turns(
        effort,
        3,
        || {
            let dir = tempfile::tempdir()?;
            let file = dir.path().join("xp.db");
            let (time, ()) = timed(|| Ok(execute_curves(&Session::open(&file)?, runs)?))?;
            Ok(time)
        },
        || execute_in_python(&python, runs),
    )?;
    Ok(Line {
        xp: show(pair.xp),
        limit: show(pair.limit),
        ratio: format!("{:.0} × faster", 1.0 / pair.ratio),
        at_most: "at least 40 × faster",
    })
}

/// The same in Python: how long it took, without the start of the interpreter.
fn execute_in_python(python: &str, runs: u64) -> Result<Duration> {
    let dir = tempfile::tempdir()?;
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/limits/curves.py");
    let output = Command::new(python)
        .arg(program)
        .arg(dir.path().join("mltraq.db"))
        .arg(runs.to_string())
        .output()?;
    anyhow::ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let seconds = std::str::from_utf8(&output.stdout)?.trim();
    Ok(Duration::from_secs_f64(
        seconds.parse().context("it prints seconds")?,
    ))
}
