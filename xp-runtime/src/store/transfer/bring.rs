//! One transfer: what is checked before, and then each kind of row in its turn.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use super::columns::unite;
use super::files::StoreFiles;
use super::points::Winners;
use super::{AttemptRecord, Destination, Goal, Head, Import, Moved, Result, Snapshot, TableColumn};
use crate::store::{InputRecord, Key, StoreError};

/// A source that is being read.
pub(super) struct Opened<'a> {
    pub(super) from: &'a dyn Snapshot,
    pub(super) head: Head,
    /// The file's path, for messages.
    pub(super) file: &'a str,
    /// Where its store files are.
    pub(super) directory: Option<PathBuf>,
}

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

pub(super) struct Transfer<'a> {
    pub(super) import: &'a dyn Import,
    /// The target's file, for messages.
    pub(super) file: &'a str,
    pub(super) sources: Vec<Opened<'a>>,
    pub(super) files: &'a mut StoreFiles,
}

impl Transfer<'_> {
    pub(super) fn run(mut self, destination: &Destination) -> Result<Moved> {
        let there = match destination {
            Destination::New { .. } => None,
            Destination::Shared => self.there()?,
        };
        let (id, name) = match destination {
            Destination::New { id, name } => (*id, name.as_str()),
            Destination::Shared => {
                let of = there.as_ref().unwrap_or(&self.sources[0].head);
                (of.id, of.name.as_str())
            }
        };
        let mut heads: Vec<&Head> = there.iter().collect();
        heads.extend(self.sources.iter().map(|source| &source.head));
        let mut files: Vec<_> = there.iter().map(|_| self.file).collect();
        files.extend(self.sources.iter().map(|source| source.file));
        let columns = unite(&heads, &files).map_err(|clashes| StoreError::ColumnClash {
            name: name.to_owned(),
            file: self.file.to_owned(),
            clashes,
        })?;
        let declared = heads.iter().find_map(|head| head.declared());
        let declared = declared.map(str::to_owned);
        check_inputs(&heads, declared.as_deref(), self.file)?;
        let has_table = heads.iter().any(|head| head.table.is_some());
        let meta = heads[0].meta.clone();
        // A copy has all of it, and who has a point need not be asked.
        let is_shared = matches!(destination, Destination::Shared);
        let winners = if heads.len() > 1 || is_shared {
            Some(self.winners(there.as_ref(), &columns)?)
        } else {
            None
        };
        let mut goal = match &there {
            Some(head) => Goal {
                id,
                name: name.to_owned(),
                table: crate::store::name::table_name(name),
                columns: head.columns().to_vec(),
            },
            None => self.import.make(id, name)?,
        };
        if has_table {
            self.import.lay_out(&mut goal, columns)?;
        }
        let numbers = self.ledgers(&goal, declared.as_deref())?;
        let moved = self.rows(&goal, winners.as_ref())?;
        self.attempts(&goal, there.as_ref(), winners.as_ref(), &numbers)?;
        self.artifacts(winners.as_ref(), &numbers)?;
        self.fields(&goal, there.as_ref())?;
        self.import.finish(&goal, &meta)?;
        Ok(moved)
    }

    /// The experiment to which the first source belongs, if it is there.
    fn there(&self) -> Result<Option<Head>> {
        let head = &self.sources[0].head;
        if let Some(there) = self.import.head(&Key::Id(head.id))? {
            return Ok(Some(there));
        }
        let Some(there) = self.import.head(&Key::Name(head.name.clone()))? else {
            return Ok(None);
        };
        if head.declared().is_some() && head.declared() == there.declared() {
            return Ok(Some(there));
        }
        let made_by = |head: &Head| match head.declared() {
            Some(declared) => format!("made by `{declared}`"),
            None => "not made by xp".to_owned(),
        };
        Err(StoreError::AnotherExperiment {
            name: head.name.clone(),
            file: self.file.to_owned(),
            found: made_by(&there),
            declared: made_by(head),
        })
    }

    fn winners(&self, there: Option<&Head>, columns: &[TableColumn]) -> Result<Winners> {
        let inputs: HashSet<&str> = (columns.iter())
            .filter(|column| column.listing.as_ref().is_some_and(|of| of.input))
            .map(|column| column.name.as_str())
            .collect();
        let mut winners = match there {
            Some(there) => {
                let claimed = self.import.claimed(there)?;
                Winners::against(self.import.standings(there)?, claimed, &inputs)
            }
            None => Winners::new(),
        };
        for source in &self.sources {
            winners.join(source.from.standings(&source.head)?, &inputs);
        }
        Ok(winners)
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
                        self.files
                            .carry(cell, source.directory.as_deref(), goal.id)?;
                    }
                }
                self.import.add_rows(goal, &places, &rows)?;
            }
        }
        Ok(moved)
    }

    /// What counts is the last attempt: those of the file that has the best one come last.
    fn attempts(
        &mut self,
        goal: &Goal,
        there: Option<&Head>,
        winners: Option<&Winners>,
        numbers: &[Numbers],
    ) -> Result<()> {
        // What is there of points that several files have.
        let mut known = HashSet::new();
        if let (Some(there), Some(winners)) = (there, winners) {
            self.each_attempt(self.import, there, &mut |attempts| {
                let replaced = attempts.iter().filter(|of| winners.is_replaced(of.id_run));
                known.extend(replaced.map(AttemptRecord::identity));
                Ok(())
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
                            // What continued a row that is left behind is about no row here.
                            (wins || !numbers.continuing.contains(&of.ledger))
                                && winners.is_won_by(of.id_run, place) == wins
                                && (!winners.is_shared(of.id_run) || known.insert(of.identity()))
                        });
                    }
                    for of in &mut attempts {
                        of.ledger = numbers.ledger(of.ledger);
                        of.execution = numbers.execution(of.execution);
                        for cell in of.exception.iter_mut().flatten() {
                            self.files
                                .carry(cell, source.directory.as_deref(), goal.id)?;
                        }
                    }
                    self.import.add_attempts(&attempts)?;
                }
            }
        }
        Ok(())
    }

    fn each_attempt(
        &self,
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

/// Refuses inputs whose absent values differ: equal points would have different ids.
fn check_inputs(heads: &[&Head], declared: Option<&str>, file: &str) -> Result<()> {
    let mut known: Vec<&InputRecord> = Vec::new();
    let mut changes = Vec::new();
    let own = heads.iter().filter(|head| head.declared() == declared);
    for now in own.flat_map(|head| &head.inputs) {
        let Some(then) = known.iter().find(|then| then.name == now.name) else {
            known.push(now);
            continue;
        };
        let form = |record: &InputRecord| record.absent.as_ref().map(|(_, form)| form.clone());
        if form(then) != form(now) {
            let text = |record: &InputRecord| match &record.absent {
                Some((text, _)) => format!("is {text}"),
                None => "has no value".to_owned(),
            };
            let change = format!(
                "`{}` {} where it is not given in one of them, and {} in another",
                now.name,
                text(then),
                text(now)
            );
            if !changes.contains(&change) {
                changes.push(change);
            }
        }
    }
    if changes.is_empty() {
        return Ok(());
    }
    Err(StoreError::OtherDefaults {
        name: declared.unwrap_or_default().to_owned(),
        file: file.to_owned(),
        changes,
    })
}
