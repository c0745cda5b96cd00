//! SIGINT and SIGTERM, where the program asked for them and where it did not.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![cfg(unix)]

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use xp::Rerun;
use xp::prelude::*;

const POINTS: u32 = 12;

/// A point of this kind is done when it is asked to stop; the others notice nothing.
fn listens(x: u32) -> bool {
    x % 2 == 1
}

fn note(log: &str, what: &str) {
    let log = File::options().append(true).create(true).open(log);
    log.unwrap()
        .write_all(format!("{what}\n").as_bytes())
        .unwrap();
}

#[step]
fn wait(run: &mut Run, log: &str, x: u32, ms: u64) -> Result<u32, String> {
    note(log, "begun");
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(ms) {
        if listens(x) && run.cancelled() {
            return Err("asked to stop".to_owned());
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(x)
}

#[experiment]
fn waits(
    #[config(identity = false)] log: String,
    #[config(identity = false)] ms: u64,
    #[param] x: u32,
    run: &mut Run,
) {
    #[field]
    let same: u32 = wait(run, &log, x, ms)?;
}

fn plan(log: &str, ms: u64) -> xp::Plan<Waits> {
    let plan = waits().log(log).ms(ms).x(0..POINTS).jobs(2);
    plan.order(Order::Grid).into_plan()
}

const DB: &str = "XP_TEST_DB";
const JOB: &str = "XP_TEST_JOB";

#[test]
#[ignore = "a part of other tests, in a process of its own"]
fn does_a_job() {
    let db = std::env::var(DB).unwrap();
    let log = format!("{db}.log");
    let session = Session::open(&db).unwrap();
    match std::env::var(JOB).unwrap().as_str() {
        "handles" => {
            // What else has the file open is closed, too.
            let other = Session::open(&db).unwrap();
            drop(other.sweep("other", 0..3_u64, |x, _| Ok::<_, String>(*x)));
            let begun = other.load("other");
            drop(session.resume(plan(&log, 500).handle_signals()));
            drop((begun, other));
        }
        "plain" => drop(session.resume(plan(&log, 500))),
        "between" => {
            drop(session.resume(plan("/dev/null", 0).handle_signals()));
            note(&log, "begun");
            std::thread::sleep(Duration::from_secs(10));
        }
        other => panic!("there is no job `{other}`"),
    }
}

struct Program {
    dir: tempfile::TempDir,
}

struct Running(std::process::Child);

impl Program {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { dir }
    }

    fn db(&self) -> PathBuf {
        self.dir.path().join("waits.db")
    }

    /// Starts it, and waits until it has begun.
    fn start(&self, job: &str) -> Running {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "does_a_job", "--ignored", "--nocapture"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .env(DB, self.db())
            .env(JOB, job);
        let begun = self.begun();
        let running = Running(command.spawn().unwrap());
        let start = Instant::now();
        while self.begun() == begun {
            assert!(start.elapsed() < Duration::from_secs(10), "it never begins");
            std::thread::sleep(Duration::from_millis(2));
        }
        running
    }

    fn begun(&self) -> usize {
        let log = self.db().with_extension("db.log");
        fs::read_to_string(log).unwrap_or_default().lines().count()
    }

    fn files(&self) -> Vec<String> {
        let files = fs::read_dir(self.dir.path()).unwrap();
        let name = |file: fs::DirEntry| file.file_name().into_string().unwrap();
        let mut names: Vec<_> = files.map(|file| name(file.unwrap())).collect();
        names.sort();
        names
    }

    fn count(&self, outcome: &str) -> i64 {
        let db = rusqlite::Connection::open(self.db()).unwrap();
        let sql = "SELECT count(*) FROM xp_run JOIN xp_experiment USING (experiment)
                   WHERE declared = 'waits' AND outcome = ?1";
        db.query_row(sql, [outcome], |row| row.get(0)).unwrap()
    }

    /// Runs the rest: every point is completed once.
    #[track_caller]
    fn finish(&self) {
        let session = Session::open(self.db()).unwrap();
        let experiment = session.resume(plan("/dev/null", 1)).unwrap();
        assert_eq!(experiment.runs().count(), POINTS as usize);
        assert_eq!(experiment.failures().count(), 0);
        assert_eq!(self.count("completed"), i64::from(POINTS));
    }
}

impl Running {
    fn tell(&self, signal: Signal) {
        kill(Pid::from_raw(self.0.id() as i32), signal).unwrap();
    }

    #[track_caller]
    fn ends_within(&mut self, ms: u64) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status;
            }
            assert!(start.elapsed() < Duration::from_millis(ms), "it goes on");
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_first_signal_asks_the_steps_to_stop() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let program = Program::new();
        let mut running = program.start("handles");
        std::thread::sleep(Duration::from_millis(100));
        running.tell(signal);
        let status = running.ends_within(2_000);
        assert_eq!(status.code(), Some(130), "{status}");
        assert_eq!(program.files(), ["waits.db", "waits.db.log"]);
        // The two that were on their way: one noticed, the other one was done.
        assert_eq!(
            (program.count("completed"), program.count("cancelled")),
            (1, 1)
        );
        let db = rusqlite::Connection::open(program.db()).unwrap();
        let left: i64 = db
            .query_row("SELECT count(*) FROM xp_claim", [], |row| row.get(0))
            .unwrap();
        assert_eq!(left, 0);
        let session = Session::open(program.db()).unwrap();
        let kept = Rerun::new().failed(false);
        let report = session.plan(plan("/dev/null", 1).rerun(kept)).unwrap();
        let counts = report.counts;
        assert_eq!(
            (counts.complete, counts.interrupted, counts.missing),
            (1, 1, 10)
        );
        assert_eq!(report.points()[1].reason, "its last attempt was cancelled");
        program.finish();
    }
}

