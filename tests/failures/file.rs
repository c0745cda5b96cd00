//! The file is locked, deleted, moved or replaced while an execution writes to it.

use std::fs;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use xp::prelude::*;
use xp::{Durability, StoreError};

use super::{Dir, POINTS, check_and_finish, fail, plan, points, store_error};

/// Another program that holds the lock to write.
fn lock(path: &std::path::Path) -> Connection {
    let db = Connection::open(path).unwrap();
    db.execute_batch("BEGIN IMMEDIATE").unwrap();
    db
}

#[test]
fn a_lock_that_is_held_for_too_long_stops_the_execution() {
    let dir = Dir::new();
    let session = dir.session();
    let other = std::sync::Arc::new(Mutex::new(None));
    let (path, held) = (dir.path.clone(), std::sync::Arc::clone(&other));
    let trick = move || *held.lock().unwrap() = Some((lock(&path), Instant::now()));
    let plan = plan(&session, trick).lock_timeout(Duration::from_millis(300));
    let error = store_error(session.execute(plan));
    let (db, since) = other.lock().unwrap().take().unwrap();
    let waited = since.elapsed();
    assert!(matches!(&error, StoreError::Locked { .. }), "{error:?}");
    assert!(error.to_string().contains("lock_timeout"), "{error}");
    assert!(waited >= Duration::from_millis(300), "{waited:?}");
    assert!(waited < Duration::from_secs(30), "{waited:?}");
    drop(db);
    check_and_finish(&dir.path);
}

#[test]
fn a_lock_that_is_released_in_time_costs_time_only() {
    let dir = Dir::new();
    let session = dir.session();
    let path = dir.path.clone();
    let trick = move || {
        let db = lock(&path);
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(300));
            drop(db);
        });
    };
    session.execute(plan(&session, trick)).unwrap();
    assert_eq!(points(&dir.path), (0..POINTS).collect::<Vec<_>>());
}

/// That the file is locked is told by each of these, and they name it.
#[track_caller]
fn are_refused(dir: &Dir, calls: Vec<xp::Result<()>>) {
    for (place, result) in calls.into_iter().enumerate() {
        let error = store_error(result);
        let file = dir.path.display().to_string();
        assert!(
            matches!(&error, StoreError::Locked { file: named, .. } if *named == file),
            "{place}: {error:?}"
        );
    }
}

#[test]
fn what_a_session_reads_waits_as_long_as_the_session_says() {
    let dir = Dir::new();
    let writer = dir.session();
    writer.execute(plan(&writer, || {})).unwrap();
    drop(writer);
    // A database without a write-ahead log, of which a writer locks out the readers.
    let other = Connection::open(&dir.path).unwrap();
    other.pragma_update(None, "journal_mode", "DELETE").unwrap();
    let hasty = Options::new().lock_timeout(Duration::from_millis(100));
    let session = Session::open_read_only(&dir.path).unwrap().with(hasty);
    let name = session.ls().unwrap()[0].name.clone();
    let experiment = session.load(&name).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let begun = Instant::now();
    are_refused(
        &dir,
        vec![
            session.ls().map(drop),
            session.load(&name).map(drop),
            session.load_id(experiment.id_experiment).map(drop),
            session.query("SELECT 1 FROM experiments").map(drop),
            session.plan(plan(&session, || {})).map(drop),
            experiment.runs().try_for_each(|run| run.map(drop)),
        ],
    );
    assert!(begun.elapsed() < Duration::from_secs(30), "it did not ask");
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(session.load(&name).unwrap().runs().count() as u64, POINTS);
}

#[test]
fn what_a_session_writes_waits_as_long_as_the_session_says() {
    let dir = Dir::new();
    let hasty = Options::new().lock_timeout(Duration::from_millis(100));
    let session = dir.session().with(hasty);
    session.execute(plan(&session, || {})).unwrap();
    let name = session.ls().unwrap()[0].name.clone();
    let mut experiment = session.load(&name).unwrap();
    let other = lock(&dir.path);
    let begun = Instant::now();
    are_refused(
        &dir,
        vec![
            session.delete(&name),
            session.run("new", |_| Ok::<_, String>(1)).map(drop),
            session
                .sweep("new", 0..3_u64, |x, _| Ok::<_, String>(*x))
                .map(drop),
            experiment.fields.insert("note", &1),
        ],
    );
    assert!(begun.elapsed() < Duration::from_secs(30), "it did not ask");
    drop(other);
    session.delete(&name).unwrap();
}

