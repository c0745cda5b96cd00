//! Continuing: further columns of the runs that are there.
//!
//! A continuing experiment has a ledger of its own (executions, attempts, claims), so that what it
//! comes to counts for no run of the experiment that it continues; and columns in the rows of that
//! one. A run that is made again has a new row, which lacks them: whichever of the two ledgers has
//! the later entry tells.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use uuid::Uuid;

use super::failure::{Failure, Result};
use super::history::{executions, point};
use super::insert::{insert_runs, row_of};
use super::join::declare;
use super::name::quoted;
use super::sql::{hex, sql_cell, text};
use super::sqlite::SqliteStore;
use super::write::{add_column, refuse};
use super::{
    Column, Execution, Finished, History, Key, Known, StoreError, StoredExperiment, StoredRun,
    Target, meta, schema,
};
use crate::exception::Outcome;
use crate::value::Cell;

/// An experiment with runs that can be continued.
#[derive(Debug)]
pub(crate) struct Continuable {
    pub(crate) stored: StoredExperiment,
    /// The completed runs, in the order of the table: id and number of the row.
    pub(crate) rows: Vec<(u128, i64)>,
    /// What the continuing experiment declared when it was executed; no execution if it never was.
    pub(crate) known: Known,
    /// How the runs stand to the continuing experiment.
    pub(crate) history: History,
    /// The columns that the continuing experiment made.
    pub(crate) own: HashSet<String>,
    /// Those that further continuing experiments made, and the names of these.
    pub(crate) others: HashMap<String, String>,
}

/// What an execution must know that continues the runs of another experiment.
#[derive(Debug)]
pub(crate) struct Continuing {
    /// The columns that are not those of the continuing experiment.
    pub(crate) foreign: Vec<Column>,
    /// Runs that were made again since they were read, as far as the ledger was looked at.
    replaced: HashSet<u128>,
    looked_at: i64,
}

impl Continuing {
    /// `seen` is the last entry of the ledger when the runs were read.
    pub(crate) fn new(foreign: Vec<Column>, seen: i64) -> Self {
        Self {
            foreign,
            replaced: HashSet::new(),
            looked_at: seen,
        }
    }
}

/// What stands for an experiment in `xp_experiment`, or for one that continues it.
pub(crate) fn ledger_of(id: Uuid, continuing: Option<&str>) -> String {
    match continuing {
        None => id.simple().to_string(),
        Some(declared) => format!("{}+{declared}", id.simple()),
    }
}

/// The ledger of that name, if there is one.
pub(super) fn key_of(db: &Connection, ledger: &str) -> rusqlite::Result<Option<i64>> {
    db.prepare_cached("SELECT experiment FROM xp_experiment WHERE id_experiment = ?1")?
        .query_row([ledger], |row| row.get(0))
        .optional()
}

impl SqliteStore {
    pub(super) fn continuable_in(
        &self,
        db: &Connection,
        key: &Key,
        declared: &str,
    ) -> Result<Continuable> {
        let mut stored = self.find_in(db, key)?;
        stored.ledger = ledger_of(stored.id, Some(declared));
        let known = known_in(db, &stored, declared)?;
        let history = if schema::has_table(db, "xp_run")? {
            self.history_in(db, &known)?
        } else {
            History::default()
        };
        let own = own_columns(db, &known)?;
        let others = others_columns(db, &stored, declared)?;
        let mut rows = Vec::new();
        if !stored.columns.is_empty() && schema::has_table(db, &stored.table)? {
            let sql = format!(
                "SELECT id_run, _rowid_ FROM {} WHERE id_experiment = ?1 ORDER BY _rowid_",
                quoted(&stored.table)
            );
            let mut statement = db.prepare(&sql)?;
            let mut found = statement.query([text(&hex(stored.id))])?;
            while let Some(row) = found.next()? {
                let id = point(row.get_ref(0)?.as_str()?).ok_or_else(|| {
                    self.unexpected(&stored.name, "the id of a run", "32 hex digits")
                })?;
                rows.push((id, row.get(1)?));
            }
        }
        Ok(Continuable {
            stored,
            rows,
            known,
            history,
            own,
            others,
        })
    }

    /// Whether it was continued by the experiment declared under that name.
    pub(super) fn is_continued_in(
        &self,
        db: &Connection,
        of: &StoredExperiment,
        declared: &str,
    ) -> Result<bool> {
        Ok(schema::has_table(db, "xp_experiment")?
            && key_of(db, &ledger_of(of.id, Some(declared)))?.is_some())
    }

