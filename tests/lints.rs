//! Generated code is quiet under the strictest lints, and lints about the user's code still speak.

#![deny(
    warnings,
    missing_docs,
    unreachable_pub,
    missing_debug_implementations,
    unused
)]
#![deny(clippy::all, clippy::pedantic)]
#![deny(
    unused_qualifications,
    unused_results,
    single_use_lifetimes,
    unused_lifetimes
)]

use xp::prelude::*;

/// A private type in a public experiment.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
struct Private {
    x: u32,
}

/// Makes one.
#[step]
fn make(x: u32) -> Private {
    Private { x }
}

/// Reads one.
#[step]
fn read(of: &Private, _by: &Private) -> u32 {
    of.x
}

/// Documented.
#[experiment]
pub fn documented(#[config(default = 1)] unused: u32, #[param] x: u32, #[param] other: Private) {
    #[shared]
    let shared: Private = make(x);
    #[state]
    let state: Private = make(x);
    #[field]
    let field: u32 = read(&state, &shared);
    #[field]
    let clone: Private = other.clone();
}

/// What experiments of other programs are called.
#[deprecated = "for the test"]
#[step]
fn old(x: u32) -> u32 {
    x
}

/// Its columns are those of another program.
#[expect(non_snake_case, deprecated, reason = "for the test")]
#[experiment]
pub fn of_another_program(#[config(default = 1)] Scale: u32, #[param] K: u32) {
    let Scaled = old(Scale);
    #[field]
    let Accuracy: u32 = old(Scaled);
    #[field]
    let Other: u32 = old(K);
}

#[expect(
    dead_code,
    reason = "the lint sees an experiment that nothing executes"
)]
#[experiment]
fn nobody_executes_this(#[param] x: u32) {
    #[field]
    let field: Private = make(x);
}

#[test]
fn the_experiment_runs() -> xp::Result<()> {
    let experiment =
        Session::in_memory()?.execute(documented().x([1]).other([Private { x: 2 }]))?;
    assert_eq!(experiment.runs().count(), 1);
    Ok(())
}
