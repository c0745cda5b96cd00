//! Fields that have files, as they are written and read.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

use xp::value::{Archive, StoreUrl, from_value};
use xp::{ArchiveStore, Bunch, Value};

use super::*;

#[test]
fn a_value_is_in_a_file_and_its_cell_refers_to_it() {
    let file = File::new();
    let session = file.session();
    let made = session.execute(fits().n([1, 2])).unwrap();
    check(&made, [1, 2]);
    let id = made.id_experiment;
    assert_eq!(file.files(id).len(), 4);
    drop((made, session));

    let session = file.session();
    let loaded = session.load_as::<Fits>("fits").unwrap();
    check(&loaded, [1, 2]);
    for run in loaded.runs() {
        let fields = run.unwrap().fields;
        let url = fields.trace.url().unwrap();
        assert!(fields.trace.loaded().is_none());
        // The name is a UUID of version 8: 32 hex digits, the 13th of which is 8.
        let (owner, name) = url.as_str()["file:///".len()..].split_once('/').unwrap();
        assert_eq!((owner, name.len()), (id.to_string().as_str(), 32));
        assert_eq!(&name[12..13], "8");
        let stored = xp::datapak::decode(&std::fs::read(file.file(url)).unwrap()).unwrap();
        assert_eq!(
            stored,
            Value::Map(vec![("value".into(), Value::Array(array(fields.n)))])
        );
        let stored = std::fs::read(file.file(fields.model.url().unwrap())).unwrap();
        let Value::Map(entries) = xp::datapak::decode(&stored).unwrap() else {
            panic!("the members of a struct")
        };
        let keys: Vec<_> = entries.into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["weights".into(), "label".into()]);
    }
}

#[test]
fn untyped_runs_have_references_that_can_be_read() {
    let file = File::new();
    file.session().execute(fits().n([7])).unwrap();
    let run = file.session().load("fits").unwrap().runs().next().unwrap();
    let fields = run.unwrap().fields;
    let Some(Value::DataStore(url)) = fields.value("model") else {
        panic!("a reference")
    };
    let read = url.read().unwrap();
    assert_eq!(read.member("label"), Some(&"model 7".into()));
    assert_eq!(from_value::<Model>(read).unwrap(), weights(7));
    let typed = fields.get::<DataStore<Model>>("model").unwrap().unwrap();
    assert_eq!(typed.load().unwrap(), &weights(7));
    // A text is no reference that anything is known of.
    let error = StoreUrl::new(url.as_str()).read().unwrap_err();
    assert!(matches!(error.cause, xp::DataStoreCause::NoDatabase));
}

#[test]
fn equal_values_of_an_experiment_share_a_file() {
    #[step]
    fn same(_n: u32) -> DataStore<Vec<u64>> {
        vec![7; 100].into()
    }

    #[experiment]
    fn sames(#[param] n: u32) {
        #[field]
        let same: DataStore<Vec<u64>> = same(n);
    }

    let file = File::new();
    let session = file.session();
    let plan = sames().n(0..20).jobs(2);
    let made = session.execute(plan).unwrap();
    assert_eq!(file.files(made.id_experiment).len(), 1);
    for run in made.runs() {
        assert_eq!(run.unwrap().fields.same.load().unwrap(), &[7; 100]);
    }
}

