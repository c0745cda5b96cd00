//! Shared values: computed once per distinct projection of the inputs on which they depend, kept
//! while a pending run needs them.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::bounds::{Held, SharedOps};
use crate::exception::{Exception, Outcome, StepError};
use crate::panic;

/// Which shared value, and the hash of the inputs on which it depends.
pub(crate) type SharedKey = (usize, [u8; 16]);

/// What every run that needs the value ends with.
pub(crate) type SharedFailure = Arc<Failed>;

/// How the computing ended.
#[derive(Debug)]
pub(crate) struct Failed(pub(crate) Outcome, pub(crate) Exception);

impl Default for Failed {
    fn default() -> Self {
        let message = "a shared value is not there".to_owned();
        Self(
            Outcome::Failed,
            Exception {
                message,
                ..Exception::default()
            },
        )
    }
}

/// The values that are there, or are being computed.
#[derive(Default)]
pub(crate) struct SharedValues {
    slots: Mutex<HashMap<SharedKey, Pending>>,
}

/// A slot, and how many pending runs need it.
struct Pending {
    slot: Arc<Slot>,
    pending: u64,
}

#[derive(Default)]
struct Slot {
    state: Mutex<State>,
    done: Condvar,
}

#[derive(Default)]
enum State {
    #[default]
    Empty,
    Computing,
    Ready(Held),
    Failed(SharedFailure),
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing in here panics while it holds a lock: the computing is done outside.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl SharedValues {
    /// Notes that a pending run needs the value.
    pub(crate) fn expect(&self, key: SharedKey) {
        lock(&self.slots)
            .entry(key)
            .or_insert_with(|| Pending {
                slot: Arc::default(),
                pending: 0,
            })
            .pending += 1;
    }

    /// Notes that a run is over; the value is dropped with the last one.
    pub(crate) fn release(&self, keys: &[SharedKey]) {
        let mut slots = lock(&self.slots);
        let mut last = Vec::new();
        for key in keys {
            if let Some(held) = slots.get_mut(key) {
                held.pending -= 1;
                if held.pending == 0 {
                    last.extend(slots.remove(key));
                }
            }
        }
        // The values' own drops take as long as they take, so they happen outside of the lock.
        drop(slots);
        drop(last);
    }

    /// How many values there are, or have been begun.
    #[cfg(test)]
    fn live(&self) -> usize {
        lock(&self.slots)
            .values()
            .filter(|held| !matches!(*lock(&held.slot.state), State::Empty))
            .count()
    }

    /// The value for this key. The first run that asks computes it, outside of any lock; those that
    /// ask meanwhile wait. An error or a panic is kept, and is the answer for all.
    pub(crate) fn get<T>(
        &self,
        key: &SharedKey,
        step: Option<&str>,
        ops: &SharedOps<T>,
        compute: impl FnOnce() -> Result<T, StepError>,
    ) -> Result<Arc<T>, SharedFailure> {
        let slot = Arc::clone(
            &lock(&self.slots)
                .entry(*key)
                .or_insert_with(|| Pending {
                    slot: Arc::default(),
                    pending: 1,
                })
                .slot,
        );
        let mut state = lock(&slot.state);
        while matches!(*state, State::Computing) {
            state = slot
                .done
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        if matches!(*state, State::Empty) {
            *state = State::Computing;
            drop(state);
            let computed = computed(step, || compute().map(ops.hold));
            state = lock(&slot.state);
            *state = match computed {
                Ok(value) => State::Ready(value),
                Err(failure) => State::Failed(Arc::new(failure)),
            };
            slot.done.notify_all();
        }
        match &*state {
            // One place of one experiment has one type, so the downcast succeeds.
            State::Ready(value) => (ops.refer)(Arc::clone(value)).ok_or_else(Arc::default),
            State::Failed(failure) => Err(Arc::clone(failure)),
            State::Empty | State::Computing => Err(Arc::default()),
        }
    }
}

#[expect(
    clippy::result_large_err,
    reason = "a failure is rare, and is shared right after"
)]
fn computed(
    step: Option<&str>,
    compute: impl FnOnce() -> Result<Held, StepError>,
) -> Result<Held, Failed> {
    match panic::catch(compute) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => {
            let (outcome, exception) = error.into_exception(step);
            Err(Failed(outcome, exception))
        }
        Err(exception) => Err(Failed(
            Outcome::Panicked,
            Exception {
                step: step.map(str::to_owned),
                ..exception
            },
        )),
    }
}

impl fmt::Debug for SharedValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedValues").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const KEY: SharedKey = (0, [7; 16]);

    #[test]
    fn a_value_is_computed_once_and_dropped_with_the_last_run() {
        let values = SharedValues::default();
        let computed = AtomicUsize::new(0);
        for _ in 0..8 {
            values.expect(KEY);
        }
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let value = values.get(&KEY, None, &SharedOps::new(), || {
                        computed.fetch_add(1, Ordering::Relaxed);
                        Ok(5_u32)
                    });
                    assert_eq!(*value.unwrap(), 5);
                    values.release(&[KEY]);
                });
            }
        });
        assert_eq!((computed.into_inner(), values.live()), (1, 0));
    }

    #[test]
    fn a_panic_is_the_failure_of_all_and_happens_once() {
        let values = SharedValues::default();
        let mut calls = 0;
        for _ in 0..3 {
            let failure = values
                .get::<u32>(&KEY, Some("load"), &SharedOps::new(), || {
                    calls += 1;
                    panic!("no data")
                })
                .unwrap_err();
            assert_eq!(failure.0, Outcome::Panicked);
            assert_eq!(failure.1.step.as_deref(), Some("load"));
            assert_eq!(failure.1.message, "no data");
        }
        assert_eq!(calls, 1);
    }
}
