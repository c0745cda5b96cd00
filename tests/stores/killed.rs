//! Processes that write files are killed by SIGKILL at every point that has a name: no row is without
//! its file, and what was left behind is gone after the next execution.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};

use super::*;

const DIR: &str = "XP_TEST_DIR";
const DELETE: &str = "XP_TEST_DELETE";
const FAILPOINT: &str = "XP_FAILPOINT";

const POINTS: std::ops::Range<u32> = 0..12;

/// Executes in another process until that is killed, or until its end: whether it was killed.
fn is_killed(file: &File, failpoint: &str, delete: bool) -> bool {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "killed::executes", "--ignored", "--nocapture"]);
    command.env(DIR, file.path()).env(FAILPOINT, failpoint);
    if delete {
        command.env(DELETE, "1");
    }
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let output = command.output().unwrap();
    let killed = output.status.signal() == Some(9);
    assert!(killed || output.status.success(), "{output:?}");
    killed
}

#[test]
#[ignore = "a part of other tests, in a process of its own"]
fn executes() {
    let session = Session::open(std::env::var_os(DIR).unwrap()).unwrap();
    if std::env::var_os(DELETE).is_some() {
        return session.delete("fits").unwrap();
    }
    let session = session.with(Options::new().group(3).jobs(1));
    session.resume(fits().n(POINTS)).unwrap();
}

/// Nothing but what the rows refer to is beside the database.
#[track_caller]
fn check_is_tidy(file: &File) {
    assert_eq!(file.files(experiment(file).id_experiment).len(), 24);
    let expected = ["file.db", "mltraq.datastore"].map(str::to_owned);
    assert_eq!(names(file.dir.path()), expected.into());
    assert_eq!(names(&file.store()).len(), 1);
}

fn experiment(file: &File) -> Experiment<Fits> {
    file.session().load_as("fits").unwrap()
}

#[test]
fn no_row_is_without_its_file_wherever_a_process_is_killed() {
    for failpoint in [
        "store.joined",
        "store.part",
        "store.renamed",
        "store.written",
        "commit.before",
        "commit.begun",
        "commit.ready",
        "commit.committed",
        "end.ready",
        "end.committed",
    ] {
        let file = File::new();
        let mut kills = 0;
        for hit in [1, 2, 5, 9] {
            kills += u32::from(is_killed(&file, &format!("{failpoint}:{hit}"), false));
            if let Ok(loaded) = file.session().load_as::<Fits>("fits") {
                for run in loaded.runs() {
                    let fields = run.unwrap().fields;
                    assert_eq!(fields.trace.load().unwrap(), &array(fields.n));
                    assert_eq!(fields.model.load().unwrap(), &weights(fields.n));
                }
            }
        }
        assert!(kills > 0, "{failpoint} is never come to");
        file.session().resume(fits().n(POINTS)).unwrap();
        check(&experiment(&file), POINTS);
        check_is_tidy(&file);
    }
}

#[test]
fn what_a_killed_process_left_goes_when_the_database_is_opened() {
    for failpoint in ["store.part:1", "store.written:2"] {
        let other = File::new();
        assert!(is_killed(&other, failpoint, false));
        assert!(other.store().exists());
        drop(other.session());
        let left: Vec<_> = names(&other.store()).into_iter().collect();
        // The experiment is there, without runs: its directory is empty, or gone.
        assert_eq!(left, Vec::<String>::new(), "{failpoint}");
    }
}

#[test]
fn a_deletion_that_is_killed_is_ended_by_the_next_process() {
    for (failpoint, is_deleted) in [
        ("delete.ready:1", false),
        ("delete.committed:1", true),
        ("tidy.begun:1", true),
    ] {
        let file = File::new();
        let made = file.session().execute(fits().n(POINTS)).unwrap();
        drop(made);
        assert!(is_killed(&file, failpoint, true), "{failpoint}");
        let session = file.session();
        if is_deleted {
            assert!(!file.store().exists(), "{failpoint}");
            assert!(session.load("fits").is_err());
        } else {
            check(&session.load_as("fits").unwrap(), POINTS);
        }
        drop(session);
        let beside = names(file.dir.path());
        assert!(!beside.contains("file.db-xp"), "{failpoint}: {beside:?}");
    }
}
