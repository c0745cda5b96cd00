//! Processes that execute a sweep are killed by SIGKILL, again and again, at random moments and at
//! every point of a commit that has a name. After each kill the file is whole, and what had counted
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

/// The points of a commit, in their order. `commit.fields` and `commit.ledger` come once for every
/// few rows.
const FAILPOINTS: [&str; 6] = [
    "commit.before",
    "commit.begun",
    "commit.fields",
    "commit.ledger",
    "commit.ready",
    "commit.committed",
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
        self.checked.logged += checked.logged;
    }

    /// Resumes a sweep until its end, and checks it as a whole.
    fn finish(&mut self, sweep: &Sweep) {
        let child = Child::start(sweep, None);
        assert!(child.wait().ended(), "a sweep that nobody kills ends");
        self.add(&check::complete(sweep));
        self.sweeps += 1;
    }
}

#[test]
fn nothing_that_counted_is_lost_by_a_kill_at_any_point_of_a_commit() {
    let mut done = Done::default();
    for group in [1, 40] {
        for failpoint in FAILPOINTS {
            let sweep = Sweep::new(group);
            for hit in HITS {
                let child = Child::start(&sweep, Some(&format!("{failpoint}:{hit}")));
                if child.wait().killed() {
                    done.kills += 1;
                    done.add(&check::after_a_kill(&sweep));
                } else {
                    // There was not enough left to do.
                    assert!(hit > 2, "{failpoint} is never come to");
                    break;
                }
            }
            done.finish(&sweep);
        }
    }
    println!("killed at the points of a commit: {done:?}");
    assert!(done.kills >= 2 * 2 * FAILPOINTS.len() as u64);
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
            let count = if random.below(4) == 0 { 2 } else { 1 };
            let mut children: Vec<_> = (0..count).map(|_| Child::start(&sweep, None)).collect();
            let mut killed = 0;
            let mut ended = false;
            for child in &mut children {
                std::thread::sleep(random.up_to(whole));
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
        done.finish(&sweep);
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
