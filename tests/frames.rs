//! Runs as tables of typed columns: those of experiments, unions, copies and files of MLtraq, in memory and in Arrow.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod python;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{Array as _, RecordBatch};
use serde::{Deserialize, Serialize};
use xp::prelude::*;
use xp::value::{ColumnError, DataType, Temporal, TimeUnit, Value};
use xp::{Table, TableError, Uuid};

type Test = Result<(), Box<dyn std::error::Error>>;

#[derive(Clone, Copy, Serialize, Deserialize)]
enum Map {
    Tree,
    Hash,
}

#[derive(Serialize, Deserialize)]
struct Size {
    width: u32,
    unit: Unit,
}

#[derive(Serialize, Deserialize)]
struct Unit {
    name: String,
    meters: Option<f64>,
}

#[derive(Serialize, Deserialize)]
struct Measurement {
    operations: u64,
    spent: Duration,
}

#[derive(Serialize, Deserialize)]
struct Loss {
    value: f64,
}

#[step]
fn kinds(k: u32, losses: &mut Sequence<Loss>) -> (Option<i64>, bool, Uuid, Vec<u8>) {
    (0..k).for_each(|i| {
        losses.append(Loss {
            value: f64::from(i),
        })
    });
    let maybe = (k > 1).then_some(i64::from(k));
    (maybe, k > 1, Uuid::from_u128(k.into()), vec![7; k as usize])
}

#[step]
fn place<T: Clone>(of: &T) -> T {
    of.clone()
}

#[step]
fn times(k: u32) -> (jiff::Timestamp, jiff::civil::Date, jiff::civil::Time) {
    let second = jiff::Timestamp::from_second(i64::from(k)).unwrap();
    (
        second,
        jiff::civil::date(1970, 1, 2),
        jiff::civil::time(0, 0, 1, 5_000),
    )
}

#[step]
fn measure(k: u32) -> Measurement {
    let spent = Duration::from_millis(500);
    Measurement {
        operations: k.into(),
        spent,
    }
}

#[step]
fn size(k: u32) -> (Size, Vec<f64>) {
    let meters = (k > 1).then_some(0.001);
    let unit = Unit {
        name: "mm".to_owned(),
        meters,
    };
    (Size { width: k, unit }, vec![0.5; k as usize])
}

#[experiment]
fn kinds_of_columns(
    #[param(values = [Map::Tree, Map::Hash])] map: Map,
    #[config(default = f64::NAN, identity = false)] scale: f64,
    #[param] k: u32,
    #[sequence] losses: Sequence<Loss>,
) {
    let (a, b, c, d) = kinds(k, &mut losses);
    let (e, f, g) = times(k);
    let (h, i) = size(k);
    #[field]
    let maybe: Option<i64> = place(&a);
    #[field]
    let large: bool = place(&b);
    #[field]
    let uuid: Uuid = place(&c);
    #[field]
    let bytes: Vec<u8> = place(&d);
    #[field]
    let at: jiff::Timestamp = place(&e);
    #[field]
    let day: jiff::civil::Date = place(&f);
    #[field]
    let time: jiff::civil::Time = place(&g);
    #[field(flatten)]
    let measurement: Measurement = measure(k);
    #[field]
    let size: Size = h;
    #[field]
    let list: Vec<f64> = i;
}

fn all_kinds() -> xp::Result<Experiment<KindsOfColumns>> {
    // One after the other, so that the rows are in order.
    Session::in_memory()?.execute(
        kinds_of_columns()
            .k([1, 2])
            .map([Map::Hash])
            .order_by_key(|p| p.k)
            .jobs(1),
    )
}

