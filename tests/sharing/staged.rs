//! Executions that hold their runs back until all of them have completed, beside others.

use std::sync::mpsc;
use std::time::Duration;

use rusqlite::Connection;
use xp::prelude::*;
use xp::{Error, IfExists};

use crate::child::{Child, go, together};
use crate::jobs::{POINTS, trips, waits};
use crate::{Dir, check, counted};

const TABLE: &str = "experiment_waits";

type Job = Box<dyn FnOnce() -> xp::Result<usize> + Send>;

/// Does jobs at the same time, in a thread each. What waits for ever fails.
#[track_caller]
fn at_once(jobs: Vec<Job>) -> Vec<xp::Result<usize>> {
    let ended: Vec<_> = (jobs.into_iter())
        .map(|job| {
            let (sender, ended) = mpsc::channel();
            std::thread::spawn(move || sender.send(job()));
            ended
        })
        .collect();
    let longest = Duration::from_secs(20);
    let ended = ended.iter().map(|ended| ended.recv_timeout(longest));
    // An error here: it never ends.
    ended.map(Result::unwrap).collect()
}

/// Resumes the whole sweep in a thread for each of these policies.
#[track_caller]
fn share(dir: &Dir, policies: &[Policy], session: impl Fn() -> Session) {
    let job = |policy: &Policy| -> Job {
        let (session, policy, log) = (session(), *policy, dir.log().display().to_string());
        Box::new(move || {
            let plan = waits().log(log).x(0..POINTS).jobs(2).policy(policy);
            Ok(session.resume(plan)?.runs().count())
        })
    };
    for seen in at_once(policies.iter().map(job).collect()) {
        assert_eq!(seen.unwrap(), POINTS as usize);
    }
    assert_eq!(dir.begun().len(), POINTS as usize);
}

const MIXES: [&[Policy]; 3] = [
    &[Policy::Staged, Policy::Staged],
    &[Policy::Staged, Policy::Staged, Policy::Staged],
    &[Policy::Staged, Policy::KeepGoing, Policy::Staged],
];

#[test]
fn sessions_share_a_sweep_that_is_staged() {
    for mix in MIXES {
        let dir = Dir::new();
        share(&dir, mix, || Session::open(dir.db()).unwrap());
        check(&dir.db(), TABLE, 0..POINTS);
    }
}

#[test]
fn threads_of_one_session_share_a_sweep_that_is_staged() {
    for mix in MIXES {
        let dir = Dir::new();
        let session = Session::open(dir.db()).unwrap();
        share(&dir, mix, || session.clone());
        check(&dir.db(), TABLE, 0..POINTS);
        let dir = Dir::new();
        let session = Session::in_memory().unwrap();
        share(&dir, mix, || session.clone());
    }
}

#[test]
fn processes_share_a_sweep_that_is_staged() {
    for jobs in [
        &["staged", "staged"][..],
        &["staged", "all", "staged"],
        &["staged", "staged", "staged", "all"],
    ] {
        let dir = Dir::new();
        assert_eq!(together(&dir, jobs), vec![POINTS as usize; jobs.len()]);
        assert_eq!(dir.begun().len(), POINTS as usize);
        check(&dir.db(), TABLE, 0..POINTS);
    }
}

#[test]
fn what_a_killed_process_held_back_is_run_by_the_others() {
    let dir = Dir::new();
    go(&dir);
    let dies = Child::start(&dir, "staged seconds");
    dir.wait_for(1);
    let other = Child::start(&dir, "staged seconds");
    dir.wait_for(4);
    dies.kill();
    assert_eq!(other.ended(), 4);
    check(&dir.db(), TABLE, 0..4);
}

/// Executions of `trips`, each with what fails in it; `held` of them are staged.
#[track_caller]
fn tripping(dir: &Dir, all: &[(Policy, u32)]) -> Vec<xp::Result<usize>> {
    let job = |(policy, fails): &(Policy, u32)| -> Job {
        let session = Session::open(dir.db()).unwrap();
        let log = dir.log().display().to_string();
        let plan = trips().log(log).trips(*fails).x(0..POINTS).jobs(1);
        let plan = plan.policy(*policy);
        Box::new(move || Ok(session.resume(plan)?.runs().count()))
    };
    at_once(all.iter().map(job).collect())
}

#[test]
fn what_a_failed_execution_drops_is_run_by_the_others() {
    for other in [Policy::Staged, Policy::KeepGoing] {
        let dir = Dir::new();
        let mut ended = tripping(&dir, &[(Policy::Staged, 3), (other, 10)]);
        let seen = ended.pop().unwrap().unwrap();
        assert_eq!(seen, POINTS as usize);
        // Unless the other one ran all that fails here.
        if let Some(Err(error)) = ended.pop() {
            assert!(matches!(error, Error::RunsFailed(_)), "{error}");
        }
        check(&dir.db(), "experiment_trips", 0..POINTS);
    }
}

#[test]
fn nobody_waits_for_executions_all_of_which_fail() {
    let dir = Dir::new();
    let all = [
        (Policy::Staged, 3),
        (Policy::Staged, 3),
        (Policy::Staged, 3),
    ];
    for ended in tripping(&dir, &all) {
        assert!(matches!(ended, Err(Error::RunsFailed(_))), "{ended:?}");
    }
    assert_eq!(dir.count("SELECT count(*) FROM xp_claim"), 0);
    let kept = counted(&Connection::open(dir.db()).unwrap());
    let session = Session::open(dir.db()).unwrap();
    let log = dir.log().display().to_string();
    let plan = || trips().log(log.as_str()).x(0..POINTS);
    let counts = session.plan(plan()).unwrap().counts;
    assert_eq!(counts.complete as i64, kept);
    assert_eq!(counts.missing as i64, i64::from(POINTS) - kept);
    session.resume(plan().policy(Policy::Staged)).unwrap();
    check(&dir.db(), "experiment_trips", 0..POINTS);
}

#[test]
fn a_staged_execution_that_fails_leaves_what_was_there() {
    let dir = Dir::new();
    let session = Session::open(dir.db()).unwrap();
    let log = dir.log().display().to_string();
    let plan = |x| trips().log(log.as_str()).trips(3).x(x);
    session.execute(plan(0..3).named("some")).unwrap();
    let more = plan(0..9).policy(Policy::Staged).named("some");
    let Err(Error::RunsFailed(failed)) = session.resume(more.into_plan()) else {
        panic!("one fails");
    };
    // What it was resumed from is there, and can be had from the error.
    assert_eq!(failed.experiment.unwrap().runs().count(), 3);
    let new = plan(0..9).policy(Policy::Staged);
    let Err(Error::RunsFailed(failed)) = session.execute(new.if_exists(IfExists::Fail)) else {
        panic!("one fails");
    };
    assert!(failed.experiment.is_none());
    assert_eq!(session.ls().unwrap().len(), 1);
}
