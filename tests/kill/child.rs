//! A process that executes the sweep, to be killed.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{self, Command, ExitStatus, Stdio};

use xp::prelude::*;

use crate::sweep::{Sweep, plan};

/// The variables by which the process learns what to do; the last one is xp's own.
const DB: &str = "XP_TEST_DB";
const LOG: &str = "XP_TEST_LOG";
const GROUP: &str = "XP_TEST_GROUP";
pub(crate) const FAILPOINT: &str = "XP_FAILPOINT";

const SIGKILL: i32 = 9;

pub(crate) struct Child(process::Child);

/// How a process ended.
#[derive(Debug)]
pub(crate) struct End {
    status: ExitStatus,
    output: String,
}

/// A command that runs one of the ignored tests of this program.
pub(crate) fn command(test: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([
        "--exact",
        test,
        "--ignored",
        "--nocapture",
        "--test-threads=1",
    ]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

impl Child {
    pub(crate) fn start(sweep: &Sweep, failpoint: Option<&str>) -> Self {
        let mut command = command("child::executes_the_sweep");
        command
            .env(DB, sweep.db())
            .env(LOG, sweep.log())
            .env(GROUP, sweep.group.to_string());
        if let Some(failpoint) = failpoint {
            command.env(FAILPOINT, failpoint);
        }
        Self(command.spawn().unwrap())
    }

    pub(crate) fn kill(&mut self) {
        self.0.kill().unwrap();
    }

    pub(crate) fn wait(self) -> End {
        End::of(self.0.wait_with_output().unwrap())
    }
}

impl End {
    pub(crate) fn of(output: process::Output) -> Self {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        Self {
            status: output.status,
            output: text(&output.stdout) + &text(&output.stderr),
        }
    }

    pub(crate) fn killed(&self) -> bool {
        self.status.signal() == Some(SIGKILL)
    }

    /// Whether it came to its end; anything else but a kill is a failure of the test.
    #[track_caller]
    pub(crate) fn ended(&self) -> bool {
        assert!(
            self.killed() || (self.status.success() && self.output.contains("1 passed")),
            "{self:?}"
        );
        !self.killed()
    }
}

#[test]
#[ignore = "a part of other tests, in a process of its own"]
fn executes_the_sweep() {
    let log = File::options()
        .append(true)
        .create(true)
        .open(std::env::var_os(LOG).unwrap())
        .unwrap();
    let group = std::env::var(GROUP).unwrap().parse().unwrap();
    let session = Session::open(std::env::var_os(DB).unwrap()).unwrap();
    let session = session.with(Options::new().group(group));
    let plan = plan().on_run(move |run| {
        // In one write: the line is there, or it is not.
        let line = format!("{} {}\n", run.id_run.simple(), run.outcome);
        (&log).write_all(line.as_bytes()).unwrap();
    });
    session.resume(plan).unwrap();
}
