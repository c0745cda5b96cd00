//! Processes that share a sweep.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::child::{Child, Start, go, together};
use crate::jobs::{MANY, POINTS, note};
use crate::{Dir, check, counted, wait_until};

const TABLE: &str = "experiment_waits";

#[track_caller]
fn is_shared_by(dir: &Dir, processes: usize) {
    let shares = dir.shares();
    assert_eq!(shares.len(), processes, "{shares:?}");
}

#[test]
fn a_sweep_is_shared_and_every_point_is_run_once() {
    for processes in [2, 3, 4] {
        let dir = Dir::new();
        let saw = together(&dir, &vec![format!("all of {processes}"); processes]);
        assert_eq!(saw, vec![POINTS as usize; processes]);
        assert_eq!(dir.begun().len(), POINTS as usize);
        check(&dir.db(), TABLE, 0..POINTS);
        is_shared_by(&dir, processes);
    }
}

#[test]
fn plans_that_overlap_share_what_they_have_in_common() {
    let dir = Dir::new();
    let saw = together(&dir, &["first", "second"]);
    assert!(saw.iter().all(|saw| *saw >= 40), "{saw:?}");
    assert_eq!(dir.begun().len(), POINTS as usize);
    check(&dir.db(), TABLE, 0..POINTS);
}

#[test]
fn an_ordered_plan_shares_with_a_shuffled_one() {
    for jobs in [["ordered of 2", "all of 2"], ["ordered of 2"; 2]] {
        let dir = Dir::new();
        assert_eq!(together(&dir, &jobs), [POINTS as usize; 2]);
        assert_eq!(dir.begun().len(), POINTS as usize);
        check(&dir.db(), TABLE, 0..POINTS);
        is_shared_by(&dir, 2);
    }
}

#[test]
fn many_short_runs_are_shared() {
    let dir = Dir::new();
    assert_eq!(together(&dir, &["many"; 3]), [MANY as usize; 3]);
    check(&dir.db(), TABLE, 0..MANY);
}

#[test]
fn what_others_have_run_meanwhile_is_passed_over_at_once() {
    let dir = Dir::new();
    go(&dir);
    // It waits in its first run, and is killed if it asks more often than that for points.
    let waits = Child::start_at(&dir, "one and many of 2", Some("claim.begun:40"));
    dir.wait_for(1);
    let runs = Child::start(&dir, "many");
    let others = i64::from(MANY) - 1;
    wait_until(|| dir.count("SELECT count(*) FROM xp_run") == others);
    note(dir.log(), 0);
    assert_eq!(waits.ended(), MANY as usize);
    assert_eq!(runs.ended(), MANY as usize);
    check(&dir.db(), TABLE, 0..MANY);
}

#[test]
fn groups_of_shared_values_are_shared() {
    for jobs in [
        ["groups of 3"; 3],
        ["groups of 3", "ordered groups of 3", "groups of 3"],
    ] {
        let dir = Dir::new();
        assert_eq!(together(&dir, &jobs), [80; 3]);
        assert_eq!(dir.begun().len(), 80);
        assert_eq!(dir.count("SELECT count(*) FROM experiment_groups"), 80);
        assert_eq!(dir.count("SELECT count(DISTINCT id_run) FROM xp_run"), 80);
        assert_eq!(dir.count("SELECT count(*) FROM xp_run"), 80);
        is_shared_by(&dir, 3);
    }
}

#[test]
fn a_resume_joins_an_execute() {
    let dir = Dir::new();
    let first = Child::start(&dir, "execute");
    go(&dir);
    dir.wait_for(2);
    let second = Child::start(&dir, "all");
    assert_eq!(first.ended(), POINTS as usize);
    assert_eq!(second.ended(), POINTS as usize);
    assert_eq!(dir.begun().len(), POINTS as usize);
    check(&dir.db(), TABLE, 0..POINTS);
}

#[test]
fn what_a_killed_process_leaves_is_run_by_the_others() {
    let dir = Dir::new();
    go(&dir);
    // One run of several seconds, of which the others have to wait for the end.
    let dies = Child::start(&dir, "seconds");
    dir.wait_for(2);
    let others: Vec<_> = (0..2).map(|_| Child::start(&dir, "seconds")).collect();
    wait_until(|| dir.begun().len() == 4);
    std::thread::sleep(Duration::from_millis(200));
    let (dead, start) = (dies.id(), Instant::now());
    dies.kill();
    for other in others {
        assert_eq!(other.ended(), 4);
    }
    // Both points that it had taken take a second, and are run at the same time, at once.
    let took = start.elapsed();
    assert!(took < Duration::from_millis(1_900), "{took:?}");
    check(&dir.db(), TABLE, 0..4);
    let begun = dir.begun();
    assert_eq!(begun.len(), 6);
    assert!(begun[4..].iter().all(|(pid, _)| *pid != dead));
    let interrupted = "SELECT count(*) FROM xp_run WHERE outcome = 'interrupted'";
    assert_eq!(dir.count(interrupted), 2);
}

