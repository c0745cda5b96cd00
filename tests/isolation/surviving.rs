//! What a run has made when its process dies is kept.

use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};
use xp::prelude::*;
use xp::{Failure, Outcome};

use crate::{Case, Test};

pub(crate) const TESTS: &[Case] = &[
    ("what_a_run_has_made_survives_its_process", all_survives),
    ("rows_survive_a_limit_however_young", rows_survive),
    ("rows_survive_any_death_once_they_are_old", old_rows_survive),
    ("what_an_attempt_has_made_is_not_that_of_the_next", attempts),
    ("what_is_inserted_again_is_the_last_value", inserted_again),
];

pub(crate) type All = (Survives, Retried, Inserting);

#[derive(Serialize, Deserialize)]
pub(crate) struct Measured {
    loss: f64,
    labels: Vec<String>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row {
    n: u64,
}

/// A state that may kill the process that sends it.
#[derive(Deserialize)]
pub(crate) struct Fragile(String);

impl Serialize for Fragile {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 == "state" {
            std::process::abort();
        }
        serializer.serialize_newtype_struct("Fragile", &self.0)
    }
}

#[step]
fn measure() -> Measured {
    Measured {
        loss: 0.25,
        labels: vec!["a".to_owned(), "é".to_owned()],
    }
}

#[step]
fn work(run: &mut Run, rows: &mut Sequence<Row>, how: &str) -> Result<u32, xp::FieldError> {
    run.fields.insert("device", "cpu".to_owned())?;
    run.fields.insert("shape", vec![2, 3])?;
    run.artifact("log.txt", "begun");
    (0..3).for_each(|n| rows.append(Row { n }));
    if let Ok(mut named) = run.sequence("named") {
        named.append(Row { n: 7 });
    }
    end(how);
    Ok(1)
}

