//! What the workers take: points that are wanted, that occur for the first time, and that nobody
//! else has taken. Where other processes may share the sweep, points are claimed in blocks, as many
//! at a time as a worker runs in some tens of milliseconds.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::progress::Bar;
use super::schedule::{Handed, Schedule};
use super::survey::Bits;
use super::worker::Shared;
use crate::attempt::Task;
use crate::declare::InputError;
use crate::exception::Exception;
use crate::identity::{Inputs, InputsHash};
use crate::panic;
use crate::stop::Stop;
use crate::store::{Answer, Claim, Claimant, Store, StoreError, Watch};

/// A block lasts about as long as this, until few points are left: a claim costs as much as some
/// hundred microseconds of runs.
const SHORT: Duration = Duration::from_millis(25);
const LONG: Duration = Duration::from_millis(100);

/// A last block lasts so long: that others wait for it costs no more than a claim.
const LAST: Duration = Duration::from_millis(1);

/// At most so many points are taken at a time.
const MOST: usize = 2_048;

/// How often it is looked whether others have ended what they had taken.
const PATIENCE: Duration = Duration::from_millis(50);

/// See the module's text.
pub(super) struct Feed<'a, T: Task> {
    pub(super) task: &'a T,
    pub(super) schedule: &'a Schedule,
    /// How many workers there are.
    pub(super) jobs: usize,
    pub(super) shared: &'a Shared,
    /// The points that are run; `None` for all.
    pub(super) wanted: Option<&'a Bits>,
    /// `None` if nobody else can execute them.
    pub(super) claims: Option<Claims<'a, T>>,
    pub(super) bar: &'a Bar,
    pub(super) stop: &'a Stop,
}

/// Taking points before they are run.
pub(super) struct Claims<'a, T: Task> {
    store: &'a dyn Store,
    who: Claimant,
    watch: Mutex<Watch>,
    /// What others had taken when it was asked for.
    deferred: Mutex<VecDeque<Next<T::Point>>>,
    /// What was free when it was asked for, and more than a worker wanted.
    free: Mutex<VecDeque<Next<T::Point>>>,
    failed: Mutex<Option<StoreError>>,
    /// Whether what is granted is held until the execution ends.
    holds: bool,
    granted: AtomicBool,
}

/// A point to be run.
pub(super) struct Next<P> {
    pub(super) handed: Handed,
    pub(super) point: P,
    pub(super) id_run: Uuid,
    pub(super) inputs: InputsHash,
    /// Why its identity cannot be told, if it cannot.
    pub(super) identified: Result<Result<(), InputError>, Box<Exception>>,
    pub(super) claim: Option<Claim>,
}

/// The points that a worker has taken.
pub(super) struct Block<P> {
    taken: VecDeque<Next<P>>,
    group: Option<usize>,
    /// How many points are run of those that are asked for, at most.
    size: usize,
    /// How many are asked for: more than that as long as others have all of them.
    asked: usize,
    /// When it was begun, and how many points it had then.
    begun: Option<(Instant, usize)>,
    /// How many points a worker runs in the time of a last block.
    least: usize,
    inputs: Inputs,
}

impl<P> Block<P> {
    pub(super) fn new() -> Self {
        Self {
            taken: VecDeque::new(),
            group: None,
            size: 1,
            asked: 0,
            begun: None,
            least: 1,
            inputs: Inputs::default(),
        }
    }

    /// Goes on with points that were granted.
    fn begin(&mut self, mut granted: VecDeque<Next<P>>, claim: Option<Claim>) {
        for next in &mut granted {
            next.claim = claim;
        }
        let points = granted.len();
        self.begun = (points > 0).then(|| (Instant::now(), points));
        self.taken = granted;
    }

    /// Decides how many points are taken next, by how long the last ones took.
    fn resize(&mut self) {
        if let Some((begun, points)) = self.begun.take() {
            let took = begun.elapsed();
            self.least = (points as u128 * LAST.as_nanos() / took.as_nanos().max(1)) as usize;
            if took < SHORT {
                self.size = (self.size * 4).min(MOST);
            } else if took > LONG {
                self.size = (self.size / 2).max(1);
            }
            self.asked = self.size;
        } else {
            self.asked = (self.asked * 4).clamp(self.size, MOST);
        }
    }