#[test]
fn the_second_signal_kills() {
    for (first, second) in [
        (Signal::SIGTERM, Signal::SIGTERM),
        (Signal::SIGINT, Signal::SIGTERM),
    ] {
        let program = Program::new();
        let mut running = program.start("handles");
        running.tell(first);
        std::thread::sleep(Duration::from_millis(50));
        running.tell(second);
        let status = running.ends_within(300);
        assert_eq!(status.signal(), Some(second as i32), "{status}");
        program.finish();
    }
}

#[test]
fn a_program_that_did_not_ask_dies_by_the_first_signal() {
    let program = Program::new();
    let mut running = program.start("plain");
    // What runs in the background of a shell ignores SIGINT.
    running.tell(Signal::SIGTERM);
    let status = running.ends_within(300);
    assert_eq!(status.signal(), Some(Signal::SIGTERM as i32), "{status}");
    program.finish();
    assert!(program.count("interrupted") > 0);
}

#[test]
fn between_executions_a_signal_has_its_own_effect() {
    let program = Program::new();
    let mut running = program.start("between");
    running.tell(Signal::SIGINT);
    let status = running.ends_within(300);
    assert_eq!(status.signal(), Some(Signal::SIGINT as i32), "{status}");
    assert_eq!(program.count("completed"), i64::from(POINTS));
}

#[test]
fn what_one_process_gives_up_another_one_runs_at_once() {
    let program = Program::new();
    let mut first = program.start("handles");
    let mut second = program.start("plain");
    first.tell(Signal::SIGTERM);
    assert_eq!(first.ends_within(2_000).code(), Some(130));
    // What the other one uses is left to it.
    assert!(program.files().contains(&"waits.db-xp".to_owned()));
    assert!(second.ends_within(10_000).success());
    assert_eq!(program.files(), ["waits.db", "waits.db.log"]);
    assert_eq!(program.count("completed"), i64::from(POINTS));
    program.finish();
}
