//! How children start, live and end.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use xp::prelude::*;

use crate::{Case, Test};

pub(crate) const TESTS: &[Case] = &[
    ("a_process_serves_runs_until_something_kills_it", reuse),
    ("what_a_run_started_dies_with_it", grandchildren_die),
    ("children_end_with_the_execution", the_end),
    ("children_die_with_their_parent", parent_killed),
    ("a_main_without_the_hook_is_told", no_hook),
    ("a_child_that_misses_the_hook_ends", missed_hook),
    ("a_child_that_says_nothing_is_killed", deaf),
    ("a_step_reads_no_message_from_stdin", stdin),
    ("runs_that_are_asked_to_stop_may", cancelled),
];

/// Names what this program does instead of running tests.
pub(crate) const HELPER: &str = "XP_ISOLATION_HELPER";

pub(crate) fn help(helper: &str) -> Test {
    let is_child = std::env::args()
        .next()
        .is_some_and(|name| name == "xp-child");
    match helper {
        "no hook" => {}
        "misses" if is_child => {}
        "deaf" if is_child => std::thread::sleep(Duration::from_secs(60)),
        _ => crate::hook(),
    }
    println!("main goes on");
    if ["listens", "does not listen", "asks for nothing"].contains(&helper) {
        return crate::signals::help(helper);
    }
    let plan = match helper {
        "sleeps" => pids().n(0..2).sleep(60.0),
        _ => pids().n(0..2).sleep(0.0),
    };
    let session = Session::in_memory()?;
    println!("the session is open");
    session.execute(plan.jobs(2).isolate(Isolation::Process))?;
    Ok(())
}

#[step]
fn pid(run: &mut Run, n: u32, sleep: f64) -> u32 {
    if n == 100 {
        std::process::abort();
    }
    let start = Instant::now();
    while start.elapsed().as_secs_f64() < sleep && !run.cancelled() {
        run.progress(start.elapsed().as_secs_f64() / sleep);
        std::thread::sleep(Duration::from_millis(5).min(Duration::from_secs_f64(sleep)));
    }
    if n == 200 {
        panic!("stops the execution");
    }
    std::process::id()
}

#[step]
fn read() -> usize {
    let mut text = String::new();
    std::io::stdin().read_line(&mut text).unwrap_or(usize::MAX)
}

#[experiment]
pub(crate) fn pids(#[param] n: u32, #[config] sleep: f64, run: &mut Run) {
    #[field]
    let pid: u32 = pid(run, n, sleep);
    #[field]
    let read: usize = read();
}

#[step]
fn spawn(run: &mut Run, n: u32) -> u32 {
    let mut child = Command::new("sleep").arg("60").spawn().unwrap();
    run.artifact("pid", child.id().to_string());
    std::fs::write(std::env::temp_dir().join(file(n)), child.id().to_string()).unwrap();
    match n {
        0 => std::process::abort(),
        1 => {
            child.wait().unwrap();
        }
        _ => {}
    }
    child.id()
}

fn file(n: u32) -> String {
    format!("xp-isolation-{n}-{}", std::os::unix::process::parent_id())
}

#[experiment]
pub(crate) fn grandchildren(#[param] n: u32, run: &mut Run) {
    #[field]
    let pid: u32 = spawn(run, n);
}