    /// How many points are taken of those that are left: the last blocks are small, so that all
    /// workers end at about the same time.
    fn share(&self, left: u64, jobs: usize) -> usize {
        let half = left / (2 * jobs as u64);
        let fair = usize::try_from(half).map_or(MOST, |half| half.max(self.least));
        fair.clamp(1, self.size)
    }
}

impl<'a, T: Task> Claims<'a, T> {
    /// Claims for an execution, which frees them one by one as their runs are committed, or `holds`
    /// them until its end.
    pub(super) fn new(store: &'a dyn Store, who: Claimant, seen: i64, holds: bool) -> Self {
        Self {
            store,
            who,
            holds,
            granted: AtomicBool::new(false),
            watch: Mutex::new(Watch {
                seen,
                ..Watch::default()
            }),
            deferred: Mutex::default(),
            free: Mutex::default(),
            failed: Mutex::new(None),
        }
    }

    /// How many points were left to others, at the end of an execution that was not stopped.
    pub(super) fn end(self) -> Result<u64, StoreError> {
        let failed = lock(&self.failed).take();
        let left = lock(&self.deferred).len() as u64;
        failed.map_or(Ok(left), Err)
    }

    /// Whether it must not wait for others: they may be waiting for what it holds.
    fn must_end(&self) -> bool {
        self.holds && self.granted.load(Ordering::Acquire)
    }

    /// Takes points as far as they are free, and at most so many: an answer for each.
    fn take(
        &self,
        points: &[u128],
        most: usize,
    ) -> Result<(Option<Claim>, Vec<Answer>), StoreError> {
        let watch = &mut lock(&self.watch);
        let taken = self.store.claim(&self.who, watch, points, most)?;
        if taken.0.is_some() {
            self.granted.store(true, Ordering::Release);
        }
        Ok(taken)
    }
}

