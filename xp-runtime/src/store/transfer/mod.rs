//! Experiments on their way to another name or to another store: whole, in one transaction.
//!
//! What must be known and decided for that is here, in terms of points, attempts and cells. A store
//! gives a [`Snapshot`] to read from, and an [`Import`] to write to.

mod columns;
mod files;
mod points;
mod read;
mod write;

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use uuid::Uuid;

pub(super) use self::columns::Listing;
pub(crate) use self::columns::TableColumn;
use self::columns::unite;
use self::files::StoreFiles;
pub(crate) use self::points::Standings;
use self::points::Winners;
use super::{InputRecord, Key, Store, StoreError};
use crate::bunch::Bunch;
use crate::value::{Cell, Value};

/// The result of what stores do with whole experiments.
type Result<T> = std::result::Result<T, StoreError>;

/// Of several imports of a process, one goes on at a time: each may hold the locks of two stores.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// All of an experiment but its runs.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    /// Its key in xp's tables, and the name that is part of its points' identities; `None` if xp
    /// did not make it.
    pub(crate) made: Option<(i64, String)>,
    /// The fields of the experiment, as they are stored.
    pub(crate) fields: Vec<u8>,
    /// What MLtraq's loader goes by.
    pub(crate) meta: Value,
    /// The table of its runs, and its columns; `None` if there is none yet.
    pub(crate) table: Option<(String, Vec<TableColumn>)>,
    pub(crate) executions: Vec<ExecutionRecord>,
    /// As the last execution that had it declared each input.
    pub(crate) inputs: Vec<InputRecord>,
}

impl Head {
    pub(crate) fn key(&self) -> Option<i64> {
        self.made.as_ref().map(|(key, _)| *key)
    }

    pub(crate) fn declared(&self) -> Option<&str> {
        self.made.as_ref().map(|(_, declared)| declared.as_str())
    }

    pub(crate) fn columns(&self) -> &[TableColumn] {
        self.table.as_ref().map_or(&[], |(_, columns)| columns)
    }
}

/// What is kept of an execution. Two that are equal are the same one, in two files.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ExecutionRecord {
    /// Its number, which is another one in every store.
    pub(crate) number: Numbered,
    /// The cells of its own row.
    pub(crate) own: Vec<Cell>,
    /// The rows that belong to it: columns, inputs, steps.
    pub(crate) columns: Vec<Vec<Cell>>,
    pub(crate) inputs: Vec<Vec<Cell>>,
    pub(crate) steps: Vec<Vec<Cell>>,
}

/// The number of an execution, and when it ended: no part of what it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Numbered {
    pub(crate) number: i64,
    pub(crate) ended: Option<i64>,
}

impl PartialEq for Numbered {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// The row of a completed run, its cells in the order of the table's columns.
#[derive(Debug)]
pub(crate) struct RowRecord {
    /// Its number; what follows is read behind it.
    pub(crate) at: i64,
    pub(crate) id_run: u128,
    pub(crate) cells: Vec<Cell>,
}

/// An attempt, as the ledger has it.
#[derive(Debug)]
pub(crate) struct AttemptRecord {
    pub(crate) at: i64,
    pub(crate) execution: i64,
    pub(crate) id_run: u128,
    pub(crate) outcome: String,
    pub(crate) started: i64,
    pub(crate) attempt: i64,
    /// The other cells of its row.
    pub(crate) own: Vec<Cell>,
    /// The cells of its exception.
    pub(crate) exception: Option<Vec<Cell>>,
}

impl AttemptRecord {
    /// What tells it from other attempts, in every file.
    fn identity(&self) -> (u128, i64, i64) {
        (self.id_run, self.started, self.attempt)
    }
}

/// What a run kept under a name.
#[derive(Debug)]
pub(crate) struct ArtifactRecord {
    pub(crate) at: i64,
    pub(crate) id_run: u128,
    pub(crate) name: String,
    pub(crate) content: Vec<u8>,
}

/// A store in one state, to read whole experiments from it. What is read in pages is read behind a
/// number, the oldest first; a page holds as much as is cheap to hold, and is empty at the end.
pub(crate) trait Snapshot {
    /// The experiment; `None` if there is none.
    fn head(&self, key: &Key) -> Result<Option<Head>>;

