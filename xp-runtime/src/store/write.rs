//! Writing an execution: the experiment with its table, the columns that come later, the runs.

use rusqlite::{OptionalExtension, Transaction, params};

use super::failure::{Failure, Result};
use super::insert::insert_runs;
use super::name::{quoted, table_name};
use super::schema::{VERSION, has_table, version};
use super::sql::{hex, text};
use super::sqlite::SqliteStore;
use super::{Column, Execution, Finished, IfExists, NewExperiment, StoreError, meta};
use crate::datapak;
use crate::exception::Outcome;
use crate::step::SourceText;
use crate::value::Value;

impl SqliteStore {
    /// Inside of a transaction: makes the experiment if this is its first commit, adds the columns
    /// that are new, inserts the runs, and brings the meta up to date.
    pub(super) fn write(
        &self,
        tx: &Transaction<'_>,
        execution: &mut Execution,
        runs: &[Finished],
    ) -> Result<()> {
        let key = match execution.key {
            Some(key) => {
                self.check_is_there(tx, execution.new.id, &execution.new.name)?;
                key
            }
            None => self.make(tx, execution)?,
        };
        let completed = runs
            .iter()
            .filter(|run| run.outcome == Outcome::Completed)
            .count() as u64;
        if completed > 0 && execution.completed == 0 && execution.extra.is_empty() {
            create_table(tx, execution)?;
        }
        self.add_columns(tx, execution, runs)?;
        insert_runs(tx, execution, key, runs).map_err(|failure| match failure {
            Failure::Encode(source) => Failure::Store(StoreError::Encode {
                what: "the exception of a run".to_owned(),
                experiment: execution.new.name.clone(),
                source: Box::new(source),
            }),
            other => other,
        })?;
        if completed > 0 {
            execution.completed += completed;
            self.write_meta(tx, execution)?;
        }
        Ok(())
    }

