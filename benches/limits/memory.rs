//! The peak of a process's memory, by the number of runs.

use std::process::{Command, ExitCode};

use anyhow::{Context, bail};
use xp::prelude::*;

use crate::Result;
use crate::experiments::execute_empty;
use crate::measure::{Effort, Line};

/// The argument with which this program measures itself in a process of its own.
pub(crate) const CHILD: &str = "--child-memory";

/// The peak with many runs, beside the one with few.
pub(crate) fn peak(effort: Effort) -> Result<Line> {
    let few = 10_000;
    let many = match effort {
        Effort::Quick => 100_000,
        Effort::Full => 1_000_000,
    };
    let (few, many) = (in_child(few)?, in_child(many)?);
    Ok(Line {
        xp: format!("{many:.0} MB"),
        limit: format!("{few:.0} MB (10,000 runs)"),
        ratio: format!("{:.2} ×", many / few),
        at_most: "100 MB",
    })
}

/// The peak of a process that executes so many runs, in megabytes.
fn in_child(runs: u64) -> Result<f64> {
    let output = Command::new(std::env::current_exe()?)
        .args([CHILD, &runs.to_string()])
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
    let runs: u64 = args.first().context("how many runs?")?.parse()?;
    let dir = tempfile::tempdir()?;
    let session = Session::open(dir.path().join("xp.db"))?;
    execute_empty(&session, runs)?;
    let status = std::fs::read_to_string("/proc/self/status")
        .context("the peak of a process is only known on Linux")?;
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .context("there is no VmHWM")?;
    Ok(peak.trim().trim_end_matches("kB").trim().parse()?)
}
