//! What MLtraq wrote is read by the same types.

use std::path::PathBuf;

use xp::value::Archive;
use xp::{ArchiveStore, Bunch, Value};

use super::*;

/// A copy of the fixture with stores.
fn fixture() -> File {
    let data = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/mltraq");
    let file = File::new();
    std::fs::copy(data.join("stores.db"), file.path()).unwrap();
    for folder in std::fs::read_dir(data.join("mltraq.datastore")).unwrap() {
        let folder = folder.unwrap();
        let into = file.store().join(folder.file_name());
        std::fs::create_dir_all(&into).unwrap();
        for entry in std::fs::read_dir(folder.path()).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), into.join(entry.file_name())).unwrap();
        }
    }
    file
}

#[track_caller]
fn check_stores(experiment: &Experiment) {
    let fields = &experiment.fields;
    let ds = fields.get::<DataStore<Bunch>>("ds").unwrap().unwrap();
    assert_eq!(ds.load().unwrap().get::<u64>("a").unwrap(), Some(1));
    let arc = fields.get::<ArchiveStore>("arc").unwrap().unwrap();
    let paths = |archive: &Archive| -> BTreeSet<_> {
        let entries = archive.entries().unwrap().into_iter();
        entries.map(|entry| entry.path).collect()
    };
    let expected = ["a.txt", "empty", "sub/b.bin"].map(str::to_owned).into();
    assert_eq!(paths(arc.load().unwrap()), expected);
    let mut read = Vec::new();
    for run in experiment.runs() {
        let fields = run.unwrap().fields;
        #[derive(Deserialize)]
        struct Ds {
            q: String,
            arr: Option<Array>,
        }
        let ds = fields.get::<DataStore<Ds>>("ds").unwrap().unwrap();
        let ds = ds.into_inner().unwrap();
        read.push((ds.q, ds.arr.map(|arr| arr.to_vec::<i64>().unwrap())));
        // A map has any keys.
        let ds = fields.get::<DataStore<std::collections::HashMap<String, Value>>>("ds");
        assert!(ds.unwrap().unwrap().load().unwrap().contains_key("q"));
        let ar: Archive = fields.get("ar").unwrap().unwrap();
        assert!(paths(&ar).iter().any(|path| path.ends_with("b.bin")));
    }
    let expected = [
        ("run 1".to_owned(), None),
        ("run 2".to_owned(), Some(vec![0, 1, 2])),
    ];
    assert_eq!(read, expected);
}

#[test]
fn what_mltraq_wrote_is_read_and_copied() {
    let file = fixture();
    let session = file.session();
    let loaded = session.load("stores").unwrap();
    check_stores(&loaded);
    let copied = loaded.copy_to("copied").unwrap();
    let id = loaded.id_experiment;
    check_stores(&copied);
    loaded.delete().unwrap();
    assert_eq!(file.files(id).len(), 0);
    check_stores(&copied);
}

#[test]
fn files_that_mltraq_wrote_stay_where_xp_adds_to_their_experiment() {
    let file = fixture();
    let session = file.session();
    let mut loaded = session.load("stores").unwrap();
    let before = file.files(loaded.id_experiment);
    loaded.fields.insert("more", &DataStore::new(1)).unwrap();
    loaded.fields.insert("more", &DataStore::new(2)).unwrap();
    let after = file.files(loaded.id_experiment);
    assert!(after.is_superset(&before));
    assert_eq!(after.len(), before.len() + 1);
    check_stores(&loaded);
}
