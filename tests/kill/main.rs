//! Processes that execute a sweep are killed by SIGKILL, again and again, at random moments and at
//! every point of the program that has a name. After each kill the file is whole, and what had counted
//! is in it; resumed until it is done, the sweep has every point once.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![cfg(unix)]

mod check;
mod child;
mod schema;
mod sweep;

use std::time::{Duration, Instant};

use check::Checked;
use child::Child;
use sweep::Sweep;

/// At least so many kills.
const KILLS: u64 = 200;

/// The points that have a name, in the order in which a process comes to them first. `commit.fields`
/// and `commit.ledger` come once for every few rows.
const FAILPOINTS: [&str; 15] = [
    "reap.ready",
    "reap.committed",
    "join.locked",
    "join.committed",
    "claim.begun",
    "claim.ready",
    "claim.committed",
    "commit.before",
    "commit.begun",
    "commit.fields",
    "commit.ledger",
    "commit.ready",
    "commit.committed",
    "end.ready",
    "end.committed",
];

/// At which of its hits a failpoint kills: the first commit only makes the experiment.
const HITS: [u64; 4] = [1, 2, 3, 7];

/// What was done so far.
#[derive(Debug, Default)]
struct Done {
    kills: u64,
    sweeps: u64,
    checked: Checked,
}

impl Done {
    fn add(&mut self, checked: &Checked) {
        self.checked.points += checked.points;
        self.checked.skipped += checked.skipped;
        self.checked.logged += checked.logged;
    }

    /// Resumes a sweep, and says whether it was killed.
    fn killed_at(&mut self, sweep: &Sweep, failpoint: &str) -> bool {
        let end = Child::start(sweep, Some(failpoint)).wait();
        if end.ended() {
            return false;
        }
        self.kills += 1;
        self.add(&check::after_a_kill(sweep));
        true
    }

    /// Resumes a sweep until its end.
    fn finish(&mut self, sweep: &Sweep) {
        let child = Child::start(sweep, None);
        assert!(child.wait().ended(), "a sweep that nobody kills ends");
        self.ended(sweep);
    }

    /// Checks a sweep as a whole.
    fn ended(&mut self, sweep: &Sweep) {
        self.add(&check::complete(sweep));
        self.sweeps += 1;
    }
}

#[test]
fn nothing_that_counted_is_lost_by_a_kill_at_any_point_that_has_a_name() {
    let mut done = Done::default();
    for group in [1, 40] {
        for failpoint in FAILPOINTS {
            let sweep = Sweep::new(group);
            // Only what a dead process leaves is reaped.
            done.killed_at(&sweep, "claim.committed:1");
            let kills = HITS.map(|hit| done.killed_at(&sweep, &format!("{failpoint}:{hit}")));
            // Of later hits there may be none: a process joins, and ends, once.
            assert!(kills.contains(&true), "{failpoint} is never come to");
            done.finish(&sweep);
        }
    }
    println!("killed at the points that have a name: {done:?}");
}

#[test]
fn nothing_that_counted_is_lost_by_a_kill_at_any_moment() {
    let mut random = Random::new();
    let mut done = Done::default();
    let whole = {
        let (sweep, start) = (Sweep::new(4), Instant::now());
        done.finish(&sweep);
        start.elapsed()
    };
    while done.kills < KILLS {
        let group = [1, 4, 40][random.below(3) as usize];
        let sweep = Sweep::new(group);
        loop {
            // Now and then two processes share the sweep, and both are killed.
            let count: u32 = if random.below(4) == 0 { 2 } else { 1 };
            let mut children: Vec<_> = (0..count).map(|_| Child::start(&sweep, None)).collect();
            let mut killed = 0;
            let mut ended = false;
            for child in &mut children {
                std::thread::sleep(random.up_to(whole / count));
                child.kill();
            }
            for child in children {
                let end = child.wait();
                assert!(end.killed() || end.ended());
                killed += u64::from(end.killed());
                ended |= end.ended();
            }
            done.kills += killed;
            if killed > 0 {
                done.add(&check::after_a_kill(&sweep));
            }
            if ended {
                break;
            }
        }
        done.ended(&sweep);
    }
    println!("killed at random moments (seed {}): {done:?}", random.seed);
}

/// Random numbers; another sequence every time.
struct Random {
    seed: u64,
    state: u64,
}

impl Random {
    fn new() -> Self {
        let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
        let seed = since.as_nanos() as u64 | 1;
        Self { seed, state: seed }
    }

    /// Xorshift64*.
    fn next(&mut self) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, end: u64) -> u64 {
        (self.next() >> 32) % end
    }

    fn up_to(&mut self, most: Duration) -> Duration {
        Duration::from_micros(self.below(most.as_micros() as u64 + 1))
    }
}