/// Whether the process is gone, or will be within a second.
pub(crate) fn is_gone(pid: u32) -> bool {
    let is_there = || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
        // Where nobody reaps, the dead stay as zombies.
        stat.is_ok_and(|stat| !stat.contains(") Z "))
    };
    let start = Instant::now();
    while is_there() {
        if start.elapsed() > Duration::from_secs(1) {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    true
}

fn reuse() -> Test {
    let session = Session::in_memory()?;
    let plan = pids()
        .n(0..50)
        .sleep(0.0)
        .jobs(1)
        .isolate(Isolation::Process);
    let of = |experiment: Experiment<Pids>| -> xp::Result<BTreeMap<u32, u32>> {
        experiment
            .runs()
            .map(|run| run.map(|run| (run.fields.n, run.fields.pid)))
            .collect()
    };
    let all = of(session.execute(plan)?)?;
    assert_eq!(
        (all.len(), all.values().collect::<BTreeSet<_>>().len()),
        (50, 1)
    );
    // In the order of the grid: 97 to 99, the end of the first process, 101 and 102.
    let plan = pids()
        .n(97..103)
        .sleep(0.0)
        .jobs(1)
        .named("two")
        .order(Order::Grid)
        .policy(Policy::KeepGoing)
        .isolate(Isolation::Process);
    assert!(session.execute(plan).is_err());
    let all = of(session.load_as("two")?)?;
    assert!(all[&97] == all[&98] && all[&98] == all[&99], "{all:?}");
    assert!(all[&99] != all[&101] && all[&101] == all[&102], "{all:?}");
    Ok(())
}

fn grandchildren_die() -> Test {
    let session = Session::in_memory()?;
    let plan = grandchildren_plan().time_limit(Duration::from_millis(300));
    assert!(session.execute(plan).is_err());
    for n in 0..3 {
        let path = std::env::temp_dir().join(format!("xp-isolation-{n}-{}", std::process::id()));
        let pid = std::fs::read_to_string(&path)?.parse()?;
        std::fs::remove_file(&path)?;
        assert!(is_gone(pid), "what run {n} started goes on");
    }
    Ok(())
}

fn grandchildren_plan() -> xp::Plan<Grandchildren> {
    grandchildren()
        .n(0..3)
        .jobs(1)
        .policy(Policy::KeepGoing)
        .isolate(Isolation::Process)
}

fn the_end() -> Test {
    let plan = pids()
        .n(0..4)
        .sleep(0.0)
        .jobs(2)
        .isolate(Isolation::Process);
    for run in Session::in_memory()?.execute(plan)?.runs() {
        let pid = run?.fields.pid;
        assert!(!Path::new(&format!("/proc/{pid}")).exists());
    }
    Ok(())
}

pub(crate) fn helper(name: &str) -> Command {
    let mut command = Command::new("/proc/self/exe");
    command.env(HELPER, name).stdout(Stdio::piped());
    command
}

/// The processes that were started by another one.
fn children(pid: u32) -> Vec<u32> {
    let mut all = Vec::new();
    let Ok(tasks) = std::fs::read_dir(format!("/proc/{pid}/task")) else {
        return all;
    };
    for task in tasks.flatten() {
        let text = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
        all.extend(
            text.split_whitespace()
                .filter_map(|pid| pid.parse::<u32>().ok()),
        );
    }
    all
}

pub(crate) fn wait_for_children(parent: &Child, count: usize) -> Vec<u32> {
    let start = Instant::now();
    loop {
        let all = children(parent.id());
        if all.len() == count || start.elapsed() > Duration::from_secs(5) {
            return all;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn parent_killed() -> Test {
    let mut parent = helper("sleeps").spawn()?;
    let mut lines = BufReader::new(parent.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap()?, "main goes on");
    let all = wait_for_children(&parent, 2);
    assert_eq!(all.len(), 2);
    // In their runs by then.
    std::thread::sleep(Duration::from_millis(100));
    parent.kill()?;
    parent.wait()?;
    let start = Instant::now();
    for pid in all {
        assert!(is_gone(pid), "child {pid} goes on");
    }
    assert!(start.elapsed() < Duration::from_secs(1));
    Ok(())
}

fn no_hook() -> Test {
    let output = helper("no hook").output()?;
    let text = String::from_utf8(output.stdout)?;
    assert!(!output.status.success());
    assert_eq!(text.matches("main goes on").count(), 1, "{text}");
    assert!(
        text.contains("write `xp::child_main::<Pids>();` as the first statement of `main`"),
        "{text}"
    );
    Ok(())
}

fn missed_hook() -> Test {
    let output = helper("misses").output()?;
    let text = String::from_utf8(output.stdout)?;
    assert!(!output.status.success());
    // The child came to its session, and no further.
    assert_eq!(text.matches("main goes on").count(), 2, "{text}");
    assert_eq!(text.matches("the session is open").count(), 1, "{text}");
    assert!(
        text.contains("did not answer, and ended (exit status: 113)"),
        "{text}"
    );
    assert!(
        text.contains("`xp::child_main::<Pids>();` must be the first statement"),
        "{text}"
    );
    Ok(())
}

fn deaf() -> Test {
    let start = Instant::now();
    let output = helper("deaf").output()?;
    let text = String::from_utf8(output.stdout)?;
    assert!(!output.status.success());
    assert!(text.contains("did not answer within 5 s"), "{text}");
    assert!(start.elapsed() < Duration::from_secs(8));
    Ok(())
}

fn stdin() -> Test {
    let plan = pids().n(0..3).sleep(0.0).isolate(Isolation::Process);
    for run in Session::in_memory()?.execute(plan)?.runs() {
        assert_eq!(run?.fields.read, 0);
    }
    Ok(())
}

fn cancelled() -> Test {
    // One run panics, and the other one is asked to stop.
    let session = Session::in_memory()?;
    let plan = pids().n([200]).sleep(0.05);
    let long = pids().n([1]).sleep(20.0);
    let plan = xp::union([long, plan])
        .jobs(2)
        .order(Order::Grid)
        .isolate(Isolation::Process);
    let start = Instant::now();
    let Err(xp::Error::RunsFailed(failed)) = session.execute(plan) else {
        panic!("one run fails");
    };
    assert_eq!((failed.failed, failed.completed), (1, 1));
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "{:?}",
        start.elapsed()
    );
    Ok(())
}
