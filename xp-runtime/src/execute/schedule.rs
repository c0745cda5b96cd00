//! Which point comes next. Without shared values: a seeded shuffle that needs no memory. With
//! them: group by group, a group being the points that need the same shared value.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::order::Permutation;

/// Hands out the indices of points to workers.
#[derive(Debug)]
pub(super) enum Schedule {
    /// In the order of a permutation.
    Shuffled {
        next: AtomicU64,
        total: u64,
        order: Permutation,
    },
    /// In the order in which they are listed.
    Listed { next: AtomicU64, order: Vec<u64> },
    /// As they come.
    Plain { next: AtomicU64, total: u64 },
    /// By groups.
    Grouped(Groups),
}

/// A point that was handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Handed {
    pub(super) index: u64,
    /// The group it belongs to, and whether this is the point that opened the group.
    pub(super) group: Option<(usize, bool)>,
}

impl Schedule {
    pub(super) fn shuffled(total: u64, seed: u64) -> Self {
        Self::Shuffled {
            next: AtomicU64::new(0),
            total,
            order: Permutation::new(total, seed),
        }
    }

    pub(super) fn plain(total: u64) -> Self {
        Self::Plain {
            next: AtomicU64::new(0),
            total,
        }
    }

    pub(super) fn listed(order: Vec<u64>) -> Self {
        Self::Listed {
            next: AtomicU64::new(0),
            order,
        }
    }

    /// The next point for a worker whose last group was `current`; `None` at the end. Waits only
    /// if all that is left needs a value that another worker is computing.
    pub(super) fn next(&self, current: Option<usize>) -> Option<Handed> {
        let plain = |index| Handed { index, group: None };
        match self {
            Self::Shuffled { next, total, order } => {
                let i = next.fetch_add(1, Ordering::Relaxed);
                (i < *total).then(|| plain(order.get(i)))
            }
            Self::Plain { next, total } => {
                let i = next.fetch_add(1, Ordering::Relaxed);
                (i < *total).then(|| plain(i))
            }
            Self::Listed { next, order } => {
                let i = next.fetch_add(1, Ordering::Relaxed);
                usize::try_from(i)
                    .ok()
                    .and_then(|i| order.get(i))
                    .map(|index| plain(*index))
            }
            Self::Grouped(groups) => groups.next(current),
        }
    }

    /// At most `most` further points for the worker that was handed `first`: of the same group, if
    /// there are groups. Never waits.
    pub(super) fn more(&self, first: Handed, most: usize) -> Vec<Handed> {
        let plain = |index| Handed { index, group: None };
        let range = |next: &AtomicU64, total: u64| {
            let i = next.fetch_add(most as u64, Ordering::Relaxed);
            i.min(total)..i.saturating_add(most as u64).min(total)
        };
        match self {
            Self::Shuffled { next, total, order } => {
                range(next, *total).map(|i| plain(order.get(i))).collect()
            }
            Self::Plain { next, total } => range(next, *total).map(plain).collect(),
            Self::Listed { next, order } => range(next, order.len() as u64)
                .filter_map(|i| Some(plain(*order.get(usize::try_from(i).ok()?)?)))
                .collect(),
            Self::Grouped(groups) => groups.more(first, most),
        }
    }

    /// How many points were not handed out yet.
    pub(super) fn left(&self) -> u64 {
        let left =
            |next: &AtomicU64, total: u64| total.saturating_sub(next.load(Ordering::Relaxed));
        match self {
            Self::Shuffled { next, total, .. } | Self::Plain { next, total } => left(next, *total),
            Self::Listed { next, order } => left(next, order.len() as u64),
            Self::Grouped(groups) => groups.points.len() as u64 - groups.lock().taken,
        }
    }

    /// The value that all points of the group need is there.
    pub(super) fn warmed(&self, group: usize) {
        if let Self::Grouped(groups) = self {
            groups.warmed(group);
        }
    }

