//! Executing: outcomes, exceptions, policies, order and parallelism.

#![allow(clippy::unwrap_used)]

use std::collections::HashSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::Context as _;
use xp::prelude::*;
use xp::{Failure, Outcome};

type Test = Result<(), Box<dyn std::error::Error>>;

#[derive(Debug)]
struct Inner;

impl std::fmt::Display for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the disk is on fire")
    }
}

impl std::error::Error for Inner {}

static GUARDED: Mutex<u32> = Mutex::new(0);

#[step]
fn attempt(n: u32) -> anyhow::Result<u32> {
    match n {
        1 => Err(Inner).context("reading the data"),
        2 => panic!("two is {n}"),
        3 => Err(xp::skip("no traceback").into()),
        4 => std::panic::panic_any(n),
        5 => {
            let mut guarded = GUARDED.lock().unwrap_or_else(PoisonError::into_inner);
            *guarded += 1;
            panic!("while holding a lock")
        }
        6 => anyhow::bail!("six"),
        n => Ok(n),
    }
}

#[step]
fn text(n: u32) -> Result<u32, String> {
    if n == 7 {
        Err(format!("no {n}"))
    } else {
        Ok(n)
    }
}

#[step]
fn count(n: u32) -> u32 {
    n + 1
}

#[experiment]
fn outcomes(#[param] n: u32) {
    let m = attempt(n)?;
    let m = text(m)?;
    #[field]
    let next: u32 = count(m);
}

fn failures(experiment: &Experiment) -> xp::Result<Vec<Failure>> {
    let mut failures = experiment.failures().collect::<xp::Result<Vec<_>>>()?;
    failures.sort_by_key(|failure| failure.inputs.get::<u32>("n").ok().flatten());
    Ok(failures)
}

#[test]
fn every_way_to_end_is_an_outcome() -> Test {
    let session = Session::in_memory()?;
    let error = session
        .execute(outcomes().n(0..10).policy(Policy::KeepGoing))
        .unwrap_err();
    let xp::Error::RunsFailed(failed) = error else {
        panic!("{error}")
    };
    assert_eq!(
        (failed.name.as_str(), failed.failed, failed.completed),
        ("outcomes", 6, 3)
    );
    let experiment = failed.experiment.unwrap();
    let failures = failures(&experiment)?;
    let of = |n: usize| &failures[n - 1];
    let outcomes: Vec<_> = failures.iter().map(|failure| failure.outcome).collect();
    use Outcome::{Failed, Panicked, Skipped};
    assert_eq!(
        outcomes,
        [
            Failed, Panicked, Skipped, Panicked, Panicked, Failed, Failed
        ]
    );

    let exception = &of(1).exception;
    assert_eq!(exception.step.as_deref(), Some("attempt"));
    assert_eq!(exception.message, "reading the data");
    assert_eq!(exception.causes, ["the disk is on fire"]);
    let exception = &of(2).exception;
    assert_eq!(exception.message, "two is 2");
    assert!(
        exception
            .location
            .as_ref()
            .unwrap()
            .contains("tests/execution.rs")
    );
    assert_eq!(of(3).exception.message, "no traceback");
    assert!(of(3).exception.causes.is_empty());
    assert_eq!(
        of(4).exception.message,
        "panicked with a payload that is no text"
    );
    assert_eq!(of(5).exception.message, "while holding a lock");
    assert_eq!(of(7).exception.step.as_deref(), Some("text"));
    assert_eq!(of(7).exception.message, "no 7");
    assert_eq!(of(7).inputs.to_string(), "{n: 7}");

    let mut completed: Vec<u32> = Vec::new();
    for run in session.load_as::<Outcomes>("outcomes")?.runs() {
        completed.push(run?.fields.n);
    }
    completed.sort_unstable();
    assert_eq!(completed, [0, 8, 9]);
    Ok(())
}

