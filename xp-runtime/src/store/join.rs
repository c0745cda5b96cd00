//! The begin of an execution: its experiment is made, or it joins the one that is there.

use rusqlite::{Transaction, params};

use super::failure::{Failure, Result};
use super::schema::has_table;
use super::sql::{hex, text};
use super::sqlite::SqliteStore;
use super::write::ready_table;
use super::{Execution, IfExists, StoreError, meta};
use crate::datapak;
use crate::step::SourceText;
use crate::value::Value;

impl SqliteStore {
    pub(super) fn begin(&self, tx: &Transaction<'_>, execution: &mut Execution) -> Result<i64> {
        let key = match execution.new.if_exists {
            IfExists::Resume => match self.join(tx, execution)? {
                Some(key) => key,
                None => self.make(tx, execution)?,
            },
            IfExists::Fail | IfExists::Replace => self.make(tx, execution)?,
        };
        execution.execution = declare(tx, execution, key)?;
        execution.key = Some(key);
        Ok(key)
    }

    /// The key of the experiment of that name, if there is one.
    fn join(&self, tx: &Transaction<'_>, execution: &mut Execution) -> Result<Option<i64>> {
        let Some(known) = self.known_in(tx, &execution.new.name)? else {
            return Ok(None);
        };
        if known.declared != execution.new.declared {
            return Err(Failure::Store(StoreError::OtherExperiment {
                name: execution.new.name.clone(),
                file: self.file.clone(),
                declared: execution.new.declared.clone(),
                found: known.declared,
            }));
        }
        execution.id = known.id;
        execution.completed = known.completed;
        let declared = &execution.new.columns;
        execution.extra = (known.columns.into_iter())
            .filter(|column| !declared.iter().any(|known| known.name == column.name))
            .collect();
        if has_table(tx, &execution.table)? {
            ready_table(tx, execution)?;
            self.write_meta(tx, execution)?;
        }
        Ok(Some(known.key))
    }

    fn make(&self, tx: &Transaction<'_>, execution: &mut Execution) -> Result<i64> {
        let new = &execution.new;
        self.make_room_for(tx, new)?;
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
        Ok(tx.last_insert_rowid())
    }
}

/// Records what an execution declares, and returns its number.
pub(super) fn declare(tx: &Transaction<'_>, execution: &Execution, key: i64) -> Result<i64> {
    let new = &execution.new;
    tx.execute(
        "INSERT INTO xp_execution \
             (experiment, root_seed, started, time_limit, cpu_limit, memory_limit) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        // SQLite's integers are signed: the same 64 bits.
        params![
            key,
            new.root_seed.cast_signed(),
            jiff::Timestamp::now().as_microsecond(),
            new.limits.time,
            new.limits.cpu,
            new.limits.memory.map(u64::cast_signed),
        ],
    )?;
    let number = tx.last_insert_rowid();
    for (column, made_by) in new.columns.iter().zip(&new.makers) {
        tx.prepare_cached("INSERT OR IGNORE INTO xp_column VALUES (?1, ?2, ?3)")?
            .execute(params![number, column.name, made_by])?;
    }
    for (position, input) in new.inputs.iter().enumerate() {
        let (absent, form) = input
            .absent
            .as_ref()
            .map(|(text, form)| (text, form))
            .unzip();
        tx.prepare_cached("INSERT INTO xp_input VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?
            .execute(params![
                number,
                position as i64,
                input.name,
                input.role,
                input.initial,
                absent,
                form,
            ])?;
    }
    for (position, step) in new.steps.iter().enumerate() {
        let (source, exact) = match step.source {
            SourceText::Exact(source) => (source, true),
            SourceText::Rendered(source) => (source, false),
        };
        tx.prepare_cached(
            "INSERT INTO xp_step VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?
        .execute(params![
            number,
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
    Ok(number)
}
