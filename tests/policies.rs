//! What becomes of a sweep some of whose runs fail: retries, pruning, stopping; in parallel, and when
//! it is resumed.

#![allow(clippy::unwrap_used)]

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::time::Duration;

use xp::prelude::*;
use xp::{Error, Outcome, PointState, Rerun, RunsFailed};

type Test = Result<(), Box<dyn std::error::Error>>;

/// How many attempts there were at each point of a test.
static ATTEMPTS: Mutex<Option<HashMap<(String, u32), u32>>> = Mutex::new(None);

fn attempt(label: &str, n: u32) -> u32 {
    let mut attempts = ATTEMPTS.lock().unwrap();
    let attempts = attempts.get_or_insert_default();
    let count = attempts.entry((label.to_owned(), n)).or_default();
    *count += 1;
    *count
}

/// A point fails as long as it was attempted no more often than it has failures.
#[step]
fn solve(label: &str, n: u32, failures: u32) -> Result<u32, String> {
    let attempt = attempt(label, n);
    std::thread::sleep(Duration::from_millis(1));
    match n % 5 {
        _ if attempt > failures => Ok(n),
        4 => panic!("attempt {attempt} of {n}"),
        _ => Err(format!("attempt {attempt} of {n}")),
    }
}

#[experiment]
fn solving(
    #[config(identity = false)] label: String,
    #[param] n: u32,
    #[param(default = 0)] failures: u32,
) {
    #[field]
    let solved: u32 = solve(&label, n, failures)?;
}

#[track_caller]
fn failed<T>(result: xp::Result<T>) -> RunsFailed {
    match result {
        Err(Error::RunsFailed(failed)) => *failed,
        Err(other) => panic!("another error: {other}"),
        Ok(_) => panic!("runs fail"),
    }
}

fn int(session: &Session, sql: &str) -> i64 {
    match session.query(sql).unwrap().rows()[0][0] {
        xp::Value::Int(int) => int as i64,
        ref other => panic!("{other}"),
    }
}

/// The attempts at each point, in order, with their outcomes.
fn attempts(session: &Session) -> HashMap<String, Vec<(i64, String)>> {
    let sql = "SELECT id_run, attempt, outcome FROM xp_run ORDER BY seq";
    let mut all = HashMap::<_, Vec<_>>::new();
    for row in session.query(sql).unwrap().rows() {
        let xp::Value::Int(attempt) = row[1] else {
            panic!("an attempt has a number");
        };
        let of = all.entry(row[0].to_string()).or_default();
        of.push((attempt as i64, row[2].to_string()));
    }
    all
}

#[test]
fn every_attempt_has_a_row_and_only_the_last_one_counts() -> Test {
    let folder = tempfile::tempdir()?;
    let session = Session::open(folder.path().join("retried.db"))?;
    let counted = std::sync::Arc::new(Mutex::new(Vec::new()));
    let here = std::sync::Arc::clone(&counted);
    let plan = xp::union([
        solving().label("retried").n(0..30).failures([2]),
        solving().label("retried").n(30..60).failures([9]),
    ]);
    let plan = plan.jobs(4).retry(3).on_run(move |run| {
        let run = (run.id_run, run.attempt, run.outcome);
        here.lock().unwrap().push(run);
    });
    let told = failed(session.resume(plan));
    assert_eq!((told.completed, told.failed), (30, 30));
    assert_eq!(told.first.attempt, 4);
    let all = attempts(&session);
    assert_eq!(all.len(), 60);
    for attempts in all.values() {
        let numbers: Vec<_> = attempts.iter().map(|(number, _)| *number).collect();
        let completed = attempts.last().unwrap().1 == "completed";
        let expected: &[i64] = if completed { &[1, 2, 3] } else { &[1, 2, 3, 4] };
        assert_eq!(numbers, expected);
    }
    let counted = counted.lock().unwrap();
    assert_eq!(counted.len(), 60);
    let ids: HashSet<_> = counted.iter().map(|run| run.0).collect();
    assert_eq!(ids.len(), 60);
    assert!(counted.iter().all(|(_, attempt, outcome)| match outcome {
        Outcome::Completed => *attempt == 3,
        _ => *attempt == 4,
    }));
    // Each of those that failed once, with its last attempt.
    let experiment = session.load_as::<Solving>("solving")?;
    let failures: Vec<_> = experiment.failures().collect::<Result<_, _>>()?;
    assert_eq!(failures.len(), 30);
    for failure in &failures {
        assert_eq!(failure.attempt, 4);
        assert!(failure.exception.message.contains("attempt 4 of"));
    }
    // They have failed 4 times; at the 10th attempt they complete.
    let plan = solving().label("retried").n(30..60).failures([9]);
    let experiment = session.resume(plan.jobs(4).retry(5))?;
    assert_eq!(experiment.runs().count(), 60);
    assert_eq!(experiment.failures().count(), 0);
    let rows = int(&session, "SELECT count(*) FROM xp_run");
    assert_eq!(rows, 30 * 3 + 30 * 10);
    Ok(())
}

