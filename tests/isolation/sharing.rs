//! One child has all runs that need the same shared value.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

use xp::prelude::*;

use crate::{Case, Test};

pub(crate) const TESTS: &[Case] = &[
    ("a_shared_value_is_computed_once_in_one_process", once),
    ("what_kills_the_shared_step_ends_all_that_need_it", broken),
];

static COMPUTED: AtomicU32 = AtomicU32::new(0);
static LIVE: AtomicU32 = AtomicU32::new(0);

pub(crate) struct Data(u32, u32);

impl Drop for Data {
    fn drop(&mut self) {
        LIVE.fetch_sub(1, SeqCst);
    }
}

#[step]
fn load(seed: u32) -> Data {
    LIVE.fetch_add(1, SeqCst);
    Data(seed, COMPUTED.fetch_add(1, SeqCst))
}

#[step]
fn index(data: &Data, k: u32) -> (u32, u32) {
    (data.0 * k, COMPUTED.fetch_add(1, SeqCst))
}

#[step]
fn look(data: &Data, index: &(u32, u32)) -> (u32, u32, u32, u32, u32) {
    (
        std::process::id(),
        data.1,
        index.0,
        index.1,
        LIVE.load(SeqCst),
    )
}

#[experiment]
pub(crate) fn shares(#[param] seed: u32, #[param] k: u32, #[param] n: u32) {
    #[shared]
    let data: Data = load(seed);
    #[shared]
    let index: (u32, u32) = index(&data, k);
    #[field]
    let seen: (u32, u32, u32, u32, u32) = look(&data, &index);
}

#[step]
fn fragile(seed: u32) -> u32 {
    if seed == 1 {
        std::fs::write(std::env::var("ISOLATION_COUNT").unwrap_or_default(), b"x").ok();
        std::process::abort();
    }
    if seed == 2 {
        panic!("no seed 2");
    }
    seed
}

#[step]
fn use_it(seed: &u32, n: u32) -> u32 {
    seed + n
}

#[experiment]
pub(crate) fn breaks(#[param] seed: u32, #[param] n: u32) {
    #[shared]
    let value: u32 = fragile(seed);
    #[field]
    let sum: u32 = use_it(&value, n);
}

fn once() -> Test {
    let plan = shares().seed(0..6).k(1..=3).n(0..10).jobs(2);
    let experiment = Session::in_memory()?.execute(plan.isolate(Isolation::Process))?;
    // For every seed the process and the number of the computation; the same for seed and k.
    let mut data = BTreeMap::<u32, BTreeSet<(u32, u32)>>::new();
    let mut indices = BTreeMap::<(u32, u32), BTreeSet<(u32, u32)>>::new();
    let mut processes = BTreeSet::new();
    let mut runs = 0;
    for run in experiment.runs() {
        let run = run?;
        let (pid, loaded, product, indexed, live) = run.fields.seen;
        assert_eq!(product, run.fields.seed * run.fields.k);
        assert_eq!(live, 1, "the value of another group is dropped");
        data.entry(run.fields.seed)
            .or_default()
            .insert((pid, loaded));
        let key = (run.fields.seed, run.fields.k);
        indices.entry(key).or_default().insert((pid, indexed));
        processes.insert(pid);
        runs += 1;
    }
    assert_eq!(runs, 180);
    assert!(data.values().all(|of| of.len() == 1), "{data:?}");
    assert!(indices.values().all(|of| of.len() == 1), "{indices:?}");
    assert!(processes.len() <= 2 && !processes.contains(&std::process::id()));
    Ok(())
}

fn broken() -> Test {
    let session = Session::in_memory()?;
    let plan = breaks()
        .seed(0..4)
        .n(0..5)
        .jobs(1)
        .policy(Policy::KeepGoing)
        .isolate(Isolation::Process);
    let Err(xp::Error::RunsFailed(failed)) = session.execute(plan) else {
        panic!("some runs fail");
    };
    assert_eq!((failed.failed, failed.completed), (10, 10));
    let mut told = BTreeSet::new();
    for failure in session.load("breaks")?.failures() {
        let failure = failure?;
        let exception = failure.exception;
        told.insert((failure.outcome.as_str(), exception.step, exception.message));
    }
    let step = || Some("fragile".to_owned());
    let expected = [
        ("killed", step(), "killed by SIGABRT".to_owned()),
        ("panicked", step(), "no seed 2".to_owned()),
    ];
    assert_eq!(told, BTreeSet::from(expected));
    Ok(())
}
