//! Writing an execution: the experiment with its table, the columns that come later, the runs.

use rusqlite::{Connection, Transaction, params};
use uuid::Uuid;

use super::failure::{Failure, Result};
use super::insert::insert_runs;
use super::literal::literal;
use super::name::{quoted, table_name};
use super::schema::{VERSION, has_table, version};
use super::sql::{hex, text};
use super::sqlite::SqliteStore;
use super::{
    Column, Ended, Execution, Finished, IfExists, Key, NewExperiment, Role, StoreError, kind_name,
    meta,
};
use crate::datapak;
use crate::exception::{Exception, Outcome};
use crate::value::Cell;

impl SqliteStore {
    /// Inside of a transaction: makes or joins the experiment if this is its first commit, adds the
    /// columns that are new, writes the runs, and brings the meta up to date.
    pub(super) fn write(
        &self,
        tx: &Transaction<'_>,
        execution: &mut Execution,
        runs: &mut Vec<Finished>,
    ) -> Result<()> {
        if execution.continuing.is_some() {
            return self.write_continued(tx, execution, runs);
        }
        let key = match execution.key {
            Some(key) => {
                self.check_is_there(tx, execution.id, &execution.new.name)?;
                key
            }
            None => self.begin(tx, execution)?,
        };
        self.fence(tx, runs)?;
        let completed = runs.iter().any(|run| run.outcome == Outcome::Completed);
        let is_first = completed && !execution.table_ready;
        if is_first {
            ready_table(tx, execution)?;
        }
        let known = execution.extra.len();
        self.add_columns(tx, execution, runs)?;
        insert_runs(tx, execution, key, runs).map_err(|failure| match failure {
            Failure::Encode(source) => Failure::Store(StoreError::Encode {
                what: "the exception of a run".to_owned(),
                experiment: execution.new.name.clone(),
                source: Box::new(source),
            }),
            other => other,
        })?;
        self.settle(tx, execution, runs)?;
        execution.uncounted |= completed;
        if is_first {
            self.count(tx, execution)?;
        } else if execution.extra.len() > known {
            self.learn_columns(tx, execution)?;
            self.write_meta(tx, execution)?;
        }
        Ok(())
    }

    /// Counts what was not counted yet, and adds the declared columns to a table that others have
    /// made meanwhile.
    pub(super) fn complete(&self, tx: &Transaction<'_>, execution: &mut Execution) -> Result<()> {
        if execution.uncounted {
            self.count(tx, execution)?;
        } else if execution.key.is_some()
            && !execution.table_ready
            && execution.continuing.is_none()
            && has_table(tx, &execution.table)?
        {
            ready_table(tx, execution)?;
            self.count(tx, execution)?;
        }
        Ok(())
    }

    /// Counts the completed runs in the meta, with the first one and at the end: what reads it only
    /// asks whether there are any.
    fn count(&self, tx: &Transaction<'_>, execution: &mut Execution) -> Result<()> {
        let sql = format!("SELECT count(*) FROM {}", quoted(&execution.table));
        let completed: i64 = tx.query_row(&sql, [], |row| row.get(0))?;
        execution.completed = completed.unsigned_abs();
        execution.uncounted = false;
        self.learn_columns(tx, execution)?;
        self.write_meta(tx, execution)
    }

    /// Adds the columns that others have added to those that are known: the meta has those of all
    /// that write to the experiment.
    fn learn_columns(&self, tx: &Transaction<'_>, execution: &mut Execution) -> Result<()> {
        for column in self.find_in(tx, &Key::Id(execution.id))?.columns {
            let known = execution.new.columns.iter().chain(&execution.extra);
            if !known.into_iter().any(|known| known.name == column.name) {
                execution.extra.push(column);
            }
        }
        Ok(())
    }

    /// Refuses a file that a newer xp has changed since it was opened.
    pub(super) fn check_schema(&self, db: &Connection) -> Result<()> {
        let found = version(db)?;
        if found.is_some_and(|found| found <= VERSION) {
            return Ok(());
        }
        Err(Failure::Store(StoreError::NewerSchema {
            file: self.file.clone(),
            found: found.unwrap_or_default(),
            supported: VERSION,
        }))
    }

    /// Lets an experiment have this name: refuses one that is taken, or whose table is. What is of
    /// the experiment that has the name `but` stays; whether there is one is the answer.
    pub(super) fn make_room(&self, db: &Connection, name: &str, but: Option<&str>) -> Result<bool> {
        self.check_schema(db)?;
        let table = table_name(name);
        let mut known = db.prepare_cached("SELECT name FROM experiments")?;
        let names = known.query_map([], |row| row.get::<_, String>(0))?;
        let names = names.collect::<rusqlite::Result<Vec<_>>>()?;
        let mut others = names.iter().filter(|other| Some(other.as_str()) != but);
        if let Some(other) = others.find(|other| table_name(other) == table) {
            return Err(Failure::Store(if other == name {
                StoreError::NameTaken {
                    name: name.to_owned(),
                    file: self.file.clone(),
                }
            } else {
                StoreError::TableClash {
                    name: name.to_owned(),
                    other: other.clone(),
                    table,
                }
            }));
        }
        let own = but.filter(|but| names.iter().any(|name| name == but));
        if own.is_none_or(|own| table_name(own) != table) {
            // A table without an experiment, as a failed persist of MLtraq leaves it.
            db.execute_batch(&format!("DROP TABLE IF EXISTS {}", quoted(&table)))?;
        }
        Ok(own.is_some())
    }

