//! The peak of a process's memory, by the number of runs.

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, bail};
use xp::prelude::*;

use crate::Result;
use crate::experiments::{execute_empty, execute_grid};
use crate::measure::{Effort, Line, median, show, timed};
use crate::resume;

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

/// Time and peak of a process that plans a sweep in a file, all of whose points have a run there.
pub(crate) fn planned(effort: Effort, file: &Path, points: u64) -> Result<Line> {
    let file = file.to_str().context("a path that is no text")?;
    let (mut seconds, mut megabytes) = (Vec::new(), Vec::new());
    for _ in 0..effort.repetitions(5) {
        let (time, peak) = told_by_child(&["planned", &points.to_string(), file])?;
        seconds.push(time);
        megabytes.push(peak);
    }
    Ok(Line {
        xp: format!("{}, {:.0} MB", show(median(seconds)), median(megabytes)),
        limit: String::new(),
        ratio: String::new(),
        at_most: "2 s, 200 MB",
    })
}

/// The peak of a process that executes so many runs, in megabytes.
fn in_child(shape: &str, runs: u64) -> Result<f64> {
    Ok(told_by_child(&[shape, &runs.to_string()])?.1)
}

/// What a process tells: the seconds that it measured, if it did, and its peak in megabytes.
fn told_by_child(args: &[&str]) -> Result<(f64, f64)> {
    let output = Command::new(std::env::current_exe()?)
        .arg(CHILD)
        .args(args)
        .output()?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr));
    }
    let told = String::from_utf8(output.stdout)?;
    let (seconds, kilobytes) = told.trim().split_once(' ').context("not two numbers")?;
    Ok((seconds.parse()?, kilobytes.parse::<f64>()? / 1e3))
}

/// What the child process does: executes, and prints seconds and the peak of its memory in
/// kilobytes.
pub(crate) fn child(args: &[String]) -> ExitCode {
    match executed(args) {
        Ok((seconds, kilobytes)) => {
            println!("{seconds} {kilobytes}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn executed(args: &[String]) -> Result<(f64, u64)> {
    if let [shape, points, file] = args
        && shape == "planned"
    {
        let seconds = resume::plan_in_child(Path::new(file), points.parse()?)?;
        return Ok((seconds, peak()?));
    }
    let [shape, runs] = args else {
        bail!("expected a shape and a number of runs");
    };
    let runs: u64 = runs.parse()?;
    let dir = tempfile::tempdir()?;
    let session = Session::open(dir.path().join("xp.db"))?;
    let (time, ()) = timed(|| {
        match shape.as_str() {
            "grid" => execute_grid(&session, runs / 1_000)?,
            _ => execute_empty(&session, runs)?,
        }
        Ok(())
    })?;
    Ok((time.as_secs_f64(), peak()?))
}

/// The peak of this process's memory, in kilobytes.
fn peak() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")
        .context("the peak of a process is only known on Linux")?;
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .context("there is no VmHWM")?;
    Ok(peak.trim().trim_end_matches("kB").trim().parse()?)
}
