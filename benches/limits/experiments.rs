//! What is executed, written as any program would write it.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use xp::prelude::*;

/// Nearly no work, so that all the time is xp's.
#[step]
pub(crate) fn half(i: u64) -> f64 {
    i as f64 / 2.0
}

/// Runs that do nothing.
#[experiment]
fn empty(#[param] i: u64) {
    /// Half of `i`.
    #[field]
    let x: f64 = half(i);
}

/// Runs that do nothing, in a grid.
#[experiment]
fn grid(#[param] i: u64, #[param] j: u64) {
    /// Half of `i`.
    #[field]
    let x: f64 = half(i);
}

/// A point of a sequence.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Point {
    pub(crate) value: f64,
}

/// Extends a sequence by a thousand points.
#[step]
fn extend(i: u64, curve: &mut Sequence<Point>) {
    for k in 0..1_000 {
        curve.append(Point { value: half(i + k) });
    }
}

/// Runs with a sequence of a thousand points each.
#[experiment]
fn curves(#[param] i: u64, #[sequence] curve: Sequence<Point>) {
    extend(i, &mut curve);
}

/// Works for a millisecond.
#[step]
pub(crate) fn spin(i: u64) -> u64 {
    let clock = Instant::now();
    while clock.elapsed() < Duration::from_millis(1) {
        std::hint::spin_loop();
    }
    i
}

/// Runs of a millisecond.
#[experiment]
pub(crate) fn short(#[param] i: u64) {
    /// What it was.
    #[field]
    let x: u64 = spin(i);
}

/// An integer below zero.
#[step]
fn negative(i: u64) -> i64 {
    -(i as i64)
}

/// Whether it is a multiple of three.
#[step]
fn third(i: u64) -> bool {
    i.is_multiple_of(3)
}

/// A text of some words.
#[step]
fn words(i: u64) -> String {
    format!("the text of run {i}")
}

/// Half of `i`, for every second one.
#[step]
fn maybe_half(i: u64) -> Option<f64> {
    i.is_multiple_of(2).then(|| half(i))
}

/// Runs with a native field of each kind.
#[experiment]
pub(crate) fn natives(#[param] i: u64) {
    /// An integer.
    #[field]
    let int: i64 = negative(i);
    /// A float.
    #[field]
    let float: f64 = half(i);
    /// A text.
    #[field]
    let text: String = words(i);
    /// A truth value.
    #[field]
    let truth: bool = third(i);
    /// A float, or none.
    #[field]
    let maybe: Option<f64> = maybe_half(i);
}

/// Executes so many runs with a native field of each kind.
pub(crate) fn execute_natives(session: &Session, runs: u64) -> xp::Result<()> {
    session.execute(natives().i(0..runs)).map(drop)
}

/// Executes so many runs that do nothing.
pub(crate) fn execute_empty(session: &Session, runs: u64) -> xp::Result<()> {
    session.execute(empty().i(0..runs)).map(drop)
}

/// Executes as many runs as there are points in a grid that is a thousand wide.
pub(crate) fn execute_grid(session: &Session, high: u64) -> xp::Result<()> {
    session.execute(grid().i(0..high).j(0..1_000)).map(drop)
}

/// Continues what [`execute_grid`] did.
pub(crate) fn resume_grid(session: &Session, high: u64) -> xp::Result<()> {
    session.resume(grid().i(0..high).j(0..1_000)).map(drop)
}

/// How many points of that grid would be run.
pub(crate) fn plan_grid(session: &Session, high: u64) -> xp::Result<u64> {
    let report = session.plan(grid().i(0..high).j(0..1_000))?;
    Ok(report.counts.to_run)
}

/// Executes so many runs with a thousand points each, one after the other.
pub(crate) fn execute_curves(session: &Session, runs: u64) -> xp::Result<()> {
    session.execute(curves().i(0..runs).jobs(1)).map(drop)
}