#[test]
fn every_column_has_one_type_and_its_place_in_the_declaration() -> Test {
    let experiment = all_kinds()?;
    let frame = experiment.frame()?;
    let micro = TimeUnit::Microsecond;
    let expected = [
        ("id_experiment", DataType::Uuid),
        ("id_run", DataType::Uuid),
        ("map", DataType::Text),
        ("scale", DataType::Float(64)),
        ("k", DataType::Int(64)),
        ("losses", DataType::Value),
        ("maybe", DataType::Int(64)),
        ("large", DataType::Bool),
        ("uuid", DataType::Uuid),
        ("bytes", DataType::Binary),
        ("at", DataType::Temporal(Temporal::TIMESTAMP)),
        ("day", DataType::Temporal(Temporal::Date32)),
        ("time", DataType::Temporal(Temporal::Time(micro))),
        ("operations", DataType::Int(64)),
        ("spent", DataType::Float(64)),
        ("size", DataType::Value),
        ("list", DataType::Value),
    ];
    let columns = frame.columns().iter();
    let found: Vec<_> = columns.map(|c| (&*c.name, c.data.data_type())).collect();
    assert_eq!(found, expected);

    let ids: Vec<_> = experiment
        .runs()
        .map(|run| Ok(run?.id_run))
        .collect::<xp::Result<_>>()?;
    assert_eq!(frame.column("id_run")?.as_uuids()?, ids);
    assert_eq!(
        frame.column("id_experiment")?.as_uuids()?,
        [experiment.id_experiment; 2]
    );
    assert_eq!(
        frame.column("map")?.texts()?.collect::<Vec<_>>(),
        [Some("Hash"); 2]
    );
    assert_eq!(frame.column("k")?.as_i64s()?, [1, 2]);
    assert_eq!(
        frame.column("maybe")?.i64s()?.collect::<Vec<_>>(),
        [None, Some(2)]
    );
    assert_eq!(
        frame.column("large")?.bools()?.collect::<Vec<_>>(),
        [Some(false), Some(true)]
    );
    assert_eq!(
        frame.column("bytes")?.bytes()?.nth(1),
        Some(Some(&[7, 7][..]))
    );
    assert_eq!(
        frame.column("at")?.timestamps()?.next(),
        Some(Some(1_000_000))
    );
    assert_eq!(
        frame.column("day")?.to_vec::<jiff::civil::Date>()?[0].day(),
        2
    );
    assert_eq!(frame.column("spent")?.as_f64s()?[..], [0.5; 2]);
    assert_eq!(
        frame.column("size")?.as_values()?[1].member("width"),
        Some(&2.into())
    );
    assert_eq!(
        frame.column("list")?.to_vec::<Vec<f64>>()?,
        [vec![0.5], vec![0.5; 2]]
    );
    // NaN is NULL in the file.
    assert_eq!(frame.column("scale")?.null_count(), 2);
    assert!(
        frame
            .column("scale")?
            .as_f64s()?
            .iter()
            .all(|scale| scale.is_nan())
    );

    // Untyped it is the same.
    let session = experiment.copy_to("again")?;
    let again = session.frame()?;
    assert_eq!(again.names(), frame.names());
    for (row, there) in again.rows().iter().zip(frame.rows()) {
        assert_eq!(row[1..], there[1..]);
    }
    Ok(())
}

#[test]
fn rows_are_structs() -> Test {
    #[derive(Deserialize)]
    struct Row {
        id_run: Uuid,
        k: u32,
        at: jiff::civil::DateTime,
        maybe: Option<u64>,
    }
    let rows: Vec<Row> = all_kinds()?.frame()?.into_rows()?;
    assert_eq!(
        (rows[1].k, rows[1].maybe, rows[0].maybe),
        (2, Some(2), None)
    );
    assert_eq!(rows[1].at, jiff::civil::date(1970, 1, 1).at(0, 0, 2, 0));
    assert_ne!(rows[0].id_run, rows[1].id_run);
    Ok(())
}

#[test]
fn a_wrong_question_is_answered_with_what_there_is() -> Test {
    let frame = all_kinds()?.frame()?;
    let error = frame.column("operation").unwrap_err();
    assert!(matches!(&error, TableError::NoColumn { near, .. } if near == &["operations"]));
    assert_eq!(
        error.to_string(),
        "there is no column `operation`; there is `operations`"
    );
    let error = frame.column("k")?.as_f64s().unwrap_err();
    assert_eq!(
        error.to_string(),
        "the column `k` is of type int64, and not of type float64"
    );
    let error = frame.column("maybe")?.as_i64s().unwrap_err();
    assert!(
        matches!(
            error,
            ColumnError::Nulls {
                nulls: 1,
                len: 2,
                ..
            }
        ),
        "{error}"
    );
    let grouped = frame.group_by("K");
    assert_eq!(grouped.to_string(), "there is no column `K`; there is `k`");
    assert!(matches!(
        grouped.column("k"),
        Err(TableError::NoTable { .. })
    ));
    Ok(())
}

