//! Writing whole experiments to SQLite.

use std::collections::HashSet;

use rusqlite::{OptionalExtension, ToSql, params};
use uuid::Uuid;

use super::read::View;
use super::{ArtifactRecord, AttemptRecord, ExecutionRecord, Goal, Import, RowRecord, TableColumn};
use crate::datapak;
use crate::failpoint;
use crate::store::continued::ledger_of;
use crate::store::failure::{Failure, Result};
use crate::store::history::point;
use crate::store::literal::literal;
use crate::store::meta;
use crate::store::name::{quoted, table_name};
use crate::store::sql::{hex, sql_cell, text};
use crate::value::{Cell, Value};

/// The columns of an execution's own row, and of the rows that belong to it.
const EXECUTION: &str = "INSERT INTO xp_execution (experiment, ended, root_seed, started, time_limit, \
    cpu_limit, memory_limit) VALUES (?, ?, ?, ?, ?, ?, ?)";
const COLUMN: &str = "INSERT OR IGNORE INTO xp_column (execution, name, made_by) VALUES (?, ?, ?)";
const INPUT: &str = "INSERT INTO xp_input (execution, position, name, role, initial, absent, \
    absent_form) VALUES (?, ?, ?, ?, ?, ?, ?)";
const STEP: &str = "INSERT INTO xp_step (execution, position, name, module, file, line, version, doc, \
    source, exact, fingerprint) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
const ATTEMPT: &str = "INSERT INTO xp_run (experiment, execution, id_run, outcome, started, attempt, \
    elapsed, last, filled, user, system, memory) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
const EXCEPTION: &str = "INSERT INTO xp_exception (seq, step, message, location, backtrace, causes, \
    inputs, fields) VALUES (?, ?, ?, ?, ?, ?, ?, ?)";

