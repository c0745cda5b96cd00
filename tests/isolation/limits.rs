//! Limits of time, processor time and memory.

use std::hint::black_box;
use std::time::{Duration, Instant};

use xp::prelude::*;
use xp::{IsolationError, Outcome, PlanError};

use crate::{Case, Test};

pub(crate) const TESTS: &[Case] = &[
    ("a_run_beyond_its_time_limit_is_stopped", time),
    ("a_run_that_sleeps_has_no_cpu_time", cpu),
    ("a_run_beyond_its_memory_limit_is_stopped", memory),
    ("limits_do_not_count_the_shared_step", shared),
    ("limits_need_processes", threads),
    ("what_a_run_used_is_recorded", usage),
];

#[step]
fn spend(what: &str) -> u32 {
    match what {
        "sleep" => std::thread::sleep(Duration::from_millis(700)),
        "compute" => compute(Duration::from_millis(700)),
        "two threads" => std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| compute(Duration::from_millis(700)));
            }
        }),
        "memory" => {
            let mut all = Vec::new();
            for _ in 0..60 {
                all.push(black_box(vec![1_u8; 10 << 20]));
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        _ => {}
    }
    std::process::id()
}

/// For that much processor time of this thread.
fn compute(time: Duration) {
    let used = || {
        let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
        Duration::from_nanos(stat.split_whitespace().next().unwrap().parse().unwrap())
    };
    let start = used();
    while used() - start < time {
        (0..10_000).for_each(|i| {
            black_box(i);
        });
    }
}

#[experiment]
pub(crate) fn limited(#[param] what: String) {
    #[field]
    let pid: u32 = spend(&what);
}

#[step]
fn load() -> Vec<u8> {
    compute(Duration::from_millis(400));
    std::thread::sleep(Duration::from_millis(200));
    black_box(vec![1; 100 << 20])
}

#[step]
fn size(data: &[u8]) -> usize {
    std::thread::sleep(Duration::from_millis(50));
    data.len()
}

#[experiment]
pub(crate) fn warmed(#[param] n: u32) {
    #[shared]
    let data: Vec<u8> = load();
    #[field]
    let size: usize = size(&data);
}

type Failures = Vec<(String, Outcome, String)>;

/// What failed, with its outcome and message.
fn failures(
    session: &Session,
    plan: impl xp::IntoPlan<Experiment = Limited>,
) -> Result<Failures, Box<dyn std::error::Error>> {
    match session.execute(plan) {
        Ok(_) => return Ok(Vec::new()),
        Err(xp::Error::RunsFailed(_)) => {}
        Err(error) => return Err(error.into()),
    }
    let mut all = Vec::new();
    for failure in session.load("limited")?.failures() {
        let failure = failure?;
        let what: String = failure.inputs.get("what")?.unwrap();
        all.push((what, failure.outcome, failure.exception.message));
    }
    all.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(all)
}

fn isolated(what: &[&'static str]) -> xp::Plan<Limited> {
    limited()
        .what(what.iter().copied())
        .policy(Policy::KeepGoing)
        .jobs(1)
        .isolate(Isolation::Process)
}

fn time() -> Test {
    let session = Session::in_memory()?;
    let plan = isolated(&["sleep", "nothing"]).time_limit(Duration::from_millis(200));
    let start = Instant::now();
    let failed = failures(&session, plan)?;
    let took = start.elapsed();
    assert_eq!(failed.len(), 1, "{failed:?}");
    let (what, outcome, message) = &failed[0];
    assert_eq!((what.as_str(), *outcome), ("sleep", Outcome::TimedOut));
    assert!(message.starts_with("stopped after 0.2"), "{message}");
    assert!(
        message.ends_with(" s: its time limit is 200ms"),
        "{message}"
    );
    assert!(took < Duration::from_millis(650), "{took:?}");
    Ok(())
}

fn cpu() -> Test {
    let session = Session::in_memory()?;
    let plan = isolated(&["sleep", "compute", "two threads"]);
    let failed = failures(&session, plan.cpu_limit(Duration::from_millis(300)))?;
    assert_eq!(failed.len(), 2, "{failed:?}");
    for ((what, outcome, message), expected) in failed.iter().zip(["compute", "two threads"]) {
        assert_eq!((what.as_str(), *outcome), (expected, Outcome::TimedOut));
        assert!(
            message.contains("of CPU time: its CPU limit is 300ms"),
            "{message}"
        );
    }
    Ok(())
}

fn memory() -> Test {
    let session = Session::in_memory()?;
    let plan = isolated(&["memory", "nothing"]).memory_limit(100 << 20);
    let failed = failures(&session, plan)?;
    assert_eq!(failed.len(), 1, "{failed:?}");
    let (what, outcome, message) = &failed[0];
    assert_eq!((what.as_str(), *outcome), ("memory", Outcome::OutOfMemory));
    assert!(
        message.ends_with("MiB of memory: its memory limit is 100 MiB"),
        "{message}"
    );
    let plan = isolated(&["memory"]).memory_limit(2 << 30).named("enough");
    assert_eq!(failures(&session, plan)?, []);
    Ok(())
}

fn shared() -> Test {
    let plan = warmed()
        .n(0..3)
        .jobs(1)
        .isolate(Isolation::Process)
        .time_limit(Duration::from_millis(300))
        .cpu_limit(Duration::from_millis(200))
        .memory_limit(50 << 20);
    let experiment = Session::in_memory()?.execute(plan)?;
    assert_eq!(experiment.runs().count(), 3);
    Ok(())
}

fn threads() -> Test {
    let session = Session::in_memory()?;
    let error = session
        .execute(limited().what(["x"]).memory_limit(1))
        .unwrap_err();
    let xp::Error::Plan(PlanError::Isolation(error)) = error else {
        panic!("{error}");
    };
    assert!(matches!(*error, IsolationError::LimitOfThreads { .. }));
    assert!(
        error.to_string().contains("`limited` has a memory limit"),
        "{error}"
    );
    let limited = session.with(Options::new().time_limit(Duration::from_secs(1)));
    let error = limited
        .sweep("s", [1], |x: &i32, _run| Ok::<_, String>(*x))
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("a closure cannot leave its process"),
        "{error}"
    );
    assert_eq!(limited.ls()?.len(), 0);
    Ok(())
}

fn usage() -> Test {
    let session = Session::in_memory()?;
    let plan = isolated(&["sleep", "two threads"]).cpu_limit(Duration::from_secs(1));
    assert_eq!(failures(&session, plan)?.len(), 1);
    session.execute(isolated(&["memory"]).named("large"))?;
    let one = |sql: &str| -> xp::Result<xp::Value> { Ok(session.query(sql)?.rows()[0][0].clone()) };
    // The one that was stopped has computed for a second, all but its first 10 ms.
    let stopped =
        "select user + system between 0.9 and 1.4 from xp_run where outcome = 'timed_out'";
    assert_eq!(one(stopped)?, 1.into());
    let asleep = "select count(*) from xp_run where outcome = 'completed' and user + system < 0.1 \
                  and elapsed > 0.6 and memory < 100 << 20";
    assert_eq!(one(asleep)?, 1.into());
    let large = "select count(*) from xp_run where outcome = 'completed' and memory > 600 << 20";
    assert_eq!(one(large)?, 1.into());
    Ok(())
}
