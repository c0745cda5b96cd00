//! Files of earlier versions of the schema: they are brought up to date once, and lose nothing.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use xp::prelude::*;
use xp::{Outcome, PointState};

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Loss {
    value: f64,
}

#[step]
fn half(run: &mut Run, losses: &mut Sequence<Loss>, n: u64) -> Result<f64, String> {
    losses.append(Loss { value: n as f64 });
    run.artifact("note", "new");
    Ok(n as f64 / 2.0)
}

#[experiment]
fn halves(
    #[config(default = 0.5)] share: f64,
    #[param] n: u64,
    #[sequence] losses: Sequence<Loss>,
    run: &mut Run,
) {
    #[field]
    let half: f64 = half(run, &mut losses, n)?;
}

/// The version of files that this xp writes, and those that it reads beside it.
const VERSION: i64 = 3;
const OLD: [i64; 2] = [1, 2];

struct Old {
    _dir: tempfile::TempDir,
    path: PathBuf,
}

impl Old {
    /// A file of that version. All have the same content.
    fn of(version: i64) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("old.db");
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
        std::fs::copy(data.join(format!("schema-{version}.db")), &path).unwrap();
        Self { _dir: dir, path }
    }

    /// A file of the first version.
    fn new() -> Self {
        Self::of(1)
    }

    fn version(&self) -> i64 {
        let db = Connection::open(&self.path).unwrap();
        let version = |row: &rusqlite::Row<'_>| row.get(0);
        db.query_row("SELECT version FROM xp_schema", [], version)
            .unwrap()
    }

    /// The columns of xp's tables.
    fn tables(&self) -> Vec<(String, String)> {
        let db = Connection::open(&self.path).unwrap();
        let sql = "SELECT t.name, c.name FROM sqlite_master t, pragma_table_info(t.name) c
                   WHERE t.type = 'table' AND t.name GLOB 'xp_*' ORDER BY t.name, c.name";
        let mut columns = db.prepare(sql).unwrap();
        let columns = columns.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
        columns.unwrap().map(Result::unwrap).collect()
    }

    fn content(&self) -> Vec<u8> {
        std::fs::read(&self.path).unwrap()
    }
}

/// All that was in the file is there.
#[track_caller]
fn check(session: &Session) {
    let listed = session.ls().unwrap();
    assert_eq!((listed.len(), listed[0].runs), (1, 7));
    let experiment = session.load_as::<Halves>("halves").unwrap();
    assert_eq!(experiment.partial(), 0);
    let mut found = BTreeMap::new();
    for run in experiment.runs() {
        let run = run.unwrap();
        let HalvesFields {
            share,
            n,
            losses,
            half,
        } = run.fields;
        assert_eq!((share, half), (0.5, n as f64 / 2.0));
        assert_eq!(losses.values().unwrap(), [Loss { value: n as f64 }]);
        let note = experiment.artifact(run.id_run, "note").unwrap();
        assert_eq!(note.as_deref(), Some(&b"kept"[..]));
        found.insert(n, run.id_run);
    }
    let expected: Vec<u64> = (0..8).filter(|n| *n != 3).collect();
    assert_eq!(found.into_keys().collect::<Vec<_>>(), expected);
    let failures: Vec<_> = experiment.failures().map(Result::unwrap).collect();
    assert_eq!(failures.len(), 1);
    assert_eq!(failures[0].outcome, Outcome::Failed);
    assert_eq!(failures[0].exception.message, "three");
    assert_eq!(failures[0].inputs.get::<u64>("n").unwrap(), Some(3));
    assert_eq!(failures[0].attempt, 1);
    let untyped = session.load("halves").unwrap();
    assert_eq!(untyped.runs().map(Result::unwrap).count(), 7);
    let table = untyped.table().group_by("share").to_string();
    assert!(table.contains('7'), "{table}");
}

#[track_caller]
fn check_plan(session: &Session) {
    let report = session.plan(halves().n(0..10)).unwrap();
    let counts = report.counts;
    assert_eq!((counts.complete, counts.failed, counts.missing), (7, 1, 2));
    assert_eq!(counts.to_run, 3);
    assert_eq!(
        report.points()[3].state,
        PointState::Failed(Outcome::Failed)
    );
}

#[test]
fn a_file_is_migrated_once_and_keeps_all() {
    for version in OLD {
        let old = Old::of(version);
        assert_eq!(old.version(), version);
        for _ in 0..2 {
            let session = Session::open(&old.path).unwrap();
            check(&session);
            check_plan(&session);
            drop(session);
            assert_eq!(old.version(), VERSION);
            assert_eq!(old.tables(), new_tables());
        }
    }
}

/// The columns of xp's tables in a new file.
fn new_tables() -> Vec<(String, String)> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("new.db");
    drop(Session::open(&path).unwrap());
    Old { _dir: dir, path }.tables()
}

