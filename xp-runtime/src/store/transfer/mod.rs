//! Experiments on their way to another name or to another store: whole, in one transaction.
//!
//! What must be known and decided for that is here, in terms of points, attempts and cells. A store
//! gives a [`Snapshot`] to read from, and an [`Import`] to write to.

mod bring;
mod columns;
mod fields;
mod files;
mod plan;
mod points;
mod read;
mod write;

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use uuid::Uuid;

use self::bring::Transfer;
pub(super) use self::columns::Listing;
pub(crate) use self::columns::TableColumn;
use self::files::StoreFiles;
use self::plan::{Opened, Plan};
pub(crate) use self::points::Standings;
use super::{InputRecord, Key, Store, StoreError};
use crate::failpoint;
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
    /// The fields of the experiment, as they are stored.
    pub(crate) fields: Vec<u8>,
    /// What MLtraq's loader goes by.
    pub(crate) meta: Value,
    /// The table of its runs, and its columns; `None` if there is none yet.
    pub(crate) table: Option<(String, Vec<TableColumn>)>,
    /// Its own ledger, if xp made it, and those of experiments that continue it.
    pub(crate) ledgers: Vec<Ledger>,
    /// As the last execution that had it declared each input.
    pub(crate) inputs: Vec<InputRecord>,
}

impl Head {
    /// The name that is part of its points' identities; `None` if xp did not make it.
    pub(crate) fn declared(&self) -> Option<&str> {
        let own = self.ledgers.iter().find(|ledger| !ledger.continues)?;
        Some(&own.declared)
    }

    pub(crate) fn columns(&self) -> &[TableColumn] {
        self.table.as_ref().map_or(&[], |(_, columns)| columns)
    }
}

/// What xp knows of the executions of an experiment.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    pub(crate) key: i64,
    /// Whether it is that of an experiment that continues this one.
    pub(crate) continues: bool,
    pub(crate) declared: String,
    pub(crate) executions: Vec<ExecutionRecord>,
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
    /// The key of its ledger.
    pub(crate) ledger: i64,
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

/// What tells an attempt from others, in every file: its point, when it started, and its number.
type Identity = (u128, i64, i64);

impl AttemptRecord {
    fn identity(&self) -> Identity {
        (self.id_run, self.started, self.attempt)
    }
}

/// What a run kept under a name.
#[derive(Debug)]
pub(crate) struct ArtifactRecord {
    pub(crate) at: i64,
    /// The key of its ledger.
    pub(crate) ledger: i64,
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
    pub(crate) table: String,
    /// The columns of the table, once it is there.
    pub(crate) columns: Vec<TableColumn>,
}

/// A transaction on a store, to write whole experiments.
pub(crate) trait Import: Snapshot {
    /// Makes an experiment without runs.
    fn make(&self, id: Uuid, name: &str) -> Result<Goal>;

    /// The key of the experiment's own ledger, or of one that continues it; it is made unless it is
    /// there.
    fn ledger(&self, goal: &Goal, continues: bool, declared: &str) -> Result<i64>;

    /// Makes the table of the runs, or adds the columns that it lacks.
    fn lay_out(&self, goal: &mut Goal, columns: Vec<TableColumn>) -> Result<()>;

    /// The number of the execution, which is added unless it is there.
    fn execution(&self, ledger: i64, record: &ExecutionRecord) -> Result<i64>;

    /// Adds rows; `places` says where in the table each of their cells belongs.
    fn add_rows(&self, goal: &Goal, places: &[usize], rows: &[RowRecord]) -> Result<()>;

    fn remove_rows(&self, goal: &Goal, points: &HashSet<u128>) -> Result<()>;

    /// Removes the attempts with these numbers.
    fn remove_attempts(&self, at: &[i64]) -> Result<()>;

    /// Adds attempts, whose executions are numbered as they are here.
    fn add_attempts(&self, attempts: &[AttemptRecord]) -> Result<()>;

    /// Adds artifacts. Where there is one of that name, `replace` says which of them is kept.
    fn add_artifacts(&self, artifacts: &[ArtifactRecord], replace: bool) -> Result<()>;

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
    // The lock for writing comes last, and no other is waited for by whoever holds it: a source may
    // be another session on the target's file, in which an execution waits for that lock, too.
    with_snapshots(&stores, &[], &mut |snapshots| {
        let others = sources.iter().map(|source| {
            let place = (stores.iter()).position(|store| is_same(*store, source.store));
            place.map(|place| source.open(snapshots[place])).transpose()
        });
        let others = others.collect::<Result<Vec<_>>>()?;
        if matches!(destination, Destination::Shared) {
            let mut done = None;
            target.snapshot(&mut |there| {
                done = with_all(sources, &others, there, &mut |opened| {
                    let plan = Plan::make(there, target.place(), opened, destination)?;
                    Ok(plan.if_done(opened))
                })?;
                Ok(())
            })?;
            if let Some(done) = done {
                moved = done;
                return Ok(());
            }
        }
        let mut files = StoreFiles::new(target);
        let imported = target.import(&mut |import| {
            moved = with_all(sources, &others, import, &mut |opened| {
                let transfer = Transfer {
                    import,
                    file: target.place(),
                    sources: opened,
                    files: &mut files,
                };
                transfer.run(destination)
            })?;
            Ok(())
        });
        if imported.is_err() {
            failpoint::hit("import.failed");
        }
        files.end(imported.is_ok());
        imported
    })?;
    Ok(moved)
}

impl Source<'_> {
    fn open<'a>(&'a self, from: &'a dyn Snapshot) -> Result<Opened<'a>> {
        let head = from.head(&Key::Id(self.id))?;
        let head = head.ok_or_else(|| StoreError::ExperimentReplaced {
            name: self.name.to_owned(),
            file: self.store.place().to_owned(),
        })?;
        Ok(Opened::new(from, head, self.store))
    }
}

/// Calls a function with all sources: those in the target are read as it is.
fn with_all<T>(
    sources: &[Source<'_>],
    others: &[Option<Opened<'_>>],
    target: &dyn Snapshot,
    then: &mut dyn FnMut(&[&Opened<'_>]) -> Result<T>,
) -> Result<T> {
    let own = sources.iter().zip(others).map(|(source, other)| {
        let is_own = other.is_none();
        is_own.then(|| source.open(target)).transpose()
    });
    let own = own.collect::<Result<Vec<_>>>()?;
    let all = others.iter().zip(&own);
    let all: Vec<&Opened<'_>> = all
        .filter_map(|(other, own)| other.as_ref().or(own.as_ref()))
        .collect();
    then(&all)
}

fn is_same(a: &dyn Store, b: &dyn Store) -> bool {
    a.connection() == b.connection()
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