    /// Nothing is handed out any more, and nobody waits.
    pub(super) fn abort(&self) {
        if let Self::Grouped(groups) = self {
            groups.lock().aborted = true;
            groups.changed.notify_all();
        }
    }

    /// A point that was handed out has ended.
    pub(super) fn done(&self, handed: Handed) {
        if let (Self::Grouped(groups), Some((group, _))) = (self, handed.group) {
            groups.done(group);
        }
    }
}

/// A point and the hashes of what it needs: of the value by which points are grouped, and of all
/// others.
pub(super) type Needs = (u128, u128, u64);

/// See [`Schedule::Grouped`].
#[derive(Debug)]
pub(super) struct Groups {
    /// Sorted, so that a group is a range, and equal needs inside of a group are neighbours.
    points: Vec<Needs>,
    /// The groups as ranges of `points`, in the order in which they are opened.
    ranges: Vec<(usize, usize)>,
    most_open: usize,
    /// All points of a group go to the worker that opened it, one after the other: its process
    /// holds the group's shared value.
    owned: bool,
    state: Mutex<Open>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Open {
    opened: usize,
    /// How many points were handed out.
    taken: u64,
    groups: Vec<OpenGroup>,
    aborted: bool,
}

#[derive(Debug)]
struct OpenGroup {
    id: usize,
    next: usize,
    end: usize,
    running: usize,
    /// The value is being computed for the first point.
    warming: bool,
}

impl Groups {
    pub(super) fn new(mut points: Vec<Needs>, most_open: usize, seed: u64) -> Self {
        points.sort_unstable();
        let mut sorted = Vec::new();
        let mut start = 0;
        for chunk in points.chunk_by(|a, b| a.0 == b.0) {
            sorted.push((start, start + chunk.len()));
            start += chunk.len();
        }
        let order = Permutation::new(sorted.len() as u64, seed);
        // The permutation's values are indices of the slice.
        let ranges = (0..sorted.len() as u64)
            .map(|i| sorted[order.get(i) as usize])
            .collect();
        Self {
            points,
            ranges,
            most_open,
            owned: false,
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// With each group for one worker.
    pub(super) fn owned(self, owned: bool) -> Self {
        Self { owned, ..self }
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self, current: Option<usize>) -> Option<Handed> {
        let mut open = self.lock();
        while !open.aborted {
            let ready = |g: &OpenGroup| (self.owned || !g.warming) && g.next < g.end;
            let own = open
                .groups
                .iter()
                .position(|g| Some(g.id) == current && ready(g));
            if let Some(i) = own {
                return Some(self.take(&mut open, i, false));
            }
            let room = self.owned || open.groups.len() < self.most_open;
            if open.opened < self.ranges.len() && room {
                let id = open.opened;
                let (next, end) = self.ranges[id];
                open.opened += 1;
                open.groups.push(OpenGroup {
                    id,
                    next,
                    end,
                    running: 0,
                    warming: true,
                });
                let last = open.groups.len() - 1;
                return Some(self.take(&mut open, last, true));
            }
            if self.owned {
                return None;
            }
            if let Some(i) = open.groups.iter().position(ready) {
                return Some(self.take(&mut open, i, false));
            }
            let rest =
                open.opened < self.ranges.len() || open.groups.iter().any(|g| g.next < g.end);
            if !rest {
                return None;
            }
            open = self
                .changed
                .wait(open)
                .unwrap_or_else(PoisonError::into_inner);
        }
        None
    }

    fn take(&self, open: &mut Open, i: usize, first: bool) -> Handed {
        open.taken += 1;
        let group = &mut open.groups[i];
        let index = self.points[group.next].2;
        group.next += 1;
        group.running += 1;
        Handed {
            index,
            group: Some((group.id, first)),
        }
    }

    fn more(&self, first: Handed, most: usize) -> Vec<Handed> {
        let mut open = self.lock();
        let Some((id, _)) = first.group else {
            return Vec::new();
        };
        let Some(i) = open.groups.iter().position(|group| group.id == id) else {
            return Vec::new();
        };
        let left = open.groups[i].end - open.groups[i].next;
        (0..left.min(most))
            .map(|_| self.take(&mut open, i, false))
            .collect()
    }

    fn warmed(&self, id: usize) {
        let mut open = self.lock();
        if let Some(group) = open.groups.iter_mut().find(|g| g.id == id)
            && group.warming
        {
            group.warming = false;
            self.changed.notify_all();
        }
    }

    fn done(&self, id: usize) {
        let mut open = self.lock();
        if let Some(i) = open.groups.iter().position(|g| g.id == id) {
            let group = &mut open.groups[i];
            group.running -= 1;
            // A first point that ended before it came to the shared value leaves it to the next one.
            group.warming = false;
            if group.next == group.end && group.running == 0 {
                open.groups.swap_remove(i);
            }
            self.changed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn groups(n: u64, of: u64, jobs: usize) -> Schedule {
        let points = (0..n).map(|i| (u128::from(i % of), 0, i)).collect();
        Schedule::Grouped(Groups::new(points, jobs, 7))
    }

    #[test]
    fn every_point_is_handed_out_once() {
        for schedule in [
            Schedule::shuffled(100, 7),
            Schedule::plain(100),
            groups(100, 7, 3),
        ] {
            let mut seen = HashSet::new();
            let mut current = None;
            assert_eq!(schedule.left(), 100);
            while let Some(handed) = schedule.next(current) {
                assert!(seen.insert(handed.index));
                assert_eq!(schedule.left(), 100 - seen.len() as u64);
                current = handed.group.map(|(group, _)| group);
                schedule.done(handed);
            }
            assert_eq!(seen.len(), 100);
        }
    }

    #[test]
    fn a_worker_that_would_wait_opens_another_group() {
        let schedule = groups(10, 5, 2);
        let first = schedule.next(None).unwrap();
        let second = schedule.next(None).unwrap();
        assert_ne!(first.group.unwrap().0, second.group.unwrap().0);
        assert_ne!(first.index % 5, second.index % 5);
    }

    #[test]
    fn an_owned_group_goes_to_one_worker() {
        let points = (0..10).map(|i| (i % 2, 0, i as u64)).collect();
        let schedule = Schedule::Grouped(Groups::new(points, 3, 7).owned(true));
        let mut workers = [(None, Vec::new()), (None, Vec::new()), (None, Vec::new())];
        for _ in 0..6 {
            for (group, taken) in &mut workers {
                if let Some(handed) = schedule.next(*group) {
                    *group = handed.group.map(|(group, _)| group);
                    taken.push(handed.index);
                    schedule.done(handed);
                }
            }
        }
        let [(_, one), (_, other), (_, none)] = workers;
        assert_eq!((one.len(), other.len(), none.len()), (5, 5, 0));
        assert!(one.iter().all(|index| index % 2 == one[0] % 2));
    }

    #[test]
    fn nobody_waits_for_a_value_after_the_end() {
        let schedule = groups(10, 1, 2);
        std::thread::scope(|scope| {
            schedule.next(None).unwrap();
            let waits = scope.spawn(|| schedule.next(None));
            schedule.abort();
            assert_eq!(waits.join().unwrap(), None);
        });
    }

    #[test]
    fn at_most_as_many_groups_are_open_as_there_are_jobs() {
        let schedule = groups(10, 5, 2);
        let first = schedule.next(None).unwrap();
        schedule.warmed(first.group.unwrap().0);
        let second = schedule.next(None).unwrap();
        let third = schedule.next(None).unwrap();
        assert_eq!(third.index % 5, first.index % 5);
        assert_ne!(second.index % 5, first.index % 5);
    }
}
