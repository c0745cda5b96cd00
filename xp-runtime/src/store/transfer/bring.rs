//! One transfer, as it was planned: each kind of row in its turn.

use std::collections::{HashMap, HashSet};

use super::files::StoreFiles;
use super::plan::{Opened, Plan};
use super::points::Winners;
use super::{AttemptRecord, Destination, Goal, Head, Identity, Import, Moved, Result, Snapshot};

/// Which numbers here stand for those of a source.
#[derive(Debug, Default)]
struct Numbers {
    ledgers: HashMap<i64, i64>,
    executions: HashMap<i64, i64>,
    /// The source's ledgers of experiments that continue it.
    continuing: HashSet<i64>,
}

impl Numbers {
    // All that a source has were numbered.
    fn ledger(&self, number: i64) -> i64 {
        self.ledgers.get(&number).copied().unwrap_or(number)
    }

    fn execution(&self, number: i64) -> i64 {
        self.executions.get(&number).copied().unwrap_or(number)
    }
}

pub(super) struct Transfer<'a, 't> {
    pub(super) import: &'a dyn Import,
    /// The target's file, for messages.
    pub(super) file: &'a str,
    pub(super) sources: &'a [&'a Opened<'a>],
    pub(super) files: &'a mut StoreFiles<'t>,
}

impl Transfer<'_, '_> {
    pub(super) fn run(mut self, destination: &Destination) -> Result<Moved> {
        let Plan {
            there,
            declared,
            columns,
            meta,
            winners,
        } = Plan::make(self.import, self.file, self.sources, destination)?;
        let there = there.as_ref();
        let mut goal = match (there, destination) {
            (Some(head), _) => Goal {
                id: head.id,
                name: head.name.clone(),
                table: crate::store::name::table_name(&head.name),
                columns: head.columns().to_vec(),
            },
            (None, Destination::New { id, name }) => self.import.make(*id, name)?,
            (None, Destination::Shared) => {
                let head = &self.sources[0].head;
                self.import.make(head.id, &head.name)?
            }
        };
        if let Some(columns) = columns {
            self.import.lay_out(&mut goal, columns)?;
        }
        let numbers = self.ledgers(&goal, declared.as_deref())?;
        let moved = self.rows(&goal, winners.as_ref())?;
        self.attempts(&goal, there, winners.as_ref(), &numbers)?;
        self.artifacts(winners.as_ref(), &numbers)?;
        self.fields(&goal, there)?;
        self.import.finish(&goal, &meta)?;
        Ok(moved)
    }

    /// For each source the numbers that its ledgers and executions have here.
    fn ledgers(&self, goal: &Goal, declared: Option<&str>) -> Result<Vec<Numbers>> {
        let mut numbers: Vec<_> = self.sources.iter().map(|_| Numbers::default()).collect();
        // The last execution tells what inputs are: it is to be one of the experiment's own.
        let mut order: Vec<_> = (0..self.sources.len()).collect();
        order.sort_by_key(|place| self.sources[*place].head.declared() == declared);
        for place in order {
            for from in &self.sources[place].head.ledgers {
                let name = match declared {
                    Some(declared) if !from.continues => declared,
                    _ => &from.declared,
                };
                let ledger = self.import.ledger(goal, from.continues, name)?;
                let numbers = &mut numbers[place];
                numbers.ledgers.insert(from.key, ledger);
                if from.continues {
                    numbers.continuing.insert(from.key);
                }
                for record in &from.executions {
                    let number = self.import.execution(ledger, record)?;
                    numbers.executions.insert(record.number.number, number);
                }
            }
        }
        Ok(numbers)
    }

    fn rows(&mut self, goal: &Goal, winners: Option<&Winners>) -> Result<Moved> {
        let mut moved = Moved {
            id: goal.id,
            ..Moved::default()
        };
        if let Some(winners) = winners {
            moved = Moved {
                id: goal.id,
                ..winners.moved()
            };
            let replaced = winners.replaced_rows();
            if !replaced.is_empty() {
                self.import.remove_rows(goal, &replaced)?;
            }
        }
        for (place, source) in self.sources.iter().enumerate() {
            let columns = source.head.columns();
            let places = columns.iter().map(|column| {
                let mut all = goal.columns.iter();
                // All columns were united.
                all.position(|known| known.name == column.name)
                    .unwrap_or_default()
            });
            let places: Vec<_> = places.collect();
            let serialized: Vec<_> = (columns.iter().enumerate())
                .filter(|(_, column)| column.may_refer_to_files())
                .map(|(place, _)| place)
                .collect();
            let mut after = i64::MIN;
            loop {
                let mut rows = source.from.rows(&source.head, after)?;
                let Some(last) = rows.last() else { break };
                after = last.at;
                if let Some(winners) = winners {
                    rows.retain(|row| winners.is_won_by(row.id_run, place));
                } else {
                    moved.added += rows.len() as u64;
                }
                for row in &mut rows {
                    for place in &serialized {
                        let cell = &mut row.cells[*place];
                        self.files.carry(cell, source.directory.as_deref(), goal)?;
                    }
                }
                self.import.add_rows(goal, &places, &rows)?;
            }
        }
        Ok(moved)
    }