#[test]
fn maps_are_flattened_on_request() -> Test {
    let frame = all_kinds()?.frame()?.select(["k", "size", "list"])?;
    let flat = frame.flatten()?;
    assert_eq!(
        flat.names(),
        [
            "k",
            "size.width",
            "size.unit.name",
            "size.unit.meters",
            "list"
        ]
    );
    assert_eq!(flat.column("size.width")?.as_i64s()?, [1, 2]);
    assert_eq!(
        flat.column("size.unit.meters")?.f64s()?.collect::<Vec<_>>(),
        [None, Some(0.001)]
    );
    let once = frame.flatten_levels(1)?;
    assert_eq!(once.names(), ["k", "size.width", "size.unit", "list"]);
    assert_eq!(frame.flatten_levels(0)?.names(), frame.names());
    Ok(())
}

#[test]
fn names_that_clash_are_refused() -> Test {
    let session = Session::in_memory()?;
    session.run("clash", |run| {
        let inner = Value::Map(vec![("b".into(), 1.into())]);
        let map = Value::Map(vec![("a".into(), inner), ("a.b".into(), 2.into())]);
        run.fields.insert("x", map)
    })?;
    let frame = session.load("clash")?.frame()?;
    let error = frame.flatten().unwrap_err();
    assert!(
        matches!(&error, TableError::Clash { column } if column == "x.a.b"),
        "{error}"
    );
    assert_eq!(frame.flatten_levels(1)?.names()[2..], ["x.a", "x.a.b"]);
    Ok(())
}

#[derive(Serialize, Deserialize)]
struct Point {
    n: u32,
}

#[derive(Serialize, Deserialize)]
struct Extra {
    score: f64,
}

#[test]
fn a_union_has_the_columns_of_both_sides() -> Test {
    let session = Session::in_memory()?;
    let points = || (0..2).map(|n| Point { n });
    session.sweep("a", points(), |p, run| {
        run.fields.insert("note", format!("note {}", p.n))?;
        Ok::<_, xp::FieldError>(u64::from(p.n))
    })?;
    session.sweep("b", points(), |p, run| {
        run.fields.insert("note", f64::from(p.n))?;
        Ok::<_, xp::FieldError>(Extra { score: 0.5 })
    })?;
    session.sweep("c", [0.25], |x, _| Ok::<_, String>(*x))?;
    let (a, b, c) = (session.load("a")?, session.load("b")?, session.load("c")?);
    let frame = (a.runs() | b.runs() | c.runs()).frame()?;
    assert_eq!(frame.len(), 5);
    assert_eq!(
        frame.names()[2..],
        ["n", "point", "result", "note", "score"]
    );
    let types: Vec<_> = frame.columns()[2..]
        .iter()
        .map(|c| c.data.data_type())
        .collect();
    let (int, float, value) = (DataType::Int(64), DataType::Float(64), DataType::Value);
    assert_eq!(types, [int, float.clone(), float.clone(), value, float]);
    // `result` was an integer in `a`, is nothing in `b` and a float in `c`.
    let mut results = frame.column("result")?.to_vec::<Option<f64>>()?;
    results.sort_by(|a, b| a.partial_cmp(b).unwrap());
    assert_eq!(results, [None, None, Some(0.0), Some(0.25), Some(1.0)]);
    assert_eq!(frame.column("score")?.null_count(), 3);
    let grouped = frame.group_by("id_experiment");
    assert_eq!(grouped.column("count")?.as_i64s()?.iter().sum::<i64>(), 5);
    Ok(())
}

#[test]
fn a_run_of_both_sides_is_that_of_the_right_one() -> Test {
    let session = Session::in_memory()?;
    let a = session.sweep("a", 0..3_u32, |n, _| Ok::<_, String>(*n))?;
    let b = a.copy_to("b")?;
    let frame = (a.runs() | b.runs()).frame()?;
    assert_eq!(
        frame.column("id_experiment")?.as_uuids()?,
        [b.id_experiment; 3]
    );
    let frame = ((a.runs() | b.runs()) | a.runs()).frame()?;
    assert_eq!(
        frame.column("id_experiment")?.as_uuids()?,
        [a.id_experiment; 3]
    );
    // From wherever the iterator is.
    let mut runs = a.runs();
    runs.next().unwrap()?;
    assert_eq!(runs.frame()?.len(), 3);
    assert_eq!(runs.count(), 2);
    Ok(())
}