#[test]
fn what_is_there_is_not_written_again_by_a_resume() {
    let file = File::new();
    let made = file.session().execute(fits().n([1, 2])).unwrap();
    let folder = file.store().join(made.id_experiment.to_string());
    let modified = || -> BTreeMap<_, _> {
        let listed = std::fs::read_dir(&folder).unwrap();
        let of = |entry: std::fs::DirEntry| (entry.path(), entry.metadata().unwrap().modified());
        listed
            .map(|entry| of(entry.unwrap()))
            .map(|(path, time)| (path, time.unwrap()))
            .collect()
    };
    let before = modified();
    let resumed = file.session().resume(fits().n([1, 2, 3])).unwrap();
    check(&resumed, [1, 2, 3]);
    let after = modified();
    assert_eq!(after.len(), 6);
    for (path, time) in before {
        assert_eq!(after[&path], time);
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Parts {
    size: u32,
    maybe: Option<DataStore<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    left_out: Option<DataStore<String>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Outer {
    inner: DataStore<Vec<DataStore<u64>>>,
    name: String,
}

#[step]
fn parts(n: u32) -> Parts {
    Parts {
        size: n,
        maybe: (n > 1).then(|| format!("maybe {n}").into()),
        left_out: None,
    }
}

fn outermost(n: u32) -> Outer {
    let stores = (0..u64::from(n)).map(DataStore::new).collect();
    Outer {
        inner: DataStore::new(stores),
        name: format!("outer {n}"),
    }
}

#[step]
fn outer(n: u32) -> DataStore<Outer> {
    outermost(n).into()
}

#[step]
fn list(n: u32) -> Vec<DataStore<(u32, String)>> {
    (0..n).map(|i| (i, i.to_string()).into()).collect()
}

#[step]
fn archive(n: u32) -> Archive {
    Archive::from_entries([("a.txt", n.to_string()), ("b/c.txt", "c".to_owned())]).unwrap()
}

#[step]
fn files(n: u32) -> ArchiveStore {
    archive(n).into()
}

#[step]
fn bytes(n: u32) -> DataStore<Vec<u8>> {
    vec![n as u8; 100].into()
}

#[step]
fn insert(run: &mut Run, n: u32) -> Result<(), xp::FieldError> {
    run.fields.insert("inserted", DataStore::new(vec![n; 3]))?;
    run.fields.insert("inserted", DataStore::new(vec![n; 4]))
}

#[experiment]
fn places(#[param] n: u32, run: &mut Run) {
    #[field(flatten)]
    let parts: Parts = parts(n);
    #[field]
    let member: Parts = parts(n);
    #[field]
    let list: Vec<DataStore<(u32, String)>> = list(n);
    #[field]
    let optional: Option<DataStore<f64>> = None;
    #[field]
    let nested: DataStore<Outer> = outer(n);
    #[field]
    let files: ArchiveStore = files(n);
    #[field]
    let archive: Archive = archive(n);
    #[field]
    let bytes: DataStore<Vec<u8>> = bytes(n);
    insert(run, n)?;
}

#[track_caller]
fn check_places(experiment: &Experiment<Places>) {
    for run in experiment.runs() {
        let run = run.unwrap();
        let fields = run.fields;
        let n = fields.n;
        assert_eq!(fields.parts, parts(n));
        assert_eq!(fields.member, parts(n));
        assert_eq!(fields.list, list(n));
        assert_eq!(fields.optional, None);
        assert_eq!(fields.nested.load().unwrap(), &outermost(n));
        assert_eq!(fields.files.load().unwrap(), &archive(n));
        assert_eq!(fields.archive, archive(n));
        assert_eq!(fields.bytes.load().unwrap(), &[n as u8; 100]);
    }
    for run in experiment.untyped().runs() {
        let fields = run.unwrap().fields;
        let n: u32 = fields.get("n").unwrap().unwrap();
        let inserted = fields.get::<DataStore<Vec<u32>>>("inserted");
        assert_eq!(inserted.unwrap().unwrap().load().unwrap(), &vec![n; 4]);
    }
}

#[test]
fn a_store_may_stand_anywhere_in_a_field() {
    let file = File::new();
    let made = file.session().execute(places().n([1, 3])).unwrap();
    check_places(&made);
    let session = file.session();
    check_places(&session.load_as("places").unwrap());
    let sql = "select typeof(maybe) as m, length(maybe) < 300 as small from experiment_places";
    assert_eq!(session.query(sql).unwrap().rows().len(), 2);
    let run = session.load("places").unwrap().runs().next().unwrap();
    let fields = run.unwrap().fields;
    let Some(Value::DataStore(url)) = fields.value("bytes") else {
        panic!("a reference")
    };
    let bytes = url.read().unwrap();
    assert!(matches!(bytes.member("value"), Some(Value::Bytes(_))));
    assert!(matches!(
        fields.value("files"),
        Some(Value::ArchiveStore(_))
    ));
    assert!(matches!(fields.value("archive"), Some(Value::Archive(_))));
}

#[test]
fn without_a_file_the_value_stays_in_its_row() {
    let session = Session::in_memory().unwrap();
    let made = session.execute(places().n([1, 3])).unwrap();
    check_places(&made);
    let fits = session.execute(fits().n([1, 2])).unwrap();
    check(&fits, [1, 2]);
    for run in fits.runs() {
        let trace = run.unwrap().fields.trace;
        assert!(trace.url().is_none() && trace.loaded().is_some());
    }
    let file = File::new();
    check(&fits.copy_into(&file.session(), "copy").unwrap(), [1, 2]);
    assert_eq!(names(&file.store()).len(), 0);
}

#[test]
fn other_formats_have_the_value_itself() {
    let file = File::new();
    let made = file.session().execute(fits().n([1])).unwrap();
    let fields = made.runs().next().unwrap().unwrap().fields;
    let json = serde_json::to_string(&fields.model).unwrap();
    assert_eq!(json, r#"{"weights":[1.0,0.5],"label":"model 1"}"#);
    let back: DataStore<Model> = serde_json::from_str(&json).unwrap();
    assert_eq!(back, fields.model);
    // The whole experiment, too, which has no database then.
    let json = serde_json::to_string(&made).unwrap();
    check(&serde_json::from_str(&json).unwrap(), [1]);
}

#[test]
fn fields_of_an_experiment_may_have_files() {
    let file = File::new();
    let mut made = file.session().execute(fits().n([1])).unwrap();
    let id = made.id_experiment;
    made.fields
        .insert("best", &DataStore::new(weights(7)))
        .unwrap();
    assert_eq!(file.files(id).len(), 3);
    let best = |of: &Bunch| of.get::<DataStore<Model>>("best").unwrap().unwrap();
    assert_eq!(best(&made.fields).load().unwrap(), &weights(7));
    made.fields
        .insert("best", &DataStore::new(weights(8)))
        .unwrap();
    assert_eq!(file.files(id).len(), 3);
    let loaded = file.session().load("fits").unwrap();
    assert_eq!(best(&loaded.fields).load().unwrap(), &weights(8));
}

#[test]
fn a_value_of_another_experiment_is_written_for_this_one() {
    static READS: AtomicU32 = AtomicU32::new(0);

    #[step]
    fn again(trace: &DataStore<Array>) -> Result<DataStore<Array>, xp::DataStoreError> {
        READS.fetch_add(1, Ordering::Relaxed);
        trace.load().map(|trace| trace.clone().into())
    }

    #[experiment(continues = fits)]
    fn copies(#[field] trace: DataStore<Array>) {
        #[field]
        let again: DataStore<Array> = again(&trace)?;
    }

    let file = File::new();
    let session = file.session();
    let made = session.execute(fits().n([1, 2])).unwrap();
    let copies = session.execute(copies()).unwrap();
    assert_eq!(READS.load(Ordering::Relaxed), 2);
    // It is the same content of the same experiment.
    assert_eq!(file.files(made.id_experiment).len(), 4);
    for run in copies.runs() {
        let fields = run.unwrap().fields;
        assert_eq!(fields.again, fields.trace);
        assert_eq!(fields.again.url(), fields.trace.url());
    }
}

#[test]
fn what_a_failed_run_had_come_to_can_be_read() {
    #[step]
    fn fail(n: u32) -> Result<u32, String> {
        Err(format!("{n} fails"))
    }

    #[experiment]
    fn failing(#[param] n: u32) {
        #[field]
        let model: DataStore<Model> = model(n);
        #[field]
        let failed: u32 = fail(n)?;
    }

    let file = File::new();
    let session = file.session();
    let Err(xp::Error::RunsFailed(failed)) = session.execute(failing().n([1])) else {
        panic!("it fails")
    };
    let read = |fields: &Bunch| fields.get::<DataStore<Model>>("model").unwrap().unwrap();
    assert_eq!(read(&failed.first.fields).load().unwrap(), &weights(1));
    let failure = session.load("failing").unwrap().failures().next().unwrap();
    assert_eq!(read(&failure.unwrap().fields).load().unwrap(), &weights(1));
}

#[test]
fn a_run_that_lacks_a_field_is_filled_from_a_file() {
    mod then {
        use super::super::*;
        #[experiment]
        pub(super) fn growing(#[param] n: u32) {
            #[field]
            let model: DataStore<Model> = model(n);
        }
    }

    #[step]
    fn weigh(model: &DataStore<Model>) -> Result<f64, xp::DataStoreError> {
        Ok(model.load()?.weights.iter().sum())
    }

    #[experiment]
    fn growing(#[param] n: u32) {
        #[field]
        let model: DataStore<Model> = model(n);
        #[field]
        let weight: f64 = weigh(&model)?;
    }

    let file = File::new();
    file.session().execute(then::growing().n([1, 2])).unwrap();
    let filled = file.session().resume(growing().n([1, 2]).fill()).unwrap();
    for run in filled.runs() {
        let fields = run.unwrap().fields;
        assert_eq!(fields.weight, f64::from(fields.n) + 0.5);
    }
}

#[test]
fn an_input_cannot_have_a_file() {
    #[step]
    fn weigh(model: &Option<DataStore<Model>>) -> bool {
        model.is_some()
    }

    #[experiment]
    fn weighing(#[param] model: Option<DataStore<Model>>) {
        #[field]
        let weight: bool = weigh(&model);
    }

    let error = Session::in_memory()
        .unwrap()
        .execute(weighing().model([Some(DataStore::new(weights(1)))]))
        .unwrap_err();
    assert!(matches!(error, xp::Error::Layout(_)), "{error:?}");
    assert_eq!(
        error.to_string(),
        "the experiment `weighing` cannot be executed: the input `model` has a file of its own \
         (`DataStore`, `ArchiveStore`), and an input stands in its row and tells points apart by \
         its value: take the value itself, or what a step can make of it"
    );
}

#[test]
fn a_store_is_no_struct_to_be_flattened() {
    #[experiment]
    fn flat(#[param] n: u32) {
        #[field(flatten)]
        let model: DataStore<Model> = model(n);
    }

    let session = Session::in_memory().unwrap();
    let error = session.execute(flat().n([1])).unwrap_err();
    assert!(
        error.to_string().contains("`model` is to be flattened"),
        "{error}"
    );
}
