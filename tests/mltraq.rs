//! The Python package `mltraq` as a client of the files: what xp has committed, it loads.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod python;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tempfile::TempDir;
use xp::ArchiveStore;
use xp::prelude::*;
use xp::value::{Archive, Array, Value};

use self::python::{python, run};

/// Runs one of the programs in `tests/mltraq` where this runs.
#[track_caller]
fn check(python: &str, program: &str, args: &[&str]) {
    run(python, Path::new("."), program, args);
}

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

    fn path(&self) -> &str {
        self.path.to_str().unwrap()
    }
}

#[derive(Serialize, Deserialize)]
enum Mode {
    FineGrained,
}

#[derive(Serialize, Deserialize)]
struct Point {
    k: i64,
    mode: Mode,
}

#[derive(Serialize, Deserialize)]
struct Xy {
    x: f64,
    y: Option<f64>,
}

#[derive(Serialize, Deserialize)]
struct Nested {
    point: Xy,
    tags: Vec<Option<String>>,
}

#[derive(Serialize, Deserialize)]
enum Choice {
    Named(String),
    Sized { width: i64 },
}

#[derive(Serialize, Deserialize)]
struct Fields {
    flag: bool,
    small: i8,
    big: i64,
    ratio: f64,
    single: f32,
    spent: Duration,
    text: String,
    letter: char,
    maybe_flag: Option<bool>,
    maybe_int: Option<u32>,
    maybe_float: Option<f64>,
    maybe_text: Option<String>,
    maybe_list: Option<Vec<u64>>,
    list: Vec<f64>,
    pair: (i64, String),
    map: BTreeMap<String, i64>,
    by_number: BTreeMap<u8, Vec<bool>>,
    nested: Nested,
    choice: Choice,
    member_bytes: Vec<u8>,
    unit: (),
}

fn fields(k: i64) -> Fields {
    let present = k % 3 == 0;
    Fields {
        flag: k % 2 == 0,
        small: -i8::try_from(k).unwrap(),
        big: (1 << 62) + k,
        ratio: match k {
            0 => f64::NAN,
            1 => f64::INFINITY,
            2 => f64::NEG_INFINITY,
            _ => k as f64 / 3.0,
        },
        single: 0.5,
        spent: Duration::from_millis(1_500),
        text: "größe 🦀 \"quoted\"; it's".to_owned(),
        letter: 'é',
        maybe_flag: present.then_some(true),
        maybe_int: present.then_some(7),
        maybe_float: present.then_some(0.25),
        maybe_text: present.then(|| "t".to_owned()),
        maybe_list: present.then(|| vec![1, 2]),
        list: vec![1.0, f64::INFINITY, -0.5],
        pair: (k, "日本".to_owned()),
        map: BTreeMap::from([("a".to_owned(), 1), ("b".to_owned(), i64::MIN)]),
        by_number: BTreeMap::from([(1, vec![true]), (2, vec![])]),
        nested: Nested {
            point: Xy { x: 1.5, y: None },
            tags: vec![None, Some("t".to_owned())],
        },
        choice: if k == 0 {
            Choice::Named("first".to_owned())
        } else {
            Choice::Sized { width: k }
        },
        member_bytes: vec![0, 255],
        unit: (),
    }
}