    /// Refuses a name or a table that is taken, or deletes the experiment that is to be replaced.
    pub(super) fn make_room_for(&self, tx: &Transaction<'_>, new: &NewExperiment) -> Result<()> {
        let replaces = new.if_exists == IfExists::Replace;
        let room = self.make_room(tx, &new.name, replaces.then_some(&new.name));
        let replaced = room.map_err(|failure| match failure {
            Failure::Store(StoreError::NameTaken { name, file }) => {
                Failure::Store(StoreError::ExperimentExists { name, file })
            }
            other => other,
        })?;
        if replaced {
            delete(tx, &new.name)?;
        }
        Ok(())
    }

    /// Renames an experiment, which nobody is executing.
    pub(super) fn rename_in(&self, tx: &Transaction<'_>, id: Uuid, name: &str) -> Result<()> {
        let (_, old) = self.named(tx, &Key::Id(id))?;
        if old == name {
            return Ok(());
        }
        self.make_room(tx, name, Some(&old))?;
        let (from, to) = (table_name(&old), table_name(name));
        if from != to && has_table(tx, &from)? {
            let (from, to) = (quoted(&from), quoted(&to));
            tx.execute_batch(&format!("ALTER TABLE {from} RENAME TO {to}"))?;
        }
        let meta: Option<Vec<u8>> = tx.query_row(
            "SELECT meta FROM experiments WHERE id_experiment = ?1",
            [text(&hex(id))],
            |row| row.get(0),
        )?;
        let meta = meta::renamed(&datapak::decode(&meta.unwrap_or_default())?, &to);
        tx.execute(
            "UPDATE experiments SET name = ?1, meta = ?2 WHERE id_experiment = ?3",
            params![name, datapak::encode(&meta)?, text(&hex(id))],
        )?;
        Ok(())
    }

    pub(super) fn add_columns(
        &self,
        tx: &Transaction<'_>,
        execution: &mut Execution,
        runs: &mut [Finished],
    ) -> Result<()> {
        for (column, _) in runs.iter().flat_map(|run| &run.extra) {
            if execution.extra.iter().any(|known| same(known, column)) {
                continue;
            }
            let is_new = add_column(tx, &execution.table, column, None)?;
            if !is_new && execution.continuing.is_none() {
                self.learn_columns(tx, execution)?;
            }
            if !execution.extra.iter().any(|known| same(known, column)) {
                execution.extra.push(column.clone());
            }
        }
        // Within a process this is found out when the field is inserted.
        for run in runs {
            let clash = run.extra.iter().find_map(|(column, _)| {
                let other = execution.extra.iter().find(|known| same(known, column))?;
                clash(other, column)
            });
            if let Some(message) = clash {
                refuse(run, &execution.new.columns, message);
            }
        }
        Ok(())
    }

    pub(super) fn write_meta(&self, tx: &Transaction<'_>, execution: &Execution) -> Result<()> {
        let columns: Vec<_> = execution
            .new
            .columns
            .iter()
            .chain(&execution.extra)
            .collect();
        let blob = meta::encode(&execution.table, &columns, execution.completed)?;
        tx.prepare_cached("UPDATE experiments SET meta = ?1 WHERE id_experiment = ?2")?
            .execute(params![blob, text(&hex(execution.id))])?;
        Ok(())
    }
}

/// Whether SQL takes them for the same column.
fn same(a: &Column, b: &Column) -> bool {
    a.name.eq_ignore_ascii_case(&b.name)
}

/// Why a run cannot write to a column that another process added, if it cannot.
fn clash(there: &Column, column: &Column) -> Option<String> {
    if there.name != column.name {
        Some(format!(
            "the field `{}` differs from `{}`, which another process inserted, by upper and lower \
             case only",
            column.name, there.name
        ))
    } else if there.ty.kind != column.ty.kind {
        Some(format!(
            "the field `{}` holds {}, as another process inserted it, and not {}",
            column.name,
            kind_name(there.ty.kind),
            kind_name(column.ty.kind)
        ))
    } else {
        None
    }
}

/// Makes a completed run one that failed.
pub(super) fn refuse(run: &mut Finished, columns: &[Column], message: String) {
    let value = |(column, cell): (&Column, Cell)| {
        Some((column.name.clone(), column.ty.decode_value(cell).ok()?))
    };
    let cells = std::mem::take(&mut run.cells);
    let (inputs, fields): (Vec<_>, Vec<_>) =
        (columns.iter().zip(cells)).partition(|(column, _)| column.role == Role::Input);
    run.outcome = Outcome::Failed;
    run.extra.clear();
    run.ended = Some(Box::new(Ended {
        exception: Exception {
            message,
            ..Exception::default()
        },
        inputs: inputs.into_iter().filter_map(value).collect(),
        fields: fields.into_iter().filter_map(value).collect(),
    }));
}