    /// The completed runs that lack one of these columns, which a continuing experiment makes.
    pub(super) fn lacking_continued_in(
        &self,
        db: &Connection,
        of: &StoredExperiment,
        declared: &str,
        columns: &[Column],
    ) -> Result<HashSet<u128>> {
        let found = self.continuable_in(db, &Key::Id(of.id), declared)?;
        let executions = &found.known.executions;
        let has_all = |makers: &Vec<u32>| {
            let makes = |place: &u32, column: &Column| {
                (executions.get(*place as usize))
                    .is_some_and(|made| made.columns.contains_key(&column.name))
            };
            (columns.iter()).all(|column| makers.iter().any(|place| makes(place, column)))
        };
        let complete: Vec<_> = found.history.makers.iter().map(has_all).collect();
        let lacks = |id: &u128| {
            let makers = found.history.points.get(id).and_then(|of| of.makers);
            !makers.is_some_and(|makers| complete[makers as usize])
        };
        Ok(found
            .rows
            .into_iter()
            .map(|(id, _)| id)
            .filter(lacks)
            .collect())
    }

    /// The row of one run, which was at `rowid`; `None` if it is gone.
    pub(super) fn row_in(
        &self,
        db: &Connection,
        of: &StoredExperiment,
        (id, rowid): (u128, i64),
    ) -> Result<Option<StoredRun>> {
        let id_run = Uuid::from_u128(id);
        let Some(rowid) = row_of(db, &of.table, id_run, rowid)? else {
            return Ok(None);
        };
        let mut sql = "SELECT 1".to_owned();
        for column in &of.columns {
            sql.push_str(", ");
            sql.push_str(&quoted(&column.name));
        }
        sql.push_str(&format!(" FROM {} WHERE _rowid_ = ?1", quoted(&of.table)));
        let cells = |row: &rusqlite::Row<'_>| {
            (0..of.columns.len())
                .map(|i| Ok(super::sql::cell(row.get_ref(i + 1)?)))
                .collect()
        };
        let cells = db.prepare_cached(&sql)?.query_row([rowid], cells);
        Ok(cells.optional()?.map(|cells| StoredRun { id_run, cells }))
    }

    /// The runs whose cells are not these.
    pub(super) fn differing_in(
        &self,
        db: &Connection,
        of: &StoredExperiment,
        cells: &[(String, Cell)],
    ) -> Result<HashSet<u128>> {
        let differs = |(name, _): &(String, Cell)| format!("{} IS NOT ?", quoted(name));
        let differs: Vec<_> = cells.iter().map(differs).collect();
        if differs.is_empty() {
            return Ok(HashSet::new());
        }
        let sql = format!(
            "SELECT id_run FROM {} WHERE {}",
            quoted(&of.table),
            differs.join(" OR ")
        );
        let mut statement = db.prepare(&sql)?;
        for (i, (_, cell)) in cells.iter().enumerate() {
            statement.raw_bind_parameter(i + 1, sql_cell(cell))?;
        }
        let mut rows = statement.raw_query();
        let mut found = HashSet::new();
        while let Some(row) = rows.next()? {
            found.extend(point(row.get_ref(0)?.as_str()?));
        }
        Ok(found)
    }

    /// Whether the first commit of an execution that continues others' runs would be refused.
    pub(super) fn check_continued(&self, tx: &Connection, execution: &Execution) -> Result<()> {
        self.check_is_there(tx, execution.id, &execution.new.name)?;
        let stored = self.find_in(tx, &Key::Id(execution.id))?;
        let known = known_in(tx, &stored, &execution.new.declared)?;
        let own = own_columns(tx, &known)?;
        let taken = execution.new.columns.iter().find(|column| {
            let there = stored.columns.iter();
            !own.contains(&column.name)
                && (there.into_iter()).any(|there| there.name.eq_ignore_ascii_case(&column.name))
        });
        match taken {
            None => Ok(()),
            Some(column) => Err(Failure::Store(StoreError::ColumnTaken {
                experiment: stored.name,
                column: column.name.clone(),
                continuing: execution.new.declared.clone(),
            })),
        }
    }

    /// Inside of a transaction: see [`write`](Self::write), for an execution that continues the runs
    /// of another experiment.
    pub(super) fn write_continued(
        &self,
        tx: &Transaction<'_>,
        execution: &mut Execution,
        runs: &mut Vec<Finished>,
    ) -> Result<()> {
        let key = match execution.key {
            Some(key) => {
                self.check_is_there(tx, execution.id, &execution.new.name)?;
                key
            }
            None => self.begin_continued(tx, execution)?,
        };
        self.fence(tx, runs)?;
        leave_out_replaced(tx, execution, runs)?;
        let completed = |run: &Finished| run.outcome == Outcome::Completed;
        let is_first = !execution.table_ready && runs.iter().any(completed);
        if is_first {
            self.check_continued(tx, execution)?;
            for column in &execution.new.columns {
                add_column(tx, &execution.table, column, None)?;
            }
            execution.table_ready = true;
        }
        self.notice_foreign(tx, execution, runs)?;
        refuse_foreign(execution, runs);
        let known = execution.extra.len();
        self.add_columns(tx, execution, runs)?;
        for (column, _) in runs.iter().flat_map(|run| &run.extra) {
            tx.prepare_cached("INSERT OR IGNORE INTO xp_column VALUES (?1, ?2, NULL)")?
                .execute(params![execution.execution, column.name])?;
        }
        insert_runs(tx, execution, key, runs).map_err(|failure| match failure {
            Failure::Encode(source) => Failure::Store(StoreError::Encode {
                what: "the exception of a run".to_owned(),
                experiment: execution.new.name.clone(),
                source: Box::new(source),
            }),
            other => other,
        })?;
        self.settle(tx, execution, runs)?;
        if is_first || execution.extra.len() > known {
            self.extend_meta(tx, execution)?;
        }
        Ok(())
    }

    fn begin_continued(&self, tx: &Transaction<'_>, execution: &mut Execution) -> Result<i64> {
        self.check_continued(tx, execution)?;
        let declared = &execution.new.declared;
        let ledger = ledger_of(execution.id, Some(declared));
        let key = match key_of(tx, &ledger)? {
            Some(key) => key,
            None => {
                tx.execute(
                    "INSERT INTO xp_experiment (id_experiment, declared) VALUES (?1, ?2)",
                    params![ledger, declared],
                )?;
                tx.last_insert_rowid()
            }
        };
        execution.execution = declare(tx, execution, key)?;
        execution.key = Some(key);
        Ok(key)
    }

    /// Learns of columns that others have added meanwhile.
    fn notice_foreign(
        &self,
        tx: &Transaction<'_>,
        execution: &mut Execution,
        runs: &[Finished],
    ) -> Result<()> {
        let known = &execution.extra;
        let is_new = |column: &Column| !known.iter().any(|known| known.name == column.name);
        let inserted = runs.iter().flat_map(|run| &run.extra);
        if !inserted.into_iter().any(|(column, _)| is_new(column)) {
            return Ok(());
        }
        let stored = self.find_in(tx, &Key::Id(execution.id))?;
        let own = own_columns(tx, &known_in(tx, &stored, &execution.new.declared)?)?;
        if let Some(continuing) = &mut execution.continuing {
            let columns = stored.columns.into_iter();
            continuing.foreign = columns.filter(|there| !own.contains(&there.name)).collect();
        }
        Ok(())
    }

    /// Adds the columns to the meta of the experiment, all else in which is kept.
    fn extend_meta(&self, tx: &Transaction<'_>, execution: &Execution) -> Result<()> {
        let id = hex(execution.id);
        let meta: Vec<u8> = tx.query_row(
            "SELECT meta FROM experiments WHERE id_experiment = ?1",
            [text(&id)],
            |row| row.get(0),
        )?;
        let columns = execution.new.columns.iter().chain(&execution.extra);
        let extended = meta::extend(&meta, columns)?.ok_or_else(|| {
            let expected = "a tree with the columns of the runs";
            self.unexpected(&execution.new.name, "the meta", expected)
        })?;
        tx.execute(
            "UPDATE experiments SET meta = ?1 WHERE id_experiment = ?2",
            params![extended, text(&id)],
        )?;
        Ok(())
    }
}

