//! The writer: one thread that commits what has ended, as much at a time as has come together.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::progress::Bar;
use super::queue::Receiver;
use super::{Done, FirstFailure, Summary};
use crate::exception::Outcome;
use crate::plan::{OnRun, Policy, RunEnded};
use crate::stop::Stop;
use crate::store::{Execution, Finished, Store, StoreError};

pub(super) struct Writer<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) execution: Execution,
    pub(super) policy: Policy,
    /// How many runs a transaction holds at most.
    pub(super) group: usize,
    pub(super) stop: &'a Stop,
    pub(super) bar: &'a Bar,
    pub(super) on_run: Option<&'a OnRun>,
    pub(super) committed: Option<Instant>,
}

/// A transaction costs as much as some hundred microseconds of runs: short runs are committed
/// together, at most so long after the last commit.
const PACE: Duration = Duration::from_millis(50);

impl Writer<'_> {
    /// Commits until all workers have ended. If the store fails, the execution stops; what was
    /// committed before is there.
    pub(super) fn write_all<S>(
        mut self,
        receiver: Receiver<'_, Done<S>>,
    ) -> Result<(Uuid, Summary<S>), StoreError> {
        let mut summary = Summary::default();
        let (mut items, mut group, mut states) = (Vec::new(), Vec::new(), Vec::new());
        let result = loop {
            if self.policy != Policy::Staged
                && let Some(committed) = self.committed
            {
                receiver.gather(self.group, committed + PACE);
            }
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
            self.stop.set();
            // Workers that wait to hand over their last run must not wait for ever: the receiver
            // is dropped here, and with it their call returns.
        }
        result.map(|()| (self.execution.id, summary))
    }

    fn commit<S>(
        &mut self,
        group: &mut Vec<Finished>,
        states: &mut Vec<(Uuid, S)>,
        summary: &mut Summary<S>,
    ) -> Result<(), StoreError> {
        let before = group.len();
        self.store.commit(&mut self.execution, group)?;
        if group.len() < before {
            // Another process has taken them for its own, and their states with them.
            summary.left_to_others += (before - group.len()) as u64;
            let kept: HashSet<_> = group.iter().map(|run| run.id_run).collect();
            states.retain(|(id, _)| kept.contains(id));
        }
        self.committed = Some(Instant::now());
        self.bar.count(group);
        summary.states.append(states);
        for file in group.iter().flat_map(|run| &run.files) {
            // One that cannot be removed is removed with the directory of its process.
            let _ = std::fs::remove_file(file);
        }
        for run in group.drain(..).filter(|run| run.last) {
            if let Some(OnRun(call)) = self.on_run {
                call(&RunEnded {
                    id_run: run.id_run,
                    outcome: run.outcome,
                    attempt: run.attempt,
                    elapsed: run.elapsed,
                });
            }
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
            let failed = |run: &Finished| run.last && run.outcome.is_failure();
            if self.stop.is_asked() || group.iter().any(failed) {
                for run in group.drain(..) {
                    if failed(&run) {
                        summary.count(run);
                    } else if run.outcome == Outcome::Completed {
                        summary.dropped += 1;
                    }
                }
                // Without a key nothing was begun in the file.
                return match self.execution.key {
                    Some(_) => self.store.end(&mut self.execution),
                    None => Ok(()),
                };
            }
            self.commit(group, &mut states, summary)?;
        }
        self.store.end(&mut self.execution)
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
            Outcome::Skipped | Outcome::Pruned => self.skipped += 1,
            Outcome::Cancelled => self.cancelled += 1,
            outcome => {
                self.failed += 1;
                if let (None, Some(ended)) = (&self.first, run.ended) {
                    self.first = Some(FirstFailure {
                        id_run: run.id_run,
                        attempt: run.attempt,
                        outcome,
                        ended: *ended,
                    });
                }
            }
        }
    }
}
