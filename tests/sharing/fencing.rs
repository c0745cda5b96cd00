//! A process that is taken for dead while it is not: what it comes to later is refused.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use rusqlite::Connection;
use xp::prelude::*;

use crate::{Dir, check, wait_until};

/// How far the gates of this process are: by their names, how many runs wait, and whether they may
/// go on.
static GATES: LazyLock<Mutex<HashMap<String, (usize, bool)>>> = LazyLock::new(Mutex::default);

fn gate<R>(name: &str, f: impl FnOnce(&mut (usize, bool)) -> R) -> R {
    f(GATES.lock().unwrap().entry(name.to_owned()).or_default())
}

#[step]
fn pass(gate_name: &str, who: &str) -> String {
    gate(gate_name, |gate| gate.0 += 1);
    wait_until(|| gate(gate_name, |gate| gate.1));
    who.to_owned()
}

#[experiment]
fn fenced(
    #[config(identity = false)] gate_name: String,
    #[config(identity = false)] who: String,
    #[param] x: u32,
) {
    #[field]
    let by: String = pass(&gate_name, &who);
}

fn plan(gate_name: &str, who: &str, points: u32) -> xp::Plan<Fenced> {
    let plan = fenced().gate_name(gate_name).who(who).x(0..points);
    plan.jobs(1).into_plan()
}

/// A gate that is open.
fn open(name: &str) -> &str {
    gate(name, |gate| gate.1 = true);
    name
}

/// Executes four points, the first of which is held up until something has happened; how many of
/// them counted here.
fn execute(dir: &Dir, name: &str, happens: impl FnOnce(&Path)) -> usize {
    let counted = Arc::new(AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let here = Arc::clone(&counted);
        let slow = scope.spawn(move || {
            let session = Session::open(dir.db()).unwrap();
            let plan = plan(name, "slow", 4).on_run(move |_| {
                here.fetch_add(1, Ordering::SeqCst);
            });
            let experiment = session.resume(plan).unwrap();
            assert_eq!(experiment.runs().count(), 4);
        });
        wait_until(|| gate(name, |gate| gate.0 == 1));
        happens(&dir.db());
        open(name);
        slow.join().unwrap();
    });
    counted.load(Ordering::SeqCst)
}

fn counted_by(dir: &Dir, who: &str) -> usize {
    let sql = format!("SELECT count(*) FROM experiment_fenced WHERE by = '{who}'");
    dir.count(&sql) as usize
}

fn take_the_claims_away(db: &Path) {
    let db = Connection::open(db).unwrap();
    let taken = db.execute("DELETE FROM xp_claim", []).unwrap();
    assert_eq!(taken, 1);
}

fn remove_the_locks(db: &Path) {
    let mut beside = db.as_os_str().to_owned();
    beside.push("-xp");
    for file in std::fs::read_dir(beside).unwrap() {
        let path = file.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "lock")
        {
            std::fs::remove_file(path).unwrap();
        }
    }
}

fn run_all_elsewhere(db: &Path) {
    let session = Session::open(db).unwrap();
    let experiment = session.resume(plan(open("open"), "fast", 4)).unwrap();
    assert_eq!(experiment.runs().count(), 4);
}

#[test]
fn a_late_result_is_refused_and_does_not_count() {
    let dir = Dir::new();
    let counted = execute(&dir, "late", |db| {
        take_the_claims_away(db);
        run_all_elsewhere(db);
    });
    assert_eq!(counted, 0);
    assert_eq!(counted_by(&dir, "fast"), 4);
    check(&dir.db(), "experiment_fenced", 0..4);
}

#[test]
fn a_process_without_its_lock_file_is_taken_for_dead() {
    let dir = Dir::new();
    let counted = execute(&dir, "unlocked", |db| {
        remove_the_locks(db);
        run_all_elsewhere(db);
    });
    assert_eq!(counted, 0);
    assert_eq!(counted_by(&dir, "fast"), 4);
    check(&dir.db(), "experiment_fenced", 0..4);
}

#[test]
fn what_was_refused_and_nobody_else_runs_is_run_again() {
    let dir = Dir::new();
    let counted = execute(&dir, "again", take_the_claims_away);
    assert_eq!(counted, 4);
    check(&dir.db(), "experiment_fenced", 0..4);
}

#[test]
fn a_process_that_was_taken_for_dead_lives_on() {
    let dir = Dir::new();
    let counted = execute(&dir, "lives", |db| {
        remove_the_locks(db);
        // Whoever opens the file finds that it is dead.
        drop(Session::open(db).unwrap());
    });
    assert_eq!(counted, 4);
    check(&dir.db(), "experiment_fenced", 0..4);
    let interrupted = "SELECT count(*) FROM xp_run WHERE outcome = 'interrupted'";
    assert_eq!(dir.count(interrupted), 1);
}