    /// How each point stands of which there is an attempt or a row.
    fn standings(&self, of: &Head) -> Result<Standings>;

    fn rows(&self, of: &Head, after: i64) -> Result<Vec<RowRecord>>;

    fn attempts(&self, of: &Head, after: i64) -> Result<Vec<AttemptRecord>>;

    fn artifacts(&self, of: &Head, after: i64) -> Result<Vec<ArtifactRecord>>;

    /// The points that live processes are about to run.
    fn claimed(&self, of: &Head) -> Result<HashSet<u128>>;
}

/// The experiment that is written to.
#[derive(Clone, Debug)]
pub(crate) struct Goal {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) key: Option<i64>,
    pub(crate) table: String,
    /// The columns of the table, once it is there.
    pub(crate) columns: Vec<TableColumn>,
}

/// A transaction on a store, to write whole experiments.
pub(crate) trait Import: Snapshot {
    /// Makes an experiment without runs.
    fn make(&self, id: Uuid, name: &str, declared: Option<&str>) -> Result<Goal>;

    /// Makes the table of the runs, or adds the columns that it lacks.
    fn lay_out(&self, goal: &mut Goal, columns: Vec<TableColumn>) -> Result<()>;

    /// The number of the execution, which is added unless it is there.
    fn execution(&self, goal: &Goal, record: &ExecutionRecord) -> Result<i64>;

    /// Adds rows; `places` says where in the table each of their cells belongs.
    fn add_rows(&self, goal: &Goal, places: &[usize], rows: &[RowRecord]) -> Result<()>;

    fn remove_rows(&self, goal: &Goal, points: &HashSet<u128>) -> Result<()>;

    /// Adds attempts, whose executions are numbered as they are here.
    fn add_attempts(&self, goal: &Goal, attempts: &[AttemptRecord]) -> Result<()>;

    /// Adds artifacts. Where there is one of that name, `replace` says which of them is kept.
    fn add_artifacts(&self, goal: &Goal, artifacts: &[ArtifactRecord], replace: bool)
    -> Result<()>;

    fn set_fields(&self, goal: &Goal, fields: &[u8]) -> Result<()>;

    /// Counts the runs, and brings the meta up to date, which is made of this one.
    fn finish(&self, goal: &Goal, meta: &Value) -> Result<()>;
}

/// An experiment in its store.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source<'a> {
    pub(crate) store: &'a dyn Store,
    pub(crate) id: Uuid,
    /// For messages.
    pub(crate) name: &'a str,
}

/// Where experiments go.
#[derive(Clone, Debug)]
pub(crate) enum Destination {
    /// Into a new one.
    New { id: Uuid, name: String },
    /// Into the one that is there: of the same id, or of the same name and declaration. If there is
    /// none, it is made with the id and the name of the first source.
    Shared,
}

/// What became of the points of an import.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Moved {
    /// The experiment that was written to.
    pub(crate) id: Uuid,
    /// Points that were not there.
    pub(crate) added: u64,
    /// Points that were there, and stand better now.
    pub(crate) replaced: u64,
    /// Points that stay as they are.
    pub(crate) kept: u64,
    /// Those among them that a live process is about to run.
    pub(crate) claimed: u64,
}

