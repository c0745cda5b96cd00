//! What has ended, on its way from the workers to the writer.
//!
//! A channel hands over one by one, and wakes its reader as often; here the writer takes all that
//! has come together at once, and a full queue is drained before its workers go on.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// A queue of many senders and one receiver.
#[derive(Debug)]
pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
    /// There is something to receive, or no sender is left.
    filled: Condvar,
    /// There is room to send, or the receiver is gone.
    drained: Condvar,
    most: usize,
    heaviest: usize,
}

#[derive(Debug)]
struct State<T> {
    items: Vec<T>,
    /// Of all items together.
    weight: usize,
    senders: usize,
    /// The receiver sleeps until there are so many items.
    waiting: Option<usize>,
    closed: bool,
}

impl<T> Queue<T> {
    /// A queue in which at most `most` items wait, and no more once they weigh `heaviest`.
    pub(super) fn new(most: usize, heaviest: usize) -> Self {
        Self {
            state: Mutex::new(State {
                items: Vec::new(),
                weight: 0,
                senders: 0,
                waiting: None,
                closed: false,
            }),
            filled: Condvar::new(),
            drained: Condvar::new(),
            most,
            heaviest,
        }
    }

    /// An end that sends. The receiver takes a queue that has none for one that has ended, so the
    /// senders are made before it receives.
    pub(super) fn sender(&self) -> Sender<'_, T> {
        self.lock().senders += 1;
        Sender(self)
    }

    /// The end that receives.
    pub(super) fn receiver(&self) -> Receiver<'_, T> {
        Receiver(self)
    }

    fn is_full(&self, state: &State<T>) -> bool {
        state.items.len() >= self.most || state.weight >= self.heaviest
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // Nothing in here panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends until it is dropped, also by a panic.
#[derive(Debug)]
pub(super) struct Sender<'a, T>(&'a Queue<T>);

impl<T> Sender<'_, T> {
    /// Puts an item into the queue, and waits while it is full; false if nobody will receive it.
    pub(super) fn send(&self, item: T, weight: usize) -> bool {
        let queue = self.0;
        let mut state = queue.lock();
        while queue.is_full(&state) && !state.closed {
            state = queue
                .drained
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        if state.closed {
            return false;
        }
        state.items.push(item);
        state.weight += weight;
        let wake = state.waiting.is_some_and(|most| state.items.len() >= most)
            || (state.waiting.is_some() && queue.is_full(&state));
        if wake {
            state.waiting = None;
        }
        drop(state);
        if wake {
            queue.filled.notify_one();
        }
        true
    }
}

impl<T> Drop for Sender<'_, T> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.senders -= 1;
        let last = state.senders == 0;
        drop(state);
        if last {
            self.0.filled.notify_one();
        }
    }
}

/// Receives until it is dropped, also by a panic.
#[derive(Debug)]
pub(super) struct Receiver<'a, T>(&'a Queue<T>);

impl<T> Receiver<'_, T> {
    /// Exchanges an empty vector for all that is in the queue, and waits while that is nothing;
    /// false at the end.
    pub(super) fn receive(&self, items: &mut Vec<T>) -> bool {
        let queue = self.0;
        let mut state = queue.lock();
        while state.items.is_empty() {
            if state.senders == 0 {
                return false;
            }
            state.waiting = Some(1);
            state = queue
                .filled
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        self.take(state, items);
        true
    }

    /// Waits until there are `most` items, or no sender is left, but no longer than until then.
    pub(super) fn gather(&self, most: usize, until: Instant) {
        let queue = self.0;
        let mut state = queue.lock();
        while state.items.len() < most && state.senders > 0 && !queue.is_full(&state) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state.waiting = Some(most);
            let (woken, _) = queue
                .filled
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner);
            state = woken;
        }
        state.waiting = None;
    }

    /// The same without waiting: false if there is nothing now.
    pub(super) fn receive_more(&self, items: &mut Vec<T>) -> bool {
        let state = self.0.lock();
        if state.items.is_empty() {
            return false;
        }
        self.take(state, items);
        true
    }

    fn take(&self, mut state: MutexGuard<'_, State<T>>, items: &mut Vec<T>) {
        let queue = self.0;
        state.waiting = None;
        let was_full = queue.is_full(&state);
        state.weight = 0;
        std::mem::swap(&mut state.items, items);
        drop(state);
        if was_full {
            queue.drained.notify_all();
        }
    }
}

impl<T> Drop for Receiver<'_, T> {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.drained.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_sent_is_received_and_then_the_queue_ends() {
        const EACH: u64 = 10_000;
        let queue = Queue::new(7, usize::MAX);
        let senders: Vec<_> = (0..4).map(|_| queue.sender()).collect();
        let receiver = queue.receiver();
        let mut sum = 0;
        std::thread::scope(|scope| {
            for sender in senders {
                scope.spawn(move || assert!((1..=EACH).all(|i| sender.send(i, 1))));
            }
            let mut items = Vec::new();
            while receiver.receive(&mut items) {
                assert!(!items.is_empty() && items.len() <= 7);
                sum += items.drain(..).sum::<u64>();
            }
        });
        assert_eq!(sum, 4 * EACH * (EACH + 1) / 2);
    }

    #[test]
    fn a_sender_does_not_wait_for_a_receiver_that_is_gone() {
        let queue = Queue::new(9, 10);
        let (sender, receiver) = (queue.sender(), queue.receiver());
        assert!(sender.send(1, 10));
        std::thread::scope(|scope| {
            let blocked = scope.spawn(|| sender.send(2, 0));
            drop(receiver);
            assert!(!blocked.join().unwrap());
        });
    }

    #[test]
    fn the_receiver_gathers_for_no_longer_than_it_may() {
        let queue = Queue::new(9, usize::MAX);
        let (sender, receiver) = (queue.sender(), queue.receiver());
        assert!(sender.send(1, 1));
        receiver.gather(2, Instant::now() + std::time::Duration::from_millis(1));
        std::thread::scope(|scope| {
            scope.spawn(|| assert!(sender.send(2, 1)));
            receiver.gather(2, Instant::now() + std::time::Duration::from_secs(600));
        });
        drop(sender);
        receiver.gather(9, Instant::now() + std::time::Duration::from_secs(600));
        let mut items = Vec::new();
        assert!(receiver.receive(&mut items));
        assert_eq!(items, [1, 2]);
    }

    #[test]
    fn a_queue_without_senders_has_ended() {
        let queue = Queue::new(2, usize::MAX);
        let (sender, receiver) = (queue.sender(), queue.receiver());
        assert!(sender.send(1, 1));
        drop(sender);
        let mut items = Vec::new();
        assert!(receiver.receive(&mut items));
        assert_eq!(items, [1]);
        items.clear();
        assert!(!receiver.receive(&mut items));
    }
}
