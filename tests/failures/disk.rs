//! A limit on the size of files, which is how a disk is full for one process.

use xp::prelude::*;
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
