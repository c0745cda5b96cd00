//! The tables are made, and brought up to date, once: whoever is killed on the way, and however
//! many processes begin together.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use rusqlite::Connection;
use xp::prelude::*;

use crate::child::{End, FAILPOINT, command};

/// Those of a file that is not there yet, and of one of the first version.
const FAILPOINTS: [[&str; 3]; 2] = [
    ["schema.begun", "schema.tables", "schema.before_commit"],
    ["schema.begun", "schema.columns", "schema.before_commit"],
];

const DB: &str = "XP_TEST_DB";

#[test]
#[ignore = "a part of other tests, in a process of its own"]
fn opens_the_file() {
    drop(Session::open(std::env::var_os(DB).unwrap()).unwrap());
}

fn open(path: &Path, failpoint: Option<&str>) -> std::process::Child {
    let mut command = command("schema::opens_the_file");
    command.env(DB, path);
    if let Some(failpoint) = failpoint {
        command.env(FAILPOINT, format!("{failpoint}:1"));
    }
    command.spawn().unwrap()
}

fn end(output: Output) -> End {
    End::of(output)
}

/// A file that is not there yet, and one of the first version.
fn files() -> (tempfile::TempDir, [PathBuf; 2]) {
    let dir = tempfile::tempdir().unwrap();
    let old = dir.path().join("old.db");
    let first = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/schema-1.db");
    fs::copy(first, &old).unwrap();
    let files = [dir.path().join("new.db"), old];
    (dir, files)
}

/// The version of the schema; `None` if there are no tables yet.
#[track_caller]
fn version(path: &Path) -> Option<i64> {
    let db = Connection::open(path).unwrap();
    let whole: String = db
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(whole, "ok");
    let mut statement = db.prepare("SELECT version FROM xp_schema").ok()?;
    let versions = statement.query_map([], |row| row.get(0)).unwrap();
    let versions: Vec<i64> = versions.map(Result::unwrap).collect();
    assert_eq!(versions.len(), 1);
    versions.first().copied()
}

/// The tables of the file, in SQL.
fn tables(path: &Path) -> Vec<String> {
    let db = Connection::open(path).unwrap();
    let mut statement = db
        .prepare("SELECT coalesce(sql, name) FROM sqlite_master ORDER BY name")
        .unwrap();
    let tables = statement.query_map([], |row| row.get(0)).unwrap();
    tables.map(Result::unwrap).collect()
}

/// What the files are like that nobody was killed over.
fn undisturbed() -> [Vec<String>; 2] {
    let (_dir, files) = files();
    files.map(|path| {
        drop(Session::open(&path).unwrap());
        tables(&path)
    })
}

#[test]
fn tables_are_made_whole_or_not_at_all() {
    let undisturbed = undisturbed();
    for round in 0..FAILPOINTS[0].len() {
        let (_dir, files) = files();
        for ((path, tables_then), failpoints) in files.iter().zip(&undisturbed).zip(FAILPOINTS) {
            let failpoint = failpoints[round];
            let before = if path.exists() {
                tables(path)
            } else {
                Vec::new()
            };
            let output = open(path, Some(failpoint)).wait_with_output().unwrap();
            assert!(end(output).killed(), "{failpoint} is never come to");
            let killed = tables(path);
            assert!(killed == before || killed.is_empty(), "{killed:?}");
            drop(Session::open(path).unwrap());
            assert_eq!(&tables(path), tables_then);
            assert!(version(path).is_some());
        }
    }
}

#[test]
fn processes_that_begin_together_make_the_tables_once() {
    let undisturbed = undisturbed();
    for round in 0..6 {
        let (_dir, files) = files();
        for ((path, tables_then), failpoints) in files.iter().zip(&undisturbed).zip(FAILPOINTS) {
            let failpoint = failpoints.get(round);
            let first = open(path, failpoint.copied());
            let others: Vec<_> = (0..4).map(|_| open(path, None)).collect();
            first.wait_with_output().unwrap();
            for other in others {
                assert!(end(other.wait_with_output().unwrap()).ended());
            }
            assert_eq!(&tables(path), tables_then);
            assert!(version(path).is_some());
        }
    }
}