#[test]
fn the_first_exception_stops_the_execution_and_is_raised() -> Test {
    let session = Session::in_memory()?;
    let plan = outcomes()
        .n([0, 8, 9, 6, 10, 11])
        .jobs(1)
        .order(Order::Grid);
    let error = session.execute(plan).unwrap_err();
    let text = error.to_string();
    assert_eq!(
        text,
        "1 run of `outcomes` failed, 3 completed and are kept; first failed {n: 6}: step `attempt`: six"
    );
    let xp::Error::RunsFailed(failed) = error else {
        panic!()
    };
    let experiment = failed.experiment.unwrap();
    assert_eq!(experiment.runs().count(), 3);
    assert_eq!(experiment.failures().count(), 1);
    Ok(())
}

#[test]
fn a_skip_stops_nothing() -> Test {
    let session = Session::in_memory()?;
    let experiment = session.execute(outcomes().n([0, 3, 8]).jobs(1))?;
    assert_eq!(
        (experiment.runs().count(), experiment.failures().count()),
        (2, 1)
    );
    Ok(())
}

#[step]
fn never() -> Result<u32, String> {
    Err("always".to_owned())
}

#[experiment]
fn without_inputs() {
    #[field]
    let never: u32 = never()?;
}

#[step]
fn small(n: u32) -> Result<u32, Box<dyn std::error::Error + Send + Sync>> {
    match n {
        0 => Err(xp::skip("nothing").into()),
        1 => Err("one".into()),
        n => Ok(n),
    }
}

#[experiment]
fn smalls(#[param] n: u32) {
    #[field]
    let small: u32 = small(n)?;
}

#[test]
fn a_failure_says_which_run_it_was_and_what_became_of_the_others() -> Test {
    let session = Session::in_memory()?;
    let Err(xp::Error::RunsFailed(failed)) = session.execute(without_inputs()) else {
        panic!("it fails")
    };
    let id = failed.first.id_run;
    assert_eq!(
        failed.to_string(),
        format!(
            "1 run of `without_inputs` failed; first failed run {id}: \
             step `never`: always"
        )
    );
    let plan = smalls().n(0..3).policy(Policy::KeepGoing);
    let Err(xp::Error::RunsFailed(failed)) = session.execute(plan) else {
        panic!("it fails")
    };
    assert_eq!(failed.skipped, 1);
    assert_eq!(
        failed.to_string(),
        "1 run of `smalls` failed, 1 completed and is kept, 1 skipped or pruned; first failed \
         {n: 1}: step `small`: one"
    );
    Ok(())
}

#[test]
fn all_or_nothing_changes_nothing_if_one_fails() -> Test {
    let session = Session::in_memory()?;
    session.execute(outcomes().n([8]))?;
    let plan = || {
        outcomes()
            .policy(Policy::Staged)
            .if_exists(IfExists::Replace)
    };
    let error = session.execute(plan().n([0, 9, 6])).unwrap_err();
    assert!(
        error.to_string().contains("dropped (all or nothing)"),
        "{error}"
    );
    let error = session.execute(plan().n([6])).unwrap_err().to_string();
    let told = "1 run of `outcomes` failed, nothing is kept (all or nothing); first failed {n: 6}";
    assert!(error.starts_with(told), "{error}");
    let run = session
        .load_as::<Outcomes>("outcomes")?
        .runs()
        .next()
        .unwrap()?;
    assert_eq!(run.fields.n, 8);
    assert_eq!(session.execute(plan().n([0, 9]))?.runs().count(), 2);
    Ok(())
}

static TOGETHER: AtomicU32 = AtomicU32::new(0);
static MOST: AtomicU32 = AtomicU32::new(0);

#[step]
fn wait(_i: u32) -> u32 {
    let now = TOGETHER.fetch_add(1, Ordering::SeqCst) + 1;
    MOST.fetch_max(now, Ordering::SeqCst);
    std::thread::sleep(std::time::Duration::from_millis(20));
    TOGETHER.fetch_sub(1, Ordering::SeqCst);
    now
}

#[experiment]
fn parallel(#[param] i: u32) {
    #[field]
    let together: u32 = wait(i);
}

#[test]
fn as_many_runs_go_on_together_as_there_are_jobs() -> Test {
    Session::in_memory()?.execute(parallel().i(0..12).jobs(3))?;
    assert_eq!(MOST.load(Ordering::SeqCst), 3);
    Ok(())
}

