//! What is wrong is answered with a typed error that names it, and what was stored before can be
//! read afterwards.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Barrier, Mutex};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tempfile::TempDir;
use xp::prelude::*;
use xp::{Error, Outcome, PlanError, RunsFailed, StoreError};

/// A file with the experiment `before`: the numbers from 0 to 4 and their squares.
struct Before {
    _dir: TempDir,
    path: PathBuf,
}

impl Before {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("before.db");
        let session = Session::open(&path).unwrap();
        squares(&session, "before").unwrap();
        Self { _dir: dir, path }
    }

    fn session(&self) -> Session {
        Session::open(&self.path).unwrap()
    }

    /// Reads back what was there.
    #[track_caller]
    fn check(&self) {
        check_squares(&Session::open(&self.path).unwrap(), "before");
    }
}

fn squares(session: &Session, name: &str) -> xp::Result<()> {
    session.sweep(name, 0..5_u64, |x, _| Ok::<_, String>(x * x))?;
    Ok(())
}

#[track_caller]
fn check_squares(session: &Session, name: &str) {
    let read: BTreeSet<(u64, u64)> = session
        .load_as::<xp::Swept<u64, u64>>(name)
        .unwrap()
        .runs()
        .map(|run| run.unwrap().fields)
        .map(|fields| (fields.point, fields.result))
        .collect();
    assert_eq!(read, (0..5).map(|x| (x, x * x)).collect());
}

/// The file, to be executed into by one worker in the order of the points, whatever fails.
fn one_by_one(path: &Path) -> Session {
    let options = Options::new()
        .jobs(1)
        .order(Order::Grid)
        .policy(Policy::KeepGoing);
    Session::open(path).unwrap().with(options)
}

#[track_caller]
fn store_error<T: std::fmt::Debug>(result: xp::Result<T>) -> StoreError {
    match result.unwrap_err() {
        Error::Store(error) => error,
        other => panic!("another error: {other:?}"),
    }
}

