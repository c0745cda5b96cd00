//! Continuing an experiment: what is run again, and what is kept.

#![allow(clippy::unwrap_used)]

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use xp::prelude::*;
use xp::{Error, Limited, Outcome, PointState, Rerun, StoreError};

type Test = Result<(), Box<dyn std::error::Error>>;

/// Runs of a test are counted by a label of its own.
static CALLS: Mutex<Option<HashMap<String, u32>>> = Mutex::new(None);

fn called(label: &str) -> u32 {
    let calls = CALLS.lock().unwrap();
    let calls = calls.as_ref().and_then(|calls| calls.get(label));
    calls.copied().unwrap_or_default()
}

fn call(label: &str) {
    let mut calls = CALLS.lock().unwrap();
    *calls
        .get_or_insert_default()
        .entry(label.to_owned())
        .or_default() += 1;
}

#[step]
fn double(label: &str, n: u32) -> Result<u32, String> {
    call(label);
    Ok(2 * n)
}

#[experiment]
fn doubles(#[config(identity = false)] label: String, #[param] n: u32) {
    #[field]
    let double: u32 = double(&label, n)?;
}

#[test]
fn a_finished_sweep_runs_nothing_and_new_points_run_alone() -> Test {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("doubles.db");
    let plan = || doubles().label("extends").n(0..10);
    for _ in 0..2 {
        let experiment = Session::open(&path)?.resume(plan())?;
        assert_eq!(experiment.runs().count(), 10);
        assert_eq!(called("extends"), 10);
    }
    let session = Session::open(&path)?;
    let before = session.query("SELECT id_run, double FROM experiment_doubles ORDER BY n")?;
    let experiment = session.resume(doubles().label("extends").n(5..20))?;
    assert_eq!(called("extends"), 20);
    assert_eq!(experiment.runs().count(), 20);
    assert_eq!(experiment.counts().unwrap().complete, 5);
    let after =
        session.query("SELECT id_run, double FROM experiment_doubles WHERE n < 10 ORDER BY n")?;
    assert_eq!(before.rows(), after.rows());
    for run in experiment.runs() {
        let run = run?;
        assert_eq!(run.fields.double, 2 * run.fields.n);
    }
    Ok(())
}

#[test]
fn a_report_tells_what_would_run_and_runs_nothing() -> Test {
    let session = Session::in_memory()?;
    let plan = doubles().label("report").n(0..6);
    let report = session.plan(plan)?;
    assert_eq!((report.counts.missing, report.counts.to_run), (6, 6));
    assert!(session.ls()?.is_empty());
    session.resume(doubles().label("report").n(0..4))?;
    let report = session.plan(doubles().label("report").n(0..6))?;
    assert_eq!(report.counts.complete, 4);
    assert_eq!(report.counts.missing, 2);
    let points = report.points();
    assert_eq!(points[0].state, PointState::Complete);
    assert_eq!(points[5].state, PointState::Missing);
    assert!(points[5].runs && !points[0].runs);
    assert_eq!(points[5].reason, "it was never run");
    assert_eq!(called("report"), 4);
    Ok(())
}

static BROKEN: AtomicBool = AtomicBool::new(true);

#[step]
fn fragile(n: u32) -> Result<u32, Box<dyn std::error::Error + Send + Sync>> {
    match n {
        1 if BROKEN.load(Ordering::SeqCst) => Err("broken".into()),
        2 if BROKEN.load(Ordering::SeqCst) => panic!("broken, too"),
        3 => Err(xp::skip("three").into()),
        n => Ok(n),
    }
}

#[experiment]
fn fragiles(#[param] n: u32) {
    #[field]
    let m: u32 = fragile(n)?;
}

