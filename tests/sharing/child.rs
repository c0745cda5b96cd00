//! A process that does a job.

use std::path::Path;
use std::process::{self, Command, Stdio};

use xp::prelude::*;

use crate::Dir;
use crate::jobs::job;

const DB: &str = "XP_TEST_DB";
const LOG: &str = "XP_TEST_LOG";
const JOB: &str = "XP_TEST_JOB";
/// The processes begin when there is such a file.
const GO: &str = "XP_TEST_GO";
/// If it is set, the process goes to another directory once it has opened the file.
const LEAVES: &str = "XP_TEST_LEAVES";

pub(crate) struct Child(process::Child);

/// What a process needs to know.
pub(crate) struct Start<'a> {
    pub(crate) dir: &'a Dir,
    pub(crate) db: &'a Path,
    pub(crate) job: &'a str,
    pub(crate) leaves: bool,
    /// Where the process is killed, if it is: `name:hit`.
    pub(crate) failpoint: Option<&'a str>,
}

impl Start<'_> {
    pub(crate) fn spawn(&self) -> Child {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "child::does_a_job", "--ignored", "--nocapture"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .current_dir(self.dir.path(""))
            .env(DB, self.db)
            .env(LOG, self.dir.log())
            .env(GO, self.dir.path("go"))
            .env(JOB, self.job);
        if self.leaves {
            command.env(LEAVES, "1");
        }
        if let Some(failpoint) = self.failpoint {
            command.env("XP_FAILPOINT", failpoint);
        }
        Child(command.spawn().unwrap())
    }
}

impl Child {
    /// Starts a process that waits for [`go`].
    pub(crate) fn start(dir: &Dir, job: &str) -> Self {
        Self::start_at(dir, job, None)
    }

    /// Starts a process that is killed if it comes to a failpoint.
    pub(crate) fn start_at(dir: &Dir, job: &str, failpoint: Option<&str>) -> Self {
        let (db, leaves) = (&dir.db(), false);
        Start {
            dir,
            db,
            job,
            leaves,
            failpoint,
        }
        .spawn()
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    pub(crate) fn is_alive(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }

    /// Kills it, and waits until it is dead.
    pub(crate) fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// Waits until it has done its job, and returns how many runs it saw then.
    #[track_caller]
    pub(crate) fn ended(self) -> usize {
        let output = self.0.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        let seen = text
            .lines()
            .find_map(|line| line.split_once("saw ")?.1.parse().ok());
        match seen {
            Some(seen) if output.status.success() => seen,
            _ => panic!("{:?}: {text}", output.status),
        }
    }
}

/// Lets all processes begin that were started.
pub(crate) fn go(dir: &Dir) {
    std::fs::write(dir.path("go"), "").unwrap();
}

/// Does these jobs in a process each, at the same time; how many runs each of them saw.
#[track_caller]
pub(crate) fn together(dir: &Dir, jobs: &[impl AsRef<str>]) -> Vec<usize> {
    let children: Vec<_> = jobs
        .iter()
        .map(|job| Child::start(dir, job.as_ref()))
        .collect();
    go(dir);
    children.into_iter().map(Child::ended).collect()
}

#[test]
#[ignore = "a part of other tests, in a process of its own"]
fn does_a_job() {
    let go = std::env::var_os(GO).unwrap();
    while !Path::new(&go).exists() {
        std::thread::sleep(std::time::Duration::from_micros(100));
    }
    let session = Session::open(std::env::var_os(DB).unwrap()).unwrap();
    if std::env::var_os(LEAVES).is_some() {
        std::env::set_current_dir("/").unwrap();
    }
    let log = std::env::var(LOG).unwrap();
    let seen = job(&std::env::var(JOB).unwrap(), &session, &log).unwrap();
    println!("saw {seen}");
}
