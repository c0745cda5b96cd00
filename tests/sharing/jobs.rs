//! What the processes execute.

use std::collections::HashSet;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use xp::prelude::*;

/// How many points the sweeps have, as far as it is not said.
pub(crate) const POINTS: u32 = 60;

/// How many points there are where runs take no time.
pub(crate) const MANY: u32 = 6_000;

/// Notes that this process has begun a point.
pub(crate) fn note(log: impl AsRef<Path>, x: u32) {
    let mut log = File::options().append(true).create(true).open(log).unwrap();
    // In one write: lines of several processes do not mix.
    let line = format!("{} {x}\n", std::process::id());
    log.write_all(line.as_bytes()).unwrap();
}

/// Waits until so many processes have begun a point: each of them has a share then.
fn meet(log: &str, processes: usize) {
    let until = Instant::now() + Duration::from_secs(60);
    let begun = || {
        let log = std::fs::read_to_string(log).unwrap_or_default();
        let ids = log.lines().filter_map(|line| line.split(' ').next());
        ids.collect::<HashSet<_>>().len()
    };
    while processes > 1 && begun() < processes && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[step]
fn wait(log: &str, x: u32, ms: u64, processes: usize) -> u64 {
    note(log, x);
    meet(log, processes);
    std::thread::sleep(Duration::from_millis(ms));
    u64::from(x) * 2
}

#[experiment]
pub(crate) fn waits(
    #[config(identity = false)] log: String,
    #[config(identity = false, default = 5)] ms: u64,
    #[config(identity = false, default = 1)] processes: usize,
    #[param] x: u32,
) {
    #[field]
    let double: u64 = wait(&log, x, ms, processes);
}

#[step]
fn load(seed: u32) -> Vec<u32> {
    std::thread::sleep(Duration::from_millis(3));
    (0..seed).collect()
}

#[step]
fn count(log: &str, data: &[u32], x: u32, processes: usize) -> usize {
    note(log, x);
    meet(log, processes);
    std::thread::sleep(Duration::from_millis(3));
    data.len()
}

#[experiment]
pub(crate) fn groups(
    #[config(identity = false)] log: String,
    #[config(identity = false, default = 1)] processes: usize,
    #[param] seed: u32,
    #[param] x: u32,
) {
    #[shared]
    let data: Vec<u32> = load(seed);
    #[field]
    let count: usize = count(&log, &data, x, processes);
}

#[step]
fn fail(log: &str, x: u32) -> Result<u32, String> {
    note(log, x);
    std::thread::sleep(Duration::from_millis(5));
    match x % 10 {
        3 => Err("three".to_owned()),
        7 => panic!("seven"),
        _ => Ok(x),
    }
}

#[step]
fn trip(log: &str, x: u32, trips: u32) -> Result<u32, String> {
    note(log, x);
    std::thread::sleep(Duration::from_millis(5));
    if x % 10 == trips {
        return Err(format!("{x} trips"));
    }
    Ok(x)
}

/// Each execution has points of its own that fail; none do with 10.
#[experiment]
pub(crate) fn trips(
    #[config(identity = false)] log: String,
    #[config(identity = false, default = 10)] trips: u32,
    #[param] x: u32,
) {
    #[field]
    let same: u32 = trip(&log, x, trips)?;
}

#[experiment]
pub(crate) fn fails(#[config(identity = false)] log: String, #[param] x: u32) {
    #[field]
    let same: u32 = fail(&log, x)?;
}

#[step]
fn hang(log: &str, x: u32) -> Result<u32, String> {
    let begun = std::fs::read_to_string(log).unwrap_or_default();
    note(log, x);
    match begun.lines().count() {
        0 => Err("the first attempt of all fails".to_owned()),
        1 => {
            std::thread::sleep(Duration::from_secs(30));
            Ok(x)
        }
        _ => Ok(x),
    }
}

/// The second attempt at its first point hangs.
#[experiment]
pub(crate) fn hangs(#[config(identity = false)] log: String, #[param] x: u32) {
    #[field]
    let same: u32 = hang(&log, x)?;
}

/// Does a job, and returns how many runs there are to be seen after it. `all of 3` is the job `all`
/// of which 3 processes are to have a share.
pub(crate) fn job(name: &str, session: &Session, log: &str) -> xp::Result<usize> {
    let (name, processes) = match name.split_once(" of ") {
        Some((name, processes)) => (name, processes.parse().unwrap()),
        None => (name, 1),
    };
    let all = || {
        let plan = waits().log(log).processes(processes);
        plan.x(0..POINTS).jobs(2)
    };
    let grouped = || {
        let plan = groups().log(log).processes(processes);
        plan.seed(1..=4).x(0..20).jobs(2)
    };
    let seen = match name {
        "all" => session.resume(all())?.runs().count(),
        "one thread" => session.resume(all().jobs(1))?.runs().count(),
        "execute" => session.execute(all())?.runs().count(),
        "staged" => session.resume(all().policy(Policy::Staged))?.runs().count(),
        "staged seconds" => {
            let plan = waits().log(log).ms(1_000).x(0..4).jobs(1);
            session.resume(plan.policy(Policy::Staged))?.runs().count()
        }
        "first" => session
            .resume(waits().log(log).x(0..40).jobs(2))?
            .runs()
            .count(),
        "second" => session
            .resume(waits().log(log).x(20..POINTS).jobs(2))?
            .runs()
            .count(),
        "ordered" => session.resume(all().order_by_key(|p| p.x))?.runs().count(),
        "many" => {
            let plan = waits().log("/dev/null").ms(0).x(0..MANY).jobs(2);
            session.resume(plan.order_by_key(|p| p.x))?.runs().count()
        }
        // As long as no other process has begun a point, it does not go on.
        "one and many" => {
            let plan = waits().log(log).processes(processes).ms(0).jobs(1);
            let plan = plan.x(0..MANY).order_by_key(|p| p.x);
            session.resume(plan)?.runs().count()
        }
        "long" => {
            let plan = waits().log(log).ms(3_000).x(0..1).jobs(1);
            session.resume(plan)?.runs().count()
        }
        "seconds" => {
            let plan = waits().log(log).ms(1_000).x(0..4).jobs(2);
            session.resume(plan)?.runs().count()
        }
        "groups" => session.resume(grouped())?.runs().count(),
        "ordered groups" => {
            let plan = grouped().order_by_key(|p| p.x);
            session.resume(plan)?.runs().count()
        }
        "fails" => {
            let plan = fails().log(log).x(0..POINTS).jobs(2);
            match session.resume(plan) {
                Ok(experiment) => experiment.runs().count(),
                Err(xp::Error::RunsFailed(_)) => session.load("fails")?.runs().count(),
                Err(other) => return Err(other),
            }
        }
        "hangs" => {
            let plan = hangs().log(log).x(0..3).jobs(1).retry(1);
            session.resume(plan)?.runs().count()
        }
        other => panic!("there is no job `{other}`"),
    };
    Ok(seen)
}
