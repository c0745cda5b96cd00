//! What fails around an execution: each time it stops with a typed error, what had been counted
//! before is in the file, and the file is whole.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![cfg(unix)]

mod disk;
mod file;
mod fuse;
mod mounted;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use rusqlite::Connection;
use xp::prelude::*;
use xp::{Error, StoreError};

/// How many points the sweeps have, and at which of them something happens to the file.
const POINTS: u64 = 20;
const AT: u64 = 8;

type Trick = Arc<dyn Fn() + Send + Sync>;

/// What happens at the point `AT` of a sweep, by the tag of the sweep.
static TRICKS: LazyLock<Mutex<HashMap<u64, Trick>>> = LazyLock::new(Mutex::default);

#[step]
fn square(tag: u64, x: u64) -> u64 {
    if x == AT {
        let trick = TRICKS.lock().unwrap().remove(&tag);
        if let Some(trick) = trick {
            trick();
        }
    }
    x * x
}

#[step]
fn fill(ballast: usize) -> String {
    "x".repeat(ballast)
}

/// Squares, with as much beside each as fills a disk.
#[experiment]
fn squares(
    #[config(identity = false)] tag: u64,
    #[config(identity = false, default = 10)] ballast: usize,
    #[param] x: u64,
) {
    #[field]
    let square: u64 = square(tag, x);
    #[field]
    let filled: String = fill(ballast);
}

/// A sweep with a trick at the point `AT`, which is done once all points before it are committed.
fn plan(session: &Session, trick: impl Fn() + Send + Sync + 'static) -> xp::Plan<Squares> {
    static TAGS: AtomicU64 = AtomicU64::new(1);
    let tag = TAGS.fetch_add(1, Ordering::Relaxed);
    let session = session.clone();
    let trick = move || {
        while session.ls().unwrap().iter().all(|e| e.runs < AT) {
            std::thread::sleep(Duration::from_millis(1));
        }
        trick();
    };
    TRICKS.lock().unwrap().insert(tag, Arc::new(trick));
    let plan = squares().tag(tag).x(0..POINTS);
    plan.jobs(1).order(Order::Grid).into_plan()
}

/// Executes the sweep, which fails at the point `AT`.
#[track_caller]
fn fail(session: &Session, trick: impl Fn() + Send + Sync + 'static) -> StoreError {
    store_error(session.execute(plan(session, trick)))
}

#[track_caller]
fn store_error<T: std::fmt::Debug>(result: xp::Result<T>) -> StoreError {
    match result.unwrap_err() {
        Error::Store(error) => error,
        other => panic!("another error: {other:?}"),
    }
}

/// The points of the file, each of them there once and with the right fields, in a file that is
/// whole.
#[track_caller]
fn points(path: &Path) -> Vec<u64> {
    let db = Connection::open(path).unwrap();
    let check = |row: &rusqlite::Row<'_>| row.get::<_, String>(0);
    assert_eq!(
        db.query_row("PRAGMA integrity_check", [], check).unwrap(),
        "ok"
    );
    drop(db);
    let session = Session::open(path).unwrap();
    let mut points = Vec::new();
    for run in session.load_as::<Squares>("squares").unwrap().runs() {
        let fields = run.unwrap().fields;
        assert_eq!(fields.square, fields.x * fields.x);
        points.push(fields.x);
    }
    points.sort_unstable();
    points
}

/// Once the cause is gone: what was counted is there, no other point is, and the rest is run.
#[track_caller]
fn check_and_finish(path: &Path) {
    assert_eq!(points(path), counted());
    finish(path);
}

/// Resumes the sweep of the file: every point is there then, and what was there is not run again.
#[track_caller]
fn finish(path: &Path) {
    let session = Session::open(path).unwrap();
    let there = session.load("squares").unwrap().runs().count() as u64;
    let run = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&run);
    let plan = squares().tag(0).x(0..POINTS).on_run(move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
    });
    session.resume(plan).unwrap();
    assert_eq!(run.load(Ordering::Relaxed), POINTS - there);
    drop(session);
    assert_eq!(points(path), (0..POINTS).collect::<Vec<_>>());
}

/// The points before the one at which something happens.
fn counted() -> Vec<u64> {
    (0..AT).collect()
}

struct Dir {
    _dir: tempfile::TempDir,
    /// The directory of the database, which a test may remove.
    dir: PathBuf,
    path: PathBuf,
}

impl Dir {
    fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().join("sweeps");
        std::fs::create_dir(&dir).unwrap();
        let path = dir.join("squares.db");
        Self {
            _dir: temp,
            dir,
            path,
        }
    }

    fn session(&self) -> Session {
        Session::open(&self.path).unwrap()
    }
}

/// The variable by which a test of this program, started by another one, learns where to work.
const WORK: &str = "XP_TEST_WORK";

fn work() -> PathBuf {
    std::env::var_os(WORK).unwrap().into()
}

/// A command that runs one test of this program, by way of another program that takes a command
/// line.
fn child(by: &[&str], test: &str, work: &Path) -> Command {
    let mut command = Command::new(by.first().copied().unwrap_or("env"));
    command
        .args(by.iter().skip(1))
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--nocapture"])
        .env(WORK, work);
    command
}

#[track_caller]
fn succeeded(output: &Output) {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{stdout}{stderr}");
    assert!(stdout.contains("1 passed"), "{stdout}{stderr}");
    for line in stderr.lines().filter(|line| line.starts_with("skipped:")) {
        eprintln!("{line}");
    }
}
