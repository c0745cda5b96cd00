//! The peak of a process's memory, by the number of runs.

use std::process::{Command, ExitCode};

use anyhow::{Context, bail};
use xp::prelude::*;

use crate::Result;
use crate::experiments::{execute_empty, execute_grid};
use crate::measure::{Effort, Line};

/// The argument with which this program measures itself in a process of its own.
pub(crate) const CHILD: &str = "--child-memory";

/// The peak with a million runs in a grid, beside the one with few: the plan is small.
pub(crate) fn grid(effort: Effort) -> Result<Line> {
    compare(effort, "grid")
}

/// The same with a million values of a single param, which are part of the plan.
pub(crate) fn list(effort: Effort) -> Result<Line> {
    compare(effort, "list")
}

fn compare(effort: Effort, shape: &str) -> Result<Line> {
    let few = 10_000;
    let many = match effort {
        Effort::Quick => 100_000,
        Effort::Full => 1_000_000,
    };
    let (few, many) = (in_child(shape, few)?, in_child(shape, many)?);
    Ok(Line {
        xp: format!("{many:.0} MB"),
        limit: format!("{few:.0} MB (10,000 runs)"),
        ratio: format!("{:.2} ×", many / few),
        at_most: "100 MB",
    })
}

/// The peak of a process that executes so many runs, in megabytes.
fn in_child(shape: &str, runs: u64) -> Result<f64> {
    let output = Command::new(std::env::current_exe()?)
        .args([CHILD, shape, &runs.to_string()])
        .output()?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr));
    }
    let kilobytes: f64 = String::from_utf8(output.stdout)?.trim().parse()?;
    Ok(kilobytes / 1e3)
}

/// What the child process does: executes, and prints the peak of its memory in kilobytes.
pub(crate) fn child(args: &[String]) -> ExitCode {
    match executed(args) {
        Ok(kilobytes) => {
            println!("{kilobytes}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn executed(args: &[String]) -> Result<u64> {
    let [shape, runs] = args else {
        bail!("expected a shape and a number of runs");
    };
    let runs: u64 = runs.parse()?;
    let dir = tempfile::tempdir()?;
    let session = Session::open(dir.path().join("xp.db"))?;
    match shape.as_str() {
        "grid" => execute_grid(&session, runs / 1_000)?,
        _ => execute_empty(&session, runs)?,
    }
    let status = std::fs::read_to_string("/proc/self/status")
        .context("the peak of a process is only known on Linux")?;
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .context("there is no VmHWM")?;
    Ok(peak.trim().trim_end_matches("kB").trim().parse()?)
}