#[test]
fn what_was_begun_in_an_old_version_is_resumed() {
    for version in OLD {
        let old = Old::of(version);
        let session = Session::open(&old.path).unwrap();
        let experiment = session.resume(halves().n(0..10)).unwrap();
        assert_eq!(experiment.runs().count(), 10);
        assert_eq!(experiment.failures().count(), 0);
        let counts = experiment.counts().unwrap();
        assert_eq!((counts.complete, counts.to_run), (7, 3));
        let ran = session
            .query("SELECT count(*) FROM xp_run WHERE execution > 1")
            .unwrap();
        assert_eq!(ran.rows()[0][0], xp::Value::Int(3));
        assert_eq!(session.ls().unwrap()[0].runs, 10);
        let report = session.plan(halves().n(0..10)).unwrap();
        assert_eq!((report.counts.complete, report.counts.to_run), (10, 0));
    }
}

#[test]
fn an_old_file_is_read_and_not_changed() {
    for version in OLD {
        let old = Old::of(version);
        let before = old.content();
        let session = Session::open_read_only(&old.path).unwrap();
        check(&session);
        check_plan(&session);
        let attempts = session.query("SELECT max(attempt) FROM xp_run").unwrap();
        assert_eq!(attempts.rows()[0][0], xp::Value::Int(1));
        let refused = session.resume(halves().n(0..10)).unwrap_err();
        assert!(refused.to_string().contains("read"), "{refused}");
        drop(session);
        assert_eq!(old.content(), before);
        assert_eq!(old.version(), version);
    }
}

#[test]
fn an_old_file_is_read_in_a_directory_that_must_not_be_written() {
    let old = Old::new();
    let directory = old.path.parent().unwrap();
    let mut permissions = std::fs::metadata(directory).unwrap().permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(directory, permissions.clone()).unwrap();
    let session = Session::open_read_only(&old.path).unwrap();
    check(&session);
    check_plan(&session);
    drop(session);
    #[allow(clippy::permissions_set_readonly_false, reason = "it is to be removed")]
    permissions.set_readonly(false);
    std::fs::set_permissions(directory, permissions).unwrap();
}

#[test]
fn a_reader_goes_on_while_another_one_migrates() {
    let old = Old::new();
    let reader = Session::open_read_only(&old.path).unwrap();
    check(&reader);
    let session = Session::open(&old.path).unwrap();
    check(&reader);
    check_plan(&reader);
    session.resume(halves().n(0..10)).unwrap();
    assert_eq!(
        reader.load_as::<Halves>("halves").unwrap().runs().count(),
        10
    );
    assert_eq!(reader.load("halves").unwrap().failures().count(), 0);
    let report = reader.plan(halves().n(0..10)).unwrap();
    assert_eq!((report.counts.complete, report.counts.to_run), (10, 0));
}

#[test]
fn a_file_without_tables_of_xp_is_read() {
    let old = Old::new();
    let db = Connection::open(&old.path).unwrap();
    let mut names = db
        .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB 'xp_*'")
        .unwrap();
    let names: Vec<String> = names
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    for name in names {
        db.execute_batch(&format!("DROP TABLE {name}")).unwrap();
    }
    let session = Session::open_read_only(&old.path).unwrap();
    let experiment = session.load_as::<Halves>("halves").unwrap();
    assert_eq!(
        (experiment.runs().count(), experiment.failures().count()),
        (7, 0)
    );
    let refused = session.plan(halves().n(0..10)).unwrap_err();
    assert!(
        matches!(
            &refused,
            xp::Error::Store(xp::StoreError::NotMadeByXp { .. })
        ),
        "{refused}"
    );
}

const DB: &str = "XP_TEST_DB";

#[test]
#[ignore = "a part of other tests, in a process of its own"]
fn resumes() {
    let session = Session::open(std::env::var_os(DB).unwrap()).unwrap();
    let experiment = session.resume(halves().n(0..10)).unwrap();
    assert_eq!(experiment.runs().count(), 10);
}

fn process(old: &Old, failpoint: Option<&str>) -> std::process::Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "resumes", "--ignored"])
        .stdout(Stdio::null())
        .env(DB, &old.path);
    if let Some(failpoint) = failpoint {
        command.env("XP_FAILPOINT", format!("{failpoint}:1"));
    }
    command.spawn().unwrap()
}

#[test]
fn processes_that_open_it_together_migrate_it_once() {
    let old = Old::new();
    let processes: Vec<_> = (0..4).map(|_| process(&old, None)).collect();
    for mut process in processes {
        assert!(process.wait().unwrap().success());
    }
    assert_eq!(old.version(), VERSION);
    let db = Connection::open(&old.path).unwrap();
    let sql = "SELECT count(*) FROM xp_run WHERE execution > 1";
    let ran: i64 = db.query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(ran, 3);
}

#[test]
fn a_kill_in_the_middle_of_a_migration_leaves_the_old_file() {
    let failpoints = ["schema.begun", "schema.columns", "schema.before_commit"];
    for (version, failpoint) in OLD.iter().flat_map(|of| failpoints.map(|at| (*of, at))) {
        let old = Old::of(version);
        let mut killed = process(&old, Some(failpoint));
        assert!(!killed.wait().unwrap().success(), "{failpoint}");
        assert_eq!(old.version(), version, "{failpoint}");
        let reader = Session::open_read_only(&old.path).unwrap();
        check(&reader);
        drop(reader);
        let session = Session::open(&old.path).unwrap();
        check(&session);
        assert_eq!(
            session.resume(halves().n(0..10)).unwrap().runs().count(),
            10
        );
        assert_eq!(old.version(), VERSION);
    }
}
