//! Inserting runs: into the table of their experiment, and into the ledger of all runs.

use std::sync::LazyLock;

use rusqlite::{CachedStatement, Connection, OptionalExtension, Transaction, params};
use uuid::Uuid;

use super::failure::Result;
use super::name::quoted;
use super::sql::{PICKLED_NONE, bunch_blob, hex, sql_cell, text};
use super::{Column, Ended, Execution, Finished, Target};
use crate::datapak;
use crate::exception::Outcome;
use crate::failpoint;
use crate::value::{Cell, Kind, Value};

/// How many small rows one statement inserts: to begin and end a statement costs SQLite as much as
/// a row does.
const ROWS: usize = 16;

/// A text or a blob up to this size, in bytes, is small.
const SMALL: usize = 256;

/// Inserts runs in their order.
pub(super) fn insert_runs(
    tx: &Transaction<'_>,
    execution: &Execution,
    key: i64,
    runs: &[Finished],
) -> Result<()> {
    let mut many = Inserts::new(tx, execution, key, ROWS);
    let mut one = Inserts::new(tx, execution, key, 1);
    let mut left = runs;
    while !left.is_empty() {
        let inserts = if left.len() >= ROWS && left[..ROWS].iter().all(is_small) {
            &mut many
        } else {
            &mut one
        };
        let (runs, later) = left.split_at(inserts.rows);
        left = later;
        inserts.insert(runs)?;
    }
    Ok(())
}

/// Whether the run is nothing but a row of small cells: nearly every run is.
fn is_small(run: &Finished) -> bool {
    let small = |cell: &Cell| match cell {
        Cell::Text(text) => text.len() <= SMALL,
        Cell::Blob(blob) => blob.len() <= SMALL,
        Cell::Null | Cell::Int(_) | Cell::Real(_) => true,
    };
    run.outcome == Outcome::Completed
        && run.attempt == 1
        && matches!(run.target, Target::Insert)
        && run.usage.is_none()
        && run.extra.is_empty()
        && run.artifacts.is_empty()
        && run.cells.iter().all(small)
}

/// The statements that insert so many rows each.
struct Inserts<'a> {
    tx: &'a Transaction<'a>,
    execution: &'a Execution,
    key: i64,
    id_experiment: [u8; 32],
    rows: usize,
    /// For rows without columns of their own. Prepared with the first one: before, there may be no
    /// table.
    fields: Option<CachedStatement<'a>>,
    ledger: Option<CachedStatement<'a>>,
}

impl<'a> Inserts<'a> {
    fn new(tx: &'a Transaction<'a>, execution: &'a Execution, key: i64, rows: usize) -> Self {
        Self {
            tx,
            execution,
            key,
            id_experiment: hex(execution.id),
            rows,
            fields: None,
            ledger: None,
        }
    }

    /// Inserts `rows` runs: a single one of any kind, or several small ones.
    fn insert(&mut self, runs: &[Finished]) -> Result<()> {
        let [first, ..] = runs else { return Ok(()) };
        if first.outcome == Outcome::Completed {
            match &first.target {
                Target::Fill { rowid, columns } => self.fill(first, *rowid, columns)?,
                Target::Continue(rowid) => self.extend(first, *rowid)?,
                Target::Replace(rowid) => {
                    self.delete(first, *rowid)?;
                    self.insert_fields(runs, &first.extra)?;
                }
                Target::Insert => self.insert_fields(runs, &first.extra)?,
            }
        }
        failpoint::hit("commit.fields");
        self.insert_ledger(runs, first.outcome)?;
        failpoint::hit("commit.ledger");
        for run in runs {
            if let Some(ended) = &run.ended {
                insert_exception(self.tx, self.tx.last_insert_rowid(), ended)?;
            }
            for (name, content) in &run.artifacts {
                self.tx
                    .prepare_cached("INSERT OR REPLACE INTO xp_artifact VALUES (?1, ?2, ?3, ?4)")?
                    .execute(params![text(&hex(run.id_run)), self.key, name, content])?;
            }
        }
        Ok(())
    }

    fn insert_fields(&mut self, runs: &[Finished], extra: &[(Column, Cell)]) -> Result<()> {
        let mut special = None;
        let insert = match &mut self.fields {
            Some(insert) if extra.is_empty() => insert,
            fields => {
                let sql = fields_sql(self.execution, extra, self.rows);
                let mut insert = self.tx.prepare_cached(&sql)?;
                insert.raw_bind_parameter(1, text(&self.id_experiment))?;
                if extra.is_empty() {
                    fields.insert(insert)
                } else {
                    special.insert(insert)
                }
            }
        };
        let mut at = 2;
        for run in runs {
            insert.raw_bind_parameter(at, text(&hex(run.id_run)))?;
            at += 1;
            for cell in run
                .cells
                .iter()
                .chain(run.extra.iter().map(|(_, cell)| cell))
            {
                insert.raw_bind_parameter(at, sql_cell(cell))?;
                at += 1;
            }
        }
        insert.raw_execute()?;
        Ok(())
    }

