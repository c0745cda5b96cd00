//! What must hold of the file of a sweep, whenever its processes are dead.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;

use rusqlite::Connection;
use uuid::Uuid;
use xp::prelude::*;

use crate::sweep::{EXPECTED, Killed, POINTS, Sweep, cells, is_skipped};

/// How much was looked at.
#[derive(Debug, Default)]
pub(crate) struct Checked {
    /// Rows of completed runs whose fields were compared.
    pub(crate) points: u64,
    /// Points that were skipped.
    pub(crate) skipped: u64,
    /// Runs that had counted, and were looked for.
    pub(crate) logged: u64,
}

/// After a kill. It is a copy that is looked at: the log is left for the next process to recover.
#[track_caller]
pub(crate) fn after_a_kill(sweep: &Sweep) -> Checked {
    let copy = sweep.path("copy.db");
    if !sweep.db().exists() {
        assert!(counted(sweep).is_empty());
        return Checked::default();
    }
    fs::copy(sweep.db(), &copy).unwrap();
    let log = |db: &Path| db.with_extension("db-wal");
    if log(&sweep.db()).exists() {
        fs::copy(log(&sweep.db()), log(&copy)).unwrap();
    }
    let checked = check(sweep, &copy);
    for file in [copy.clone(), log(&copy), copy.with_extension("db-shm")] {
        let _ = fs::remove_file(file);
    }
    checked
}

/// After the sweep has come to its end.
#[track_caller]
pub(crate) fn complete(sweep: &Sweep) -> Checked {
    let checked = check(sweep, &sweep.db());
    assert_eq!(checked.points as usize, EXPECTED.len());
    let skips = (0..POINTS).filter(|x| is_skipped(*x)).count();
    assert_eq!(checked.skipped as usize, skips);
    let session = Session::open(sweep.db()).unwrap();
    let runs = session.load_as::<Killed>("killed").unwrap().runs();
    assert_eq!(runs.map(Result::unwrap).count(), EXPECTED.len());
    checked
}

/// The last outcome of each run that had counted.
#[track_caller]
fn counted(sweep: &Sweep) -> HashMap<Uuid, String> {
    let text = fs::read_to_string(sweep.log()).unwrap_or_default();
    let mut counted = HashMap::new();
    for line in text.lines() {
        let (id, outcome) = line.split_once(' ').unwrap();
        let before = counted.insert(id.parse().unwrap(), outcome.to_owned());
        assert_ne!(before.as_deref(), Some("completed"), "{id} counted twice");
        assert_ne!(before.as_deref(), Some("skipped"), "{id} counted twice");
    }
    counted
}

#[track_caller]
fn check(sweep: &Sweep, path: &Path) -> Checked {
    let db = Connection::open(path).unwrap();
    let whole: String = db
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(whole, "ok");
    let ledger = ledger(&db);
    drop(db);

    let mut rows = HashSet::new();
    let session = Session::open_read_only(path).unwrap();
    for experiment in session.ls().unwrap() {
        assert_eq!(experiment.name, "killed");
        if experiment.runs == 0 {
            continue;
        }
        for run in session.load_as::<Killed>("killed").unwrap().runs() {
            let run = run.unwrap();
            assert_eq!(EXPECTED.get(&run.id_run), Some(&cells(run.fields)));
            assert!(rows.insert(run.id_run), "{} is there twice", run.id_run);
        }
    }

    // A row and an entry of the ledger come together, or not at all.
    let completed: HashSet<_> = of(&ledger, "completed").collect();
    assert_eq!(of(&ledger, "completed").count(), completed.len());
    let parted: Vec<_> = completed.symmetric_difference(&rows).collect();
    assert!(parted.is_empty(), "{parted:?}");
    let skips: Vec<_> = of(&ledger, "skipped").collect();
    let skipped: HashSet<_> = skips.iter().collect();
    assert_eq!(skips.len(), skipped.len());

    let counted = counted(sweep);
    for (id, outcome) in &counted {
        let there = match outcome.as_str() {
            "completed" => rows.contains(id),
            "skipped" => skipped.contains(id),
            other => panic!("{id} {other}"),
        };
        assert!(there, "{id} ({outcome}) had counted, and is lost");
    }
    Checked {
        points: rows.len() as u64,
        skipped: skips.len() as u64,
        logged: counted.len() as u64,
    }
}

fn of<'a>(ledger: &'a [(Uuid, String)], outcome: &'a str) -> impl Iterator<Item = Uuid> + 'a {
    let entries = ledger.iter().filter(move |(_, found)| found == outcome);
    entries.map(|(id, _)| *id)
}

/// The entries of the ledger, if there is one already.
fn ledger(db: &Connection) -> Vec<(Uuid, String)> {
    let Ok(mut statement) = db.prepare("SELECT id_run, outcome FROM xp_run ORDER BY seq") else {
        return Vec::new();
    };
    let entries = statement.query_map([], |row| {
        Ok((row.get::<_, String>(0)?.parse().unwrap(), row.get(1)?))
    });
    entries.unwrap().map(Result::unwrap).collect()
}
