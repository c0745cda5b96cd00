//! A limit on the size of files, which is how a disk is full for one process.

use xp::prelude::*;
use xp::value::Array;
use xp::{Session, StoreError};

use super::{Dir, POINTS, child, finish, points, squares, store_error, succeeded, work};

#[test]
fn a_limit_on_the_size_of_files_stops_the_execution() {
    let dir = Dir::new();
    let limited = "trap '' XFSZ; ulimit -f 4096; exec \"$@\"";
    let by = ["sh", "-c", limited, "sh"];
    let test = "disk::executes_until_a_file_may_grow_no_more";
    succeeded(&child(&by, test, &dir.path).output().unwrap());
    let kept = points(&dir.path);
    assert!((1..POINTS).contains(&(kept.len() as u64)), "{kept:?}");
    finish(&dir.path);
}

#[test]
#[ignore = "a part of another test, in a process of its own"]
fn executes_until_a_file_may_grow_no_more() {
    let path = work();
    let session = Session::open(&path).unwrap();
    let plan = squares().tag(0).ballast(1 << 18).x(0..POINTS).into_plan();
    let error = store_error(session.with(Options::new().group(1)).execute(plan.jobs(1)));
    assert!(matches!(&error, StoreError::Full { .. }), "{error:?}");
}

#[step]
fn make(x: u64) -> DataStore<Array> {
    Array::from_vec(vec![x; 1_000_000]).into()
}

/// With a value that has a file of its own.
#[experiment]
fn larges(#[param] x: u64) {
    #[field]
    let large: DataStore<Array> = make(x);
}

#[test]
fn a_file_of_a_value_that_does_not_fit_is_named_by_the_run() {
    let dir = Dir::new();
    let limited = "trap '' XFSZ; ulimit -f 4096; exec \"$@\"";
    let by = ["sh", "-c", limited, "sh"];
    let test = "disk::executes_with_a_file_that_is_too_large";
    succeeded(&child(&by, test, &dir.path).output().unwrap());
}

#[test]
#[ignore = "a part of another test, in a process of its own"]
fn executes_with_a_file_that_is_too_large() {
    let path = work();
    let session = Session::open(&path).unwrap();
    let Err(xp::Error::RunsFailed(failed)) = session.execute(larges().x([1])) else {
        panic!("it does not fit")
    };
    let exception = &failed.first.exception;
    assert_eq!(exception.message, "`large` cannot be kept");
    let cause = &exception.causes[0];
    let id = session.load("larges").unwrap().id_experiment;
    let file = format!("/mltraq.datastore/{id}/");
    assert!(
        cause.contains(&file) && cause.contains("File too large"),
        "{cause}"
    );
    // Nothing of it is left.
    assert!(!path.with_file_name("mltraq.datastore").exists());
}
