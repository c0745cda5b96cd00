//! What is in the file: facts that programs beside xp may rely on, looked at in plain SQL; and what
//! a session makes of them.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::civil::{Date, DateTime, Time, date, time};
use rusqlite::{Connection, OpenFlags};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;
use uuid::Uuid;
use xp::datapak;
use xp::prelude::*;
use xp::{Bunch, Error, StoreError, Swept, Value};

struct File {
    _dir: TempDir,
    path: PathBuf,
}

impl File {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file.db");
        Self { _dir: dir, path }
    }

    fn session(&self) -> Session {
        Session::open(&self.path).unwrap()
    }

    /// The file alone, without the log beside it.
    fn copy(&self) -> Connection {
        let copy = self.path.with_extension("copy");
        std::fs::copy(&self.path, &copy).unwrap();
        Connection::open(copy).unwrap()
    }
}

/// The rows of a query, a text for every cell.
fn rows(db: &Connection, sql: &str) -> Vec<Vec<String>> {
    let mut statement = db.prepare(sql).unwrap();
    let count = statement.column_count();
    let rows = statement.query_map([], |row| {
        (0..count)
            .map(|i| row.get::<_, rusqlite::types::Value>(i))
            .collect()
    });
    let text = |value| match value {
        rusqlite::types::Value::Null => "NULL".to_owned(),
        rusqlite::types::Value::Integer(int) => int.to_string(),
        rusqlite::types::Value::Real(real) => format!("{real:?}"),
        rusqlite::types::Value::Text(text) => text,
        rusqlite::types::Value::Blob(blob) => format!("({} bytes)", blob.len()),
    };
    rows.unwrap()
        .map(|row: rusqlite::Result<Vec<_>>| row.unwrap().into_iter().map(text).collect())
        .collect()
}