    fn delete(&self, run: &Finished, rowid: i64) -> Result<()> {
        let rowid = self.row_of(run, rowid)?;
        let table = quoted(&self.execution.table);
        self.tx
            .prepare_cached(&format!("DELETE FROM {table} WHERE _rowid_ = ?1"))?
            .execute([rowid])?;
        Ok(())
    }

    fn row_of(&self, run: &Finished, rowid: i64) -> Result<Option<i64>> {
        row_of(self.tx, &self.execution.table, run.id_run, rowid)
    }

    /// Gives a row the values that it lacks.
    fn fill(&self, run: &Finished, rowid: i64, columns: &[usize]) -> Result<()> {
        if columns.is_empty() {
            return Ok(());
        }
        let names = columns.iter().map(|i| &self.execution.new.columns[*i].name);
        let names: Vec<_> = names.collect();
        let cells: Vec<_> = run.cells.iter().collect();
        self.update(&names, &cells, self.row_of(run, rowid)?)
    }

    /// Gives a row the values of a continuing experiment: what it inserted before, and does not
    /// now, is missing.
    fn extend(&self, run: &Finished, rowid: i64) -> Result<()> {
        let declared = self.execution.new.columns.iter().zip(&run.cells);
        let inserted = self.execution.extra.iter().map(|column| {
            let now = run.extra.iter().find(|(now, _)| now.name == column.name);
            (column, now.map_or(missing(column), |(_, cell)| cell))
        });
        let (columns, cells): (Vec<_>, Vec<_>) = declared.chain(inserted).unzip();
        let names: Vec<_> = columns.into_iter().map(|column| &column.name).collect();
        self.update(&names, &cells, self.row_of(run, rowid)?)
    }

    fn update(&self, names: &[&String], cells: &[&Cell], rowid: Option<i64>) -> Result<()> {
        if names.is_empty() {
            return Ok(());
        }
        let sets: Vec<_> = (names.iter())
            .map(|name| format!("{} = ?", quoted(name)))
            .collect();
        let sql = format!(
            "UPDATE {} SET {} WHERE _rowid_ = ?",
            quoted(&self.execution.table),
            sets.join(", ")
        );
        let mut update = self.tx.prepare_cached(&sql)?;
        for (i, cell) in cells.iter().enumerate() {
            update.raw_bind_parameter(i + 1, sql_cell(cell))?;
        }
        update.raw_bind_parameter(cells.len() + 1, rowid)?;
        update.raw_execute()?;
        Ok(())
    }

    fn insert_ledger(&mut self, runs: &[Finished], outcome: Outcome) -> Result<()> {
        if let [run] = runs {
            return self.insert_entry(run);
        }
        let ledger = match &mut self.ledger {
            Some(ledger) => ledger,
            none => {
                let mut sql = "INSERT INTO xp_run \
                    (experiment, execution, outcome, id_run, started, elapsed)"
                    .to_owned();
                push_values(&mut sql, 3, 3, self.rows);
                let mut ledger = self.tx.prepare_cached(&sql)?;
                ledger.raw_bind_parameter(1, self.key)?;
                ledger.raw_bind_parameter(2, self.execution.execution)?;
                none.insert(ledger)
            }
        };
        ledger.raw_bind_parameter(3, outcome.as_str())?;
        let mut at = 4;
        for run in runs {
            ledger.raw_bind_parameter(at, text(&hex(run.id_run)))?;
            ledger.raw_bind_parameter(at + 1, run.started)?;
            ledger.raw_bind_parameter(at + 2, run.elapsed)?;
            at += 3;
        }
        ledger.raw_execute()?;
        Ok(())
    }

    /// An entry of the ledger with all that may be known of a run.
    fn insert_entry(&self, run: &Finished) -> Result<()> {
        let usage = run.usage.unwrap_or_default();
        self.tx
            .prepare_cached(
                "INSERT INTO xp_run (experiment, execution, id_run, outcome, started, elapsed, \
                     attempt, last, filled, user, system, memory) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
            )?
            .execute(params![
                self.key,
                self.execution.execution,
                text(&hex(run.id_run)),
                run.outcome.as_str(),
                run.started,
                run.elapsed,
                run.attempt,
                run.last,
                matches!(run.target, Target::Fill { .. }),
                run.usage.map(|_| usage.user),
                run.usage.map(|_| usage.system),
                usage.memory.map(u64::cast_signed),
            ])?;
        Ok(())
    }
}

