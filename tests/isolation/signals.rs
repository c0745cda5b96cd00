//! What a signal to the parent means for its children.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use xp::prelude::*;

use crate::processes::{helper, is_gone, wait_for_children};
use crate::{Case, Test};

pub(crate) const TESTS: &[Case] = &[
    ("runs_are_told_of_a_signal_and_may_stop", told),
    ("the_second_signal_leaves_no_child_behind", killed),
    ("a_signal_nobody_asked_for_leaves_no_child_behind", plain),
];

/// Where the helper's file is.
const DB: &str = "XP_ISOLATION_DB";

#[step]
fn listen(run: &mut Run, n: u32) -> Result<u32, String> {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(5));
        if n < 10 && run.cancelled() {
            return Err("asked to stop".to_owned());
        }
    }
    Ok(n)
}

#[experiment]
pub(crate) fn listeners(#[param] n: u32, run: &mut Run) {
    #[field]
    let same: u32 = listen(run, n)?;
}

/// What the helper does: its runs listen, or do not.
pub(crate) fn help(name: &str) -> Test {
    let session = Session::open(std::env::var(DB)?)?;
    let n = if name == "listens" { 0..4 } else { 10..14 };
    let plan = listeners().n(n).jobs(2).isolate(Isolation::Process);
    session.resume(if name == "asks for nothing" {
        plan
    } else {
        plan.handle_signals()
    })?;
    Ok(())
}

/// Starts the helper, and waits until its two children are in their runs.
fn start(name: &str, db: &Path) -> (Child, Vec<u32>) {
    let mut parent = helper(name).env(DB, db).spawn().unwrap();
    let mut lines = BufReader::new(parent.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "main goes on");
    let all = wait_for_children(&parent, 2);
    assert_eq!(all.len(), 2);
    std::thread::sleep(Duration::from_millis(100));
    (parent, all)
}

fn tell(parent: &Child, signal: Signal) {
    kill(Pid::from_raw(parent.id() as i32), signal).unwrap();
}

fn ends(parent: &mut Child) -> ExitStatus {
    let start = Instant::now();
    loop {
        if let Some(status) = parent.try_wait().unwrap() {
            return status;
        }
        if start.elapsed() > Duration::from_secs(3) {
            let _ = parent.kill();
            panic!("it goes on");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn outcomes(db: &Path) -> Vec<String> {
    let session = Session::open(db).unwrap();
    let table = session.query("SELECT outcome FROM xp_run").unwrap();
    let rows = table.rows().into_iter();
    rows.map(|row| row[0].to_string()).collect()
}

fn told() -> Test {
    let dir = tempfile::tempdir()?;
    let db = dir.path().join("told.db");
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let (mut parent, children) = start("listens", &db);
        tell(&parent, signal);
        assert_eq!(ends(&mut parent).code(), Some(130));
        for pid in children {
            assert!(is_gone(pid), "child {pid} goes on");
        }
        assert_eq!(outcomes(&db), ["cancelled", "cancelled"]);
        fs::remove_file(&db)?;
    }
    Ok(())
}

fn killed() -> Test {
    let dir = tempfile::tempdir()?;
    let db = dir.path().join("killed.db");
    let (mut parent, children) = start("does not listen", &db);
    tell(&parent, Signal::SIGTERM);
    std::thread::sleep(Duration::from_millis(200));
    assert!(parent.try_wait()?.is_none(), "its runs go on");
    tell(&parent, Signal::SIGTERM);
    assert_eq!(ends(&mut parent).signal(), Some(Signal::SIGTERM as i32));
    for pid in children {
        assert!(is_gone(pid), "child {pid} goes on");
    }
    assert_eq!(outcomes(&db), ["interrupted", "interrupted"]);
    Ok(())
}

fn plain() -> Test {
    let dir = tempfile::tempdir()?;
    let db = dir.path().join("plain.db");
    let (mut parent, children) = start("asks for nothing", &db);
    // What runs in the background of a shell ignores SIGINT.
    tell(&parent, Signal::SIGTERM);
    assert_eq!(ends(&mut parent).signal(), Some(Signal::SIGTERM as i32));
    for pid in children {
        assert!(is_gone(pid), "child {pid} goes on");
    }
    assert_eq!(outcomes(&db), ["interrupted", "interrupted"]);
    Ok(())
}
