//! Files of the Python package `mltraq` in `tests/data/mltraq`: what is in them comes out of an untyped load, as the
//! `expected.json` beside each says (notation `mltraq-tagged-1`).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

#[path = "fixtures/tagged.rs"]
mod tagged;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};
use tempfile::TempDir;
use xp::datapak;
use xp::prelude::*;
use xp::value::{ColumnType, Kind, Value};

use crate::tagged::{Store, tag};

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/mltraq")
}

/// A copy of the file, which may be changed.
struct Fixture {
    dir: TempDir,
    name: &'static str,
}

impl Fixture {
    fn new(name: &'static str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let file = format!("{name}.db");
        fs::copy(data().join(&file), dir.path().join(file)).unwrap();
        Self { dir, name }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join(format!("{}.db", self.name))
    }

    fn expected(&self) -> Json {
        let file = data().join(format!("{}.expected.json", self.name));
        serde_json::from_slice(&fs::read(file).unwrap()).unwrap()
    }
}

/// Missing values of native columns are NULL, whatever xp makes of them.
fn native(value: &Value, expected: &Json) -> Json {
    match value {
        Value::Null => json!({"t": "null"}),
        Value::Float(x) if x.is_nan() && expected["t"] == "null" => json!({"t": "null"}),
        // The day of a datetime in a column of dates.
        value => tag(value, &Store::none()),
    }
}

#[track_caller]
fn same(found: &Json, expected: &Json, what: &str) {
    assert_eq!(found, &normal(expected), "{what}");
}

/// Sets in one order.
fn normal(expected: &Json) -> Json {
    match expected {
        Json::Object(members) => {
            let mut members: serde_json::Map<_, _> = members
                .iter()
                .map(|(k, v)| (k.clone(), normal(v)))
                .collect();
            if members.get("t") == Some(&json!("set")) {
                tagged::sort(members.get_mut("v").unwrap());
            }
            Json::Object(members)
        }
        Json::Array(items) => items.iter().map(normal).collect(),
        plain => plain.clone(),
    }
}

/// Compares a whole file.
fn check(name: &'static str) {
    let fixture = Fixture::new(name);
    let expected = fixture.expected();
    let store = Store::at(&data().join("mltraq.datastore"));
    let session = Session::open(fixture.path()).unwrap();
    let experiments = expected["experiments"].as_array().unwrap();
    let listed: Vec<_> = session
        .ls()
        .unwrap()
        .iter()
        .map(|e| e.name.clone())
        .collect();
    let names: Vec<_> = experiments
        .iter()
        .map(|e| e["name"].as_str().unwrap())
        .collect();
    assert_eq!(listed, names);
    for expected in experiments {
        let name = expected["name"].as_str().unwrap();
        let experiment = session.load(name).unwrap();
        let what = format!("{}: {name}", fixture.name);
        assert_eq!(
            experiment.id_experiment.to_string(),
            expected["id_experiment"],
            "{what}"
        );
        let fields: Vec<_> = (experiment.fields.iter())
            .map(|(name, value)| json!([{"t": "str", "v": name}, tag(value, &store)]))
            .collect();
        same(&fields.into(), &expected["fields"], &what);
        check_columns(&fixture, expected);
        let runs = expected["runs"].as_array().unwrap();
        let found: Vec<_> = experiment.runs().map(Result::unwrap).collect();
        assert_eq!(found.len(), runs.len(), "{what}");
        for (run, expected_run) in found.iter().zip(runs) {
            assert_eq!(run.id_run.to_string(), expected_run["id_run"], "{what}");
            let fields = expected_run["fields"].as_object().unwrap();
            let mut names: Vec<_> = run.fields.names().collect();
            names.sort_unstable();
            assert!(
                names.iter().all(|name| fields.contains_key(*name)),
                "{what}: {names:?}"
            );
            for (column, value) in fields {
                let what = format!("{what}: {} `{column}`", run.id_run);
                let found = run.fields.value(column).unwrap_or(&Value::Null);
                let is_native = expected["native_columns"].get(column).is_some();
                if is_native {
                    same(&native(found, value), value, &what);
                } else {
                    same(&tag(found, &store), value, &what);
                }
            }
        }
    }
}