#[test]
fn rows_are_filtered_by_what_is_in_them() -> Test {
    let session = Session::in_memory()?;
    let experiment = session.sweep("a", 0..100_u32, |n, _| Ok::<_, String>(f64::from(*n) / 2.0))?;
    let frame = experiment.frame()?;
    let results = frame.column("result")?.as_f64s()?;
    let large = frame.filter(|row| results[row] >= 40.0);
    assert_eq!(large.len(), 20);
    assert!(large.column("point")?.as_i64s()?.iter().all(|n| *n >= 80));
    assert_eq!(large.group_by("point").len(), 20);
    assert!(frame.filter(|_| false).is_empty());
    Ok(())
}

#[test]
fn an_experiment_without_runs_has_the_columns_that_are_known() -> Test {
    let session = Session::in_memory()?;
    let plan = kinds_of_columns().k([1]).policy(Policy::KeepGoing);
    session.execute(plan)?;
    let db = session.load_as::<KindsOfColumns>("kinds_of_columns")?;
    let nothing = db.frame()?.filter(|_| false);
    assert_eq!((nothing.len(), nothing.names().len()), (0, 17));

    #[step]
    fn fail(n: u32) -> Result<f64, String> {
        Err(format!("no {n}"))
    }
    #[experiment]
    fn failing(#[param] n: u32) {
        #[field]
        let result: f64 = fail(n)?;
    }
    session.execute(failing().n([1])).unwrap_err();
    let typed = session.load_as::<Failing>("failing")?.frame()?;
    assert_eq!(typed.names(), ["id_experiment", "id_run", "n", "result"]);
    assert_eq!(
        typed.column("result")?.data.data_type(),
        DataType::Float(64)
    );
    assert!(typed.is_empty());
    let untyped = session.load("failing")?;
    assert_eq!(untyped.frame()?.names()[..2], ["id_experiment", "id_run"]);
    assert!(untyped.frame()?.is_empty());
    assert_eq!(untyped.frame()?.to_record_batch()?.num_rows(), 0);
    Ok(())
}

mod before {
    use xp::prelude::*;

    #[step]
    pub(super) fn half(n: u64) -> f64 {
        n as f64 / 2.0
    }

    #[experiment]
    pub(super) fn halves(#[param] n: u64) {
        #[field]
        let half: f64 = half(n);
    }
}

#[test]
fn runs_that_lack_a_field_are_where_runs_has_them() -> Test {
    use before::half;

    #[step]
    fn third(n: u64) -> f64 {
        n as f64 / 3.0
    }
    #[experiment]
    fn halves(#[param] n: u64) {
        #[field]
        let third: f64 = third(n);
        #[field]
        let half: f64 = half(n);
    }
    let session = Session::in_memory()?;
    session.resume(before::halves().n([1, 2]))?;
    let experiment = session.resume(halves().n([1, 2, 3]))?;
    let frame = experiment.frame()?;
    assert_eq!(frame.names()[2..], ["n", "third", "half"]);
    assert_eq!(frame.column("n")?.as_i64s()?, [3]);
    assert_eq!(experiment.table().len(), 1);
    let untyped = session.load("halves")?.frame()?;
    assert_eq!(untyped.names()[2..], ["n", "half", "third"]);
    assert_eq!(untyped.column("third")?.null_count(), 2);
    Ok(())
}

#[step]
fn mean(runs: &Runs<before::Halves>) -> xp::Result<f64> {
    let frame = runs.frame()?;
    let halves = frame.column("half")?.as_f64s()?;
    Ok(halves.iter().sum::<f64>() / halves.len() as f64)
}

#[step]
fn distance(half: f64, mean: f64) -> f64 {
    half - mean
}

#[experiment(continues = before::halves)]
fn centred(#[field] half: f64, runs: &Runs<before::Halves>) {
    #[shared]
    let mean: f64 = mean(runs)?;
    #[field]
    let centred: f64 = distance(half, mean);
}

#[test]
fn all_runs_are_a_frame_inside_an_experiment_that_continues() -> Test {
    let session = Session::in_memory()?;
    session.execute(before::halves().n([2, 4, 6]))?;
    let frame = session.execute(centred())?.frame()?;
    assert_eq!(frame.names()[2..], ["n", "half", "centred"]);
    let centred = frame.column("centred")?.as_f64s()?;
    assert_eq!(centred.iter().sum::<f64>(), 0.0);
    assert_eq!(
        frame.group_by("n").names(),
        [
            "n",
            "count",
            "half mean",
            "half std",
            "centred mean",
            "centred std"
        ]
    );
    Ok(())
}