#[test]
fn what_failed_runs_again_and_what_was_skipped_does_not() -> Test {
    let session = Session::in_memory()?;
    let Err(Error::RunsFailed(failed)) = session.resume(fragiles().n(0..5)) else {
        panic!("two runs fail");
    };
    assert_eq!((failed.failed, failed.completed), (2, 2));
    let report = session.plan(fragiles().n(0..5))?;
    assert_eq!((report.counts.failed, report.counts.skipped), (2, 1));
    assert_eq!(report.counts.to_run, 2);
    assert_eq!(
        report.points()[1].state,
        PointState::Failed(Outcome::Failed)
    );
    let kept = Rerun::new().failed(false).skipped(true);
    let report = session.plan(fragiles().n(0..5).rerun(kept))?;
    assert_eq!(report.counts.to_run, 1);

    BROKEN.store(false, Ordering::SeqCst);
    let experiment = session.resume(fragiles().n(0..5))?;
    assert_eq!(experiment.runs().count(), 4);
    // The skipped one is left.
    let failures: Vec<_> = experiment.failures().collect::<Result<_, _>>()?;
    assert_eq!(failures.len(), 1);
    assert_eq!(failures[0].outcome, Outcome::Skipped);
    let attempts = session.query("SELECT count(*) FROM xp_run")?;
    assert_eq!(attempts.rows()[0][0], xp::Value::Int(7));
    Ok(())
}

/// What is told on stderr when a sweep of 12 points is resumed some of which failed.
#[test]
#[ignore = "a part of another test, in a process of its own"]
fn tells_what_is_left() -> Test {
    let session = Session::in_memory()?.with(Options::new().jobs(1).show_progress(false));
    assert!(session.resume(fragiles().n(0..12)).is_err());
    let told = |plan: xp::Plan<Fragiles>, what: &str| {
        eprintln!("begin {what}");
        drop(session.resume(plan.show_progress(true)));
    };
    let kept = Rerun::new().failed(false);
    told(
        fragiles().n(0..12).into_plan().rerun(kept),
        "nothing to run",
    );
    told(fragiles().n(0..13).into_plan().rerun(kept), "one to run");
    told(
        fragiles().n(0..12).into_plan().rerun(kept.skipped(true)),
        "skipped run",
    );
    // Here stderr is no terminal.
    let plain = Session::in_memory()?;
    assert!(plain.resume(fragiles().n(0..12)).is_err());
    for (what, quiet) in [("by default", false), ("quiet", true)] {
        eprintln!("begin {what}");
        let plan = fragiles().n(0..12).into_plan().rerun(kept);
        drop(match quiet {
            true => plain.resume(plan.show_progress(false)),
            false => plain.resume(plan),
        });
    }
    Ok(())
}

#[test]
fn what_is_left_as_it_is_is_told() -> Test {
    let output = std::process::Command::new(std::env::current_exe()?)
        .args(["--exact", "tells_what_is_left", "--ignored", "--nocapture"])
        .output()?;
    let told = String::from_utf8(output.stderr)?;
    assert!(output.status.success(), "{told}");
    let is_ours = |line: &&str| line.starts_with("begin") || line.contains(": left");
    let lines: Vec<_> = told.lines().filter(is_ours).collect();
    let left = "fragiles: left as they are: ";
    assert_eq!(
        lines,
        [
            "begin nothing to run",
            &format!("{left}2 failed, 1 skipped"),
            "begin one to run",
            &format!("{left}2 failed, 1 skipped"),
            "begin skipped run",
            &format!("{left}2 failed"),
            "begin by default",
            &format!("{left}2 failed, 1 skipped"),
            "begin quiet",
        ]
    );
    Ok(())
}

#[test]
fn another_experiment_of_the_name_is_not_continued() -> Test {
    let session = Session::in_memory()?;
    session.resume(doubles().label("other").n([1]).named("x"))?;
    let error = session.resume(fragiles().n([7]).named("x")).unwrap_err();
    assert!(
        matches!(&error, Error::Store(StoreError::OtherExperiment { .. })),
        "{error}"
    );
    assert!(error.to_string().contains(".named"));
    Ok(())
}

static FLAKY: AtomicU32 = AtomicU32::new(0);

#[test]
fn every_attempt_is_recorded() -> Test {
    let session = Session::in_memory()?.with(Options::new().retry(5));
    let experiment = session.sweep("flaky", [7_u32], |n, _| {
        if FLAKY.fetch_add(1, Ordering::SeqCst) < 3 {
            return Err("not yet");
        }
        Ok(*n)
    })?;
    assert_eq!(experiment.runs().count(), 1);
    assert_eq!(experiment.failures().count(), 0);
    let runs = session.query("SELECT attempt, outcome FROM xp_run ORDER BY seq")?;
    let attempts: Vec<_> = runs.rows().iter().map(|row| row[1].to_string()).collect();
    assert_eq!(attempts, ["failed", "failed", "failed", "completed"]);

    let session = Session::in_memory()?.with(Options::new().retry(2));
    let Err(Error::RunsFailed(failed)) =
        session.sweep("broken", [7_u32], |_, _| Err::<u32, _>("never"))
    else {
        panic!("it fails");
    };
    assert_eq!((failed.failed, failed.first.attempt), (1, 3));
    Ok(())
}

