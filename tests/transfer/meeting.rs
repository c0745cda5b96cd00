//! Copies that meet others, or an execution, in the same file.

#![cfg(unix)]

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use xp::prelude::*;

use crate::{File, contents, int, part, roots};

const FILES: [&str; 2] = ["XP_TEST_FROM", "XP_TEST_INTO"];

/// Runs one of the ignored tests, in a process of its own.
fn process(test: &str, failpoint: &str, files: [&Path; 2]) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--ignored"]);
    command.env(FILES[0], files[0]).env(FILES[1], files[1]);
    command.stdout(Stdio::null()).stderr(Stdio::inherit());
    command.env("XP_FAILPOINT", failpoint).spawn().unwrap()
}

fn files() -> [Session; 2] {
    FILES.map(|name| Session::open(std::env::var_os(name).unwrap()).unwrap())
}

#[test]
#[ignore = "a part of another test, in a process of its own"]
fn copies_between_sessions_on_one_file() {
    let [from, into] = files();
    let hasty = from
        .clone()
        .with(Options::new().lock_timeout(Duration::from_secs(1)));
    let made = part(&from, true, 0..20);
    let copied = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for n in 20.. {
                part(&hasty, true, [n]);
                if copied.load(Ordering::SeqCst) {
                    break;
                }
            }
        });
        // Takes a while: the execution goes on meanwhile.
        let copy = made.copy_into(&into, "copy");
        copied.store(true, Ordering::SeqCst);
        assert!(copy.unwrap().runs().count() >= 20);
    });
}

#[test]
fn an_execution_and_a_copy_out_of_its_session_do_not_wait_for_each_other() {
    let file = File::new();
    let path = file.path();
    let test = "meeting::copies_between_sessions_on_one_file";
    let mut copies = process(test, "import.begun:1:sleep=700", [&path, &path]);
    assert!(copies.wait().unwrap().success());
}

#[test]
fn merges_into_each_others_files_and_into_their_own_do_not_wait_for_each_other() {
    let files = [File::new(), File::new()];
    let hasty = || Options::new().lock_timeout(Duration::from_secs(10));
    let open = || files.each_ref().map(|file| file.session().with(hasty()));
    let (first, second) = (open(), open());
    let made = [(0, 0..20), (1, 10..30)].map(|(i, n)| part(&first[i], true, n));
    thread::scope(|scope| {
        for i in 0..5 {
            for session in first.iter().chain(&second) {
                let (made, at) = (&made, std::ptr::from_ref(session).addr());
                scope.spawn(move || {
                    let all = session.merge(&format!("merge {i} of {at}"), made).unwrap();
                    assert!(all.runs().count() >= 30);
                });
            }
            let session = &first[i % 2];
            scope.spawn(move || part(session, true, 30..40 + i as i64));
        }
    });
    for session in &second {
        assert_eq!(session.ls().unwrap().len(), 11);
    }
}

#[test]
#[ignore = "a part of another test, in a process of its own"]
fn fails_to_add_what_lacks_a_file() {
    let [from, into] = files();
    let refused = from.load("stores").unwrap().upstream(&into).unwrap_err();
    let refused = refused.to_string();
    assert!(refused.contains("mltraq.datastore"), "{refused}");
}

/// A copy of what MLtraq wrote with values in files of their own, and how many these are.
fn stores(without: Option<&str>) -> (File, usize) {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/mltraq");
    let file = File::new();
    std::fs::copy(data.join("stores.db"), file.path()).unwrap();
    let mut copied = 0;
    for folder in std::fs::read_dir(data.join("mltraq.datastore")).unwrap() {
        let folder = folder.unwrap();
        let there = file.dir.path().join("mltraq.datastore");
        let there = there.join(folder.file_name());
        std::fs::create_dir_all(&there).unwrap();
        for store in std::fs::read_dir(folder.path()).unwrap() {
            let store = store.unwrap();
            if without.is_none_or(|name| store.file_name() != name) {
                std::fs::copy(store.path(), there.join(store.file_name())).unwrap();
                copied += 1;
            }
        }
    }
    (file, copied)
}

fn count(directory: &Path) -> usize {
    std::fs::read_dir(directory).map_or(0, |entries| {
        let count = |path: std::path::PathBuf| if path.is_dir() { count(&path) } else { 1 };
        entries.map(|entry| count(entry.unwrap().path())).sum()
    })
}

#[test]
fn a_copy_that_fails_takes_no_file_back_on_which_another_relies() {
    let last = "000000000000000000000000000f4246";
    let ((broken, _), (whole, all)) = (stores(Some(last)), stores(None));
    let shared = File::new();
    let session = shared.session();
    let directory = shared.dir.path().join("mltraq.datastore");
    let test = "meeting::fails_to_add_what_lacks_a_file";
    let failpoint = "import.failed:1:sleep=700";
    let mut fails = process(test, failpoint, [&broken.path(), &shared.path()]);
    while count(&directory) == 0 {
        assert!(fails.try_wait().unwrap().is_none(), "nothing was copied");
        thread::sleep(Duration::from_millis(1));
    }
    let made = whole.session().load("stores").unwrap();
    made.upstream(&session).unwrap();
    assert!(fails.wait().unwrap().success());
    assert_eq!(count(&directory), all);
}

#[test]
#[ignore = "a part of another test, in a process of its own"]
fn executes_until_it_is_killed() {
    let [_, into] = files();
    part(&into, true, 0..8);
}

#[test]
fn what_a_dead_process_left_is_recorded_before_its_points_are_replaced() {
    let (from, shared) = (File::new(), File::new());
    let session = shared.session();
    let mut dies = process(
        "meeting::executes_until_it_is_killed",
        "commit.begun:2",
        [&from.path(), &shared.path()],
    );
    assert!(!dies.wait().unwrap().success());
    let made = part(&from.session(), true, 0..8);
    let done = made.upstream(&session).unwrap();
    assert_eq!(
        (done.added + done.replaced + done.kept, done.claimed),
        (8, 0)
    );
    let interrupted = "SELECT count(*) FROM xp_run WHERE outcome = 'interrupted'";
    assert!(int(&session, interrupted) > 0);
    let before = contents(&session, "roots");
    // Whoever opens the file finds nothing that is left of it.
    let counts = shared.session().plan(roots().forgiving(true).n(0..8));
    assert_eq!(counts.unwrap().counts.complete, 8);
    assert_eq!(contents(&session, "roots"), before);
    let last = "SELECT count(*) FROM xp_run WHERE outcome = 'interrupted' AND seq IN \
        (SELECT max(seq) FROM xp_run GROUP BY id_run)";
    assert_eq!(int(&session, last), 0);
}