#[test]
fn an_experiment_without_a_database_has_a_frame() -> Test {
    let experiment = all_kinds()?.copy_to("untyped")?;
    let session = Session::in_memory()?;
    session.sweep("halves", 0..3_u32, |n, _| {
        Ok::<_, String>(f64::from(*n) / 2.0)
    })?;
    let json = serde_json::to_string(&session.load("halves")?)?;
    let owned: Experiment = serde_json::from_str(&json)?;
    assert_eq!(owned.db(), None);
    let (frame, there) = (owned.frame()?, session.load("halves")?.frame()?);
    assert_eq!(frame.rows(), there.rows());
    assert_eq!(frame.names(), there.names());
    assert_eq!(owned.table().group_by("result").len(), 3);
    drop(experiment);
    Ok(())
}

#[test]
fn the_answer_to_a_query_is_a_table() -> Test {
    let session = all_kinds()?.copy_to("x")?;
    drop(session);
    let session = Session::in_memory()?;
    session.sweep("halves", 0..3_u32, |n, _| {
        Ok::<_, String>(f64::from(*n) / 2.0)
    })?;
    let table = session.query("select point, result, result > 0 as some from experiment_halves")?;
    assert_eq!(table.column("point")?.as_i64s()?.len(), 3);
    assert_eq!(table.to_record_batch()?.num_columns(), 3);
    assert_eq!(table.group_by("some").column("count")?.as_i64s()?, [1, 2]);
    Ok(())
}

/// The names and types of a record batch, as Arrow prints them.
fn schema(batch: &RecordBatch) -> Vec<(String, String)> {
    let schema = batch.schema();
    let fields = schema.fields().iter();
    fields
        .map(|f| (f.name().clone(), f.data_type().to_string()))
        .collect()
}

#[test]
fn a_frame_is_a_record_batch() -> Test {
    let frame = all_kinds()?.frame()?;
    let batch = frame.to_record_batch()?;
    let expected = [
        ("id_experiment", "Utf8"),
        ("id_run", "Utf8"),
        ("map", "Utf8"),
        ("scale", "Float64"),
        ("k", "Int64"),
        (
            "losses",
            "List(Struct(\"idx\": Int64, \"timestamp\": Timestamp(µs), \"value\": Float64))",
        ),
        ("maybe", "Int64"),
        ("large", "Boolean"),
        ("uuid", "Utf8"),
        ("bytes", "Binary"),
        ("at", "Timestamp(µs)"),
        ("day", "Date32"),
        ("time", "Time64(µs)"),
        ("operations", "Int64"),
        ("spent", "Float64"),
        (
            "size",
            "Struct(\"width\": Int64, \"unit\": Struct(\"name\": Utf8, \"meters\": Float64))",
        ),
        ("list", "List(Float64)"),
    ];
    let found = schema(&batch);
    let found: Vec<_> = found.iter().map(|(n, t)| (&**n, &**t)).collect();
    assert_eq!(found, expected);
    let id = frame.column("id_run")?.as_uuids()?[0].simple().to_string();
    assert_eq!(batch["id_run"].as_string::<i32>().value(0), id);
    assert_eq!(batch["maybe"].null_count(), 1);
    assert_eq!(batch["scale"].null_count(), 2);
    let lists = batch["list"].as_list::<i32>();
    assert_eq!(
        lists.value(1).as_primitive::<Float64Type>().values()[..],
        [0.5, 0.5]
    );
    Ok(())
}

#[test]
fn what_arrow_has_no_type_for_is_named() -> Test {
    let session = Session::in_memory()?;
    for (name, field) in [("a", Value::from(vec![1])), ("b", vec!["x"].into())] {
        session.run(name, |run| run.fields.insert("mixed", field.clone()))?;
    }
    let frame = (session.load("a")?.runs() | session.load("b")?.runs()).frame()?;
    let error = frame.to_record_batch().unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(
        source,
        "`mixed[]` holds a text and an integer, for which Arrow has no type"
    );
    assert_eq!(frame.without(["mixed"])?.to_record_batch()?.num_rows(), 2);
    Ok(())
}