fn end(how: &str) {
    match how {
        "abort" => std::process::abort(),
        "exit" => std::process::exit(0),
        "kill" => kill(Pid::this(), Signal::SIGKILL).unwrap(),
        "hang" => std::thread::sleep(Duration::from_secs(60)),
        "old" => {
            std::thread::sleep(Duration::from_millis(1_500));
            std::process::abort();
        }
        "compute" => {
            let start = Instant::now();
            while start.elapsed() < Duration::from_secs(60) {
                std::hint::spin_loop();
            }
        }
        "allocate" => {
            let mut all = Vec::new();
            for _ in 0..1_000 {
                all.push(std::hint::black_box(vec![1_u8; 1 << 20]));
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        _ => {}
    }
}

#[step]
fn last() -> u32 {
    2
}

#[step]
fn fragile(how: &str) -> Fragile {
    Fragile(how.to_owned())
}

#[experiment]
pub(crate) fn survives(#[param] how: String, #[sequence] rows: Sequence<Row>, run: &mut Run) {
    #[field(flatten)]
    let measured: Measured = measure();
    #[state]
    let state: Fragile = fragile(&how);
    #[field]
    let worked: u32 = work(run, &mut rows, &how)?;
    #[field]
    let last: u32 = last();
}

fn plan(how: &[&'static str]) -> xp::Plan<Survives> {
    survives()
        .how(how.iter().copied())
        .policy(Policy::KeepGoing)
        .jobs(2)
        .isolate(Isolation::Process)
}

/// What failed, in a file and in memory; nothing of a file is left behind.
fn failed(
    plan: impl Fn() -> xp::Plan<Survives>,
    look: impl Fn(&Session, Vec<Failure>) -> Test,
) -> Test {
    let dir = tempfile::tempdir()?;
    for session in [
        Session::open(dir.path().join("survives.db"))?,
        Session::in_memory()?,
    ] {
        assert!(session.execute(plan()).is_err());
        let failures = session.load("survives")?.failures();
        look(&session, failures.collect::<xp::Result<Vec<_>>>()?)?;
    }
    let left: Vec<_> = std::fs::read_dir(dir.path())?.collect();
    assert_eq!(left.len(), 1, "{left:?}");
    Ok(())
}

fn how(failure: &Failure) -> String {
    failure.inputs.get("how").unwrap().unwrap()
}

fn rows(failure: &Failure, name: &str) -> Option<Vec<u64>> {
    let rows = failure.fields.sequence::<Row>(name).unwrap()?;
    Some(rows.values().unwrap().iter().map(|row| row.n).collect())
}

fn all_survives() -> Test {
    let deadly = ["abort", "exit", "kill", "hang", "state"];
    failed(
        || plan(&deadly).time_limit(Duration::from_millis(300)),
        |session, failures| {
            assert_eq!(failures.len(), deadly.len());
            for failure in failures {
                let fields = &failure.fields;
                let is_state = how(&failure) == "state";
                assert_eq!(fields.get("loss")?, Some(0.25), "{failure}");
                let labels: Option<Vec<String>> = fields.get("labels")?;
                assert_eq!(labels.unwrap(), ["a", "é"], "{failure}");
                let device: Option<String> = fields.get("device")?;
                assert_eq!(device.as_deref(), Some("cpu"), "{failure}");
                assert_eq!(fields.get("shape")?, Some(vec![2, 3]), "{failure}");
                assert_eq!(fields.get("worked")?, is_state.then_some(1), "{failure}");
                assert_eq!(fields.get("last")?, is_state.then_some(2), "{failure}");
                let experiment = session.load("survives")?;
                let log = experiment.artifact(failure.id_run, "log.txt")?;
                assert_eq!(log.as_deref(), Some(&b"begun"[..]), "{failure}");
            }
            Ok(())
        },
    )
}

fn rows_survive() -> Test {
    failed(
        || {
            plan(&["hang", "compute", "allocate"])
                .retry(1)
                .time_limit(Duration::from_millis(700))
                .cpu_limit(Duration::from_millis(200))
                .memory_limit(100 << 20)
        },
        |_, failures| {
            assert_eq!(failures.len(), 3);
            for failure in failures {
                assert_eq!(rows(&failure, "rows"), Some(vec![0, 1, 2]), "{failure}");
                assert_eq!(rows(&failure, "named"), Some(vec![7]), "{failure}");
            }
            Ok(())
        },
    )
}

fn old_rows_survive() -> Test {
    failed(
        || plan(&["old"]),
        |_, failures| {
            assert_eq!(failures[0].outcome, Outcome::Killed);
            assert_eq!(rows(&failures[0], "rows"), Some(vec![0, 1, 2]));
            assert_eq!(rows(&failures[0], "named"), Some(vec![7]));
            Ok(())
        },
    )
}

#[step]
fn once(run: &mut Run, rows: &mut Sequence<Row>, marker: &str) -> Result<u32, xp::FieldError> {
    let first = std::fs::File::create_new(Path::new(marker)).is_ok();
    if first {
        run.fields.insert("only_first", 1)?;
        run.artifact("first", "1");
        (0..10_000).for_each(|n| rows.append(Row { n }));
    }
    std::process::abort();
}

#[experiment]
pub(crate) fn retried(#[param] marker: String, #[sequence] rows: Sequence<Row>, run: &mut Run) {
    #[field]
    let never: u32 = once(run, &mut rows, &marker)?;
}

fn attempts() -> Test {
    let dir = tempfile::tempdir()?;
    let marker = dir.path().join("marker").display().to_string();
    let session = Session::open(dir.path().join("retried.db"))?;
    let plan = retried()
        .marker([marker])
        .retry(1)
        .isolate(Isolation::Process);
    let Err(xp::Error::RunsFailed(failed)) = session.execute(plan) else {
        panic!("it fails");
    };
    assert_eq!(failed.first.attempt, 2);
    assert!(failed.first.fields.is_empty(), "{}", failed.first.fields);
    let attempts = session.query(
        "SELECT attempt, coalesce(length(fields), 0) > 60000 FROM xp_run JOIN xp_exception USING (seq) \
         ORDER BY attempt",
    )?;
    assert_eq!(
        attempts.rows(),
        [vec![1.into(), 1.into()], vec![2.into(), 0.into()]]
    );
    Ok(())
}

#[step]
fn insert(run: &mut Run, n: u32) -> Result<u32, xp::FieldError> {
    for i in 0..=n {
        run.fields.insert("phase", format!("phase {i}"))?;
        run.artifact("log", format!("log {i}"));
    }
    std::process::abort();
}

#[experiment]
pub(crate) fn inserting(#[param] n: u32, run: &mut Run) {
    #[field]
    let never: u32 = insert(run, n)?;
}

fn inserted_again() -> Test {
    let session = Session::in_memory()?;
    let plan = inserting().n([5_000]).isolate(Isolation::Process);
    let Err(xp::Error::RunsFailed(failed)) = session.execute(plan) else {
        panic!("it fails");
    };
    assert_eq!(failed.first.fields.to_string(), "{phase: phase 5000}");
    let kept = session
        .load("inserting")?
        .artifact(failed.first.id_run, "log")?;
    assert_eq!(kept.as_deref(), Some(&b"log 5000"[..]));
    Ok(())
}