fn one(db: &Connection, sql: &str) -> String {
    let rows = rows(db, sql);
    assert_eq!((rows.len(), rows[0].len()), (1, 1), "{rows:?}");
    rows[0][0].clone()
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Point {
    k: u32,
    label: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Fields {
    flag: bool,
    ratio: f64,
    spent: Duration,
    maybe: Option<i64>,
    curve: Vec<f64>,
}

fn points(count: u32) -> Vec<Point> {
    (0..count)
        .map(|k| Point {
            k,
            label: format!("label {k}"),
        })
        .collect()
}

fn fields(k: u32) -> Fields {
    Fields {
        flag: k.is_multiple_of(2),
        ratio: f64::from(k) / 4.0,
        spent: Duration::from_millis(250),
        maybe: (k % 2 == 1).then_some(i64::from(k)),
        curve: vec![0.5; k as usize],
    }
}

fn sweep(session: &Session, name: &str, count: u32) -> Experiment<Swept<Point, Fields>> {
    session
        .sweep(name, points(count), |p, _| Ok::<_, String>(fields(p.k)))
        .unwrap()
}

/// Runs that end in every way, and an artifact each.
fn mixed(session: &Session) -> Experiment {
    let session = session
        .clone()
        .with(Options::new().policy(Policy::KeepGoing));
    let result = session.sweep("mixed", 0..8_u32, |k, run| {
        run.artifact("log", format!("run {k}"));
        match k % 4 {
            0 => Ok(k * k),
            1 => Err(xp::BoxError::from("one".parse::<u8>().unwrap_err())),
            2 => panic!("{k} is even"),
            _ => Err(xp::skip("there is nothing to compute").into()),
        }
    });
    match result.unwrap_err() {
        Error::RunsFailed(failed) => failed.experiment.unwrap(),
        other => panic!("another error: {other:?}"),
    }
}

#[test]
fn the_table_of_an_experiment_has_a_row_a_run_and_a_column_a_value() {
    let file = File::new();
    let experiment = sweep(&file.session(), "My sweep", 5);
    let db = file.copy();
    let columns: BTreeMap<_, _> = rows(
        &db,
        "SELECT name, type FROM pragma_table_info('experiment_my_sweep')",
    )
    .into_iter()
    .map(|row| (row[0].clone(), row[1].clone()))
    .collect();
    let expected = [
        ("curve", "BLOB"),
        ("flag", "BOOLEAN"),
        ("id_experiment", "CHAR(32)"),
        ("id_run", "CHAR(32)"),
        ("k", "BIGINT"),
        ("label", "TEXT"),
        ("maybe", "BIGINT"),
        ("ratio", "FLOAT"),
        ("spent", "FLOAT"),
    ];
    assert_eq!(
        columns,
        expected.map(|(n, t)| (n.to_owned(), t.to_owned())).into()
    );
    assert_eq!(
        rows(
            &db,
            "SELECT k, label, flag, maybe, ratio, spent, typeof(curve) FROM experiment_my_sweep \
             WHERE k IN (2, 3) ORDER BY k"
        ),
        [
            ["2", "label 2", "1", "NULL", "0.5", "0.25", "blob"],
            ["3", "label 3", "0", "3", "0.75", "0.25", "blob"]
        ]
    );
    for table in ["experiments", "experiment_my_sweep", "xp_experiment"] {
        let ids = rows(&db, &format!("SELECT DISTINCT id_experiment FROM {table}"));
        assert_eq!(ids, [[experiment.id_experiment.simple().to_string()]]);
    }
    let ids: BTreeSet<_> = rows(&db, "SELECT id_run FROM experiment_my_sweep")
        .concat()
        .into_iter()
        .collect();
    let expected = experiment
        .runs()
        .map(|run| run.unwrap().id_run.simple().to_string());
    assert_eq!(ids, expected.collect());
    assert_eq!(ids.len(), 5);
}

#[test]
fn the_meta_lists_the_columns() {
    let file = File::new();
    sweep(&file.session(), "listed", 3);
    let db = file.copy();
    let meta: Vec<u8> = db
        .query_row("SELECT meta FROM experiments", [], |row| row.get(0))
        .unwrap();
    let meta: Bunch = bunch(datapak::decode(&meta).unwrap());
    let runs = bunch(meta.value("runs").unwrap().clone());
    assert_eq!(runs.get("count").unwrap(), Some(3));
    assert_eq!(
        runs.get("table_name").unwrap(),
        Some("experiment_listed".to_owned())
    );
    let columns = bunch(runs.value("columns").unwrap().clone());
    assert_eq!(
        columns.get("serialized").unwrap(),
        Some(vec!["curve".to_owned()])
    );
    let native: BTreeSet<String> = columns.get("non_serialized").unwrap().unwrap();
    let expected = ["flag", "k", "label", "maybe", "ratio", "spent"];
    assert_eq!(native, expected.map(str::to_owned).into());
    assert_eq!(
        one(&db, "SELECT unsafe_pickle IS NULL FROM experiments"),
        "1"
    );
}

fn bunch(value: Value) -> Bunch {
    match value {
        Value::Bunch(members) => members.into_iter().collect(),
        other => panic!("no bunch: {other}"),
    }
}

#[test]
fn every_outcome_is_in_the_ledger_and_completed_runs_in_the_table() {
    let file = File::new();
    let experiment = mixed(&file.session());
    let db = file.copy();
    assert_eq!(
        rows(
            &db,
            "SELECT outcome, count(*) FROM xp_run GROUP BY outcome ORDER BY outcome"
        ),
        [
            ["completed", "2"],
            ["failed", "2"],
            ["panicked", "2"],
            ["skipped", "2"]
        ]
    );
    assert_eq!(one(&db, "SELECT count(*) FROM experiment_mixed"), "2");
    assert_eq!(
        one(
            &db,
            "SELECT count(*) FROM xp_run WHERE length(id_run) = 32 \
             AND started > 1600000000000000 AND elapsed >= 0"
        ),
        "8"
    );
    assert_eq!(
        rows(
            &db,
            "SELECT outcome, message, location IS NULL, count(*) FROM xp_run \
             JOIN xp_exception USING (seq) GROUP BY outcome, message ORDER BY outcome, message"
        ),
        [
            ["failed", "invalid digit found in string", "1", "2"],
            ["panicked", "2 is even", "0", "1"],
            ["panicked", "6 is even", "0", "1"],
            ["skipped", "there is nothing to compute", "1", "2"]
        ]
    );
    assert_eq!(
        one(
            &db,
            "SELECT root_seed || ' ' || (ended >= started) FROM xp_execution"
        ),
        "123 1"
    );

    let inputs: BTreeSet<u32> = experiment
        .failures()
        .map(|failure| failure.unwrap().inputs.get("point").unwrap().unwrap())
        .collect();
    assert_eq!(inputs, [1, 2, 3, 5, 6, 7].into());
}

#[test]
fn artifacts_are_kept_whatever_the_outcome() {
    let file = File::new();
    let session = file.session();
    let experiment = mixed(&session);
    let ids = experiment
        .runs()
        .map(|run| run.unwrap().id_run)
        .chain(experiment.failures().map(|failure| failure.unwrap().id_run));
    let logs: BTreeSet<_> = ids
        .map(|id| experiment.artifact(id, "log").unwrap().unwrap())
        .collect();
    let expected = (0..8).map(|k| format!("run {k}").into_bytes());
    assert_eq!(logs, expected.collect());
    assert_eq!(experiment.artifact(Uuid::nil(), "log").unwrap(), None);
}

#[test]
fn an_artifact_belongs_to_its_experiment() {
    // The two runs have one id, as their points are the same.
    let session = Session::in_memory().unwrap();
    let run = |name: &str, text: &'static str| {
        let session = session.clone().with(Options::new().named(name));
        session.run("declared", |run| {
            run.artifact("log", text);
            Ok::<_, String>(())
        })
    };
    let (a, b) = (run("a", "of a").unwrap(), run("b", "of b").unwrap());
    let id = |e: &Experiment<Swept<(), ()>>| e.runs().next().unwrap().unwrap().id_run;
    assert_eq!(id(&a), id(&b));
    assert_eq!(a.artifact(id(&a), "log").unwrap().unwrap(), b"of a");
    assert_eq!(b.artifact(id(&b), "log").unwrap().unwrap(), b"of b");
}

#[test]
fn a_query_only_reads() {
    let file = File::new();
    let session = file.session();
    sweep(&session, "a", 3);
    for sql in [
        "DELETE FROM experiment_a",
        "UPDATE experiments SET name = 'b'",
        "DROP TABLE experiment_a",
        "INSERT INTO xp_schema VALUES (7)",
        "PRAGMA user_version = 7",
        "PRAGMA journal_mode = DELETE",
        "ATTACH 'other.db' AS other",
        "VACUUM",
        "BEGIN IMMEDIATE",
        "SELECT 1; DELETE FROM experiment_a",
        "",
    ] {
        let answer = session.query(sql);
        assert!(matches!(answer, Err(Error::Store(_))), "{sql}: {answer:?}");
    }
    let error = session.query("DELETE FROM experiment_a").unwrap_err();
    assert!(
        matches!(&error, Error::Store(StoreError::QueryWrites { sql }) if sql.contains("DELETE")),
        "{error:?}"
    );
    let error = session.query("SELECT nonsense FROM experiment_a");
    assert!(format!("{:?}", error.unwrap_err()).contains("nonsense"));
    let table = session.query("SELECT count(*) AS n FROM experiment_a");
    assert_eq!(table.unwrap().rows(), [[Value::Int(3)]]);
    sweep(&session, "b", 3);
}

#[test]
fn experiments_are_listed_and_loaded_by_name_and_by_id() {
    let file = File::new();
    let session = file.session();
    let (a, b) = (sweep(&session, "a 1", 2), sweep(&session, "b", 3));
    let reopened = file.session();
    let listing = reopened.ls().unwrap();
    let listed: Vec<_> = listing
        .iter()
        .map(|e| {
            (
                e.id_experiment,
                e.name.as_str(),
                e.table_name.as_str(),
                e.runs,
            )
        })
        .collect();
    assert_eq!(
        listed,
        [
            (a.id_experiment, "a 1", "experiment_a_1", 2),
            (b.id_experiment, "b", "experiment_b", 3)
        ]
    );
    assert!(
        listing.to_string().starts_with("id_experiment"),
        "{listing}"
    );
    assert_eq!(reopened.load("b").unwrap().id_experiment, b.id_experiment);
    assert_eq!(reopened.load_id(a.id_experiment).unwrap().name, "a 1");
    for error in [
        reopened.load("c").unwrap_err(),
        reopened.load_id(Uuid::nil()).unwrap_err(),
    ] {
        assert!(
            matches!(&error, Error::Store(StoreError::ExperimentNotFound { known, .. })
                if known == "`a 1`, `b`"),
            "{error:?}"
        );
    }
    let read = reopened.load_as::<Swept<Point, Fields>>("b").unwrap();
    for run in read.runs() {
        let read = run.unwrap().fields;
        assert_eq!(read.result, fields(read.point.k));
    }
}

#[test]
fn a_deleted_experiment_leaves_nothing_behind() {
    let file = File::new();
    let session = file.session();
    mixed(&session);
    session.delete("mixed").unwrap();
    assert!(session.ls().unwrap().is_empty());
    assert!(session.load("mixed").is_err() && session.delete("mixed").is_err());
    drop(session);
    let db = Connection::open(&file.path).unwrap();
    let tables = rows(
        &db,
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
    );
    for table in tables.concat() {
        assert_ne!(table, "experiment_mixed");
        let expected = if table == "xp_schema" { "1" } else { "0" };
        let count = one(&db, &format!("SELECT count(*) FROM \"{table}\""));
        assert_eq!(count, expected, "{table}");
    }
}

#[test]
fn a_type_that_does_not_fit_is_told_every_column() {
    #[derive(Debug, Serialize, Deserialize)]
    struct Others {
        flag: u8,
        ratio: f64,
        curve: String,
        missing: bool,
        absent: Option<bool>,
    }
    let session = Session::in_memory().unwrap();
    sweep(&session, "a", 2);
    let error = session.load_as::<Swept<Point, Others>>("a").unwrap_err();
    let Error::Misfit {
        experiment,
        misfits,
    } = &error
    else {
        panic!("another error: {error:?}");
    };
    assert_eq!(experiment, "a");
    let misfits: Vec<_> = misfits
        .iter()
        .map(|m| [m.column.as_str(), m.expected.as_str(), m.found.as_str()])
        .collect();
    assert_eq!(
        misfits,
        [
            ["flag", "int", "bool (BOOLEAN)"],
            ["curve", "text", "serialized (BLOB)"],
            ["missing", "bool", "no such column"]
        ]
    );
    let message = error.to_string();
    assert!(
        ["`flag`", "`curve`", "`missing`", "BOOLEAN"].map(|part| message.contains(part))
            == [true; 4],
        "{message}"
    );
}

#[test]
fn the_fields_of_an_experiment_are_committed_at_once() {
    let file = File::new();
    let mut experiment = sweep(&file.session(), "a", 1);
    experiment.fields.insert("note", "größe").unwrap();
    experiment.fields.insert("limits", &(1, 2.5)).unwrap();
    experiment.fields.insert("note", "changed").unwrap();
    let loaded = file.session().load("a").unwrap();
    assert_eq!(
        loaded.fields.names().collect::<Vec<_>>(),
        ["note", "limits"]
    );
    assert_eq!(
        loaded.fields.get("note").unwrap(),
        Some("changed".to_owned())
    );
    assert_eq!(loaded.fields.get("limits").unwrap(), Some((1, 2.5)));
    assert_eq!(*loaded.fields, *experiment.fields);
}

#[test]
fn runs_are_grouped_and_described() {
    let session = Session::in_memory().unwrap();
    #[derive(Serialize, Deserialize)]
    struct Point {
        k: u32,
        seed: u32,
    }
    #[derive(Serialize, Deserialize)]
    struct Fields {
        accuracy: f64,
        note: String,
    }
    let points = (0..6).map(|i| Point {
        k: i / 3,
        seed: i % 3,
    });
    let experiment = session
        .sweep("grouped", points, |p, _| {
            let accuracy = f64::from(p.k * 10 + p.seed);
            let note = "n".to_owned();
            Ok::<_, String>(Fields { accuracy, note })
        })
        .unwrap();
    let table = experiment.table();
    assert_eq!(table.names(), ["k", "seed", "accuracy", "note"]);
    assert_eq!(table.rows().len(), 6);
    let by_k = table.clone().group_by("k");
    assert_eq!(
        by_k.names(),
        ["k", "count", "accuracy mean", "accuracy std"]
    );
    let row = |k, mean: f64| vec![Value::Int(k), Value::Int(3), mean.into(), 1.0.into()];
    assert_eq!(by_k.rows(), [row(0, 1.0), row(1, 11.0)]);
    assert_eq!(table.clone().group_by("k").group_by("seed").rows().len(), 6);
    let printed = table.group_by("size").to_string();
    assert!(
        printed.contains("`size`") && printed.contains("accuracy"),
        "{printed}"
    );
}

#[test]
fn dates_and_times_are_texts_of_sqlite() {
    let file = File::new();
    let session = file.session();
    let at = date(2024, 2, 29).at(23, 59, 58, 678_000);
    session
        .run("times", |run| {
            run.fields.insert("at", at)?;
            run.fields.insert(
                "utc",
                "2024-02-29T01:02:03.5Z".parse::<jiff::Timestamp>().unwrap(),
            )?;
            run.fields.insert("day", at.date())?;
            run.fields.insert("hour", time(1, 2, 3, 0))?;
            run.fields.insert("id", Uuid::from_u128(7))?;
            run.fields.insert("bytes", vec![0_u8, 1])?;
            Ok::<_, xp::FieldError>(())
        })
        .unwrap();
    let db = file.copy();
    assert_eq!(
        rows(
            &db,
            "SELECT at, utc, day, hour, id, typeof(bytes) FROM experiment_times"
        ),
        [[
            "2024-02-29 23:59:58.000678",
            "2024-02-29 01:02:03.500000",
            "2024-02-29",
            "01:02:03.000000",
            "00000000000000000000000000000007",
            "blob"
        ]]
    );
    let types = rows(
        &db,
        "SELECT name, type FROM pragma_table_info('experiment_times') WHERE cid > 1",
    );
    let types: BTreeSet<_> = types
        .iter()
        .map(|r| (r[0].as_str(), r[1].as_str()))
        .collect();
    let expected = [
        ("at", "DATETIME"),
        ("bytes", "TEXT"),
        ("day", "DATE"),
        ("hour", "TIME"),
        ("id", "TEXT"),
        ("result", "BLOB"),
        ("utc", "DATETIME"),
    ];
    assert!(
        expected
            .iter()
            .filter(|(n, _)| *n != "result")
            .all(|e| types.contains(e)),
        "{types:?}"
    );
    assert_eq!(
        one(
            &db,
            "SELECT strftime('%Y', at) || strftime('%H', hour) FROM experiment_times"
        ),
        "202401"
    );

    let run = session
        .load("times")
        .unwrap()
        .runs()
        .next()
        .unwrap()
        .unwrap();
    assert_eq!(run.fields.get::<DateTime>("at").unwrap(), Some(at));
    assert_eq!(run.fields.get::<Date>("day").unwrap(), Some(at.date()));
    assert_eq!(
        run.fields.get::<Time>("hour").unwrap(),
        Some(time(1, 2, 3, 0))
    );
    assert_eq!(
        run.fields.get::<Uuid>("id").unwrap(),
        Some(Uuid::from_u128(7))
    );
    assert_eq!(run.fields.value("bytes"), Some(&Value::Bytes(vec![0, 1])));
}

#[test]
fn a_column_that_comes_later_is_missing_in_the_runs_before() {
    let file = File::new();
    let session = file
        .session()
        .with(Options::new().jobs(1).order(Order::Grid));
    session
        .sweep("late", 0..3_u32, |k, run| {
            if *k == 1 {
                run.fields.insert("list", vec![*k])?;
                run.fields.insert("number", *k)?;
            }
            Ok::<_, xp::FieldError>(())
        })
        .unwrap();
    let db = file.copy();
    assert_eq!(
        rows(
            &db,
            "SELECT point, hex(list) = '80054E2E', number FROM experiment_late ORDER BY point"
        ),
        [["0", "1", "NULL"], ["1", "0", "1"], ["2", "1", "NULL"]]
    );
    let read: Vec<_> = session
        .load("late")
        .unwrap()
        .runs()
        .map(|run| run.unwrap().fields)
        .map(|fields| {
            let list: Option<Option<Vec<u32>>> = fields.get("list").unwrap();
            let number: Option<Option<u32>> = fields.get("number").unwrap();
            (list.unwrap(), number.unwrap())
        })
        .collect();
    assert_eq!(read, [(None, None), (Some(vec![1]), Some(1)), (None, None)]);
}

#[test]
fn the_file_is_whole_when_an_execution_has_ended() {
    let file = File::new();
    let session = file.session();
    sweep(&session, "a", 700);
    // While the session is open, of the file alone.
    assert_eq!(
        one(&file.copy(), "SELECT count(*) FROM experiment_a"),
        "700"
    );
    assert_eq!(one(&file.copy(), "PRAGMA integrity_check"), "ok");
    drop(session);
    let beside = |end: &str| Path::new(&format!("{}{end}", file.path.display())).exists();
    assert!(!beside("-wal") && !beside("-shm"));
    // To be read by a program that can only read.
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let db = Connection::open_with_flags(&file.path, flags).unwrap();
    assert_eq!(one(&db, "SELECT count(*) FROM xp_run"), "700");
}

#[test]
fn a_point_has_one_id_in_every_file() {
    let ids = |count| -> BTreeMap<u32, Uuid> {
        let session = Session::in_memory().unwrap();
        sweep(&session, "ids", count)
            .runs()
            .map(|run| run.unwrap())
            .map(|run| (run.fields.point.k, run.id_run))
            .collect()
    };
    let (few, many) = (ids(3), ids(10));
    assert!(few.iter().all(|(k, id)| many[k] == *id));
    assert_eq!(many.values().collect::<BTreeSet<_>>().len(), 10);
    assert!(many.values().all(|id| id.get_version_num() == 8));

    let session = Session::in_memory().unwrap();
    let other = sweep(&session, "others", 1).runs().next().unwrap().unwrap();
    assert_ne!(other.id_run, many[&0]);
}

#[test]
fn an_experiment_is_serialised_without_its_database() {
    let session = Session::in_memory().unwrap();
    let mut experiment = sweep(&session, "a", 3);
    experiment.fields.insert("note", "n").unwrap();
    let text = serde_json::to_string(&experiment).unwrap();
    assert_in_order(
        &text,
        &[
            "{\"id_experiment\":",
            "\"name\":",
            "\"fields\":",
            "\"runs\":[",
        ],
    );
    assert!(!text.contains("\"db\""));

    let read: Experiment<Swept<Point, Fields>> = serde_json::from_str(&text).unwrap();
    assert_eq!(read.id_experiment, experiment.id_experiment);
    assert_eq!((read.name.as_str(), read.db()), ("a", None));
    assert_eq!(*read.fields, *experiment.fields);
    let of = |experiment: &Experiment<Swept<Point, Fields>>| -> Vec<_> {
        let runs = experiment.runs().map(Result::unwrap);
        runs.map(|run| (run.id_experiment, run.id_run, run.fields))
            .collect()
    };
    assert_eq!(of(&read), of(&experiment));
    assert_eq!(serde_json::to_string(&read).unwrap(), text);

    let loaded = session.load("a").unwrap();
    let text = serde_json::to_string(&loaded).unwrap();
    let read: Experiment = serde_json::from_str(&text).unwrap();
    assert_eq!(read.runs().count(), 3);
    for (read, loaded) in read.runs().zip(loaded.runs()) {
        assert_eq!(
            read.unwrap().fields.get::<Vec<f64>>("curve").unwrap(),
            loaded.unwrap().fields.get::<Vec<f64>>("curve").unwrap()
        );
    }
}

#[test]
fn a_run_is_serialised_with_its_attributes_in_order() {
    let session = Session::in_memory().unwrap();
    let run = sweep(&session, "a", 1).runs().next().unwrap().unwrap();
    let text = serde_json::to_string(&run).unwrap();
    let names = xp::Run::SERIALIZED.map(|name| format!("\"{name}\":"));
    assert_in_order(&text, &names.each_ref().map(String::as_str));
    let read: Run<Swept<Point, Fields>> = serde_json::from_str(&text).unwrap();
    assert_eq!((read.id_run, &read.fields), (run.id_run, &run.fields));
    assert_eq!(serde_json::to_string(&read).unwrap(), text);
}

#[track_caller]
fn assert_in_order(text: &str, parts: &[&str]) {
    let mut rest = text;
    for part in parts {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => panic!("`{part}` is not, or not there, in {text}"),
        }
    }
}

