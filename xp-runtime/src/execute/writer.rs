//! The writer: one thread that commits what has ended, as much at a time as has come together.

use std::sync::atomic::{AtomicBool, Ordering};

use uuid::Uuid;

use super::progress::Bar;
use super::queue::Receiver;
use super::{Done, FirstFailure, Summary};
use crate::exception::Outcome;
use crate::plan::Policy;
use crate::store::{Execution, Finished, Store, StoreError};

pub(super) struct Writer<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) execution: Execution,
    pub(super) policy: Policy,
    /// How many runs a transaction holds at most.
    pub(super) group: usize,
    pub(super) stopping: &'a AtomicBool,
    pub(super) bar: &'a Bar,
}

impl Writer<'_> {
    /// Commits until all workers have ended. If the store fails, the execution stops; what was
    /// committed before is there.
    pub(super) fn write_all<S>(
        mut self,
        receiver: Receiver<'_, Done<S>>,
    ) -> Result<Summary<S>, StoreError> {
        let mut summary = Summary {
            completed: 0,
            failed: 0,
            skipped: 0,
            first: None,
            states: Vec::new(),
        };
        let (mut items, mut group, mut states) = (Vec::new(), Vec::new(), Vec::new());
        let result = loop {
            if items.is_empty() && !receiver.receive(&mut items) {
                break self.end(&mut group, states, &mut summary);
            }
            let committed = items.drain(..).try_for_each(|done| {
                add(done, &mut group, &mut states);
                if group.len() < self.group || self.policy == Policy::Staged {
                    return Ok(());
                }
                self.commit(&mut group, &mut states, &mut summary)
            });
            if let Err(error) = committed {
                break Err(error);
            }
            // What is left is committed now, unless there is more already: it may be long in coming.
            if self.policy != Policy::Staged
                && !group.is_empty()
                && !receiver.receive_more(&mut items)
                && let Err(error) = self.commit(&mut group, &mut states, &mut summary)
            {
                break Err(error);
            }
        };
        if result.is_err() {
            self.stopping.store(true, Ordering::Relaxed);
            // Workers that wait to hand over their last run must not wait for ever: the receiver
            // is dropped here, and with it their call returns.
        }
        result.map(|()| summary)
    }

    fn commit<S>(
        &mut self,
        group: &mut Vec<Finished>,
        states: &mut Vec<(Uuid, S)>,
        summary: &mut Summary<S>,
    ) -> Result<(), StoreError> {
        self.store.commit(&mut self.execution, group)?;
        self.bar.count(group);
        summary.states.append(states);
        for run in group.drain(..) {
            summary.count(run);
        }
        Ok(())
    }

    fn end<S>(
        &mut self,
        group: &mut Vec<Finished>,
        mut states: Vec<(Uuid, S)>,
        summary: &mut Summary<S>,
    ) -> Result<(), StoreError> {
        if self.policy == Policy::Staged {
            if group.iter().any(|run| run.outcome.is_failure()) {
                for run in group.drain(..).filter(|run| run.outcome.is_failure()) {
                    summary.count(run);
                }
                return Ok(());
            }
            self.commit(group, &mut states, summary)?;
        }
        self.store.end(&self.execution)
    }
}

fn add<S>(done: Done<S>, group: &mut Vec<Finished>, states: &mut Vec<(Uuid, S)>) {
    if let Some(state) = done.state {
        states.push((done.finished.id_run, state));
    }
    group.push(done.finished);
}

impl<S> Summary<S> {
    fn count(&mut self, run: Finished) {
        match run.outcome {
            Outcome::Completed => self.completed += 1,
            Outcome::Skipped => self.skipped += 1,
            outcome => {
                self.failed += 1;
                if let (None, Some(ended)) = (&self.first, run.ended) {
                    self.first = Some(FirstFailure {
                        id_run: run.id_run,
                        outcome,
                        ended: *ended,
                    });
                }
            }
        }
    }
}