/// What the executions of a continuing experiment declared.
fn known_in(db: &Connection, stored: &StoredExperiment, declared: &str) -> Result<Known> {
    let has_tables = schema::has_table(db, "xp_column")?;
    let key = |ledger: String| match has_tables {
        true => key_of(db, &ledger),
        false => Ok(None),
    };
    let own = key(ledger_of(stored.id, Some(declared)))?;
    let executions = own.map(|key| executions(db, key)).transpose()?;
    Ok(Known {
        // No experiment has the key 0.
        key: own.unwrap_or_default(),
        original: key(ledger_of(stored.id, None))?,
        completed: stored.completed,
        id: stored.id,
        name: stored.name.clone(),
        declared: declared.to_owned(),
        table: stored.table.clone(),
        columns: stored.columns.clone(),
        executions: executions.unwrap_or_default(),
        inputs: Vec::new(),
    })
}

/// The columns that a continuing experiment made, but those that its original has declared since.
fn own_columns(db: &Connection, known: &Known) -> Result<HashSet<String>> {
    let made = known.executions.iter().flat_map(|of| of.columns.keys());
    let mut own: HashSet<String> = made.cloned().collect();
    let Some(original) = known.original.filter(|_| !own.is_empty()) else {
        return Ok(own);
    };
    let mut statement = db.prepare(
        "SELECT DISTINCT name FROM xp_column JOIN xp_execution USING (execution) \
             WHERE experiment = ?1",
    )?;
    let mut rows = statement.query([original])?;
    while let Some(row) = rows.next()? {
        own.remove(row.get_ref(0)?.as_str()?);
    }
    Ok(own)
}