#[test]
fn an_execution_stops_after_so_many_failures() -> Test {
    let session = Session::in_memory()?.with(
        Options::new()
            .policy(Policy::StopAfter(3))
            .jobs(1)
            .order(Order::Grid),
    );
    let Err(Error::RunsFailed(failed)) = session.sweep("odd", 0..100_u32, |n, _| {
        if n % 2 == 1 { Err("odd") } else { Ok(*n) }
    }) else {
        panic!("it fails");
    };
    assert_eq!((failed.failed, failed.completed), (3, 3));
    Ok(())
}

#[test]
fn a_sweep_by_closure_is_continued_too() -> Test {
    let options = Options::new().if_exists(IfExists::Resume);
    let session = Session::in_memory()?.with(options);
    let ran = AtomicU32::new(0);
    for points in [0..3_u32, 0..5] {
        session.sweep("closure", points, |n, _| {
            ran.fetch_add(1, Ordering::SeqCst);
            Ok::<_, String>(*n)
        })?;
    }
    assert_eq!(ran.load(Ordering::SeqCst), 5);
    Ok(())
}

#[test]
fn a_limit_that_is_not_larger_is_not_tried_again() {
    let rerun = Rerun::new().limited(Limited::WithLargerLimit);
    assert_ne!(rerun, Rerun::default());
}

#[test]
fn every_run_that_counts_is_told_after_it_is_committed() -> Test {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("told.db");
    let reader = Session::open(&path)?;
    let (told, lost) = (AtomicU32::new(0), AtomicU32::new(0));
    let told = std::sync::Arc::new((told, lost));
    let here = std::sync::Arc::clone(&told);
    let plan = doubles().label("told").n(0..50).on_run(move |run| {
        let sql = format!(
            "SELECT count(*) FROM experiment_doubles WHERE id_run = '{}'",
            run.id_run.simple()
        );
        let found = reader.query(&sql).unwrap();
        here.0.fetch_add(1, Ordering::SeqCst);
        if found.rows()[0][0] != xp::Value::Int(1) {
            here.1.fetch_add(1, Ordering::SeqCst);
        }
    });
    Session::open(&path)?.resume(plan)?;
    assert_eq!(told.0.load(Ordering::SeqCst), 50);
    assert_eq!(told.1.load(Ordering::SeqCst), 0);
    Ok(())
}

mod before {
    use xp::prelude::*;

    #[experiment]
    pub(crate) fn grows(#[config(identity = false)] label: String, #[param] n: u32) {
        #[field]
        let double: u32 = super::double(&label, n)?;
    }
}

mod after {
    use xp::prelude::*;

    #[step]
    fn triple(n: u32) -> u32 {
        3 * n
    }

    #[experiment]
    pub(crate) fn grows(#[config(identity = false)] label: String, #[param] n: u32) {
        #[field]
        let double: u32 = super::double(&label, n)?;
        #[field]
        let triple: u32 = triple(n);
    }
}

#[test]
fn a_new_field_is_there_if_nothing_but_old_runs_get_it() -> Test {
    let fill = |label: &str| after::grows().label(label).n(0..4).fill();
    let again = |label: &str| {
        let rerun = Rerun::new().partial(true);
        after::grows().label(label).n(0..4).rerun(rerun)
    };
    for (label, plan, calls) in [("filled", fill("filled"), 4), ("again", again("again"), 8)] {
        let session = Session::in_memory()?;
        session.resume(before::grows().label(label).n(0..4))?;
        let report = session.plan(after::grows().label(label).n(0..4))?;
        assert_eq!((report.counts.partial, report.counts.to_run), (4, 0));
        session.resume(plan)?;
        assert_eq!(called(label), calls);
        let experiment = session.load_as::<after::Grows>("grows")?;
        assert_eq!(experiment.runs().count(), 4);
        for run in experiment.runs() {
            let run = run?;
            assert_eq!(run.fields.triple, 3 * run.fields.n);
        }
        assert_eq!(
            session.ls()?.iter().map(|listed| listed.runs).sum::<u64>(),
            4
        );
    }
    Ok(())
}
