//! The store keeps experiments and their runs. What the rest of xp asks of it is the trait
//! [`Store`]; the one that there is keeps them in SQLite, in MLtraq's layout.

mod claims;
mod continued;
mod error;
mod failure;
mod files;
mod given;
mod history;
mod insert;
mod join;
mod literal;
mod meta;
pub(crate) mod name;
mod network;
mod opened;
mod page;
mod place;
mod process;
mod read;
mod scan;
mod schema;
mod sql;
mod sqlite;
mod terms;
mod transfer;
mod write;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::path::PathBuf;
use std::sync::Arc;

use uuid::Uuid;

pub(crate) use continued::{Continuable, Continuing, ledger_of};
pub use error::StoreError;
pub(crate) use given::Given;
pub(crate) use history::{History, InputRecord, Known, KnownExecution, Standing};
pub(crate) use meta::kind_name;
pub(crate) use name::{check_experiment, default_name, quoted};
pub(crate) use page::RunPage;
pub(crate) use scan::Each;
pub(crate) use sqlite::SqliteStore;
pub use terms::Durability;
pub(crate) use terms::Terms;
pub(crate) use transfer::{Destination, Import, Moved, Snapshot, Source, transfer};

use crate::bunch::Bunch;
use crate::exception::{Exception, Outcome};
use crate::step::StepInfo;
use crate::stored::StoreWriter;
use crate::usage::Usage;
use crate::value::origin::Holder;
use crate::value::{Cell, ColumnType, Kind, Value};

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

/// An attempt at a run that has ended, on its way into the store.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) id_run: Uuid,
    /// From 1.
    pub(crate) attempt: u32,
    /// Whether no further attempt follows.
    pub(crate) last: bool,
    /// The claim under which it ran; `None` where nobody else can take the point.
    pub(crate) claim: Option<Claim>,
    /// What becomes of its cells.
    pub(crate) target: Target,
    pub(crate) outcome: Outcome,
    /// When it started: microseconds since 1970 in UTC.
    pub(crate) started: i64,
    /// How long it took, in seconds.
    pub(crate) elapsed: f64,
    /// What it used, if it took long enough to tell.
    pub(crate) usage: Option<Usage>,
    /// The cells of a completed run, in the order of the experiment's declared columns.
    pub(crate) cells: Vec<Cell>,
    /// Columns that only became known in the run.
    pub(crate) extra: Vec<(Column, Cell)>,
    /// Set if the run did not complete.
    pub(crate) ended: Option<Box<Ended>>,
    pub(crate) artifacts: Vec<(String, Vec<u8>)>,
    /// Files that are not needed any more once it is committed.
    pub(crate) files: Vec<PathBuf>,
}

/// Points that a process has taken, so that no other one takes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) id: i64,
    /// How many points it has.
    pub(crate) points: u32,
}

/// What becomes of the cells of a completed run.
#[derive(Clone, Debug, Default)]
pub(crate) enum Target {
    /// A row of their own.
    #[default]
    Insert,
    /// A row in place of the one with this number.
    Replace(i64),
    /// Values for some columns of the row with this number: their places among the declared ones,
    /// in the order of the cells.
    Fill { rowid: i64, columns: Vec<usize> },
    /// Values for all declared columns of the row with this number, which is another experiment's.
    Continue(i64),
}

/// What was asked of a claim for a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It is this execution's.
    Granted,
    /// Another execution has attempted it since this one began.
    Done,
    /// A live process has it.
    Taken,
    /// Nobody has it, but enough others were granted.
    Free,
}

/// The runs of others that ended while an execution goes on.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// The last entry of the ledger that was read.
    pub(crate) seen: i64,
    pub(crate) done: HashSet<u128>,
}

/// What a run may use, in seconds and bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Limits {
    pub(crate) time: Option<f64>,
    pub(crate) cpu: Option<f64>,
    pub(crate) memory: Option<u64>,
}

