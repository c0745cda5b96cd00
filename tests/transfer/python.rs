//! Experiments that the Python package `mltraq` wrote, and that it is to load again.

use std::path::Path;

use xp::prelude::*;

use crate::File;

#[path = "../python/mod.rs"]
mod mltraq;

use self::mltraq::python;

#[track_caller]
fn check(python: &str, dir: &Path, program: &str, args: &[&str]) {
    mltraq::run(python, dir, program, args);
}

#[test]
fn mltraq_loads_copies_of_its_own_experiments_with_equal_values() {
    let Some(python) = python() else { return };
    let (file, other) = (File::new(), File::new());
    check(python, file.dir.path(), "copies.py", &["make", "file.db"]);
    let session = file.session();
    let elsewhere = other.session();
    for listed in session.ls().unwrap() {
        let experiment = session.load_id(listed.id_experiment).unwrap();
        experiment
            .copy_to(&format!("copy of {}", listed.name))
            .unwrap();
        experiment.copy_into(&elsewhere, &listed.name).unwrap();
        let done = experiment.upstream(&elsewhere);
        // It has another id there, and xp cannot know that it is the same one.
        assert!(done.is_err(), "{}", listed.name);
    }
    check(python, file.dir.path(), "copies.py", &["equal", "file.db"]);
    // The files to which values refer are the copy's own.
    for listed in session.ls().unwrap() {
        if !listed.name.starts_with("copy of ") {
            session
                .load_id(listed.id_experiment)
                .unwrap()
                .delete()
                .unwrap();
            let files = file.dir.path().join("mltraq.datastore");
            let files = files.join(listed.id_experiment.to_string());
            if files.exists() {
                std::fs::remove_dir_all(files).unwrap();
            }
        }
    }
    check(python, file.dir.path(), "copies.py", &["load", "file.db"]);
    check(python, other.dir.path(), "copies.py", &["load", "file.db"]);
}

#[test]
fn parts_that_mltraq_wrote_are_merged_and_added_to_a_shared_file() {
    let Some(python) = python() else { return };
    let (file, shared) = (File::new(), File::new());
    check(python, file.dir.path(), "copies.py", &["parts", "file.db"]);
    let session = file.session();
    let (a, b) = (session.load("a").unwrap(), session.load("b").unwrap());
    let merged = session.merge("merged", [&a, &b]).unwrap();
    assert_eq!(merged.runs().count(), 5);
    let first = a.upstream(&shared.session()).unwrap();
    assert_eq!((first.added, first.kept), (3, 0));
    let again = a.upstream(&shared.session()).unwrap();
    assert_eq!((again.added, again.kept), (0, 3));
    check(python, file.dir.path(), "copies.py", &["merged", "file.db"]);
}

#[step]
fn scale(factor: i64, x: f64) -> f64 {
    factor as f64 * x
}

#[experiment]
fn scaled(#[config] factor: i64, #[param] x: f64) {
    #[field]
    let y: f64 = scale(factor, x);
}

#[test]
fn mltraq_continues_with_the_inputs_that_a_field_keeps() {
    let Some(python) = python() else { return };
    let file = File::new();
    let plan = scaled().factor(3).x([1.0, 2.0]).args_field("args");
    file.session().execute(plan).unwrap();
    check(
        python,
        file.dir.path(),
        "copies.py",
        &["continue", "file.db"],
    );
    // And the other way round.
    for run in file.session().load("continued").unwrap().runs() {
        let run = run.unwrap();
        let args = run.args("args").unwrap().unwrap();
        let (factor, x) = (
            args.config.get::<i64>("factor"),
            args.params.get::<f64>("x"),
        );
        let product = factor.unwrap().unwrap() as f64 * x.unwrap().unwrap();
        assert_eq!(run.fields.get::<f64>("again").unwrap(), Some(product));
    }
}
