//! What kills a child becomes its run's outcome, and the sweep goes on.

use std::collections::BTreeMap;
use std::hint::black_box;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use xp::Outcome;
use xp::prelude::*;

use crate::{Case, Test};

pub(crate) const TESTS: &[Case] = &[
    ("what_kills_a_process_is_the_outcome_of_its_run", outcomes),
    ("fields_and_the_step_that_ran_are_known", the_step),
];

fn overflow(depth: u64) -> u64 {
    let frame = black_box([depth; 128]);
    if black_box(depth) == u64::MAX {
        return 0;
    }
    overflow(depth + 1) + frame[0]
}

#[step]
fn die(how: &str) -> u32 {
    match how {
        "abort" => std::process::abort(),
        "exit" => {
            eprintln!("that is all");
            std::process::exit(3)
        }
        "exit 0" => std::process::exit(0),
        "overflow" => overflow(0) as u32,
        // The first one goes to the handler that looks for overflows of the stack.
        "segfault" => loop {
            kill(Pid::this(), Signal::SIGSEGV).unwrap();
        },
        "kill" => {
            kill(Pid::this(), Signal::SIGKILL).unwrap();
            unreachable!()
        }
        "closed" => {
            (0..64).for_each(|fd| {
                let _ = nix::unistd::close(fd);
            });
            std::process::id()
        }
        "allocation" => black_box(Vec::<u8>::with_capacity(black_box(1 << 62))).len() as u32,
        "panic in a drop" => {
            struct Bomb;
            impl Drop for Bomb {
                fn drop(&mut self) {
                    panic!("the second panic");
                }
            }
            let _bomb = Bomb;
            panic!("the first panic");
        }
        _ => std::process::id(),
    }
}

#[experiment]
pub(crate) fn deaths(#[param] how: String, #[param] n: u32) {
    #[field]
    let pid: u32 = die(&how);
}

#[step]
fn first() -> u32 {
    7
}

#[step]
fn second(n: u32) -> u32 {
    if n == 1 { std::process::abort() } else { n }
}

#[step]
fn third(n: u32) -> u32 {
    if n == 2 { std::process::exit(9) } else { n }
}

#[experiment]
pub(crate) fn tails(#[param] n: u32) {
    #[field]
    let a: u32 = first();
    #[field]
    let b: u32 = second(n);
    #[field]
    let c: u32 = third(n);
}

const DEADLY: [(&str, Outcome, &str); 9] = [
    ("abort", Outcome::Killed, "killed by SIGABRT"),
    (
        "exit",
        Outcome::Exited,
        "the process exited with code 3: that is all",
    ),
    ("exit 0", Outcome::Exited, "the process exited with code 0"),
    ("overflow", Outcome::Killed, " has overflowed its stack"),
    ("segfault", Outcome::Killed, "killed by SIGSEGV"),
    ("kill", Outcome::Killed, "killed by SIGKILL"),
    (
        "closed",
        Outcome::Killed,
        "it had closed its connection to the program",
    ),
    (
        "allocation",
        Outcome::OutOfMemory,
        "memory allocation of 4611686018427387904 bytes failed",
    ),
    ("panic in a drop", Outcome::Killed, "killed by SIGABRT"),
];

fn outcomes() -> Test {
    let session = Session::in_memory()?;
    let ways = DEADLY.iter().map(|(how, ..)| *how).chain(["not"]);
    let plan = deaths()
        .how(ways)
        .n(0..3)
        .jobs(2)
        .policy(Policy::KeepGoing)
        .isolate(Isolation::Process);
    let Err(xp::Error::RunsFailed(failed)) = session.execute(plan) else {
        panic!("some runs fail");
    };
    assert_eq!((failed.failed, failed.completed), (27, 3));
    let mut seen = BTreeMap::new();
    for failure in session.load("deaths")?.failures() {
        let failure = failure?;
        let how: String = failure.inputs.get("how")?.unwrap();
        let (_, outcome, message) = DEADLY.iter().find(|(h, ..)| *h == how).unwrap();
        assert_eq!(failure.outcome, *outcome, "{failure}");
        assert!(failure.exception.message.contains(message), "{failure}");
        assert_eq!(failure.exception.step.as_deref(), Some("die"), "{failure}");
        *seen.entry(how).or_insert(0) += 1;
    }
    assert!(
        seen.len() == 9 && seen.values().all(|count| *count == 3),
        "{seen:?}"
    );
    Ok(())
}

fn the_step() -> Test {
    let session = Session::in_memory()?;
    let plan = tails()
        .n(0..4)
        .policy(Policy::KeepGoing)
        .isolate(Isolation::Process);
    assert!(session.execute(plan).is_err());
    let experiment = session.load("tails")?;
    let mut told = Vec::new();
    for failure in experiment.failures() {
        let failure = failure?;
        told.push(format!("{failure}; it had {}", failure.fields));
    }
    told.sort();
    assert_eq!(
        told,
        [
            "exited {n: 2}: step `third`: the process exited with code 9; it had {a: 7, b: 2}",
            "killed {n: 1}: step `second`: killed by SIGABRT; it had {a: 7}",
        ]
    );
    assert_eq!(experiment.runs().count(), 2);
    Ok(())
}
