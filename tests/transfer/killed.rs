//! A process that is killed while it copies leaves the target as it was.

#![cfg(unix)]

use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Command;

use xp::prelude::*;

use crate::{File, contents, part};

const FILES: [&str; 2] = ["XP_TEST_FROM", "XP_TEST_INTO"];

#[test]
#[ignore = "a part of another test, in a process of its own"]
fn adds_the_experiment() {
    let [from, into] = FILES.map(|name| std::env::var_os(name).unwrap());
    let from = Session::open(from).unwrap();
    let into = Session::open(into).unwrap();
    from.load("roots").unwrap().upstream(&into).unwrap();
}

/// Whether it was killed on the way.
fn killed_at(failpoint: &str, from: &Path, into: &Path) -> bool {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "killed::adds_the_experiment", "--ignored"]);
    command.env(FILES[0], from).env(FILES[1], into);
    let output = command
        .env("XP_FAILPOINT", format!("{failpoint}:1"))
        .output();
    let status = output.unwrap().status;
    assert!(status.success() || status.signal() == Some(9));
    !status.success()
}

#[test]
fn a_copy_that_is_killed_is_all_there_or_not_at_all() {
    let (from, into) = (File::new(), File::new());
    part(&from.session(), false, 0..20);
    part(&into.session(), false, 10..30);
    let before = contents(&into.session(), "roots");
    for failpoint in [
        "import.begun",
        "import.rows",
        "import.attempts",
        "import.ready",
    ] {
        assert!(
            killed_at(failpoint, &from.path(), &into.path()),
            "{failpoint}"
        );
        assert_eq!(contents(&into.session(), "roots"), before, "{failpoint}");
    }
    assert!(killed_at("import.committed", &from.path(), &into.path()));
    let after = contents(&into.session(), "roots");
    assert_eq!(into.session().load("roots").unwrap().runs().count(), 15);
    assert!(!killed_at("never", &from.path(), &into.path()));
    assert_eq!(contents(&into.session(), "roots"), after);
}