/// Twice a number.
#[step]
fn double(x: u32) -> u32 {
    2 * x
}

#[step(version = 2)]
fn increment(x: u32) -> Result<u32, String> {
    x.checked_add(1).ok_or_else(|| "too large".to_owned())
}

/// Two steps.
#[experiment]
fn doubled(#[config(default = 7)] offset: u32, #[param] x: u32) {
    let twice: u32 = double(x);
    #[field]
    let result: u32 = increment(twice)?;
}

#[test]
fn the_steps_are_kept_with_their_sources() {
    let file = File::new();
    let experiment = file.session().execute(doubled().x(0..3)).unwrap();
    assert_eq!(experiment.runs().count(), 3);
    let db = file.copy();
    let steps = rows(
        &db,
        "SELECT position, name, module, version, exact, trim(doc), source FROM xp_step \
         ORDER BY position",
    );
    let double = "fn double(x: u32) -> u32 {\n    2 * x\n}";
    assert_eq!(
        steps[0][..6],
        ["0", "double", "file", "1", "1", "Twice a number."]
    );
    assert!(steps[0][6].ends_with(double), "{steps:?}");
    assert_eq!(steps[1][..5], ["1", "increment", "file", "2", "1"]);
    assert!(steps[1][6].contains("checked_add(1)"), "{steps:?}");
    assert_eq!(
        one(
            &db,
            "SELECT count(DISTINCT fingerprint) FROM xp_step WHERE length(fingerprint) = 32"
        ),
        "2"
    );
    // Recorded inputs are columns beside the fields.
    assert_eq!(
        rows(
            &db,
            "SELECT \"offset\", x, result FROM experiment_doubled ORDER BY x"
        ),
        [["7", "0", "1"], ["7", "1", "3"], ["7", "2", "5"]]
    );
    let loaded = file.session().load_as::<Doubled>("doubled").unwrap();
    assert!(loaded.runs().all(|run| {
        let fields = run.unwrap().fields;
        fields.result == 2 * fields.x + 1 && fields.offset == 7
    }));
}

#[test]
fn two_sessions_write_to_one_file() {
    let file = File::new();
    let sessions = [file.session(), file.session()];
    std::thread::scope(|scope| {
        for (i, session) in sessions.iter().enumerate() {
            scope.spawn(move || sweep(session, &format!("e{i}"), 200));
        }
    });
    let runs: Vec<_> = sessions[0].ls().unwrap().iter().map(|e| e.runs).collect();
    assert_eq!(runs, [200, 200]);
}