/// Brings experiments into a store.
pub(crate) fn transfer(
    target: &dyn Store,
    sources: &[Source<'_>],
    destination: &Destination,
) -> Result<Moved> {
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let mut stores: Vec<&dyn Store> = Vec::new();
    for source in sources {
        source.store.reap()?;
        let known = stores.iter().any(|store| is_same(*store, source.store));
        if !known && !is_same(source.store, target) {
            stores.push(source.store);
        }
    }
    let mut moved = Moved::default();
    let mut files = StoreFiles::new(target.store_directory());
    let done = target.import(&mut |import| {
        with_snapshots(&stores, &[], &mut |snapshots| {
            let opened = sources.iter().map(|source| {
                let place = stores
                    .iter()
                    .position(|store| is_same(*store, source.store));
                let from: &dyn Snapshot = match place {
                    Some(place) => snapshots[place],
                    None => import,
                };
                let head = from.head(&Key::Id(source.id))?;
                let head = head.ok_or_else(|| StoreError::ExperimentReplaced {
                    name: source.name.to_owned(),
                    file: source.store.place().to_owned(),
                })?;
                Ok(Opened {
                    from,
                    head,
                    directory: source.store.store_directory(),
                })
            });
            let opened = opened.collect::<Result<Vec<_>>>()?;
            moved = Transfer {
                import,
                file: target.place(),
                sources: opened,
                files: &mut files,
            }
            .run(destination)?;
            Ok(())
        })
    });
    match done {
        Ok(()) => Ok(moved),
        Err(error) => {
            files.take_back();
            Err(error)
        }
    }
}

fn is_same(a: &dyn Store, b: &dyn Store) -> bool {
    std::ptr::addr_eq(a, b)
}

/// Calls a function with a snapshot of each store, all at the same time.
fn with_snapshots(
    stores: &[&dyn Store],
    taken: &[&dyn Snapshot],
    then: &mut dyn FnMut(&[&dyn Snapshot]) -> Result<()>,
) -> Result<()> {
    let Some((first, others)) = stores.split_first() else {
        return then(taken);
    };
    first.snapshot(&mut |snapshot| {
        let mut taken: Vec<&dyn Snapshot> = taken.to_vec();
        taken.push(snapshot);
        with_snapshots(others, &taken, then)
    })
}

/// A source that is being read.
struct Opened<'a> {
    from: &'a dyn Snapshot,
    head: Head,
    /// Where its store files are.
    directory: Option<PathBuf>,
}

struct Transfer<'a> {
    import: &'a dyn Import,
    /// The target's file, for messages.
    file: &'a str,
    sources: Vec<Opened<'a>>,
    files: &'a mut StoreFiles,
}