/// The row of a run that was at `rowid`: VACUUM numbers the rows of such a table anew.
pub(super) fn row_of(
    db: &Connection,
    table: &str,
    id_run: Uuid,
    rowid: i64,
) -> Result<Option<i64>> {
    let table = quoted(table);
    let id_run = hex(id_run);
    let find = |which: &str| format!("SELECT _rowid_ FROM {table} WHERE {which}id_run = ?1");
    let there = db
        .prepare_cached(&find("_rowid_ = ?2 AND "))?
        .query_row(params![text(&id_run), rowid], |row| row.get(0))
        .optional()?;
    if there.is_some() {
        return Ok(there);
    }
    let mut anywhere = db.prepare_cached(&find(""))?;
    let found = anywhere.query_row([text(&id_run)], |row| row.get(0));
    Ok(found.optional()?)
}

/// What a row has in a column that has no value in it.
fn missing(column: &Column) -> &'static Cell {
    static NULL: Cell = Cell::Null;
    static NONE: LazyLock<Cell> = LazyLock::new(|| Cell::Blob(PICKLED_NONE.to_vec()));
    match column.ty.kind {
        Kind::Serialized => &NONE,
        _ => &NULL,
    }
}

fn fields_sql(execution: &Execution, extra: &[(Column, Cell)], rows: usize) -> String {
    let table = quoted(&execution.table);
    let mut sql = format!("INSERT INTO {table} (id_experiment, id_run");
    let columns = execution.new.columns.iter();
    let columns = columns.chain(extra.iter().map(|(column, _)| column));
    let mut own = 1;
    for column in columns {
        sql.push_str(", ");
        sql.push_str(&quoted(&column.name));
        own += 1;
    }
    sql.push(')');
    push_values(&mut sql, 1, own, rows);
    sql
}

/// Appends the parameters of so many rows: the first ones, which all rows share, and then each
/// row's own. One without a number is the next one after those before it.
fn push_values(sql: &mut String, shared: usize, own: usize, rows: usize) {
    let shared = (1..=shared).map(|i| format!("?{i}"));
    let own = std::iter::repeat_n("?".to_owned(), own);
    let row = shared.chain(own).collect::<Vec<_>>().join(", ");
    for i in 0..rows {
        sql.push_str(if i == 0 { " VALUES (" } else { ", (" });
        sql.push_str(&row);
        sql.push(')');
    }
}

pub(super) fn insert_exception(tx: &Transaction<'_>, seq: i64, ended: &Ended) -> Result<()> {
    let Ended {
        exception,
        inputs,
        fields,
    } = ended;
    let fields = (!fields.is_empty())
        .then(|| bunch_blob(fields))
        .transpose()?;
    let causes = Value::List(
        exception
            .causes
            .iter()
            .map(|cause| cause.clone().into())
            .collect(),
    );
    tx.prepare_cached("INSERT INTO xp_exception VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?
        .execute(params![
            seq,
            exception.step,
            exception.message,
            exception.location,
            exception.backtrace,
            datapak::encode(&causes)?,
            bunch_blob(inputs)?,
            fields,
        ])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::{Options, Order, PlanOptions, Policy, Session, Value};

    #[test]
    fn small_runs_and_others_are_all_there_and_in_order() {
        let options = Options::new()
            .jobs(1)
            .order(Order::Grid)
            .policy(Policy::KeepGoing);
        let session = Session::in_memory().unwrap().with(options);
        let executed = session.sweep("mixed", 0..200_u64, |i, run| {
            match i {
                40 => run.fields.insert("note", "x".repeat(1_000)).unwrap(),
                60 => run.artifact("log", "sixty"),
                90 => return Err("ninety".to_owned()),
                _ => {}
            }
            Ok(i * 2)
        });
        assert!(executed.is_err());
        let int = |sql: &str| match session.query(sql).unwrap().rows()[0][0] {
            Value::Int(int) => int,
            ref other => panic!("{other}"),
        };
        assert_eq!(int("SELECT count(*) FROM xp_run"), 200);
        assert_eq!(int("SELECT count(*) FROM experiment_mixed"), 199);
        assert_eq!(
            int(
                "SELECT count(*) FROM experiment_mixed JOIN xp_run USING (id_run)
                 WHERE outcome = 'completed' AND result = 2 * point
                 AND (seq = point + 1) AND length(id_run) = 32"
            ),
            199
        );
        assert_eq!(int("SELECT seq FROM xp_exception"), 91);
        assert_eq!(
            int("SELECT length(note) FROM experiment_mixed WHERE point = 40"),
            1_000
        );
        assert_eq!(
            int("SELECT point FROM xp_artifact JOIN experiment_mixed USING (id_run)"),
            60
        );
    }
}