#[test]
fn to_open_a_file_waits_for_a_lock() {
    let dir = Dir::new();
    let new = Connection::open(&dir.path).unwrap();
    new.execute_batch("CREATE TABLE mine (x)").unwrap();
    let locked = lock(&dir.path);
    std::thread::scope(|scope| {
        let opened = scope.spawn(|| Session::open(&dir.path));
        std::thread::sleep(Duration::from_millis(200));
        drop((locked, new));
        assert!(opened.join().unwrap().unwrap().ls().unwrap().is_empty());
    });
}

#[test]
fn the_terms_of_one_execution_are_not_those_of_another() {
    let dir = Dir::new();
    let session = dir.session();
    std::thread::scope(|scope| {
        for durability in [Durability::PowerLoss, Durability::Process] {
            let session = &session;
            scope.spawn(move || {
                let name = format!("{durability:?}");
                let options = Options::new().jobs(2).durability(durability);
                let session = session.clone().with(options);
                session
                    .sweep(&name, 0..200_u64, |x, _| Ok::<_, String>(x * x))
                    .unwrap();
                assert_eq!(session.load(&name).unwrap().runs().count(), 200);
            });
        }
    });
    let longest = Options::new().lock_timeout(Duration::MAX);
    let session = session.with(longest);
    session.run("patient", |_| Ok::<_, String>(1)).unwrap();
}

#[test]
fn a_file_that_was_deleted_is_gone() {
    let dir = Dir::new();
    let session = dir.session();
    let path = dir.path.clone();
    let error = fail(&session, move || fs::remove_file(&path).unwrap());
    assert!(matches!(&error, StoreError::FileGone { .. }), "{error:?}");
    let error = store_error(session.run("another", |_| Ok::<_, String>(1)));
    assert!(matches!(&error, StoreError::FileGone { .. }), "{error:?}");
    drop(session);
    // A new file starts from the beginning, whatever log the old one has left.
    let session = dir.session();
    assert!(session.ls().unwrap().is_empty());
    session.execute(plan(&session, || {})).unwrap();
    assert_eq!(points(&dir.path).len() as u64, POINTS);
}

#[test]
fn a_directory_that_was_removed_is_gone() {
    let dir = Dir::new();
    let session = dir.session();
    let removed = dir.dir.clone();
    let error = fail(&session, move || fs::remove_dir_all(&removed).unwrap());
    assert!(matches!(&error, StoreError::FileGone { .. }), "{error:?}");
    assert!(!dir.dir.exists());
    drop(session);
    fs::create_dir(&dir.dir).unwrap();
    let session = dir.session();
    session.execute(plan(&session, || {})).unwrap();
    assert_eq!(points(&dir.path).len() as u64, POINTS);
}

#[test]
fn a_file_that_was_moved_away_has_what_was_counted_when_it_is_back() {
    for whole_directory in [false, true] {
        let dir = Dir::new();
        let session = dir.session();
        let from = if whole_directory { &dir.dir } else { &dir.path };
        let from = from.clone();
        let away = from.with_extension("away");
        let (old, new) = (from.clone(), away.clone());
        let error = fail(&session, move || fs::rename(&old, &new).unwrap());
        assert!(matches!(&error, StoreError::FileGone { .. }), "{error:?}");
        drop(session);
        fs::rename(away, from).unwrap();
        check_and_finish(&dir.path);
    }
}

#[test]
fn another_file_in_the_place_of_the_old_one_is_left_alone() {
    let dir = Dir::new();
    let other = dir.dir.join("other.db");
    let session = Session::open(&other).unwrap();
    session
        .sweep("other", 0..500_u64, |x, _| Ok::<_, String>(x + 1))
        .unwrap();
    drop(session);
    let before = fs::read(&other).unwrap();

    let session = dir.session();
    let (path, kept) = (dir.path.clone(), dir.dir.join("kept.db"));
    let old = kept.clone();
    let error = fail(&session, move || {
        fs::rename(&path, &old).unwrap();
        fs::rename(&other, &path).unwrap();
    });
    assert!(
        matches!(&error, StoreError::FileReplaced { .. }),
        "{error:?}"
    );
    assert_eq!(fs::read(&dir.path).unwrap(), before);
    drop(session);
    // Neither opens with what the log of the other one had.
    let session = dir.session();
    let names: Vec<String> = session.ls().unwrap().into_iter().map(|e| e.name).collect();
    assert_eq!(names, ["other"]);
    assert_eq!(session.load("other").unwrap().runs().count(), 500);
    drop(session);
    check_and_finish(&kept);
}

#[test]
fn a_log_that_was_deleted_stops_the_execution() {
    let dir = Dir::new();
    let session = dir.session();
    let log = dir.path.with_extension("db-wal");
    let error = fail(&session, move || fs::remove_file(&log).unwrap());
    assert!(matches!(&error, StoreError::LogGone { .. }), "{error:?}");
    drop(session);
    // What was in the log has come into the file before it was closed.
    check_and_finish(&dir.path);
}
