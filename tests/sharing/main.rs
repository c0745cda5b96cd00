//! Several processes, sessions and threads that execute the same sweep at the same time: they share
//! it, every point is accepted once, and whoever dies leaves its points to the others.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![cfg(unix)]

mod changes;
mod child;
mod fencing;
mod jobs;
mod processes;
mod sessions;
mod staged;

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::Connection;

/// A database in a directory of its own, and a log of what is run.
struct Dir(tempfile::TempDir);

impl Dir {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn db(&self) -> PathBuf {
        self.path("shared.db")
    }

    /// What the steps write when they begin: a line for each, with the process and the point.
    fn log(&self) -> PathBuf {
        self.path("begun.log")
    }

    /// Who began which point, in order.
    fn begun(&self) -> Vec<(u32, u32)> {
        let text = fs::read_to_string(self.log()).unwrap_or_default();
        let pair = |line: &str| {
            let (pid, x) = line.split_once(' ')?;
            Some((pid.parse().ok()?, x.parse().ok()?))
        };
        text.lines().map(|line| pair(line).unwrap()).collect()
    }

    /// How many points each process began.
    fn shares(&self) -> HashMap<u32, usize> {
        let mut shares = HashMap::new();
        for (pid, _) in self.begun() {
            *shares.entry(pid).or_default() += 1;
        }
        shares
    }

    /// Waits until so many points were begun.
    #[track_caller]
    fn wait_for(&self, count: usize) {
        wait_until(|| self.begun().len() >= count);
    }

    fn count(&self, sql: &str) -> i64 {
        let db = Connection::open(self.db()).unwrap();
        db.query_row(sql, [], |row| row.get(0)).unwrap()
    }
}

#[track_caller]
fn wait_until(mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(20), "it never comes");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// All points of a sweep are in the file, each once: as a row, as an entry of the ledger, and in
/// the meta. Nobody has a claim any more.
#[track_caller]
fn check(path: &Path, table: &str, points: impl IntoIterator<Item = u32>) {
    let db = Connection::open(path).unwrap();
    let one = |sql: &str| -> i64 { db.query_row(sql, [], |row| row.get(0)).unwrap() };
    let whole: String = db
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(whole, "ok");
    let expected: HashSet<u32> = points.into_iter().collect();
    let mut rows = db.prepare(&format!("SELECT x FROM {table}")).unwrap();
    let rows: Vec<u32> = rows
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(rows.len(), expected.len(), "rows");
    assert_eq!(rows.into_iter().collect::<HashSet<_>>(), expected);
    let completed = "SELECT count(*) FROM xp_run WHERE outcome = 'completed'";
    assert_eq!(one(completed), expected.len() as i64, "completed entries");
    let points = "SELECT count(DISTINCT id_run) FROM xp_run WHERE outcome = 'completed'";
    assert_eq!(one(points), expected.len() as i64, "completed points");
    let matches = format!(
        "SELECT count(*) FROM {table} JOIN xp_run USING (id_run) WHERE outcome = 'completed'"
    );
    assert_eq!(one(&matches), expected.len() as i64);
    assert_eq!(
        one("SELECT completed FROM xp_experiment"),
        expected.len() as i64
    );
    assert_eq!(one("SELECT count(*) FROM xp_claim"), 0, "claims");
}