impl View<'_> {
    /// Inserts a row: some cells, and then others.
    fn insert(&self, sql: &str, first: &[&dyn ToSql], cells: &[Cell]) -> Result<i64> {
        let mut insert = self.db.prepare_cached(sql)?;
        for (place, value) in first.iter().enumerate() {
            insert.raw_bind_parameter(place + 1, value)?;
        }
        for (place, cell) in cells.iter().enumerate() {
            insert.raw_bind_parameter(first.len() + place + 1, sql_cell(cell))?;
        }
        insert.raw_execute()?;
        Ok(self.db.last_insert_rowid())
    }

    fn make(&self, id: Uuid, name: &str) -> Result<Goal> {
        self.store.make_room(self.db, name, None)?;
        let table = table_name(name);
        let empty = datapak::encode(&Value::Bunch(Vec::new()))?;
        self.db.execute(
            "INSERT INTO experiments (id_experiment, name, meta, fields) VALUES (?1, ?2, ?3, ?4)",
            params![text(&hex(id)), name, meta::encode(&table, &[], 0)?, empty],
        )?;
        Ok(Goal {
            id,
            name: name.to_owned(),
            table,
            columns: Vec::new(),
        })
    }

    fn ledger(&self, goal: &Goal, continues: bool, declared: &str) -> Result<i64> {
        let ledger = ledger_of(goal.id, continues.then_some(declared));
        let there: Option<i64> = self
            .db
            .query_row(
                "SELECT experiment FROM xp_experiment WHERE id_experiment = ?1",
                [&ledger],
                |row| row.get(0),
            )
            .optional()?;
        if let Some(key) = there {
            return Ok(key);
        }
        self.db.execute(
            "INSERT INTO xp_experiment (id_experiment, declared) VALUES (?1, ?2)",
            params![ledger, declared],
        )?;
        Ok(self.db.last_insert_rowid())
    }

    fn lay_out(&self, goal: &mut Goal, columns: Vec<TableColumn>) -> Result<()> {
        let table = quoted(&goal.table);
        if crate::store::schema::has_table(self.db, &goal.table)? {
            for column in &columns {
                let known = goal.columns.iter().any(|known| known.name == column.name);
                if !known {
                    self.db.execute_batch(&format!(
                        "ALTER TABLE {table} ADD COLUMN {}",
                        definition(column)
                    ))?;
                }
            }
        } else {
            let mut sql =
                format!("CREATE TABLE {table} (\n\tid_experiment CHAR(32),\n\tid_run CHAR(32)");
            for column in &columns {
                sql.push_str(",\n\t");
                sql.push_str(&definition(column));
            }
            sql.push_str("\n)");
            self.db.execute_batch(&sql)?;
        }
        goal.columns = columns;
        Ok(())
    }

    fn execution(&self, key: i64, record: &ExecutionRecord) -> Result<i64> {
        let same = |known: &ExecutionRecord| known == record;
        // Cells of its own: the seed, and when it started.
        let started = record.own.get(1);
        if let Some(known) = self.executions(key, started)?.into_iter().find(same) {
            let number = known.number.number;
            self.db.execute(
                "UPDATE xp_execution SET ended = coalesce(ended, ?1) WHERE execution = ?2",
                params![record.number.ended, number],
            )?;
            return Ok(number);
        }
        let number = self.insert(EXECUTION, &[&key, &record.number.ended], &record.own)?;
        for (sql, rows) in [
            (COLUMN, &record.columns),
            (INPUT, &record.inputs),
            (STEP, &record.steps),
        ] {
            for row in rows {
                self.insert(sql, &[&number], row)?;
            }
        }
        Ok(number)
    }

    fn add_rows(&self, goal: &Goal, places: &[usize], rows: &[RowRecord]) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let columns = places.iter().filter_map(|place| goal.columns.get(*place));
        let names: String = columns
            .map(|column| format!(", {}", quoted(&column.name)))
            .collect();
        let sql = format!(
            "INSERT INTO {} (id_experiment, id_run{names}) VALUES (?, ?{})",
            quoted(&goal.table),
            ", ?".repeat(places.len())
        );
        let id = hex(goal.id);
        let mut insert = self.db.prepare_cached(&sql)?;
        insert.raw_bind_parameter(1, text(&id))?;
        for row in rows {
            let id_run = hex(Uuid::from_u128(row.id_run));
            insert.raw_bind_parameter(2, text(&id_run))?;
            for (place, cell) in row.cells.iter().enumerate() {
                insert.raw_bind_parameter(place + 3, sql_cell(cell))?;
            }
            insert.raw_execute()?;
        }
        failpoint::hit("import.rows");
        Ok(())
    }

    fn remove_rows(&self, goal: &Goal, points: &HashSet<u128>) -> Result<()> {
        let table = quoted(&goal.table);
        let mut found = Vec::new();
        // The table has no index: all of it is read once.
        let mut statement = self.db.prepare(&format!(
            "SELECT id_run, _rowid_ FROM {table} WHERE id_experiment = ?1"
        ))?;
        let mut rows = statement.query([text(&hex(goal.id))])?;
        while let Some(row) = rows.next()? {
            let id = point(row.get_ref(0)?.as_str()?);
            if id.is_some_and(|id| points.contains(&id)) {
                found.push(row.get::<_, i64>(1)?);
            }
        }
        let mut delete = self
            .db
            .prepare(&format!("DELETE FROM {table} WHERE _rowid_ = ?1"))?;
        for rowid in found {
            delete.execute([rowid])?;
        }
        Ok(())
    }

    fn remove_attempts(&self, at: &[i64]) -> Result<()> {
        for sql in [
            "DELETE FROM xp_exception WHERE seq = ?1",
            "DELETE FROM xp_run WHERE seq = ?1",
        ] {
            let mut delete = self.db.prepare_cached(sql)?;
            for seq in at {
                delete.execute([seq])?;
            }
        }
        Ok(())
    }

    fn add_attempts(&self, attempts: &[AttemptRecord]) -> Result<()> {
        for of in attempts {
            let id_run = hex(Uuid::from_u128(of.id_run));
            let first: [&dyn ToSql; 6] = [
                &of.ledger,
                &of.execution,
                &text(&id_run),
                &of.outcome,
                &of.started,
                &of.attempt,
            ];
            let seq = self.insert(ATTEMPT, &first, &of.own)?;
            if let Some(exception) = &of.exception {
                self.insert(EXCEPTION, &[&seq], exception)?;
            }
        }
        failpoint::hit("import.attempts");
        Ok(())
    }

    fn add_artifacts(&self, artifacts: &[ArtifactRecord], replace: bool) -> Result<()> {
        let or = if replace { "REPLACE" } else { "IGNORE" };
        let mut insert = self.db.prepare_cached(&format!(
            "INSERT OR {or} INTO xp_artifact (id_run, experiment, name, content) \
                 VALUES (?1, ?2, ?3, ?4)"
        ))?;
        for of in artifacts {
            let id_run = hex(Uuid::from_u128(of.id_run));
            insert.execute(params![text(&id_run), of.ledger, of.name, of.content])?;
        }
        Ok(())
    }

    fn finish(&self, goal: &Goal, base: &Value) -> Result<()> {
        let id = hex(goal.id);
        let count: i64 = if crate::store::schema::has_table(self.db, &goal.table)? {
            let sql = format!(
                "SELECT count(*) FROM {} WHERE id_experiment = ?1",
                quoted(&goal.table)
            );
            self.db.query_row(&sql, [text(&id)], |row| row.get(0))?
        } else {
            0
        };
        let meta = meta::united(base, &goal.table, &goal.columns, count.unsigned_abs());
        self.db.execute(
            "UPDATE experiments SET meta = ?1 WHERE id_experiment = ?2",
            params![datapak::encode(&meta)?, text(&id)],
        )?;
        Ok(())
    }
}

