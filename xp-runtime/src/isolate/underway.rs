//! What a run has told that has not ended.

use super::message::Event;
use crate::attempt::Failed;
use crate::exception::{Exception, Outcome};
use crate::run;
use crate::store::Column;
use crate::value::Cell;

/// See the module's text.
#[derive(Debug, Default)]
pub(super) struct Underway {
    pub(super) step: usize,
    /// The shared values that are being computed; one may need another.
    pub(super) computing: Vec<usize>,
    /// The cells of declared fields, by the places of their columns.
    pub(super) reached: Vec<(usize, Cell)>,
    inserted: Vec<(Column, Cell)>,
    pub(super) artifacts: Vec<(String, Vec<u8>)>,
}

impl Underway {
    /// Keeps what a message tells of the run.
    pub(super) fn note(&mut self, event: Event) {
        match event {
            Event::Step(step) => self.step = step,
            Event::Reached(place, cell) => self.reached.push((place, cell)),
            Event::Inserted(column, cell) => {
                replace(&mut self.inserted, column, cell, |a, b| a.name == b.name);
            }
            Event::Artifact(name, content) => {
                replace(&mut self.artifacts, name, content, |a, b| a == b);
            }
            Event::Computing(place) => self.computing.push(place),
            Event::Computed(_) => {
                self.computing.pop();
            }
            Event::Hello | Event::Progress(_) | Event::Flushed | Event::Done(_) => {}
        }
    }

    /// The run has failed in a way that its process does not know of.
    pub(super) fn failed(&mut self, outcome: Outcome, exception: Exception) -> Box<Failed> {
        let mut failed = Failed::new(outcome, exception);
        failed.reached = std::mem::take(&mut self.reached);
        failed.left = run::values(&self.inserted).collect();
        failed
    }
}

fn replace<K, V>(all: &mut Vec<(K, V)>, key: K, value: V, same: impl Fn(&K, &K) -> bool) {
    match all.iter_mut().find(|(other, _)| same(other, &key)) {
        Some(old) => *old = (key, value),
        None => all.push((key, value)),
    }
}