    /// What counts is the last attempt: those of the file that has the best one come last, all of
    /// them and in their order, since later ones may have filled what earlier ones made.
    fn attempts(
        &mut self,
        goal: &Goal,
        there: Option<&Head>,
        winners: Option<&Winners>,
        numbers: &[Numbers],
    ) -> Result<()> {
        let mut known = match winners {
            Some(winners) => self.contested(winners)?,
            None => HashSet::new(),
        };
        if let Some(there) = there.filter(|_| !known.is_empty()) {
            each_attempt(self.import, there, &mut |attempts| {
                let again = attempts.iter().filter(|of| known.contains(&of.identity()));
                let again: Vec<_> = again.map(|of| of.at).collect();
                self.import.remove_attempts(&again)
            })?;
        }
        for wins in [false, true] {
            // The attempts of those that have no better one are kept where all of it is new.
            if !wins && (winners.is_none() || there.is_some()) {
                continue;
            }
            for (place, (source, numbers)) in self.sources.iter().zip(numbers).enumerate() {
                let mut after = i64::MIN;
                loop {
                    let mut attempts = source.from.attempts(&source.head, after)?;
                    let Some(last) = attempts.last() else { break };
                    after = last.at;
                    if let Some(winners) = winners {
                        attempts.retain(|of| {
                            let won = winners.is_won_by(of.id_run, place);
                            // What continued a row that is left behind is about no row here.
                            let is_left = || !numbers.continuing.contains(&of.ledger);
                            won == wins && (wins || is_left() && known.insert(of.identity()))
                        });
                    }
                    for of in &mut attempts {
                        of.ledger = numbers.ledger(of.ledger);
                        of.execution = numbers.execution(of.execution);
                        for cell in of.exception.iter_mut().flatten() {
                            self.files.carry(cell, source.directory.as_deref(), goal)?;
                        }
                    }
                    self.import.add_attempts(&attempts)?;
                }
            }
        }
        Ok(())
    }

    /// The attempts of the best files at points that others have, too.
    fn contested(&self, winners: &Winners) -> Result<HashSet<Identity>> {
        let mut contested = HashSet::new();
        for (place, source) in self.sources.iter().enumerate() {
            if !winners.has_contested(place) {
                continue;
            }
            each_attempt(source.from, &source.head, &mut |attempts| {
                let won = attempts.iter().filter(|of| {
                    winners.is_shared(of.id_run) && winners.is_won_by(of.id_run, place)
                });
                contested.extend(won.map(AttemptRecord::identity));
                Ok(())
            })?;
        }
        Ok(contested)
    }

    fn artifacts(&self, winners: Option<&Winners>, numbers: &[Numbers]) -> Result<()> {
        for wins in [true, false] {
            if !wins && winners.is_none_or(Winners::has_target) {
                continue;
            }
            for (place, (source, numbers)) in self.sources.iter().zip(numbers).enumerate() {
                let mut after = i64::MIN;
                loop {
                    let mut artifacts = source.from.artifacts(&source.head, after)?;
                    let Some(last) = artifacts.last() else { break };
                    after = last.at;
                    if let Some(winners) = winners {
                        artifacts.retain(|of| winners.is_won_by(of.id_run, place) == wins);
                    }
                    for of in &mut artifacts {
                        of.ledger = numbers.ledger(of.ledger);
                    }
                    self.import.add_artifacts(&artifacts, wins)?;
                }
            }
        }
        Ok(())
    }
}

/// Calls a function with all attempts, page by page.
fn each_attempt(
    from: &dyn Snapshot,
    of: &Head,
    each: &mut dyn FnMut(&[AttemptRecord]) -> Result<()>,
) -> Result<()> {
    let mut after = i64::MIN;
    loop {
        let attempts = from.attempts(of, after)?;
        let Some(last) = attempts.last() else {
            return Ok(());
        };
        after = last.at;
        each(&attempts)?;
    }
}