/// The columns that further continuing experiments made.
fn others_columns(
    db: &Connection,
    stored: &StoredExperiment,
    declared: &str,
) -> Result<HashMap<String, String>> {
    if !schema::has_table(db, "xp_column")? {
        return Ok(HashMap::new());
    }
    let mut statement = db.prepare(
        "SELECT name, declared FROM xp_column JOIN xp_execution USING (execution) \
             JOIN xp_experiment USING (experiment) \
             WHERE id_experiment GLOB ?1 || '+*' AND declared <> ?2",
    )?;
    let made = statement.query_map(params![stored.id.simple().to_string(), declared], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    Ok(made.collect::<rusqlite::Result<_>>()?)
}

/// Takes out the runs whose rows are others than those that were read, or gone.
fn leave_out_replaced(
    tx: &Transaction<'_>,
    execution: &mut Execution,
    runs: &mut Vec<Finished>,
) -> Result<()> {
    let (id, table) = (execution.id, execution.table.clone());
    let Some(continuing) = &mut execution.continuing else {
        return Ok(());
    };
    if let Some(original) = key_of(tx, &ledger_of(id, None))? {
        let mut statement = tx.prepare_cached(
            "SELECT id_run, experiment, outcome, filled, seq FROM xp_run WHERE seq > ?1 ORDER BY seq",
        )?;
        let mut rows = statement.query([continuing.looked_at])?;
        while let Some(row) = rows.next()? {
            let of: i64 = row.get(1)?;
            let filled: bool = row.get(3)?;
            if of == original && !filled && row.get_ref(2)?.as_str()? == "completed" {
                continuing.replaced.extend(point(row.get_ref(0)?.as_str()?));
            }
            continuing.looked_at = row.get(4)?;
        }
    }
    let mut gone = HashMap::new();
    for run in runs.iter().filter(|run| run.outcome == Outcome::Completed) {
        let (Target::Continue(rowid) | Target::Fill { rowid, .. }) = run.target else {
            continue;
        };
        let is_gone = row_of(tx, &table, run.id_run, rowid)?.is_none();
        gone.insert(run.id_run, is_gone);
    }
    runs.retain(|run| {
        !continuing.replaced.contains(&run.id_run.as_u128())
            && !gone.get(&run.id_run).copied().unwrap_or_default()
    });
    Ok(())
}

/// Makes runs fail that have inserted fields which are not theirs: within a process this is found
/// out when the field is inserted.
fn refuse_foreign(execution: &Execution, runs: &mut [Finished]) {
    let Some(continuing) = &execution.continuing else {
        return;
    };
    for run in runs {
        let foreign = run.extra.iter().find_map(|(column, _)| {
            let there = continuing.foreign.iter();
            (there.into_iter()).find(|there| there.name.eq_ignore_ascii_case(&column.name))
        });
        if let Some(there) = foreign {
            let message = format!(
                "the experiment has the column `{}` already; a run that continues cannot insert it",
                there.name
            );
            refuse(run, &execution.new.columns, message);
        }
    }
}
