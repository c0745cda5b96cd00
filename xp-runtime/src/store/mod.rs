//! The store keeps experiments and their runs. What the rest of xp asks of it is the trait
//! [`Store`]; the one that there is keeps them in SQLite, in MLtraq's layout.

mod error;
mod failure;
mod insert;
mod meta;
pub(crate) mod name;
mod read;
mod schema;
mod sql;
mod sqlite;
mod write;

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};

use uuid::Uuid;

pub use error::StoreError;
pub(crate) use meta::kind_name;
pub(crate) use name::{check_experiment, default_name, quoted};
pub(crate) use sqlite::SqliteStore;

use crate::bunch::Bunch;
use crate::exception::{Exception, Outcome};
use crate::step::StepInfo;
use crate::usage::Usage;
use crate::value::{Cell, ColumnType, Value};

/// What a column of an experiment's table records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Role {
    /// An input: a config or a param.
    Input,
    /// A field, or a sequence.
    Field,
}

/// A column of an experiment's table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    /// The column's name, which is the input's or the field's.
    pub(crate) name: String,
    /// What its cells hold.
    pub(crate) ty: ColumnType,
    /// What it records.
    pub(crate) role: Role,
}

/// A run that has ended, on its way into the store.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) id_run: Uuid,
    pub(crate) outcome: Outcome,
    /// When it started: microseconds since 1970 in UTC.
    pub(crate) started: i64,
    /// How long it took, in seconds.
    pub(crate) elapsed: f64,
    /// The cells of a completed run, in the order of the experiment's declared columns.
    pub(crate) cells: Vec<Cell>,
    /// Columns that only became known in the run.
    pub(crate) extra: Vec<(Column, Cell)>,
    /// Set if the run did not complete.
    pub(crate) ended: Option<Box<Ended>>,
    pub(crate) artifacts: Vec<(String, Vec<u8>)>,
    /// What it used of the machine, as far as the platform tells.
    pub(crate) usage: Option<Usage>,
}

impl Finished {
    /// About how many bytes it holds.
    pub(crate) fn weight(&self) -> usize {
        let cells = self
            .cells
            .iter()
            .chain(self.extra.iter().map(|(_, cell)| cell));
        let artifacts = self.artifacts.iter().map(|(_, content)| content.len());
        cells.map(Cell::weight).sum::<usize>() + artifacts.sum::<usize>()
    }
}

/// What is kept of a run that did not complete.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    pub(crate) exception: Exception,
    pub(crate) inputs: Bunch,
    /// The fields that it came to: their cells, by the places of their columns.
    pub(crate) reached: Vec<(usize, Cell)>,
}

/// What to do if there is an experiment of that name already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum IfExists {
    /// Refuse to execute, with [`StoreError::ExperimentExists`].
    #[default]
    Fail,
    /// Delete it, and all of its runs, in the transaction that makes the new one.
    Replace,
}

/// An experiment to be made.
#[derive(Debug)]
pub(crate) struct NewExperiment {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) declared: String,
    pub(crate) root_seed: u64,
    pub(crate) columns: Vec<Column>,
    pub(crate) steps: &'static [&'static StepInfo],
    pub(crate) if_exists: IfExists,
}

/// An experiment that an execution writes to.
#[derive(Debug)]
pub(crate) struct Execution {
    pub(crate) new: NewExperiment,
    /// The key of the experiment in xp's tables; `None` until it was made.
    pub(crate) key: Option<i64>,
    pub(crate) execution: i64,
    pub(crate) table: String,
    /// Columns that were added by runs.
    pub(crate) extra: Vec<Column>,
    pub(crate) completed: u64,
}

impl Execution {
    pub(crate) fn new(new: NewExperiment) -> Self {
        let table = name::table_name(&new.name);
        Self {
            new,
            key: None,
            execution: 0,
            table,
            extra: Vec::new(),
            completed: 0,
        }
    }
}

/// An experiment as it is stored.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct StoredExperiment {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) fields: Bunch,
    pub(crate) table: String,
    /// The columns that MLtraq reads, too: those in the experiment's meta.
    pub(crate) columns: Vec<Column>,
    /// The declared SQL types, for messages; aligned with `columns`.
    pub(crate) declared_types: Vec<String>,
}

/// A line of [`ls`](crate::Session::ls).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Listed {
    /// The experiment's id.
    pub id_experiment: Uuid,
    /// The experiment's name.
    pub name: String,
    /// The table of its runs.
    pub table_name: String,
    /// How many runs completed.
    pub runs: u64,
}

/// A completed run as it is stored: its cells in the order of [`StoredExperiment::columns`].
#[doc(hidden)]
#[derive(Debug)]
pub struct StoredRun {
    pub(crate) rowid: i64,
    pub(crate) id_run: Uuid,
    pub(crate) cells: Vec<Cell>,
}

/// A run that did not complete, as it is stored.
#[derive(Clone, Debug)]
pub(crate) struct StoredFailure {
    pub(crate) seq: i64,
    pub(crate) id_run: Uuid,
    pub(crate) outcome: Outcome,
    pub(crate) exception: Exception,
    pub(crate) inputs: Bunch,
}

/// How an experiment is looked up.
#[derive(Clone, Debug)]
pub(crate) enum Key {
    Name(String),
    Id(Uuid),
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "`{}`", name::shortened(name)),
            Self::Id(id) => write!(f, "with the id {id}"),
        }
    }
}

/// The result of a query.
#[derive(Debug)]
pub(crate) struct Rows {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<Value>>,
}

/// What xp asks of a store. All of it is safe to call from several threads; every call that
/// writes is one transaction, or none if it fails.
pub(crate) trait Store: Send + Sync + UnwindSafe + RefUnwindSafe + fmt::Debug {
    /// What to call this store in a message: the file's path.
    fn place(&self) -> &str;

    fn list(&self) -> Result<Vec<Listed>, StoreError>;

    fn find(&self, key: &Key) -> Result<StoredExperiment, StoreError>;

    /// Commits runs that have ended, and with the first call the experiment itself.
    fn commit(&self, execution: &mut Execution, runs: &[Finished]) -> Result<(), StoreError>;

    /// Whether the first commit of an execution would be refused; nothing is changed.
    fn rehearse(&self, execution: &Execution) -> Result<(), StoreError>;

    /// Records the end of an execution.
    fn end(&self, execution: &Execution) -> Result<(), StoreError>;

    fn delete(&self, key: &Key) -> Result<(), StoreError>;

    /// Sets one field of an experiment, and returns all that there are then.
    fn set_field(&self, id: Uuid, name: &str, value: Value) -> Result<Bunch, StoreError>;

    /// Completed runs behind `after` (a rowid), the oldest first; empty at the end. A page holds
    /// as many as are cheap to hold.
    fn runs(&self, of: &StoredExperiment, after: i64) -> Result<Vec<StoredRun>, StoreError>;

    /// Runs that did not complete, behind `after` (their number), the oldest first.
    fn failures(&self, of: &StoredExperiment, after: i64)
    -> Result<Vec<StoredFailure>, StoreError>;

    /// What a run of the experiment `of` kept under that name.
    fn artifact(&self, of: Uuid, id_run: Uuid, name: &str) -> Result<Option<Vec<u8>>, StoreError>;

    fn query(&self, sql: &str) -> Result<Rows, StoreError>;
}