    fn make(&self, tx: &Transaction<'_>, execution: &mut Execution) -> Result<i64> {
        let new = &execution.new;
        self.make_room(tx, new, &execution.table)?;
        let id = hex(new.id);
        let id = text(&id);
        let empty = datapak::encode(&Value::Bunch(Vec::new()))?;
        tx.execute(
            "INSERT INTO experiments (id_experiment, name, meta, fields) VALUES (?1, ?2, ?3, ?4)",
            params![id, new.name, meta::encode(&execution.table, &[], 0)?, empty],
        )?;
        tx.execute(
            "INSERT INTO xp_experiment (id_experiment, declared) VALUES (?1, ?2)",
            params![id, new.declared],
        )?;
        let key = tx.last_insert_rowid();
        tx.execute(
            "INSERT INTO xp_execution (experiment, root_seed, started) VALUES (?1, ?2, ?3)",
            // SQLite's integers are signed: the same 64 bits.
            params![
                key,
                new.root_seed.cast_signed(),
                jiff::Timestamp::now().as_microsecond()
            ],
        )?;
        execution.execution = tx.last_insert_rowid();
        for (position, step) in new.steps.iter().enumerate() {
            let (source, exact) = match step.source {
                SourceText::Exact(source) => (source, true),
                SourceText::Rendered(source) => (source, false),
            };
            tx.prepare_cached(
                "INSERT INTO xp_step VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            )?
            .execute(params![
                execution.execution,
                position as i64,
                step.name,
                step.module,
                step.file,
                step.line,
                step.version,
                step.doc,
                source,
                exact,
                step.fingerprint.to_string(),
            ])?;
        }
        execution.key = Some(key);
        Ok(key)
    }

    /// Refuses a name or a table that is taken, or deletes the experiment that is to be replaced.
    pub(super) fn make_room(
        &self,
        tx: &Transaction<'_>,
        new: &NewExperiment,
        table: &str,
    ) -> Result<()> {
        if version(tx)?.is_none_or(|found| found > VERSION) {
            return Err(Failure::Store(StoreError::NewerSchema {
                file: self.file.clone(),
                found: version(tx)?.unwrap_or_default(),
                supported: VERSION,
            }));
        }
        let mut known = tx.prepare_cached("SELECT name FROM experiments")?;
        let names = known.query_map([], |row| row.get::<_, String>(0))?;
        let names = names.collect::<rusqlite::Result<Vec<_>>>()?;
        if let Some(other) = names
            .iter()
            .find(|name| **name != new.name && table_name(name) == table)
        {
            return Err(Failure::Store(StoreError::TableClash {
                name: new.name.clone(),
                other: other.clone(),
                table: table.to_owned(),
            }));
        }
        if names.contains(&new.name) {
            if new.if_exists == IfExists::Fail {
                return Err(Failure::Store(StoreError::ExperimentExists {
                    name: new.name.clone(),
                    file: self.file.clone(),
                }));
            }
            delete(tx, &new.name)?;
        }
        // A table without an experiment, as a failed persist of MLtraq leaves it.
        tx.execute_batch(&format!("DROP TABLE IF EXISTS {}", quoted(table)))?;
        Ok(())
    }

    fn add_columns(
        &self,
        tx: &Transaction<'_>,
        execution: &mut Execution,
        runs: &[Finished],
    ) -> Result<()> {
        for (column, _) in runs.iter().flat_map(|run| &run.extra) {
            if execution
                .extra
                .iter()
                .any(|known| known.name == column.name)
            {
                continue;
            }
            tx.execute_batch(&format!(
                "ALTER TABLE {} ADD COLUMN {}",
                quoted(&execution.table),
                definition(column)
            ))?;
            execution.extra.push(column.clone());
        }
        Ok(())
    }

    fn write_meta(&self, tx: &Transaction<'_>, execution: &Execution) -> Result<()> {
        let columns: Vec<_> = execution
            .new
            .columns
            .iter()
            .chain(&execution.extra)
            .collect();
        let blob = meta::encode(&execution.table, &columns, execution.completed)?;
        tx.prepare_cached("UPDATE experiments SET meta = ?1 WHERE id_experiment = ?2")?
            .execute(params![blob, text(&hex(execution.new.id))])?;
        Ok(())
    }
}

/// Deletes an experiment with all that belongs to it.
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
    let key: Option<i64> = tx
        .query_row(
            "SELECT experiment FROM xp_experiment WHERE id_experiment = ?1",
            [&id],
            |row| row.get(0),
        )
        .optional()?;
    // MLtraq's own experiments are not in xp's tables.
    let Some(key) = key else { return Ok(()) };
    for sql in [
        "DELETE FROM xp_exception WHERE seq IN (SELECT seq FROM xp_run WHERE experiment = ?1)",
        "DELETE FROM xp_run WHERE experiment = ?1",
        "DELETE FROM xp_artifact WHERE experiment = ?1",
        "DELETE FROM xp_step WHERE execution IN (SELECT execution FROM xp_execution WHERE experiment = ?1)",
        "DELETE FROM xp_execution WHERE experiment = ?1",
        "DELETE FROM xp_experiment WHERE experiment = ?1",
    ] {
        tx.execute(sql, [key])?;
    }
    Ok(())
}

fn create_table(tx: &Transaction<'_>, execution: &Execution) -> Result<()> {
    if has_table(tx, &execution.table)? {
        return Ok(());
    }
    let mut columns: Vec<_> = execution.new.columns.iter().collect();
    columns.sort_by(|a, b| a.name.cmp(&b.name));
    let mut sql = format!(
        "CREATE TABLE {} (\n\tid_experiment CHAR(32),\n\tid_run CHAR(32)",
        quoted(&execution.table)
    );
    for column in columns {
        sql.push_str(",\n\t");
        sql.push_str(&definition(column));
    }
    sql.push_str("\n)");
    Ok(tx.execute_batch(&sql)?)
}

fn definition(column: &Column) -> String {
    format!("{} {}", quoted(&column.name), column.ty.kind.sql_type())
}
