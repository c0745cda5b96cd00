//! A sweep that is shared by programs of several versions, or continued with changed steps.

use std::collections::HashSet;

use rusqlite::Connection;
use xp::Rerun;
use xp::prelude::*;

use crate::{Dir, counted, wait_until};

const POINTS: u32 = 40;

/// A point that takes longer than the others.
const SLOW: u32 = 1_000;

mod before {
    use super::*;

    #[step]
    fn first(x: u32) -> u32 {
        let ms = if x == SLOW { 300 } else { 5 };
        std::thread::sleep(std::time::Duration::from_millis(ms));
        x + 1
    }

    #[experiment]
    pub(super) fn grows(#[param] x: u32) {
        #[field]
        let first: u32 = first(x);
    }
}

/// With one more field.
mod after {
    use super::*;

    #[step]
    fn first(x: u32) -> u32 {
        std::thread::sleep(std::time::Duration::from_millis(5));
        x + 1
    }

    #[step]
    fn second(x: u32) -> u32 {
        std::thread::sleep(std::time::Duration::from_millis(2));
        x + 2
    }

    #[experiment]
    pub(super) fn grows(#[param] x: u32) {
        #[field]
        let first: u32 = first(x);
        #[field]
        let second: u32 = second(x);
    }
}

/// With a step that has changed.
mod changed {
    use super::*;

    #[step]
    fn first(x: u32) -> u32 {
        std::thread::sleep(std::time::Duration::from_millis(2));
        x + 10
    }

    #[experiment]
    pub(super) fn grows(#[param] x: u32) {
        #[field]
        let first: u32 = first(x);
    }
}

fn begin(dir: &Dir) {
    let session = Session::open(dir.db()).unwrap();
    session.resume(before::grows().x(0..POINTS)).unwrap();
}

/// Does the same in three sessions at the same time.
fn thrice(dir: &Dir, f: impl Fn(&Session) + Sync) {
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| f(&Session::open(dir.db()).unwrap()));
        }
    });
}

#[track_caller]
fn rows(dir: &Dir, condition: &str) {
    let sql = format!("SELECT count(*) FROM experiment_grows WHERE {condition}");
    assert_eq!(dir.count(&sql), i64::from(POINTS), "{condition}");
    let sql = "SELECT count(*) FROM experiment_grows";
    assert_eq!(dir.count(sql), i64::from(POINTS));
    assert_eq!(
        counted(&Connection::open(dir.db()).unwrap()),
        i64::from(POINTS)
    );
}

#[test]
fn missing_fields_are_filled_once() {
    let dir = Dir::new();
    begin(&dir);
    thrice(&dir, |session| {
        let plan = after::grows().x(0..POINTS).jobs(2).fill();
        let experiment = session.resume(plan).unwrap();
        assert_eq!(experiment.runs().count(), POINTS as usize);
        assert_eq!(experiment.partial(), 0);
    });
    rows(&dir, "first = x + 1 AND second = x + 2");
    let filled = "SELECT count(*) FROM xp_run WHERE filled";
    assert_eq!(dir.count(filled), i64::from(POINTS));
}

#[test]
fn stale_runs_are_replaced_once() {
    let dir = Dir::new();
    begin(&dir);
    thrice(&dir, |session| {
        let rerun = Rerun::new().stale(true);
        let plan = changed::grows().x(0..POINTS).jobs(2).rerun(rerun);
        let experiment = session.resume(plan).unwrap();
        assert_eq!(experiment.runs().count(), POINTS as usize);
    });
    rows(&dir, "first = x + 10");
    let ran = "SELECT count(*) FROM xp_run";
    assert_eq!(dir.count(ran), 2 * i64::from(POINTS));
}