/// The columns of the table, and what the meta says of them.
fn check_columns(fixture: &Fixture, expected: &Json) {
    let db = rusqlite::Connection::open(fixture.path()).unwrap();
    let name = expected["name"].as_str().unwrap();
    let meta: Vec<u8> = db
        .query_row(
            "SELECT meta FROM experiments WHERE name = ?1",
            [name],
            |row| row.get(0),
        )
        .unwrap();
    let meta = datapak::decode(&meta).unwrap();
    let member = |value: &Value, name: &str| match value {
        Value::Bunch(members) => members.iter().find(|(n, _)| n == name).unwrap().1.clone(),
        other => panic!("{other:?}"),
    };
    let columns = member(&member(&meta, "runs"), "columns");
    let names = |list: &str| {
        let mut names: Vec<String> = xp::value::from_value(member(&columns, list)).unwrap();
        names.sort_unstable();
        names
    };
    assert_eq!(
        json!(names("serialized")),
        expected["serialized_columns"],
        "{name}"
    );
    let types: std::collections::BTreeMap<String, String> =
        xp::value::from_value(member(&columns, "types")).unwrap();
    assert_eq!(json!(types), expected["field_types"], "{name}");
    let mut statement = db
        .prepare("SELECT name, type FROM pragma_table_info(?1)")
        .unwrap();
    let table = expected["table_name"].as_str().unwrap();
    let there = statement.query_map([table], |row| Ok((row.get(0)?, row.get(1)?)));
    let there: Vec<(String, String)> = there.unwrap().map(Result::unwrap).collect();
    let (serialized, native) = (names("serialized"), names("non_serialized"));
    let (mut native_columns, mut unread) = (serde_json::Map::new(), serde_json::Map::new());
    for (column, declared) in there {
        if column == "id_run" || column == "id_experiment" || serialized.contains(&column) {
            continue;
        }
        if native.contains(&column) {
            assert!(Kind::of_sql_type(&declared, false).is_some(), "{declared}");
            native_columns.insert(column, declared.into());
        } else {
            unread.insert(column, declared.into());
        }
    }
    assert_eq!(
        Json::Object(native_columns),
        expected["native_columns"],
        "{name}"
    );
    assert_eq!(Json::Object(unread), expected["unread_columns"], "{name}");
}

macro_rules! fixtures {
    ($($test:ident: $name:literal;)*) => {$(
        #[test]
        fn $test() {
            check($name);
        }
    )*};
}

fixtures! {
    a_file_without_experiments_is_read: "empty";
    native_columns_are_read: "native";
    basic_values_and_containers_are_read: "datapak";
    arrays_are_read: "arrays";
    frames_are_read: "frames";
    sequences_are_read: "sequences";
    stores_and_archives_are_read: "stores";
    a_grid_is_read: "workflow";
    native_columns_of_older_libraries_are_read: "legacy-native";
    frames_of_older_libraries_are_read: "legacy-frames";
    sequences_of_older_libraries_are_read: "legacy-sequences";
}

#[test]
fn compressed_values_are_read() {
    let fixture = Fixture::new("zlib");
    let session = Session::open(fixture.path()).unwrap();
    let experiment = session.load("compressed").unwrap();
    assert_eq!(experiment.fields.value("a"), Some(&"text".into()));
    let run = experiment.runs().next().unwrap().unwrap();
    assert_eq!(
        run.fields.get::<Vec<i64>>("v").unwrap(),
        Some(vec![1, 2, 3])
    );
    assert_eq!(run.fields.get::<i64>("n").unwrap(), Some(5));
}

/// An error with all its causes.
fn full(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

#[test]
fn what_is_broken_is_refused_by_name() {
    let fixture = Fixture::new("broken");
    let session = Session::open(fixture.path()).unwrap();
    for name in ["good", "a_b"] {
        let runs = session.load(name).unwrap().runs();
        assert_eq!(runs.map(Result::unwrap).count(), 1, "{name}");
    }
    for name in [
        "orphan",
        "A b",
        "unsafe fields",
        "truncated",
        "unknown kind",
        "magic without value",
        "binput",
    ] {
        let error = full(&session.load(name).expect_err(name));
        assert!(error.contains(&format!("`{name}`")), "{name}: {error}");
    }
    for name in ["unsafe run", "null serialised"] {
        let run = session.load(name).unwrap().runs().next().unwrap();
        let error = full(&run.expect_err(name));
        assert!(error.contains(&format!("`{name}`")), "{name}: {error}");
        assert!(
            error.contains("`v`") && error.contains("run "),
            "{name}: {error}"
        );
    }
}

#[test]
fn what_is_read_is_written_as_the_same_value() {
    for name in [
        "datapak",
        "arrays",
        "frames",
        "sequences",
        "stores",
        "legacy-frames",
        "legacy-sequences",
    ] {
        let fixture = Fixture::new(name);
        let session = Session::open(fixture.path()).unwrap();
        for listed in session.ls().unwrap() {
            for run in session.load(&listed.name).unwrap().runs() {
                for (field, value) in run.unwrap().fields.iter() {
                    let cell = ColumnType::SERIALIZED.encode_value(value).unwrap();
                    let read = ColumnType::SERIALIZED.decode_value(cell).unwrap();
                    assert_eq!(&read, value, "{name}: {field}");
                    // Through serde, too.
                    assert_eq!(&xp::value::to_value(value).unwrap(), value);
                    assert_eq!(
                        &xp::value::from_value::<Value>(value.clone()).unwrap(),
                        value
                    );
                }
            }
        }
    }
}
