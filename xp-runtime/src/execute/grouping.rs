//! Finding out, before the first run, which points need which shared values.

use super::schedule::{Groups, Needs, Schedule};
use super::survey::Bits;
use super::worker::Shared;
use crate::attempt::Task;
use crate::shared::SharedKey;

/// Notes what every point needs, and puts points together that need the same. `seed` shuffles the
/// groups; without it the points come in their own order.
pub(super) fn expect_all<T: Task>(
    task: &T,
    shared: &Shared,
    wanted: Option<&Bits>,
    jobs: usize,
    owned: bool,
    seed: Option<u64>,
) -> Schedule {
    let mut points: Vec<Needs> = Vec::new();
    let mut keys = Vec::new();
    for i in 0..task.len() {
        if wanted.is_some_and(|wanted| !wanted.has(i)) {
            continue;
        }
        let Some(point) = task.point(i) else { continue };
        shared.keys(task, &point, &mut keys);
        expect(shared, &keys);
        let first = keys
            .get(shared.coarsest)
            .map_or(0, |(_, hash)| u128::from_be_bytes(*hash));
        points.push((first, rest(&keys, shared.coarsest), i));
    }
    match seed {
        Some(seed) => {
            let groups = Groups::new(points, jobs, seed);
            Schedule::Grouped(groups.owned(owned))
        }
        None => Schedule::Plain {
            next: 0.into(),
            total: task.len(),
        },
    }
}

/// Notes what the points of a list need.
pub(super) fn expect_listed<T: Task>(
    task: &T,
    shared: &Shared,
    wanted: Option<&Bits>,
    order: &[u64],
) {
    if task.shared().is_empty() {
        return;
    }
    let mut keys = Vec::new();
    let is_wanted = |i: &&u64| wanted.is_none_or(|wanted| wanted.has(**i));
    for point in order
        .iter()
        .filter(is_wanted)
        .filter_map(|i| task.point(*i))
    {
        shared.keys(task, &point, &mut keys);
        expect(shared, &keys);
    }
}

fn expect(shared: &Shared, keys: &[SharedKey]) {
    for key in keys {
        shared.values.expect(*key);
    }
}

/// The hashes of all values but the coarsest one, as one: equal needs become neighbours.
fn rest(keys: &[SharedKey], coarsest: usize) -> u128 {
    keys.iter()
        .filter(|(place, _)| *place != coarsest)
        .fold(0, |all: u128, (_, hash)| {
            all.rotate_left(1) ^ u128::from_be_bytes(*hash)
        })
}
