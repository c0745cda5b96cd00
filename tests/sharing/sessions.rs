//! Sessions and threads of one process that share a sweep.

use std::time::Duration;

use xp::prelude::*;

use crate::jobs::{POINTS, job, waits};
use crate::{Dir, check};

#[test]
fn sessions_of_one_process_share_a_sweep() {
    let dir = Dir::new();
    let log = dir.log().display().to_string();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let session = Session::open(dir.db()).unwrap();
                assert_eq!(job("all", &session, &log).unwrap(), POINTS as usize);
            });
        }
    });
    assert_eq!(dir.begun().len(), POINTS as usize);
    check(&dir.db(), "experiment_waits", 0..POINTS);
}

#[test]
fn threads_share_a_sweep_of_one_session() {
    let dir = Dir::new();
    let log = dir.log().display().to_string();
    let session = Session::open(dir.db()).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| assert_eq!(job("all", &session, &log).unwrap(), POINTS as usize));
        }
    });
    assert_eq!(dir.begun().len(), POINTS as usize);
    check(&dir.db(), "experiment_waits", 0..POINTS);
}

#[test]
fn threads_share_a_sweep_that_is_in_memory() {
    let dir = Dir::new();
    let log = dir.log().display().to_string();
    let session = Session::in_memory().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| assert_eq!(job("all", &session, &log).unwrap(), POINTS as usize));
        }
    });
    assert_eq!(dir.begun().len(), POINTS as usize);
    let runs = session.query("SELECT count(*) FROM xp_run").unwrap();
    assert_eq!(runs.rows()[0][0], xp::Value::Int(POINTS.into()));
}

#[test]
fn what_a_failed_execution_had_taken_is_run_by_others() {
    let dir = Dir::new();
    let log = dir.log().display().to_string();
    let session = Session::open(dir.db()).unwrap();
    let plan = waits().log(log.as_str()).x(0..POINTS).jobs(2);
    let panics = plan.on_run(|_| panic!("a call of the user's own"));
    let caught = std::panic::catch_unwind(|| session.resume(panics));
    assert!(caught.is_err());
    // The session is still there, and with it its process.
    let other = Session::open(dir.db()).unwrap();
    assert_eq!(job("all", &other, &log).unwrap(), POINTS as usize);
    check(&dir.db(), "experiment_waits", 0..POINTS);
    assert_eq!(job("all", &session, &log).unwrap(), POINTS as usize);
}

#[test]
fn the_plan_of_a_sweep_that_others_run_tells_of_them() {
    let dir = Dir::new();
    let log = dir.log().display().to_string();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let session = Session::open(dir.db()).unwrap();
            let plan = waits().log(log.as_str()).ms(200).x(0..6).jobs(2);
            session.resume(plan).unwrap();
        });
        dir.wait_for(4);
        std::thread::sleep(Duration::from_millis(80));
        let session = Session::open(dir.db()).unwrap();
        let plan = waits().log(log.as_str()).ms(200).x(0..6);
        let counts = session.plan(plan).unwrap().counts;
        assert_eq!((counts.complete, counts.claimed, counts.missing), (2, 2, 2));
        assert_eq!(counts.to_run, 2);
    });
    check(&dir.db(), "experiment_waits", 0..6);
}

#[test]
fn what_a_staged_execution_holds_back_is_accepted_once() {
    // The other one ends before, or after the staged one.
    for (ms, policy) in [(1, Policy::KeepGoing), (20, Policy::KeepGoing)] {
        let dir = Dir::new();
        let log = dir.log().display().to_string();
        let plan = |ms| waits().log(log.as_str()).ms(ms).x(0..20).jobs(2);
        // In the second round the experiment is there.
        for round in 0..2 {
            if round == 1 {
                let before = waits().log(log.as_str()).x(0..2);
                Session::open(dir.path("b.db"))
                    .unwrap()
                    .resume(before)
                    .unwrap();
            }
            let path = [dir.db(), dir.path("b.db")][round].clone();
            std::thread::scope(|scope| {
                for (ms, policy) in [(5, Policy::Staged), (ms, policy)] {
                    let (path, plan) = (&path, &plan);
                    scope.spawn(move || {
                        let session = Session::open(path).unwrap();
                        let experiment = session.resume(plan(ms).policy(policy)).unwrap();
                        assert_eq!(experiment.runs().count(), 20);
                    });
                    std::thread::sleep(Duration::from_millis(5));
                }
            });
            check(&path, "experiment_waits", 0..20);
        }
    }
}