impl<T: Task> Feed<'_, T> {
    /// The next point for a worker; `None` at the end.
    pub(super) fn next(&self, block: &mut Block<T::Point>) -> Option<Next<T::Point>> {
        while block.taken.is_empty() {
            if self.stop.is_asked() || !self.refill(block) {
                // What is left of other workers' groups is nobody's any more if it has to stop.
                if self.stop.is_asked() {
                    self.schedule.abort();
                }
                return None;
            }
        }
        block.taken.pop_front()
    }

    /// Takes further points; false if there are none.
    fn refill(&self, block: &mut Block<T::Point>) -> bool {
        let Some(claims) = &self.claims else {
            return self.ask(block, 1);
        };
        block.resize();
        let left = self.schedule.left();
        let mut free = lock(&claims.free);
        let share = block.share(left + free.len() as u64, self.jobs);
        let several = free.len().min(share);
        block.taken.extend(free.drain(..several));
        drop(free);
        let asked = if block.asked > block.size {
            block.asked
        } else {
            share
        };
        if block.taken.is_empty() && !self.ask(block, asked) {
            return self.refill_with_deferred(claims, block);
        }
        if !block.taken.is_empty() {
            let taken = std::mem::take(&mut block.taken);
            let deferred = self.claim(claims, taken, block.size, block);
            lock(&claims.deferred).extend(deferred);
        }
        true
    }

    /// Puts so many points into the block that are next, as far as they are wanted; false if there
    /// are none.
    fn ask(&self, block: &mut Block<T::Point>, count: usize) -> bool {
        let Some(first) = self.schedule.next(block.group) else {
            return false;
        };
        block.group = first.group.map(|(group, _)| group);
        self.add(first, block);
        if count > 1 {
            for handed in self.schedule.more(first, count - 1) {
                self.add(handed, block);
            }
        }
        true
    }

    /// Claims points, and is granted at most so many: those are put into the block, and those are
    /// returned that others have.
    fn claim(
        &self,
        claims: &Claims<'_, T>,
        taken: VecDeque<Next<T::Point>>,
        most: usize,
        block: &mut Block<T::Point>,
    ) -> VecDeque<Next<T::Point>> {
        let points: Vec<_> = taken.iter().map(|next| next.id_run.as_u128()).collect();
        let (claim, answers) = match claims.take(&points, most) {
            Ok(answered) => answered,
            Err(error) => {
                lock(&claims.failed).get_or_insert(error);
                self.stop.set();
                return VecDeque::new();
            }
        };
        if answers.iter().all(|answer| *answer == Answer::Granted) {
            block.begin(taken, claim);
            return VecDeque::new();
        }
        let mut granted = VecDeque::new();
        let (mut deferred, mut free) = (VecDeque::new(), VecDeque::new());
        for (mut next, answer) in taken.into_iter().zip(answers) {
            let left = match answer {
                Answer::Granted => {
                    granted.push_back(next);
                    continue;
                }
                Answer::Done => {
                    self.leave_out(next.handed, Some(&next.point));
                    continue;
                }
                Answer::Taken => &mut deferred,
                Answer::Free => &mut free,
            };
            // Its group need not wait for it.
            self.schedule.done(next.handed);
            next.handed.group = None;
            left.push_back(next);
        }
        lock(&claims.free).append(&mut free);
        block.begin(granted, claim);
        deferred
    }

    /// Waits until others have ended what they had taken, or have died; false once nothing is left,
    /// or if what is left must wait until this execution has ended.
    fn refill_with_deferred(&self, claims: &Claims<'_, T>, block: &mut Block<T::Point>) -> bool {
        loop {
            // One worker looks, and the others wait for it.
            let mut deferred = lock(&claims.deferred);
            if self.stop.is_asked() {
                return false;
            }
            if deferred.is_empty() || claims.must_end() {
                return !lock(&claims.free).is_empty();
            }
            let taken = std::mem::take(&mut *deferred);
            let most = block.share(taken.len() as u64, self.jobs);
            *deferred = self.claim(claims, taken, most, block);
            let is_left = !deferred.is_empty();
            drop(deferred);
            if !block.taken.is_empty() || !lock(&claims.free).is_empty() {
                return true;
            }
            if is_left {
                std::thread::sleep(PATIENCE);
            }
        }
    }

    /// Adds a point to the block, unless it is left out.
    fn add(&self, handed: Handed, block: &mut Block<T::Point>) {
        if self.wanted.is_some_and(|wanted| !wanted.has(handed.index)) {
            self.schedule.done(handed);
            return;
        }
        let Some(point) = self.task.point(handed.index) else {
            return self.leave_out(handed, None);
        };
        block.inputs.clear();
        let identified =
            panic::catch(|| self.task.identify(&point, &mut block.inputs)).map_err(Box::new);
        let there = self.task.id_of(handed.index);
        if let Some(id) = there {
            block.inputs.push_text("id_run", &id.simple().to_string());
        }
        let inputs = block.inputs.hash();
        let made = || self.task.scheme().identity(&inputs).id_run();
        let id_run = there.unwrap_or_else(made);
        if !self.shared.is_new(id_run) {
            return self.leave_out(handed, Some(&point));
        }
        block.taken.push_back(Next {
            handed,
            point,
            id_run,
            inputs,
            identified,
            claim: None,
        });
    }

    /// A point that is not run here.
    fn leave_out(&self, handed: Handed, point: Option<&T::Point>) {
        if let Some(point) = point
            && !self.task.shared().is_empty()
        {
            let mut keys = Vec::new();
            self.shared.keys(self.task, point, &mut keys);
            self.shared.release(&keys);
        }
        self.bar.leave_out();
        self.schedule.done(handed);
    }
}

fn lock<X>(mutex: &Mutex<X>) -> MutexGuard<'_, X> {
    // What it guards is changed in steps that do not panic.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_blocks_are_small() {
        let block = Block::<()> {
            size: 64,
            least: 2,
            ..Block::new()
        };
        let shares = [1_000, 40, 10, 4, 0].map(|left| block.share(left, 2));
        assert_eq!(shares, [64, 10, 2, 2, 2]);
        // Of a worker that does not know how long its points take, too.
        assert_eq!(Block::<()>::new().share(0, 8), 1);
    }
}