#[track_caller]
fn runs_failed<T: std::fmt::Debug>(result: xp::Result<T>) -> RunsFailed {
    match result.unwrap_err() {
        Error::RunsFailed(failed) => *failed,
        other => panic!("another error: {other:?}"),
    }
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notes.txt");
    let text = "no database, ".repeat(1_000);
    fs::write(&path, &text).unwrap();
    for opened in [Session::open(&path), Session::open_read_only(&path)] {
        let error = store_error(opened);
        assert!(
            matches!(&error, StoreError::NotADatabase { file, .. } if file.ends_with("notes.txt")),
            "{error:?}"
        );
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn a_directory_and_a_missing_file_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let error = store_error(Session::open(dir.path())).to_string();
    assert!(error.contains(&dir.path().display().to_string()), "{error}");
    let missing = dir.path().join("missing.db");
    let error = store_error(Session::open_read_only(&missing)).to_string();
    assert!(error.contains("missing.db"), "{error}");
    assert!(!missing.exists());
}

#[test]
fn a_session_to_read_from_executes_nothing() {
    let before = Before::new();
    let session = Session::open_read_only(&before.path).unwrap();
    let error = store_error(squares(&session, "after"));
    assert!(
        matches!(&error, StoreError::ReadOnly { file } if file.ends_with("before.db")),
        "{error:?}"
    );
    let error = store_error(session.delete("before"));
    assert!(matches!(error, StoreError::ReadOnly { .. }), "{error:?}");
    check_squares(&session, "before");
    before.check();
}

#[test]
fn what_may_not_be_written_is_read() {
    let before = Before::new();
    let dir = before.path.parent().unwrap();
    // The file alone, then its directory as well.
    for place in [before.path.as_path(), dir] {
        let writable = fs::metadata(place).unwrap().permissions();
        let mut permissions = writable.clone();
        permissions.set_readonly(true);
        fs::set_permissions(place, permissions).unwrap();
        // Permissions do not stop root.
        let file = fs::OpenOptions::new().write(true).open(&before.path);
        if file.is_err() {
            let session = before.session();
            let error = store_error(squares(&session, "after"));
            assert!(matches!(error, StoreError::ReadOnly { .. }), "{error:?}");
            check_squares(&session, "before");
            check_squares(&Session::open_read_only(&before.path).unwrap(), "before");
        }
        if place == dir {
            fs::set_permissions(place, writable).unwrap();
        }
    }
}

#[test]
fn a_file_of_a_newer_schema_is_refused_and_left_alone() {
    let before = Before::new();
    let db = rusqlite::Connection::open(&before.path).unwrap();
    db.pragma_update(None, "journal_mode", "DELETE").unwrap();
    db.execute("UPDATE xp_schema SET version = 1000", [])
        .unwrap();
    drop(db);
    let bytes = fs::read(&before.path).unwrap();
    for opened in [
        Session::open(&before.path),
        Session::open_read_only(&before.path),
    ] {
        let error = store_error(opened);
        assert!(
            matches!(&error, StoreError::NewerSchema { file, found: 1000, .. } if file.ends_with("before.db")),
            "{error:?}"
        );
    }
    assert_eq!(fs::read(&before.path).unwrap(), bytes);

    let db = rusqlite::Connection::open(&before.path).unwrap();
    db.execute("UPDATE xp_schema SET version = 3", []).unwrap();
    drop(db);
    before.check();
}

/// The variable by which this test program, started by itself, learns that it is to fill a file.
const FILL: &str = "XP_TEST_FILL";

/// Executes runs of a megabyte each until the file may grow no more.
fn fill(path: &str) {
    let session = one_by_one(Path::new(path));
    let error = store_error(session.sweep("large", 0..100_u8, |x, _| {
        // Runs that end together are committed together; the first is to be there before.
        while *x == 1
            && session
                .ls()
                .unwrap()
                .iter()
                .all(|e| e.runs < 1 || e.name != "large")
        {
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok::<_, String>(vec![*x; 1 << 20])
    }));
    assert!(
        matches!(&error, StoreError::Full { file, .. } if file == path),
        "{error:?}"
    );
    // Also while the disk is still full.
    check_squares(&session, "before");
}

#[test]
fn a_full_disk_ends_the_execution_and_keeps_what_was_committed() {
    if let Ok(path) = std::env::var(FILL) {
        return fill(&path);
    }
    let before = Before::new();
    // A limit on the size of files, with its signal ignored, is how a disk is full for one process.
    let child = Command::new("sh")
        .arg("-c")
        .arg("trap '' XFSZ; ulimit -f 16384; exec \"$0\" --exact \"$1\" --nocapture")
        .arg(std::env::current_exe().unwrap())
        .arg("a_full_disk_ends_the_execution_and_keeps_what_was_committed")
        .env(FILL, &before.path)
        .output()
        .unwrap();
    assert!(
        child.status.success(),
        "{}{}",
        String::from_utf8_lossy(&child.stdout),
        String::from_utf8_lossy(&child.stderr)
    );
    before.check();
    let large = before
        .session()
        .load_as::<xp::Swept<u8, Vec<u8>>>("large")
        .unwrap();
    let mut kept = 0;
    for run in large.runs() {
        let fields = run.unwrap().fields;
        assert_eq!(fields.result, vec![fields.point; 1 << 20]);
        kept += 1;
    }
    assert!((1..100).contains(&kept), "{kept} runs");
}

#[test]
fn an_integer_above_the_largest_of_sqlite_fails_its_run() {
    let before = Before::new();
    let session = one_by_one(&before.path);
    let points = [1, u64::MAX, i64::MAX as u64, i64::MAX as u64 + 1];
    let failed = runs_failed(session.sweep("input", points, |_, _| Ok::<_, String>(())));
    assert_eq!((failed.failed, failed.completed), (2, 2));
    let message = failed.first.exception.to_string();
    assert!(
        message.contains("`point`") && message.contains("18446744073709551615"),
        "{message}"
    );

    let failed = runs_failed(session.sweep("field", [0_u8, 1], |x, _| {
        Ok::<_, String>(u64::MAX - u64::from(*x))
    }));
    assert_eq!((failed.failed, failed.completed), (2, 0));
    let message = failed.first.exception.to_string();
    assert!(
        message.contains("`result`") && message.contains("18446744073709551615"),
        "{message}"
    );

    let failed = runs_failed(session.sweep("inserted", [0_u8], |_, run| {
        run.fields.insert("large", u64::MAX)
    }));
    let message = failed.first.exception.to_string();
    assert!(message.contains("`large`"), "{message}");
    before.check();
}

#[test]
fn nan_and_infinities_are_kept() {
    let before = Before::new();
    let session = before.session();
    let points = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0];
    session
        .sweep("floats", points, |x, _| Ok::<_, String>(vec![*x, -x]))
        .unwrap();
    let mut read: Vec<(f64, Vec<f64>)> = before
        .session()
        .load_as::<xp::Swept<f64, Vec<f64>>>("floats")
        .unwrap()
        .runs()
        .map(|run| run.unwrap().fields)
        .map(|fields| (fields.point, fields.result))
        .collect();
    read.sort_by(|a, b| a.0.total_cmp(&b.0));
    let points: Vec<_> = read.iter().map(|(point, _)| *point).collect();
    assert_eq!(points[..3], [f64::NEG_INFINITY, 0.0, f64::INFINITY]);
    assert!(points[3].is_nan());
    for (point, result) in read {
        let negated = result[1];
        assert!(negated == -point || negated.is_nan() && point.is_nan());
    }
    before.check();
}

#[test]
fn a_sweep_without_a_point_is_refused() {
    let before = Before::new();
    let session = before.session();
    let none: [u8; 0] = [];
    let error = session
        .sweep("nothing", none, |_, _| Ok::<_, String>(()))
        .unwrap_err();
    assert!(
        matches!(&error, Error::EmptySweep { experiment } if experiment == "nothing"),
        "{error:?}"
    );
    assert_eq!(session.ls().unwrap().len(), 1);
    before.check();
}

/// Half of a number.
#[step]
fn half(x: u64) -> u64 {
    x / 2
}

#[experiment]
fn halves(#[param] x: u64, #[param] y: u64) {
    let sum: u64 = half(x);
    #[field]
    let quarter: u64 = half(sum);
}

#[test]
fn a_grid_without_a_point_is_refused() {
    let before = Before::new();
    let session = before.session();
    let none: [u64; 0] = [];
    let error = session.execute(halves().x([1, 2]).y(none)).unwrap_err();
    assert!(
        matches!(&error, Error::Plan(PlanError::Empty { experiment, input })
            if experiment.contains("halves") && input.contains('y')),
        "{error:?}"
    );
    // A filter that leaves nothing.
    let plan = halves().x([1, 2]).y([3]).filter(|p| p.x > 7);
    let error = session.execute(plan).unwrap_err();
    assert!(
        matches!(&error, Error::Plan(PlanError::Empty { input, .. }) if input.contains("filter")),
        "{error:?}"
    );
    let plan = halves().x([1, 2]).y([3, 4, 5]).zip();
    let error = session.execute(plan).unwrap_err();
    assert!(
        matches!(&error, Error::Plan(PlanError::ZipLengths { .. })),
        "{error:?}"
    );
    assert_eq!(session.ls().unwrap().len(), 1);
    before.check();
}

#[test]
fn an_input_that_cannot_be_recorded_is_named() {
    let before = Before::new();
    let session = one_by_one(&before.path);
    let result = session.execute(halves().x([1, u64::MAX]).y([2]));
    let message = format!("{:?}", result.unwrap_err());
    assert!(
        message.contains("`x`") && message.contains("18446744073709551615"),
        "{message}"
    );
    before.check();
}

#[test]
fn a_name_that_is_too_long_is_refused() {
    let before = Before::new();
    let session = before.session();
    let error = store_error(squares(&session, &"n".repeat(10_000)));
    assert!(
        matches!(error, StoreError::ExperimentName { .. }),
        "{error:?}"
    );
    let message = error.to_string();
    assert!(
        message.contains("10000") && message.len() < 300,
        "{message}"
    );
    let error = store_error(session.load(&"n".repeat(10_000)));
    assert!(error.to_string().len() < 300, "{error}");
    before.check();
}

#[test]
fn names_of_any_characters_are_kept() {
    let before = Before::new();
    for name in [
        "it's \"quoted\"; DROP TABLE experiments; --",
        "emoji 🦀",
        "`back` %s ${x} \\",
        "Größe",
    ] {
        let session = before.session();
        squares(&session, name).unwrap();
        check_squares(&session, name);
        assert!(session.ls().unwrap().iter().any(|e| e.name == name));
    }
    // Names of columns, too.
    let session = before.session();
    session
        .run("columns", |run| {
            for name in ["select", "a \"b\"; --", "größe 🦀", "%s", "a.b"] {
                run.fields.insert(name, 7)?;
            }
            Ok::<_, xp::FieldError>(())
        })
        .unwrap();
    let run = session
        .load("columns")
        .unwrap()
        .runs()
        .next()
        .unwrap()
        .unwrap();
    assert_eq!(run.fields.get::<i64>("a \"b\"; --").unwrap(), Some(7));
    assert_eq!(run.fields.get::<i64>("größe 🦀").unwrap(), Some(7));
    before.check();
}

#[test]
fn a_name_that_no_column_can_have_fails_its_run() {
    let before = Before::new();
    let session = one_by_one(&before.path);
    let names = [
        "",
        "id_run",
        "ID_Experiment",
        ":x",
        "a\0b",
        "point",
        "nothing",
    ];
    let names = names.map(str::to_owned);
    let failed = runs_failed(session.sweep("columns", names, |name, run| {
        run.fields.insert(name, 1)?;
        Ok::<_, xp::FieldError>(())
    }));
    assert_eq!((failed.failed, failed.completed), (7, 0));
    before.check();
}

#[test]
fn an_experiment_that_is_there_is_not_overwritten() {
    let before = Before::new();
    let error = store_error(squares(&before.session(), "before"));
    assert!(
        matches!(&error, StoreError::ExperimentExists { name, file }
            if name == "before" && file.ends_with("before.db")),
        "{error:?}"
    );
    let told = error.to_string();
    let place = |what: &str| told.find(what).unwrap_or_else(|| panic!("{what}: {told}"));
    let ways = [
        "session.resume(..)",
        ".if_exists(IfExists::Replace)",
        ".named(",
    ]
    .map(place);
    assert!(ways.is_sorted(), "{told}");
    before.check();
}

#[test]
fn experiments_that_would_share_a_table_are_told_apart() {
    let before = Before::new();
    let session = before.session();
    squares(&session, "a-b").unwrap();
    let replacing = session
        .clone()
        .with(Options::new().if_exists(IfExists::Replace));
    for session in [&session, &replacing] {
        let error = store_error(squares(session, "a_b"));
        assert!(
            matches!(&error, StoreError::TableClash { name, other, table }
                if name == "a_b" && other == "a-b" && table == "experiment_a_b"),
            "{error:?}"
        );
    }
    check_squares(&session, "a-b");
    before.check();
}

#[test]
fn of_two_executions_under_one_name_one_is_refused() {
    for same_session in [true, false] {
        let before = Before::new();
        let session = before.session();
        let both = Barrier::new(2);
        let results: Vec<_> = std::thread::scope(|scope| {
            let threads = [0, 1].map(|_| {
                let session = if same_session {
                    session.clone()
                } else {
                    before.session()
                };
                let both = &both;
                scope.spawn(move || {
                    both.wait();
                    squares(&session, "twice")
                })
            });
            threads.map(|thread| thread.join().unwrap()).into()
        });
        let (won, lost): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
        assert_eq!((won.len(), lost.len()), (1, 1));
        for result in lost {
            let error = store_error(result);
            assert!(
                matches!(&error, StoreError::ExperimentExists { name, .. } if name == "twice"),
                "{error:?}"
            );
        }
        check_squares(&session, "twice");
        before.check();
    }
}

#[test]
fn an_execution_that_is_replaced_meanwhile_is_told_so() {
    let before = Before::new();
    let other = before
        .session()
        .with(Options::new().if_exists(IfExists::Replace));
    let result = one_by_one(&before.path).sweep("twice", 100..120_u64, |x, _| {
        if *x == 110 {
            squares(&other, "twice")?;
        }
        Ok::<_, Error>(*x)
    });
    let error = store_error(result);
    assert!(
        matches!(&error, StoreError::ExperimentReplaced { name, .. } if name == "twice"),
        "{error:?}"
    );
    check_squares(&other, "twice");
    before.check();
}

#[test]
fn runs_of_an_experiment_that_was_replaced_are_not_mixed_with_the_new_ones() {
    let before = Before::new();
    let session = before.session();
    let old = session.load("before").unwrap();
    session
        .clone()
        .with(Options::new().if_exists(IfExists::Replace))
        .sweep("before", [7_u64], |x, _| Ok::<_, String>(*x))
        .unwrap();
    let error = store_error(old.runs().collect::<xp::Result<Vec<_>>>());
    assert!(
        matches!(&error, StoreError::ExperimentReplaced { name, .. } if name == "before"),
        "{error:?}"
    );
    assert!(old.table().rows().is_empty(), "{}", old.table());

    session.delete("before").unwrap();
    let error = store_error(session.load("before").map(|_| ()));
    assert!(
        matches!(error, StoreError::ExperimentNotFound { .. }),
        "{error:?}"
    );
}

#[test]
fn a_panic_with_a_lock_held_ends_its_run_only() {
    let before = Before::new();
    let session = one_by_one(&before.path);
    let shared = Mutex::new(0_u64);
    let failed = runs_failed(session.sweep("locked", 0..4_u64, |x, _| {
        let mut sum = match shared.lock() {
            Ok(sum) => sum,
            Err(_) => return Err("another run panicked with the lock held".to_owned()),
        };
        *sum += x;
        assert!(*x != 1, "one is no number");
        Ok(*sum)
    }));
    assert_eq!((failed.completed, failed.failed), (1, 3));
    assert_eq!(failed.first.outcome, Outcome::Panicked);
    assert_eq!(failed.first.exception.message, "one is no number");
    let experiment = failed.experiment.unwrap();
    assert_eq!(experiment.failures().count(), 3);
    assert_eq!(experiment.runs().count(), 1);
    before.check();
}

#[test]
fn a_panic_without_a_text_is_recorded_with_its_place() {
    let before = Before::new();
    let session = one_by_one(&before.path);
    let failed = runs_failed(session.sweep("panics", [1_u8, 2], |x, _| {
        if *x == 1 {
            std::panic::panic_any(vec![*x]);
        }
        Ok::<_, String>(*x)
    }));
    assert_eq!((failed.completed, failed.failed), (1, 1));
    let exception = &failed.first.exception;
    assert_eq!(exception.message, "panicked with a payload that is no text");
    assert!(
        exception
            .location
            .as_ref()
            .is_some_and(|l| l.contains("bad_input.rs")),
        "{exception:?}"
    );
    assert_eq!(failed.first.inputs.get("point").unwrap(), Some(1_u8));
    before.check();
}

#[test]
fn a_field_of_another_type_than_its_column_fails_its_run() {
    let before = Before::new();
    let session = one_by_one(&before.path);
    let failed = runs_failed(session.sweep("types", 0..3_u8, |x, run| {
        if *x == 1 {
            run.fields.insert("found", "one".to_owned())
        } else {
            run.fields.insert("found", *x)
        }
    }));
    assert_eq!((failed.completed, failed.failed), (2, 1));
    let message = failed.first.exception.to_string();
    assert!(
        message.contains("`found`") && message.contains("int") && message.contains("text"),
        "{message}"
    );
    let found: Vec<_> = session
        .load("types")
        .unwrap()
        .runs()
        .map(|run| run.unwrap().fields.get::<u8>("found").unwrap())
        .collect();
    assert_eq!(found, [Some(0), Some(2)]);
    before.check();
}

#[test]
fn columns_that_sqlite_cannot_tell_apart_are_refused() {
    #[derive(Serialize, Deserialize)]
    struct Point {
        k: u8,
    }
    #[derive(Debug, Serialize, Deserialize)]
    #[allow(non_snake_case)]
    struct Fields {
        K: u8,
    }
    let before = Before::new();
    let session = before.session();
    let error = session
        .sweep("clash", [Point { k: 1 }], |p, _| {
            Ok::<_, String>(Fields { K: p.k })
        })
        .unwrap_err();
    assert!(matches!(error, Error::Layout(_)), "{error:?}");
    let message = error.to_string();
    assert!(
        message.contains("`K`") && message.contains("`k`") && message.contains("clash"),
        "{message}"
    );
    before.check();
}

#[test]
fn a_damaged_cell_is_named_and_the_other_experiments_are_read() {
    let before = Before::new();
    let session = before.session();
    session
        .sweep("cells", [1_u8], |x, _| {
            Ok::<_, String>(vec![*x, 2, 3].len())
        })
        .unwrap();
    let db = rusqlite::Connection::open(&before.path).unwrap();
    db.execute("UPDATE experiment_cells SET result = 'three'", [])
        .unwrap();
    let experiment = session.load("cells").unwrap();
    let error = experiment.runs().next().unwrap().unwrap_err();
    // With its causes.
    let message = format!("{error:?}");
    assert!(
        message.contains("`result`") && message.contains("cells"),
        "{message}"
    );
    before.check();
}

#[test]
fn nothing_is_read_of_a_page_that_is_damaged_in_the_middle() {
    let before = Before::new();
    let session = before.session();
    let experiment = session.load_as::<xp::Swept<u64, u64>>("before").unwrap();
    rusqlite::Connection::open(&before.path)
        .unwrap()
        .execute(
            "UPDATE experiment_before SET id_run = 'nobody' WHERE _rowid_ = 3",
            [],
        )
        .unwrap();
    let mut runs = experiment.runs();
    let error = runs.next().unwrap().unwrap_err();
    assert!(
        matches!(error, Error::Store(StoreError::Unexpected { .. })),
        "{error:?}"
    );
    assert!(runs.next().is_none() && runs.next().is_none());
}

#[test]
fn a_file_that_cannot_be_opened_is_told_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let open = |path: &Path| xp::Session::open(path).unwrap_err().to_string();
    let missing = folder.path().join("missing").join("x.db");
    assert!(open(&missing).contains("cannot be opened: there is no directory"));
    assert!(open(folder.path()).contains("cannot be opened: it is a directory"));
    let error = xp::Session::open_read_only(folder.path().join("y.db")).unwrap_err();
    assert!(
        error.to_string().contains("there is no such file"),
        "{error}"
    );
    assert!(!folder.path().join("y.db").exists());
}