#[test]
fn a_frame_is_kept_as_a_field() -> Test {
    let session = Session::in_memory()?;
    let all = session.sweep("halves", 0..3_u32, |n, _| {
        Ok::<_, String>(f64::from(*n) / 2.0)
    })?;
    let kept = all.frame()?.to_frame()?;
    session.run("summary", |run| run.fields.insert("halves", kept.clone()))?;
    let run = session.load("summary")?.runs().next().unwrap()?;
    let read: Option<xp::value::Frame> = run.fields.get("halves")?;
    assert_eq!(read.unwrap().to_vec::<f64>("result")?.len(), 3);
    Ok(())
}

/// Every fixture: the cells of the frame are the values of the runs.
#[test]
fn the_frames_of_files_of_mltraq_have_what_their_runs_have() -> Test {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/mltraq");
    for name in [
        "empty",
        "native",
        "datapak",
        "arrays",
        "frames",
        "sequences",
        "stores",
        "workflow",
        "zlib",
        "legacy-native",
        "legacy-frames",
        "legacy-sequences",
    ] {
        let dir = tempfile::tempdir()?;
        let path = dir.path().join("file.db");
        std::fs::copy(data.join(format!("{name}.db")), &path)?;
        let session = Session::open(&path)?;
        for listed in session.ls()? {
            let experiment = session.load(&listed.name)?;
            let frame = experiment.frame()?;
            assert_eq!(frame.len() as u64, listed.runs, "{name}");
            for (row, run) in experiment.runs().enumerate() {
                let run = run?;
                assert_eq!(frame.column("id_run")?.get(row), Some(run.id_run.into()));
                for (field, value) in run.fields.iter() {
                    let found = frame.column(field)?.get(row).unwrap();
                    assert!(
                        is_same(&found, value),
                        "{name}: {field}: {found:?} {value:?}"
                    );
                }
            }
            frame.flatten()?;
            let text = frame.to_string();
            assert!(text.starts_with("id_experiment"), "{text}");
        }
    }
    Ok(())
}

/// Whether a cell has the value: points in time have one type in a column, and numbers may.
fn is_same(found: &Value, value: &Value) -> bool {
    match (found, value) {
        (Value::DateTime64(Some(micros)), Value::DateTime(at)) => {
            let timestamp = jiff::Timestamp::from_microsecond(*micros).unwrap();
            jiff::tz::Offset::UTC.to_datetime(timestamp) == *at
        }
        (Value::Null, Value::Float(x)) => x.is_nan(),
        (Value::Null, Value::DateTime64(None)) => true,
        (Value::Float(x), Value::Int(i)) => *x == *i as f64,
        (found, value) => found == value,
    }
}

/// What pandas makes of the dicts of a file that MLtraq wrote, for each number of levels.
#[test]
fn maps_are_flattened_as_by_mltraq() -> Test {
    let Some(python) = python::python() else {
        return Ok(());
    };
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("nested.db");
    let expected = python::run(python, dir.path(), "flatten.py", &[&path]);
    type Columns = BTreeMap<String, Vec<serde_json::Value>>;
    let expected: BTreeMap<usize, Columns> = serde_json::from_str(&expected)?;
    assert_eq!(expected.len(), 4);
    let frame = Session::open(&path)?.load("nested")?.frame()?;
    for (levels, columns) in expected {
        let flat: Table = frame.flatten_levels(levels)?;
        let flat = flat.without(["id_experiment", "id_run"])?;
        let found: Columns = flat
            .columns()
            .iter()
            .map(|c| {
                Ok((
                    c.name.clone(),
                    c.iter()
                        .map(serde_json::to_value)
                        .collect::<Result<_, _>>()?,
                ))
            })
            .collect::<Result<_, serde_json::Error>>()?;
        assert_eq!(found, columns, "{levels}");
    }
    Ok(())
}

/// The record batch as pandas reads it.
#[test]
fn pandas_reads_the_arrow_file_of_a_frame() -> Test {
    let Some(python) = python::python() else {
        return Ok(());
    };
    let dir = tempfile::tempdir()?;
    let session = Session::open(dir.path().join("kinds.db"))?;
    let plan = kinds_of_columns().k([1, 2]).order_by_key(|p| p.k).jobs(1);
    let frame = session.execute(plan)?.frame()?;
    let arrow = dir.path().join("kinds.arrow");
    let batch = frame.to_record_batch()?;
    let file = xp::value::Frame::from_record_batch(&batch)?;
    std::fs::write(&arrow, file.as_arrow_file())?;
    let args = [dir.path().join("kinds.db"), arrow];
    python::run(python, dir.path(), "frame.py", &args);
    Ok(())
}