#[test]
fn every_kind_of_column_loads() {
    let Some(python) = python() else { return };
    let file = File::new();
    let session = Session::open(&file.path).unwrap();
    let points = (0..6).map(|k| Point {
        k,
        mode: Mode::FineGrained,
    });
    let mut experiment = session
        .sweep("every kind of column", points, |point, run| {
            // Not in the first run, and in one run only.
            if point.k == 3 {
                run.fields.insert("inserted", 33)?;
                run.fields.insert("inserted_list", vec![3, 3])?;
            }
            Ok::<_, xp::FieldError>(fields(point.k))
        })
        .unwrap();
    experiment.fields.insert("note", "größe").unwrap();
    #[derive(Serialize)]
    struct Table {
        rows: Vec<u8>,
        of: (Option<&'static str>, bool),
    }
    let table = Table {
        rows: vec![1, 2, 3],
        of: (None, true),
    };
    experiment.fields.insert("table", &table).unwrap();
    session
        .run("bytes", |run| {
            run.fields.insert("raw", b"\0raw".to_vec())?;
            Ok::<Vec<u8>, xp::FieldError>((0..=255).collect())
        })
        .unwrap();
    // Once while the session is open, once when the file is alone.
    check(python, "columns.py", &[file.path(), "6"]);
    drop((session, experiment));
    check(python, "columns.py", &[file.path(), "6"]);
}

#[test]
fn sequences_load_as_sequences() {
    #[derive(Serialize, Deserialize)]
    enum Phase {
        Warmup,
        #[serde(rename = "Main é")]
        Main,
    }
    #[derive(Serialize, Deserialize)]
    struct Loss {
        epoch: u32,
        loss: f64,
        phase: Phase,
        good: bool,
        best: Option<f32>,
    }
    const ROWS: u32 = 2_500;

    let Some(python) = python() else { return };
    let file = File::new();
    let session = Session::open(&file.path).unwrap();
    session
        .sweep("training", 0..3_u32, |k, run| {
            if *k == 2 {
                return Ok(());
            }
            let mut losses = run.sequence("losses")?;
            for epoch in 0..ROWS {
                losses.append(Loss {
                    epoch,
                    loss: f64::from(*k) + f64::from(epoch) / 8.0,
                    phase: if epoch < 10 {
                        Phase::Warmup
                    } else {
                        Phase::Main
                    },
                    good: epoch.is_multiple_of(2),
                    best: (epoch % 5 == 0).then_some(epoch as f32),
                });
            }
            Ok::<_, xp::SequenceError>(())
        })
        .unwrap();
    check(python, "sequence.py", &[file.path(), &ROWS.to_string()]);
    // And xp reads what mltraq wrote.
    let copy = session.load("copy").unwrap();
    assert_eq!(copy.runs().map(Result::unwrap).count(), 3);
}

#[test]
fn what_the_monitor_records_is_what_mltraq_s_own_does() {
    let Some(python) = python() else { return };
    let file = File::new();
    let monitor = xp::Monitor::new().interval(Duration::from_millis(20));
    let session = Session::open(&file.path).unwrap();
    let session = session.with(Options::new().monitor(monitor.per_cpu(true)));
    let rest = |millis: &u64, _: &mut Run| {
        std::thread::sleep(Duration::from_millis(*millis));
        Ok::<_, String>(())
    };
    session.sweep("rests", [200, 201], rest).unwrap();
    check(python, "monitor.py", &[file.path()]);
}

/// Waits until so many runs are committed.
fn wait_for(session: &Session, table: &str, count: usize) {
    let until = Instant::now() + Duration::from_secs(60);
    while session
        .query(&format!("SELECT id_run FROM {table}"))
        .map_or(0, |table| table.rows().len())
        < count
    {
        assert!(Instant::now() < until, "the runs are not committed");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn an_experiment_loads_at_every_commit() {
    let Some(python) = python() else { return };
    let file = File::new();
    let session = Session::open(&file.path).unwrap();
    let one_by_one = session
        .clone()
        .with(Options::new().jobs(1).order(Order::Grid));
    one_by_one
        .sweep("growing", 0..4_u32, |x, run| {
            // Before the first commit of a run, after it, and after columns were added.
            let count = *x as usize;
            wait_for(&session, "experiment_growing", count);
            check(
                python,
                "count.py",
                &[file.path(), "growing", &count.to_string()],
            );
            if *x == 1 {
                run.fields.insert("late", vec![1, 2])?;
                run.fields.insert("later", 7)?;
            }
            Ok::<_, xp::FieldError>(x * x)
        })
        .unwrap();
    check(python, "count.py", &[file.path(), "growing", "4"]);
}

#[test]
fn an_experiment_whose_runs_all_failed_loads_without_runs() {
    let Some(python) = python() else { return };
    let file = File::new();
    let session = Session::open(&file.path)
        .unwrap()
        .with(Options::new().policy(Policy::KeepGoing));
    session
        .sweep("failed", 0..3_u32, |_, _| Err::<u32, _>("no".to_owned()))
        .unwrap_err();
    check(python, "count.py", &[file.path(), "failed", "0"]);
    session
        .sweep("skipped", 0..3_u32, |_, _| Err::<u32, _>(xp::skip("no")))
        .unwrap();
    check(python, "count.py", &[file.path(), "skipped", "0"]);
    // Some of them failed.
    session
        .sweep("half", 0..4_u32, |x, _| {
            if x.is_multiple_of(2) {
                Ok(x * x)
            } else {
                Err("odd".to_owned())
            }
        })
        .unwrap_err();
    check(python, "count.py", &[file.path(), "half", "2"]);
}

#[test]
fn any_name_loads() {
    let Some(python) = python() else { return };
    let file = File::new();
    let session = Session::open(&file.path).unwrap();
    for name in ["it's \"quoted\"; --", "Größe 🦀 日本", "100% :x"] {
        session
            .sweep(name, 0..2_u32, |x, run| {
                run.fields.insert("a \"b\" %s é", 1)?;
                Ok::<_, xp::FieldError>(x * x)
            })
            .unwrap();
        check(python, "count.py", &[file.path(), name, "2"]);
    }
}

#[derive(Serialize, Deserialize)]
struct Model {
    weights: Vec<f64>,
    label: String,
}

#[derive(Serialize, Deserialize)]
struct Stores {
    trace: DataStore<Array>,
    model: DataStore<Model>,
    nested: DataStore<DataStore<u32>>,
    list: Vec<DataStore<u32>>,
    empty: Option<DataStore<u32>>,
    archive: ArchiveStore,
}

/// MLtraq finds the files below its working directory, which is that of the database here.
#[test]
fn values_in_files_of_their_own_load() {
    let Some(python) = python() else { return };
    let file = File::new();
    let session = Session::open(&file.path).unwrap();
    #[derive(Serialize, Deserialize)]
    struct N {
        n: u32,
    }
    let stores = |N { n }: &N, _: &mut Run| {
        let files = [
            (format!("{n}.txt"), n.to_string()),
            ("sub/c.txt".to_owned(), "c".to_owned()),
        ];
        Ok::<_, xp::value::ArchiveError>(Stores {
            trace: Array::from_vec(vec![f64::from(*n); 1_000]).into(),
            model: DataStore::new(Model {
                weights: vec![f64::from(*n), 0.5],
                label: format!("model {n}"),
            }),
            nested: DataStore::new(DataStore::new(*n)),
            list: (0..*n).map(DataStore::new).collect(),
            empty: None,
            archive: Archive::from_entries(files)?.into(),
        })
    };
    let mut made = session
        .sweep("stores", [1, 2, 3].map(|n| N { n }), stores)
        .unwrap();
    let best = DataStore::new(vec![1.5, 2.5]);
    made.fields.insert("best", &best).unwrap();
    let id = made.id_experiment.to_string();
    check(python, "stores.py", &[file.path(), &id]);
}

/// What xp reads of a file and writes again under another name, mltraq loads as the same values.
#[test]
fn values_that_were_read_are_written_as_the_same_values() {
    let Some(python) = python() else { return };
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/mltraq");
    for fixture in [
        "native",
        "datapak",
        "arrays",
        "frames",
        "sequences",
        "stores",
        "workflow",
        "legacy-native",
        "legacy-frames",
        "legacy-sequences",
    ] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file.db");
        std::fs::copy(data.join(format!("{fixture}.db")), &path).unwrap();
        let stores = dir.path().join("mltraq.datastore");
        for store in std::fs::read_dir(data.join("mltraq.datastore")).unwrap() {
            let store = store.unwrap();
            let target = stores.join(store.file_name());
            std::fs::create_dir_all(&target).unwrap();
            for file in std::fs::read_dir(store.path()).unwrap() {
                let file = file.unwrap();
                std::fs::copy(file.path(), target.join(file.file_name())).unwrap();
            }
        }
        let expected = std::fs::read(data.join(format!("{fixture}.expected.json"))).unwrap();
        let expected: serde_json::Value = serde_json::from_slice(&expected).unwrap();
        let session = Session::open(&path).unwrap();
        let names: Vec<_> = (session.ls().unwrap().iter())
            .map(|listed| listed.name.clone())
            .collect();
        let mut loadable = Vec::new();
        for name in names {
            let original = session.load(&name).unwrap();
            let runs: Vec<_> = original.runs().map(Result::unwrap).collect();
            let in_order = session
                .clone()
                .with(Options::new().jobs(1).order(Order::Grid));
            let copy = format!("copy of {name}");
            let is_native = |name: &str| {
                runs.iter().any(|run| {
                    let value = run.fields.value(name);
                    matches!(
                        value,
                        Some(Value::DateTime(_) | Value::Date(_) | Value::Time(_))
                    )
                })
            };
            let written = in_order.sweep(&copy, 0..runs.len(), |i, run| {
                for (name, value) in runs[*i].fields.iter() {
                    match value {
                        // MLtraq could not load it.
                        _ if name.starts_with(':') => {}
                        // Columns of their own only.
                        Value::DateTime(x) => run.fields.insert(name, Some(*x))?,
                        Value::Date(x) => run.fields.insert(name, Some(*x))?,
                        Value::Time(x) => run.fields.insert(name, Some(*x))?,
                        // Without it, the field is missing.
                        Value::Null if is_native(name) => {}
                        value => run.fields.insert(name, value.clone())?,
                    }
                }
                Ok::<_, xp::FieldError>(())
            });
            let mut written = written.unwrap();
            for (field, value) in original.fields.iter() {
                written.fields.insert(field, value).unwrap();
            }
            if expected["mltraq_load"][&name] == "ok" {
                loadable.push(name);
            }
        }
        let mut args = vec![path.to_str().unwrap()];
        args.extend(loadable.iter().map(String::as_str));
        check(python, "same.py", &args);
    }
}

#[derive(Serialize, Deserialize)]
struct Amount {
    value: f64,
}

#[step]
fn total_of(loss: &Sequence<Amount>) -> Result<f64, xp::SequenceError> {
    Ok(loss.values()?.iter().map(|row| row.value).sum())
}

#[step]
fn label_of(run: &mut Run, a: usize, b: &str) -> Result<String, xp::FieldError> {
    if a == 3 {
        run.fields.insert("extra", b.to_owned())?;
    }
    Ok(format!("{b}{a}"))
}

#[step]
fn pair_of(a: usize, b: &str) -> (usize, String) {
    (a, b.to_owned())
}

/// The params are in the field `args`, the config is, too.
#[experiment(continues)]
fn labels(
    #[config(default = 2)] factor: u32,
    #[param] a: usize,
    #[param] b: String,
    #[param] x: f64,
    #[field] product: f64,
    #[sequence] loss: Sequence<Amount>,
    run: &mut Run,
) {
    #[field]
    let total: f64 = total_of(&loss)?;
    #[field]
    let label: String = label_of(run, a, &b)?;
    #[field]
    let pair: (usize, String) = pair_of(a, &b);
}

/// The pairs are of other types.
#[experiment(continues)]
fn misread(#[field] pair: Vec<usize>, #[param] b: u64) {
    #[field]
    let sum: usize = sum_of(&pair);
}

#[step]
fn sum_of(pair: &[usize]) -> usize {
    pair.iter().sum()
}

/// The pairs are of other types, which only their values tell.
#[experiment(continues)]
fn misread_values(#[field] pair: Vec<usize>) {
    #[field]
    let sum: usize = sum_of(&pair);
}

#[test]
fn an_experiment_of_mltraq_is_continued() {
    let Some(python) = python() else { return };
    let file = File::new();
    check(python, "workflow.py", &["make", file.path()]);
    let session = Session::open(&file.path).unwrap();
    let labelled = session.execute(labels().named("grid")).unwrap();
    for run in labelled.runs() {
        let fields = run.unwrap().fields;
        assert_eq!(fields.product, fields.a as f64 * fields.x);
        assert_eq!(fields.label, format!("{}{}", fields.b, fields.a));
    }
    check(python, "workflow.py", &["check", file.path()]);
    // Again, which replaces what it made; and once nothing is left to do.
    session.execute(labels().named("grid")).unwrap();
    let report = session.plan(labels().named("grid")).unwrap();
    assert_eq!((report.counts.complete, report.counts.to_run), (6, 0));
    check(python, "workflow.py", &["check", file.path()]);
    let error = session
        .execute(misread().named("grid"))
        .unwrap_err()
        .to_string();
    let told = "`b` should be int, and is neither a column nor a param in `args`";
    assert!(error.contains(told), "{error}");
    let error = session.execute(misread_values().named("grid")).unwrap_err();
    assert!(
        format!("{error:?}").contains("`pair` cannot be read"),
        "{error:?}"
    );
    check(python, "workflow.py", &["extend", file.path()]);
    let report = session.plan(labels().named("grid")).unwrap();
    assert_eq!((report.counts.complete, report.counts.missing), (6, 1));
    let labelled = session.resume(labels().named("grid")).unwrap();
    let labels: Vec<_> = labelled
        .runs()
        .map(|run| run.unwrap().fields.label)
        .collect();
    assert_eq!((labels.len(), labels.contains(&"z1".to_owned())), (7, true));
    check(python, "count_only.py", &[file.path(), "grid", "7"]);
}