impl Finished {
    /// A first and last attempt that leaves nothing yet.
    pub(crate) fn of(id_run: Uuid, outcome: Outcome, claim: Option<Claim>) -> Self {
        Self {
            id_run,
            attempt: 1,
            last: true,
            claim,
            target: Target::Insert,
            outcome,
            started: 0,
            elapsed: 0.0,
            usage: None,
            cells: Vec::new(),
            extra: Vec::new(),
            ended: None,
            artifacts: Vec::new(),
            files: Vec::new(),
        }
    }

    /// About how many bytes it holds.
    pub(crate) fn weight(&self) -> usize {
        let cells = self
            .cells
            .iter()
            .chain(self.extra.iter().map(|(_, cell)| cell));
        let artifacts = self.artifacts.iter().map(|(_, content)| content.len());
        let left = self.ended.iter().flat_map(|ended| ended.fields.iter());
        let left = left.map(|(_, value)| value.weight());
        cells.map(Cell::weight).chain(artifacts).chain(left).sum()
    }
}

/// What is kept of a run that did not complete.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    pub(crate) exception: Exception,
    pub(crate) inputs: Bunch,
    /// The fields and sequences that it had reached.
    pub(crate) fields: Bunch,
}

/// What to do if there is an experiment of that name already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum IfExists {
    /// Refuse to execute, with [`StoreError::ExperimentExists`].
    #[default]
    Fail,
    /// Delete it, and all of its runs, in the transaction that makes the new one.
    Replace,
    /// Continue it: run what is missing, as [`Session::resume`](crate::Session::resume) does.
    Resume,
}

/// An experiment to be made.
#[derive(Debug)]
pub(crate) struct NewExperiment {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) declared: String,
    pub(crate) root_seed: u64,
    pub(crate) columns: Vec<Column>,
    /// For each column what runs have there that were made before it was declared, if that is known.
    pub(crate) initials: Vec<Option<Cell>>,
    /// For each column a digest of the steps on which it depends, if it is known.
    pub(crate) makers: Vec<Option<String>>,
    pub(crate) steps: &'static [&'static StepInfo],
    pub(crate) inputs: Vec<InputRecord>,
    pub(crate) limits: Limits,
    pub(crate) if_exists: IfExists,
}

/// An experiment that an execution writes to.
#[derive(Debug)]
pub(crate) struct Execution {
    pub(crate) new: NewExperiment,
    /// The experiment's id: the new one's, or that of the one which is continued.
    pub(crate) id: Uuid,
    /// The key of the experiment in xp's tables; `None` until it was made or joined.
    pub(crate) key: Option<i64>,
    pub(crate) execution: i64,
    pub(crate) table: String,
    /// Whether the table is known to be there, with all declared columns.
    pub(crate) table_ready: bool,
    /// Columns beside the declared ones: of earlier declarations, or added by runs.
    pub(crate) extra: Vec<Column>,
    /// How many completed runs the meta counts.
    pub(crate) completed: u64,
    /// Whether rows were inserted that the meta does not count yet.
    pub(crate) uncounted: bool,
    /// The points that are left of each claim.
    pub(crate) claims: BTreeMap<i64, u32>,
    /// Set if it adds to the runs of another experiment. Then `new` tells of the one that continues,
    /// under the name of the other.
    pub(crate) continuing: Option<Continuing>,
}

