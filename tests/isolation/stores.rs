//! Values in files of their own, which the processes of the runs write.

use std::collections::BTreeSet;
use std::path::Path;

use xp::prelude::*;
use xp::value::Array;

use crate::{Case, Test};

pub(crate) const TESTS: &[Case] = &[
    ("a_process_of_a_run_writes_the_files", written),
    ("a_fill_in_a_process_reads_the_files", filled),
    ("files_of_a_process_that_dies_are_kept_or_go", died),
];

#[step]
fn make(n: u32) -> DataStore<Array> {
    Array::from_vec(vec![n; 10_000]).into()
}

#[step]
fn insert(run: &mut Run, n: u32) -> Result<u32, xp::FieldError> {
    run.fields.insert("inserted", DataStore::new(vec![n; 3]))?;
    if n == 13 {
        std::process::abort();
    }
    Ok(n)
}

#[experiment]
pub(crate) fn large(#[param] n: u32, run: &mut Run) {
    #[field]
    let made: DataStore<Array> = make(n);
    #[field]
    let same: u32 = insert(run, n)?;
}

#[step]
fn first(made: &DataStore<Array>) -> anyhow::Result<u32> {
    Ok(made.load()?.to_vec()?[0])
}

#[experiment]
pub(crate) fn filling(#[param] n: u32) {
    #[field]
    let made: DataStore<Array> = make(n);
    #[field]
    let first: u32 = first(&made)?;
}

mod then {
    use super::*;

    #[experiment]
    pub(super) fn filling(#[param] n: u32) {
        #[field]
        let made: DataStore<Array> = make(n);
    }
}

fn names(directory: &Path) -> std::io::Result<BTreeSet<String>> {
    let listed = std::fs::read_dir(directory)?;
    listed
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect()
}

fn check(session: &Session, expected: usize) -> Test {
    let made = session.load_as::<Large>("large")?;
    assert_eq!(made.runs().count(), expected);
    for run in made.runs() {
        let fields = run?.fields;
        assert_eq!(fields.made.load()?.to_vec::<u32>()?, vec![fields.n; 10_000]);
    }
    for run in made.untyped().runs() {
        let fields = run?.fields;
        let n: u32 = fields.get("n")?.ok_or("n")?;
        let inserted = fields.get::<DataStore<Vec<u32>>>("inserted")?;
        assert_eq!(inserted.ok_or("inserted")?.load()?, &vec![n; 3]);
    }
    Ok(())
}

fn written() -> Test {
    let dir = tempfile::tempdir()?;
    let session = Session::open(dir.path().join("file.db"))?;
    let plan = large().n(0..6).isolate(Isolation::Process).jobs(2);
    let made = session.execute(plan)?;
    check(&session, 6)?;
    let store = dir.path().join("mltraq.datastore");
    let files = names(&store.join(made.id_experiment.to_string()))?;
    assert_eq!(files.len(), 12, "{files:?}");
    // Threads and processes write the same.
    session.execute(large().named("threads").n(0..6))?;
    let threads = session.load("threads")?.id_experiment;
    assert_eq!(names(&store.join(threads.to_string()))?, files);
    let beside = names(&dir.path().join("file.db-xp"))?;
    let in_use = |name: &&String| name.ends_with(".stores");
    assert_eq!(beside.iter().find(in_use), None);
    // Without a file of the session there is no file.
    let memory = Session::in_memory()?;
    let plan = large().n(0..2).isolate(Isolation::Process).jobs(1);
    memory.execute(plan)?;
    check(&memory, 2)
}

fn filled() -> Test {
    let dir = tempfile::tempdir()?;
    let session = Session::open(dir.path().join("file.db"))?;
    session.execute(then::filling().n(1..4))?;
    let plan = filling().n(1..4).fill().isolate(Isolation::Process);
    for run in session.resume(plan.jobs(1))?.runs() {
        let fields = run?.fields;
        assert_eq!(fields.first, fields.n);
    }
    Ok(())
}

fn died() -> Test {
    let dir = tempfile::tempdir()?;
    let session = Session::open(dir.path().join("file.db"))?;
    let plan = large().n([1, 13]).isolate(Isolation::Process).jobs(1);
    let plan = plan.policy(Policy::KeepGoing);
    let Err(xp::Error::RunsFailed(failed)) = session.execute(plan) else {
        return Err("one dies".into());
    };
    let inserted = failed.first.fields.get::<DataStore<Vec<u32>>>("inserted")?;
    let _ = inserted.ok_or("it was inserted before the death")?;
    let failure = session
        .load("large")?
        .failures()
        .next()
        .ok_or("a failure")??;
    let inserted = failure.fields.get::<DataStore<Vec<u32>>>("inserted")?;
    assert_eq!(inserted.ok_or("inserted")?.load()?, &[13; 3]);
    check(&session, 1)?;
    drop(failed);
    let id = session.load("large")?.id_experiment;
    let files = names(&dir.path().join("mltraq.datastore").join(id.to_string()))?;
    let needed = if failure.fields.get::<DataStore<Array>>("made")?.is_some() {
        4
    } else {
        3
    };
    assert_eq!(files.len(), needed, "{files:?}");
    Ok(())
}