#[test]
fn short_runs_of_a_killed_process_are_run_by_the_others() {
    for _ in 0..3 {
        let dir = Dir::new();
        go(&dir);
        let children: Vec<_> = (0..3).map(|_| Child::start(&dir, "all")).collect();
        dir.wait_for(25);
        let mut children = children.into_iter();
        children.next().unwrap().kill();
        let start = Instant::now();
        for other in children {
            assert_eq!(other.ended(), POINTS as usize);
        }
        assert!(start.elapsed() < Duration::from_millis(1_500));
        check(&dir.db(), TABLE, 0..POINTS);
    }
}

#[test]
fn a_live_process_is_waited_for_however_long_it_takes() {
    let dir = Dir::new();
    go(&dir);
    let first = Child::start(&dir, "long");
    dir.wait_for(1);
    let mut second = Child::start(&dir, "long");
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(2_000) {
        assert!(second.is_alive(), "it does not wait");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!((first.ended(), second.ended()), (1, 1));
    assert_eq!(dir.begun().len(), 1);
    assert_eq!(dir.count("SELECT count(*) FROM xp_run"), 1);
    check(&dir.db(), TABLE, 0..1);
}

/// Two processes that reach the same file by other names.
fn other_names(db: &Path, leaves: bool) {
    let dir = Dir::new();
    symlink(dir.db(), dir.path("link.db")).unwrap();
    go(&dir);
    let first = Start {
        dir: &dir,
        db,
        job: "seconds",
        leaves,
        failpoint: None,
    };
    let first = first.spawn();
    dir.wait_for(2);
    let second = Child::start(&dir, "seconds");
    assert_eq!((first.ended(), second.ended()), (4, 4));
    assert_eq!(dir.begun().len(), 4);
    let interrupted = "SELECT count(*) FROM xp_run WHERE outcome = 'interrupted'";
    assert_eq!(dir.count(interrupted), 0);
    check(&dir.db(), TABLE, 0..4);
}

#[test]
fn a_process_lives_by_whatever_name_it_reached_the_file() {
    let relative = Path::new("shared.db");
    other_names(relative, false);
    other_names(relative, true);
    other_names(Path::new("link.db"), false);
}

#[test]
fn what_fails_in_one_process_is_not_run_by_the_others() {
    let dir = Dir::new();
    let saw = together(&dir, &["fails"; 3]);
    assert_eq!(saw, [48; 3]);
    // A process that begins when another one has failed a point already runs it again.
    let again = dir.begun().len() - POINTS as usize;
    assert!(again <= 2, "{again} were run again");
    check(
        &dir.db(),
        "experiment_fails",
        (0..POINTS).filter(|x| ![3, 7].contains(&(x % 10))),
    );
}

#[test]
fn a_point_whose_process_died_before_its_last_attempt_is_run_by_the_others() {
    let dir = Dir::new();
    go(&dir);
    let dies = Child::start(&dir, "hangs");
    dir.wait_for(2);
    let other = Child::start(&dir, "hangs");
    dir.wait_for(4);
    std::thread::sleep(Duration::from_millis(100));
    dies.kill();
    assert_eq!(other.ended(), 3);
    check(&dir.db(), "experiment_hangs", 0..3);
    let interrupted = "SELECT count(*) FROM xp_run WHERE outcome = 'interrupted'";
    assert_eq!(dir.count(interrupted), 1);
}

#[test]
fn readers_of_plain_sql_are_never_in_the_way() {
    let dir = Dir::new();
    let children: Vec<_> = (0..3).map(|_| Child::start(&dir, "all")).collect();
    go(&dir);
    dir.wait_for(1);
    wait_until(|| {
        let db = Connection::open(dir.db()).unwrap();
        db.prepare("SELECT * FROM experiment_waits").is_ok()
    });
    // As MLtraq reads: what the meta counts first, and then the table, in one transaction.
    let mut db = Connection::open(dir.db()).unwrap();
    let mut last = 0;
    loop {
        let tx = db.transaction().unwrap();
        let counted = counted(&tx);
        let sql =
            "SELECT count(*), count(DISTINCT id_run) FROM experiment_waits WHERE double = 2 * x";
        let rows: (i64, i64) = tx
            .query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap();
        assert_eq!(rows.0, rows.1);
        assert!((1..=rows.0).contains(&counted), "{counted} of {rows:?}");
        assert!(rows.0 >= last);
        last = rows.0;
        drop(tx);
        if rows.0 == i64::from(POINTS) {
            break;
        }
    }
    for child in children {
        assert_eq!(child.ended(), POINTS as usize);
    }
    check(&dir.db(), TABLE, 0..POINTS);
}