impl Import for View<'_> {
    fn make(&self, id: Uuid, name: &str) -> super::Result<Goal> {
        self.typed(self.make(id, name))
    }

    fn ledger(&self, goal: &Goal, continues: bool, declared: &str) -> super::Result<i64> {
        self.typed(self.ledger(goal, continues, declared))
    }

    fn lay_out(&self, goal: &mut Goal, columns: Vec<TableColumn>) -> super::Result<()> {
        self.typed(self.lay_out(goal, columns))
    }

    fn execution(&self, ledger: i64, record: &ExecutionRecord) -> super::Result<i64> {
        self.typed(self.execution(ledger, record))
    }

    fn add_rows(&self, goal: &Goal, places: &[usize], rows: &[RowRecord]) -> super::Result<()> {
        self.typed(self.add_rows(goal, places, rows))
    }

    fn remove_rows(&self, goal: &Goal, points: &HashSet<u128>) -> super::Result<()> {
        self.typed(self.remove_rows(goal, points))
    }

    fn remove_attempts(&self, at: &[i64]) -> super::Result<()> {
        self.typed(self.remove_attempts(at))
    }

    fn add_attempts(&self, attempts: &[AttemptRecord]) -> super::Result<()> {
        self.typed(self.add_attempts(attempts))
    }

    fn add_artifacts(&self, artifacts: &[ArtifactRecord], replace: bool) -> super::Result<()> {
        self.typed(self.add_artifacts(artifacts, replace))
    }

    fn set_fields(&self, goal: &Goal, fields: &[u8]) -> super::Result<()> {
        let set = self.db.execute(
            "UPDATE experiments SET fields = ?1 WHERE id_experiment = ?2",
            params![fields, text(&hex(goal.id))],
        );
        self.typed(set.map(|_| ()).map_err(Failure::from))
    }

    fn finish(&self, goal: &Goal, meta: &Value) -> super::Result<()> {
        self.typed(self.finish(goal, meta))
    }
}

fn definition(column: &TableColumn) -> String {
    // A type is words and numbers; anything else was never one.
    let is_type = |c: char| c.is_ascii_alphanumeric() || " (),_".contains(c);
    let sql_type: String = column.sql_type.chars().filter(|c| is_type(*c)).collect();
    let mut sql = format!("{} {sql_type}", quoted(&column.name));
    if column.not_null {
        sql.push_str(" NOT NULL");
    }
    if let Some(default) = &column.default {
        sql.push_str(" DEFAULT ");
        sql.push_str(&literal(default));
    }
    sql
}