static SEEN: Mutex<Vec<u32>> = Mutex::new(Vec::new());

#[step]
fn see(i: u32) {
    SEEN.lock().unwrap().push(i);
}

#[experiment]
fn ordered(#[param] i: u32) {
    see(i);
}

#[test]
fn the_order_is_a_shuffle_the_grid_or_a_key() -> Test {
    let order = |plan: xp::Plan<Ordered>| -> Result<Vec<u32>, xp::Error> {
        SEEN.lock().unwrap().clear();
        Session::in_memory()?.execute(plan.jobs(1))?;
        Ok(SEEN.lock().unwrap().clone())
    };
    use xp::IntoPlan as _;
    let plan = || ordered().i(0..20).into_plan();
    let grid: Vec<u32> = (0..20).collect();
    assert_eq!(order(plan().order(Order::Grid))?, grid);
    let shuffled = order(plan())?;
    assert_ne!(shuffled, grid);
    assert_eq!(shuffled, order(plan())?);
    assert_eq!(shuffled.iter().collect::<HashSet<_>>().len(), 20);
    assert_eq!(
        order(plan().order_by_key(|p| std::cmp::Reverse(p.i)))?,
        grid.into_iter().rev().collect::<Vec<_>>()
    );
    Ok(())
}

#[test]
fn other_threads_keep_the_hook_that_the_program_has_set() -> Test {
    Session::in_memory()?
        .execute(outcomes().n([2]))
        .unwrap_err();
    let ended =
        std::thread::spawn(|| panic!("a thread of the program's own: this line is expected"))
            .join();
    assert!(ended.is_err());
    Ok(())
}

#[test]
fn several_sessions_and_experiments_work_at_once() -> Test {
    std::thread::scope(|scope| {
        let session = Session::in_memory().unwrap();
        let threads: Vec<_> = (0..4)
            .map(|i| {
                let session = session.clone();
                scope.spawn(move || {
                    let plan = outcomes().n(8..108).named(format!("outcomes {i}"));
                    session
                        .execute(plan)
                        .map(|experiment| experiment.runs().count())
                })
            })
            .collect();
        for thread in threads {
            assert_eq!(thread.join().unwrap().unwrap(), 100);
        }
        assert_eq!(session.ls().unwrap().len(), 4);
    });
    Ok(())
}

#[step]
fn nested(n: u32) -> xp::Result<u64> {
    let inner = Session::in_memory()?.execute(outcomes().n(8..8 + n))?;
    Ok(inner.runs().count() as u64)
}

#[experiment]
fn outer(#[param] n: u32) {
    #[field]
    let runs: u64 = nested(n)?;
}

#[test]
fn a_step_may_execute_an_experiment_of_its_own() -> Test {
    let experiment = Session::in_memory()?.execute(outer().n([1, 5]))?;
    for run in experiment.runs() {
        let run = run?;
        assert_eq!(run.fields.runs, u64::from(run.fields.n));
    }
    Ok(())
}

#[test]
fn a_closure_may_borrow_from_its_caller() -> Test {
    let table = [1.0, 2.0, 4.0];
    let seen = Mutex::new(0);
    let session = Session::in_memory()?;
    let experiment = session.sweep("lookup", 0..3_usize, |i, run| {
        *seen.lock().unwrap() += 1;
        run.fields.insert("again", *i as u64)?;
        table.get(*i).copied().context("out of range")
    })?;
    assert_eq!(*seen.lock().unwrap(), 3);
    let mut sum = 0.0;
    for run in experiment.runs() {
        sum += run?.fields.result;
    }
    assert_eq!(sum, 7.0);
    Ok(())
}

#[test]
fn a_panic_of_a_plans_own_closure_ends_the_execution() {
    let session = Session::in_memory().unwrap();
    let ended = std::panic::catch_unwind(|| {
        let plan = outcomes().n(8..100).jobs(3).filter(|p| {
            assert!(p.n < 50, "this line is expected");
            true
        });
        session.execute(plan)
    });
    assert!(ended.is_err());
    assert_eq!(session.ls().unwrap().len(), 1);
}