#[test]
fn a_failure_that_was_kept_prunes_too() -> Test {
    let session = Session::in_memory()?;
    let plan = |points: &[u32]| {
        let plan = solving().label("kept").n(points.to_vec()).failures([1]);
        plan.order_by_key(|p| p.n).jobs(1)
    };
    let told = failed(session.resume(plan(&[10])));
    assert_eq!((told.completed, told.failed), (0, 1));
    let kept = Rerun::new().failed(false);
    let pruned = |points: &[u32]| plan(points).prune(|p, failed| p.n > failed.n);
    let experiment = session.resume(pruned(&[10, 20, 30]).rerun(kept))?;
    assert_eq!(experiment.runs().count(), 0);
    let failures: Vec<_> = experiment.failures().collect::<Result<_, _>>()?;
    let outcomes: Vec<_> = failures.iter().map(|failure| failure.outcome).collect();
    assert_eq!(
        outcomes,
        [Outcome::Failed, Outcome::Pruned, Outcome::Pruned]
    );
    assert!(failures[1].exception.message.contains("10"));

    // Each resume looks at them again; without the rule, they run.
    let report = session.plan(pruned(&[10, 20, 30]).rerun(kept))?;
    assert_eq!((report.counts.pruned, report.counts.to_run), (2, 2));
    assert_eq!(report.counts.interrupted, 0);
    let second = &report.points()[1];
    assert_eq!(second.state, PointState::Pruned);
    assert_eq!(second.reason, "it was pruned, since a smaller point failed");
    let left = session.plan(pruned(&[10, 20, 30]).rerun(kept.pruned(false)))?;
    assert_eq!((left.counts.pruned, left.counts.to_run), (2, 0));
    assert!(left.points()[1].reason.contains("`.rerun(..)` decides"));
    session.resume(plan(&[10, 20, 30]).rerun(kept.pruned(false)))?;
    assert_eq!(session.load("solving")?.failures().count(), 3);
    session.resume(pruned(&[10, 20, 30]).rerun(kept))?;
    assert_eq!(session.load("solving")?.failures().count(), 3);
    // The one that failed completes now, and the next one fails.
    let told = failed(session.resume(pruned(&[10, 20, 30])));
    assert_eq!((told.completed, told.failed), (1, 1));
    let told = failed(session.resume(pruned(&[10, 20, 30])));
    assert_eq!((told.completed, told.failed), (1, 1));
    let experiment = session.resume(pruned(&[10, 20, 30]))?;
    assert_eq!(experiment.runs().count(), 3);
    assert_eq!(experiment.failures().count(), 0);
    Ok(())
}

#[test]
fn what_is_larger_is_pruned_in_parallel() -> Test {
    let folder = tempfile::tempdir()?;
    let session = Session::open(folder.path().join("pruned.db"))?;
    let plan = || {
        let small = solving().label("pruned").n(0..20).failures([0]);
        let large = solving().label("pruned").n(20..400).failures([9]);
        let plan = xp::union([small, large]).order_by_key(|p| p.n).jobs(4);
        plan.prune(|p, failed| p.n > failed.n)
    };
    for _ in 0..2 {
        let told = failed(session.resume(plan()));
        let failures = session.load("solving")?.failures().count();
        assert_eq!(failures, 380);
        // A few were on their way when the first one failed.
        assert!((1..40).contains(&told.failed), "{}", told.failed);
        assert_eq!(session.load("solving")?.runs().count(), 20);
    }
    Ok(())
}

#[test]
fn a_retried_point_prunes_after_its_last_attempt_only() -> Test {
    let session = Session::in_memory()?;
    let plan = solving().label("late").n(0..10).failures([1]);
    let plan = plan.order_by_key(|p| p.n).retry(1).jobs(3);
    let experiment = session.resume(plan.prune(|p, failed| p.n > failed.n))?;
    assert_eq!(experiment.runs().count(), 10);
    assert_eq!(int(&session, "SELECT count(*) FROM xp_run"), 20);
    Ok(())
}

#[test]
fn an_execution_that_stopped_is_resumed() -> Test {
    let folder = tempfile::tempdir()?;
    let session = Session::open(folder.path().join("stopped.db"))?;
    let plan = || {
        let plan = solving().label("stopped").n(0..200).failures([1]).jobs(4);
        plan.policy(Policy::StopAfter(10))
    };
    let mut rounds = 0;
    loop {
        rounds += 1;
        match session.resume(plan()) {
            Ok(experiment) => {
                assert_eq!(experiment.runs().count(), 200);
                assert_eq!(experiment.failures().count(), 0);
                break;
            }
            Err(Error::RunsFailed(told)) => {
                // With four at a time, up to three more are on their way.
                assert!(told.failed < 14, "{}", told.failed);
            }
            Err(other) => return Err(other.into()),
        }
        assert_eq!(int(&session, "SELECT count(*) FROM xp_claim"), 0);
    }
    assert!((15..=21).contains(&rounds), "{rounds}");
    assert_eq!(int(&session, "SELECT count(*) FROM xp_run"), 400);
    Ok(())
}