/// Deletes an experiment with all that belongs to it but its files: see [`SqliteStore::note_files`].
pub(super) fn delete(tx: &Transaction<'_>, name: &str) -> Result<()> {
    let id: String = tx.query_row(
        "SELECT id_experiment FROM experiments WHERE name = ?1",
        [name],
        |row| row.get(0),
    )?;
    tx.execute_batch(&format!(
        "DROP TABLE IF EXISTS {}",
        quoted(&table_name(name))
    ))?;
    tx.execute("DELETE FROM experiments WHERE name = ?1", [name])?;
    // Those that continue it go with it. MLtraq's own experiments are not in xp's tables.
    let keys = tx
        .prepare(
            "SELECT experiment FROM xp_experiment \
                 WHERE id_experiment = ?1 OR id_experiment GLOB ?1 || '+*'",
        )?
        .query_map([&id], |row| row.get(0))?
        .collect::<rusqlite::Result<Vec<i64>>>()?;
    for key in keys {
        forget(tx, key)?;
    }
    Ok(())
}

/// Deletes what stands in xp's tables.
fn forget(tx: &Transaction<'_>, key: i64) -> Result<()> {
    for sql in [
        "DELETE FROM xp_exception WHERE seq IN (SELECT seq FROM xp_run WHERE experiment = ?1)",
        "DELETE FROM xp_run WHERE experiment = ?1",
        "DELETE FROM xp_artifact WHERE experiment = ?1",
        "DELETE FROM xp_claim WHERE experiment = ?1",
        "DELETE FROM xp_column WHERE execution IN (SELECT execution FROM xp_execution WHERE experiment = ?1)",
        "DELETE FROM xp_input WHERE execution IN (SELECT execution FROM xp_execution WHERE experiment = ?1)",
        "DELETE FROM xp_step WHERE execution IN (SELECT execution FROM xp_execution WHERE experiment = ?1)",
        "DELETE FROM xp_execution WHERE experiment = ?1",
        "DELETE FROM xp_experiment WHERE experiment = ?1",
    ] {
        tx.execute(sql, [key])?;
    }
    Ok(())
}

/// Makes the table of the runs, or adds the declared columns that it lacks.
pub(super) fn ready_table(tx: &Transaction<'_>, execution: &mut Execution) -> Result<()> {
    if !has_table(tx, &execution.table)? {
        create_table(tx, execution)?;
    } else {
        let there = columns_of(tx, &execution.table)?;
        for (column, initial) in execution.new.columns.iter().zip(&execution.new.initials) {
            if !there
                .iter()
                .any(|name| name.eq_ignore_ascii_case(&column.name))
            {
                add_column(tx, &execution.table, column, initial.as_ref())?;
            }
        }
    }
    execution.table_ready = true;
    Ok(())
}

pub(super) fn columns_of(tx: &Transaction<'_>, table: &str) -> rusqlite::Result<Vec<String>> {
    tx.prepare("SELECT name FROM pragma_table_info(?1)")?
        .query_map([table], |row| row.get(0))?
        .collect()
}

/// Adds a column; false if another process did.
pub(super) fn add_column(
    tx: &Transaction<'_>,
    table: &str,
    column: &Column,
    initial: Option<&Cell>,
) -> Result<bool> {
    let there = columns_of(tx, table)?;
    if there
        .iter()
        .any(|name| name.eq_ignore_ascii_case(&column.name))
    {
        return Ok(false);
    }
    tx.execute_batch(&format!(
        "ALTER TABLE {} ADD COLUMN {}",
        quoted(table),
        definition(column, initial)
    ))?;
    Ok(true)
}

fn create_table(tx: &Transaction<'_>, execution: &Execution) -> Result<()> {
    let new = &execution.new;
    let mut columns: Vec<_> = new.columns.iter().zip(&new.initials).collect();
    columns.sort_by(|(a, _), (b, _)| a.name.cmp(&b.name));
    let mut sql = format!(
        "CREATE TABLE {} (\n\tid_experiment CHAR(32),\n\tid_run CHAR(32)",
        quoted(&execution.table)
    );
    for (column, initial) in columns {
        sql.push_str(",\n\t");
        sql.push_str(&definition(column, initial.as_ref()));
    }
    sql.push_str("\n)");
    Ok(tx.execute_batch(&sql)?)
}

/// A column, and what rows have that do not name it: runs that were made before it was declared, in
/// this file or, when they are copied here, in others.
fn definition(column: &Column, initial: Option<&Cell>) -> String {
    let (name, sql_type) = (quoted(&column.name), column.ty.kind.sql_type());
    match initial {
        Some(initial) => {
            let sql_type = sql_type.split(" DEFAULT").next().unwrap_or(sql_type);
            format!("{name} {sql_type} DEFAULT {}", literal(initial))
        }
        None => format!("{name} {sql_type}"),
    }
}
