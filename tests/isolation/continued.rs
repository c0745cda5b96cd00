//! What continues the runs of others, in processes of their own.

use xp::prelude::*;

use crate::{Case, Test};

pub(crate) const TESTS: &[Case] = &[
    (
        "a_run_is_continued_in_a_process",
        a_run_is_continued_in_a_process,
    ),
    (
        "what_is_read_from_the_file_does_not_cross",
        what_is_read_from_the_file_does_not_cross,
    ),
];

#[step]
fn fit(k: u32) -> f64 {
    f64::from(k) / 2.0
}

#[experiment]
pub(crate) fn halves(#[param] k: u32) {
    #[field]
    let half: f64 = fit(k);
}

#[step]
fn grade_of(run: &mut Run, half: f64, k: u32, limit: f64) -> Result<bool, xp::FieldError> {
    if k == 7 {
        std::process::abort();
    }
    run.fields.insert("pid", std::process::id())?;
    Ok(half > limit)
}

#[experiment(continues = halves)]
pub(crate) fn graded(
    #[config(default = 1.0)] limit: f64,
    #[field] half: f64,
    #[param] k: u32,
    run: &mut Run,
) {
    #[field]
    let good: bool = grade_of(run, half, k, limit)?;
}

fn a_run_is_continued_in_a_process() -> Test {
    let session = Session::in_memory()?;
    session.execute(halves().k([1, 2, 3]))?;
    let plan = || graded().isolate(Isolation::Process).jobs(1);
    let experiment = session.execute(plan())?;
    for run in experiment.runs() {
        let fields = run?.fields;
        assert_eq!(fields.good, fields.half > 1.0);
    }
    let pid = i64::from(std::process::id());
    let here = session.query(&format!(
        "select count(*) from experiment_halves where pid = {pid}"
    ))?;
    assert_eq!(here.rows(), [vec![xp::Value::Int(0)]]);

    session.resume(halves().k([7]))?;
    let Err(xp::Error::RunsFailed(failed)) = session.resume(plan()) else {
        return Err("7 aborts".into());
    };
    assert_eq!((failed.first.outcome, failed.failed), (Outcome::Killed, 1));
    assert_eq!(session.load("halves")?.failures().count(), 0);
    Ok(())
}

#[step]
fn count(runs: &Runs<Halves>) -> usize {
    runs.iter().count()
}

#[experiment(continues = halves)]
pub(crate) fn counted(runs: &Runs<Halves>) {
    #[field]
    let count: usize = count(runs);
}

fn what_is_read_from_the_file_does_not_cross() -> Test {
    let session = Session::in_memory()?;
    session.execute(halves().k([1]))?;
    let Err(error) = session.execute(counted().isolate(Isolation::Process)) else {
        return Err("it cannot cross".into());
    };
    assert!(
        format!("{error:?}").contains("all runs of the file"),
        "{error:?}"
    );
    Ok(())
}