impl Transfer<'_> {
    fn run(mut self, destination: &Destination) -> Result<Moved> {
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
        let columns = unite(&heads).map_err(|clashes| StoreError::ColumnClash {
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
                key: head.key(),
                table: super::name::table_name(name),
                columns: head.columns().to_vec(),
            },
            None => self.import.make(id, name, declared.as_deref())?,
        };
        if has_table {
            self.import.lay_out(&mut goal, columns)?;
        }
        let executions = self.executions(&goal, declared.as_deref())?;
        let moved = self.rows(&goal, winners.as_ref())?;
        self.attempts(&goal, there.as_ref(), winners.as_ref(), &executions)?;
        self.artifacts(&goal, winners.as_ref())?;
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

    /// By its number in each source, the number of every execution.
    fn executions(&self, goal: &Goal, declared: Option<&str>) -> Result<Vec<HashMap<i64, i64>>> {
        let mut numbers = vec![HashMap::new(); self.sources.len()];
        // The last execution tells what inputs are: it is to be one of the experiment's own.
        let mut order: Vec<_> = (0..self.sources.len()).collect();
        order.sort_by_key(|place| self.sources[*place].head.declared() == declared);
        for place in order {
            for record in &self.sources[place].head.executions {
                let number = self.import.execution(goal, record)?;
                numbers[place].insert(record.number.number, number);
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
        executions: &[HashMap<i64, i64>],
    ) -> Result<()> {
        if goal.key.is_none() {
            return Ok(());
        }
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
            for place in 0..self.sources.len() {
                let source = &self.sources[place];
                let mut after = i64::MIN;
                loop {
                    let mut attempts = source.from.attempts(&source.head, after)?;
                    let Some(last) = attempts.last() else { break };
                    after = last.at;
                    if let Some(winners) = winners {
                        attempts.retain(|of| {
                            winners.is_won_by(of.id_run, place) == wins
                                && (!winners.is_shared(of.id_run) || known.insert(of.identity()))
                        });
                    }
                    for of in &mut attempts {
                        // A source's own attempts belong to its own executions.
                        if let Some(number) = executions[place].get(&of.execution) {
                            of.execution = *number;
                        }
                        for cell in of.exception.iter_mut().flatten() {
                            self.files
                                .carry(cell, source.directory.as_deref(), goal.id)?;
                        }
                    }
                    self.import.add_attempts(goal, &attempts)?;
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

    fn artifacts(&self, goal: &Goal, winners: Option<&Winners>) -> Result<()> {
        for wins in [true, false] {
            if !wins && winners.is_none_or(Winners::has_target) {
                continue;
            }
            for (place, source) in self.sources.iter().enumerate() {
                let mut after = i64::MIN;
                loop {
                    let mut artifacts = source.from.artifacts(&source.head, after)?;
                    let Some(last) = artifacts.last() else { break };
                    after = last.at;
                    if let Some(winners) = winners {
                        artifacts.retain(|of| winners.is_won_by(of.id_run, place) == wins);
                    }
                    self.import.add_artifacts(goal, &artifacts, wins)?;
                }
            }
        }
        Ok(())
    }

    /// Of several values under one name, the last one counts; but what is there stays.
    fn fields(&mut self, goal: &Goal, there: Option<&Head>) -> Result<()> {
        let mut given = self
            .sources
            .iter()
            .filter(|source| source.head.has_fields());
        let (first, more) = (given.next(), given.next().is_some());
        let Some(first) = first else { return Ok(()) };
        if there.is_none() && !more {
            // As they are: also values that this xp does not know.
            let mut cell = Cell::Blob(first.head.fields.clone());
            self.files
                .carry(&mut cell, first.directory.as_deref(), goal.id)?;
            let Cell::Blob(blob) = cell else {
                return Ok(());
            };
            return self.import.set_fields(goal, &blob);
        }
        let mut all = Bunch::new();
        for source in &self.sources {
            let mut cell = Cell::Blob(source.head.fields.clone());
            self.files
                .carry(&mut cell, source.directory.as_deref(), goal.id)?;
            let Cell::Blob(blob) = cell else { continue };
            for (name, value) in self.decoded(&source.head, &blob)?.into_members() {
                all.set(name, value);
            }
        }
        let mut fields = match there {
            Some(there) => self.decoded(there, &there.fields)?,
            None => Bunch::new(),
        };
        let before = fields.len();
        for (name, value) in all.into_members() {
            if fields.value(&name).is_none() {
                fields.set(name, value);
            }
        }
        if fields.len() == before {
            return Ok(());
        }
        let blob = super::sql::bunch_blob(&fields).map_err(|_| self.bad_fields(&goal.name))?;
        self.import.set_fields(goal, &blob)
    }

    fn decoded(&self, of: &Head, blob: &[u8]) -> Result<Bunch> {
        let value = crate::datapak::decode(blob).map_err(|source| StoreError::Damaged {
            what: "the fields".to_owned(),
            experiment: of.name.clone(),
            file: self.file.to_owned(),
            source: Box::new(source),
        })?;
        super::sql::bunch(value).ok_or_else(|| self.bad_fields(&of.name))
    }

    fn bad_fields(&self, experiment: &str) -> StoreError {
        StoreError::Unexpected {
            what: "the fields".to_owned(),
            experiment: experiment.to_owned(),
            file: self.file.to_owned(),
            expected: "a dictionary".to_owned(),
        }
    }
}

impl Head {
    fn has_fields(&self) -> bool {
        let none = [Value::Bunch(Vec::new()), Value::Map(Vec::new())];
        !crate::datapak::decode(&self.fields).is_ok_and(|fields| none.contains(&fields))
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