impl Execution {
    pub(crate) fn new(new: NewExperiment) -> Self {
        let table = name::table_name(&new.name);
        Self {
            id: new.id,
            new,
            key: None,
            execution: 0,
            table,
            table_ready: false,
            extra: Vec::new(),
            completed: 0,
            uncounted: false,
            claims: BTreeMap::new(),
            continuing: None,
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
    /// The last row of the table when it was found: others may write further ones.
    pub(crate) newest: i64,
    /// How many completed runs the meta counts: those that there were at the end of the last
    /// execution that completed some, or since then at the begin of one.
    pub(crate) completed: u64,
    /// What stands for it in `xp_experiment`, or for the experiment that continues it.
    pub(crate) ledger: String,
    /// Whether that one was ever executed: runs may lack all that it makes.
    pub(crate) continued: bool,
    /// The columns that MLtraq reads, too: those in the experiment's meta.
    pub(crate) columns: Vec<Column>,
    /// The declared SQL types, for messages; aligned with `columns`.
    pub(crate) declared_types: Vec<String>,
    /// Where what its values refer to is; `None` if there is no place for files.
    pub(crate) files: Option<Arc<Holder>>,
}

impl StoredExperiment {
    /// Calls a function that decodes a cell of a run: what it refers to can be found then.
    pub(crate) fn within<R>(&self, column: &Column, id_run: Uuid, decode: impl FnOnce() -> R) -> R {
        match &self.files {
            Some(holder) if column.ty.kind == Kind::Serialized => {
                holder.within(Some(id_run), &column.name, decode)
            }
            _ => decode(),
        }
    }
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
#[derive(Debug)]
pub(crate) struct StoredRun {
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
    pub(crate) fields: Bunch,
    pub(crate) attempt: u32,
}

/// Which execution of which experiment takes points.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claimant {
    pub(crate) key: i64,
    pub(crate) execution: i64,
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

    /// The same store for calls on these terms.
    fn on(&self, terms: Terms) -> Arc<dyn Store>;

    /// A number that stores have in common which are one, on different terms.
    fn connection(&self) -> usize;

    fn list(&self) -> Result<Vec<Listed>, StoreError>;

    fn find(&self, key: &Key) -> Result<StoredExperiment, StoreError>;

    /// Commits attempts that have ended, and with the first call the experiment itself, or that it
    /// is continued. Those whose claim is lost are taken out of the list instead.
    fn commit(&self, execution: &mut Execution, runs: &mut Vec<Finished>)
    -> Result<(), StoreError>;

    /// Whether the first commit of an execution that makes an experiment would be refused; nothing
    /// is changed.
    fn rehearse(&self, execution: &Execution) -> Result<(), StoreError>;

    /// Records the end of an execution.
    fn end(&self, execution: &mut Execution) -> Result<(), StoreError>;

    /// The directory for what the live runs of this session keep until they are committed; it need
    /// not be there yet. `None` if there is no place that outlives the process.
    fn live_directory(&self) -> Result<Option<PathBuf>, StoreError>;

    /// What commits survive, and what is kept in that directory.
    fn durability(&self) -> Durability;

    /// Notes that an execution of this session goes on, or has come to its end: then what it has
    /// taken is free.
    fn set_active(&self, execution: i64, active: bool);

    /// Takes points for an execution, as far as nobody else has them, and at most so many: an
    /// answer for each. The claim is `None` if none is granted. What dead processes had taken is
    /// interrupted then.
    fn claim(
        &self,
        execution: &Claimant,
        watch: &mut Watch,
        points: &[u128],
        most: usize,
    ) -> Result<(Option<Claim>, Vec<Answer>), StoreError>;

    /// Records as interrupted what dead processes had taken.
    fn reap(&self) -> Result<(), StoreError>;

    /// What is known of the experiment of that name; `None` if there is none.
    fn known(&self, name: &str) -> Result<Option<Known>, StoreError>;

    /// How every point of an experiment stands that was ever attempted.
    fn history(&self, known: &Known) -> Result<History, StoreError>;

    /// The completed runs of an experiment that lack one of these columns, since it was declared
    /// after they were made.
    fn lacking(
        &self,
        of: &StoredExperiment,
        columns: &[Column],
    ) -> Result<HashSet<u128>, StoreError>;

    /// The numbers of the rows of completed runs.
    fn rows_of(&self, of: &Known, points: &HashSet<u128>)
    -> Result<HashMap<u128, i64>, StoreError>;

    /// An experiment and its runs, as the experiment declared under a name would continue them.
    fn continuable(&self, key: &Key, declared: &str) -> Result<Continuable, StoreError>;

    /// The completed runs that lack one of these columns, which a continuing experiment makes.
    fn lacking_continued(
        &self,
        of: &StoredExperiment,
        declared: &str,
        columns: &[Column],
    ) -> Result<HashSet<u128>, StoreError>;

    /// Whether an experiment that continues this one was ever executed.
    fn is_continued(&self, of: &StoredExperiment, declared: &str) -> Result<bool, StoreError>;

    /// Which runs those are that complete runs' steps are given: all but some. `declared` is the
    /// continuing experiment whose fields are read of them, if it is one.
    fn given(
        &self,
        of: &StoredExperiment,
        declared: Option<&str>,
        without: &HashSet<u128>,
    ) -> Result<Given, StoreError>;

    /// A run by its id and the number of its row; `None` if it is gone.
    fn row(&self, of: &StoredExperiment, row: (u128, i64))
    -> Result<Option<StoredRun>, StoreError>;

    /// The runs that have not these cells.
    fn differing(
        &self,
        of: &StoredExperiment,
        cells: &[(String, Cell)],
    ) -> Result<HashSet<u128>, StoreError>;

    /// Some cells of the row of a completed run, which was at `rowid`, in this table.
    fn cells(
        &self,
        table: &str,
        id_run: Uuid,
        rowid: i64,
        columns: &[&str],
    ) -> Result<Vec<Cell>, StoreError>;

    fn delete(&self, key: &Key) -> Result<(), StoreError>;

    /// Gives an experiment, and the table of its runs, another name.
    fn rename(&self, id: Uuid, name: &str) -> Result<(), StoreError>;

    /// Calls a function with one state of the store, whatever others write meanwhile.
    fn snapshot(
        &self,
        read: &mut dyn FnMut(&dyn Snapshot) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;

    /// Calls a function with a transaction, which is committed if it succeeds, and leaves nothing
    /// if it fails.
    fn import(
        &self,
        write: &mut dyn FnMut(&dyn Import) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;

    /// The directory of the files to which values refer; it need not be there yet. `None` if there
    /// is no place for files.
    fn store_directory(&self) -> Option<PathBuf>;

    /// Who writes the files to which values of an experiment refer; `None` if there is no place for
    /// files.
    fn writer_of_files(&self, of: Uuid, experiment: &str) -> Option<Arc<StoreWriter>>;

    /// The end of all that a writer wrote. If not everything `is_kept` by a commit, what nothing
    /// refers to is removed, unless others are writing, who do so then.
    fn end_of_files(&self, writer: &StoreWriter, is_kept: bool);

    /// The ids of the completed runs of an experiment.
    fn ids(&self, of: &StoredExperiment) -> Result<HashSet<u128>, StoreError>;

    /// Sets one field of an experiment, and returns all that there are then.
    fn set_field(&self, id: Uuid, name: &str, value: Value) -> Result<Bunch, StoreError>;

    /// Completed runs behind `after` (a rowid), the oldest first, in a page that holds as many as
    /// are cheap to hold, and none at the end.
    fn runs(&self, of: &StoredExperiment, after: i64, page: &mut RunPage)
    -> Result<(), StoreError>;

    /// The first of them, if there is one.
    fn first_run(&self, of: &StoredExperiment) -> Result<Option<StoredRun>, StoreError>;

    /// Calls a function with every completed run, the oldest first, of one state of the store, until it says that it
    /// is enough. Its cells are in the order of the columns, and NULL in those that are not wanted. The
    /// function must not use the store.
    fn scan(
        &self,
        of: &StoredExperiment,
        wanted: &[bool],
        each: &mut Each<'_>,
    ) -> Result<(), StoreError>;

    /// Runs that did not complete, behind `after` (their number), the oldest first.
    fn failures(&self, of: &StoredExperiment, after: i64)
    -> Result<Vec<StoredFailure>, StoreError>;

    /// What a run of the experiment `of` kept under that name.
    fn artifact(&self, of: Uuid, id_run: Uuid, name: &str) -> Result<Option<Vec<u8>>, StoreError>;

    fn query(&self, sql: &str) -> Result<Rows, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_failed_run_leaves_has_its_weight() {
        let mut run = Finished::of(Uuid::nil(), Outcome::Failed, None);
        let before = run.weight();
        let mut fields = Bunch::new();
        let trace = vec![Value::Float(0.5); 1_000];
        fields.set("trace".to_owned(), Value::List(trace));
        run.ended = Some(Box::new(Ended {
            exception: Exception::default(),
            inputs: Bunch::new(),
            fields,
        }));
        assert!(run.weight() >= before + 8_000);
    }
}