#[test]
fn programs_of_two_versions_share_a_sweep() {
    for fill in [false, true] {
        let dir = Dir::new();
        std::thread::scope(|scope| {
            let old = scope.spawn(|| {
                let session = Session::open(dir.db()).unwrap();
                let plan = before::grows().x(0..POINTS).jobs(2);
                session.resume(plan).unwrap().runs().count()
            });
            wait_until(|| {
                let db = Connection::open(dir.db()).unwrap();
                let sql = "SELECT count(*) > 2 FROM experiment_grows";
                db.query_row(sql, [], |row| row.get(0)).unwrap_or(false)
            });
            let new = scope.spawn(|| {
                let session = Session::open(dir.db()).unwrap();
                let plan = after::grows().x(0..POINTS).jobs(2);
                let experiment = session.resume(if fill { plan.fill() } else { plan });
                let experiment = experiment.unwrap();
                (experiment.runs().count(), experiment.partial())
            });
            assert_eq!(old.join().unwrap(), POINTS as usize);
            let (whole, partial) = new.join().unwrap();
            assert_eq!(whole + partial, POINTS as usize);
            assert!(partial > 0 || fill);
        });
        // What the old program ran meanwhile is filled at the next time.
        let session = Session::open(dir.db()).unwrap();
        let plan = after::grows().x(0..POINTS).fill();
        let experiment = session.resume(plan).unwrap();
        assert_eq!(experiment.runs().count(), POINTS as usize);
        rows(&dir, "first = x + 1 AND second = x + 2");
        let ids: HashSet<_> = experiment.runs().map(|run| run.unwrap().id_run).collect();
        assert_eq!(ids.len(), POINTS as usize);
    }
}

/// The last one to write has no runs of its own to tell of.
#[test]
fn a_column_is_known_whose_program_ran_nothing() {
    let dir = Dir::new();
    std::thread::scope(|scope| {
        let old = scope.spawn(|| {
            let session = Session::open(dir.db()).unwrap();
            let plan = before::grows().x(0..POINTS).jobs(1);
            session.resume(plan).unwrap().runs().count()
        });
        wait_until(|| {
            let db = Connection::open(dir.db()).unwrap();
            let sql = "SELECT count(*) > 2 FROM experiment_grows";
            db.query_row(sql, [], |row| row.get(0)).unwrap_or(false)
        });
        // All of its points have been run, or are about to be.
        let session = Session::open(dir.db()).unwrap();
        let sql = "SELECT x FROM experiment_grows LIMIT 2";
        let x = session.query(sql).unwrap().rows().into_iter();
        let x: Vec<u32> = x.map(|row| row[0].to_string().parse().unwrap()).collect();
        let experiment = session.resume(after::grows().x(x)).unwrap();
        assert!(experiment.partial() >= 2);
        assert_eq!(experiment.runs().count(), 0);
        assert_eq!(old.join().unwrap(), POINTS as usize);
        let experiment = session.load_as::<after::Grows>("grows").unwrap();
        assert_eq!(experiment.partial(), POINTS as usize);
    });
}

#[test]
fn runs_without_a_field_are_left_out_that_came_after_the_experiment_was_opened() {
    let dir = Dir::new();
    let session = Session::open(dir.db()).unwrap();
    let opened = session.resume(after::grows().x([10])).unwrap();
    session.resume(before::grows().x([0, 1])).unwrap();
    let runs: Vec<_> = opened.runs().map(Result::unwrap).collect();
    assert_eq!(
        runs.iter().map(|run| run.fields.second).collect::<Vec<_>>(),
        [12]
    );
    session.resume(after::grows().x([11])).unwrap();
    assert_eq!(opened.runs().map(Result::unwrap).count(), 2);
}

#[test]
fn a_union_has_the_left_run_where_the_right_one_came_later_and_lacks_a_field() {
    let (left, right) = (Dir::new(), Dir::new());
    let whole = Session::open(left.db()).unwrap();
    let whole = whole.resume(after::grows().x([0])).unwrap();
    let session = Session::open(right.db()).unwrap();
    let opened = session.resume(after::grows().x([10])).unwrap();
    session.resume(before::grows().x([0, 1])).unwrap();
    let both = whole.runs() | opened.runs();
    for _ in 0..2 {
        let runs = both.iter().map(|run| run.unwrap().fields.second);
        assert_eq!(runs.collect::<Vec<_>>(), [2, 12]);
    }
}

/// When it begins, there is no table yet; when it ends, there is one.
#[test]
fn a_column_is_made_that_nobody_has_filled() {
    let dir = Dir::new();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let session = Session::open(dir.db()).unwrap();
            session.resume(before::grows().x([SLOW])).unwrap();
        });
        wait_until(|| {
            let db = Connection::open(dir.db()).unwrap();
            let sql = "SELECT count(*) > 0 FROM xp_claim";
            db.query_row(sql, [], |row| row.get(0)).unwrap_or(false)
        });
        let session = Session::open(dir.db()).unwrap();
        let experiment = session.resume(after::grows().x([SLOW])).unwrap();
        assert_eq!((experiment.runs().count(), experiment.partial()), (0, 1));
    });
}
