//! Reading: experiments, runs, failures, artifacts, and answers to queries.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

use super::continued::ledger_of;
use super::failure::{Failure, Result};
use super::name::{quoted, shortened, table_name};
use super::sql::{bunch, cell, hex, plain, text};
use super::sqlite::SqliteStore;
use super::{
    Column, Key, Listed, Role, Rows, RunPage, StoreError, StoredExperiment, StoredFailure, meta,
    schema,
};
use crate::bunch::Bunch;
use crate::datapak::{self, DatapakError};
use crate::exception::{Exception, Outcome};
use crate::value::origin::Holder;
use crate::value::{Cell, ColumnType, Kind, from_value};

/// A page of runs ends behind the run with which it exceeds one of these.
pub(super) const PAGE_RUNS: usize = 1_000;
pub(super) const PAGE_BYTES: usize = 8 << 20;

impl SqliteStore {
    pub(super) fn list_in(&self, db: &Connection) -> Result<Vec<Listed>> {
        if !schema::has_table(db, "experiments")? {
            return Ok(Vec::new());
        }
        let mut statement =
            db.prepare("SELECT id_experiment, name FROM experiments ORDER BY rowid")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let rows = rows.collect::<rusqlite::Result<Vec<(String, String)>>>()?;
        let mut listed = Vec::new();
        for (id, name) in rows {
            let table_name = table_name(&name);
            let runs = if schema::has_table(db, &table_name)? {
                db.query_row(
                    &format!("SELECT count(*) FROM {}", quoted(&table_name)),
                    [],
                    |row| row.get::<_, i64>(0),
                )?
                .unsigned_abs()
            } else {
                0
            };
            let id_experiment = Uuid::try_parse(&id)
                .map_err(|_| self.unexpected(&name, "the id", "32 hex digits"))?;
            listed.push(Listed {
                id_experiment,
                name,
                table_name,
                runs,
            });
        }
        Ok(listed)
    }

    pub(super) fn find_in(&self, db: &Connection, key: &Key) -> Result<StoredExperiment> {
        let (id, name) = self.named(db, key)?;
        let (meta, fields) = db.query_row(
            "SELECT meta, fields FROM experiments WHERE id_experiment = ?1",
            [&id],
            |row| Ok((row.get::<_, Option<Vec<u8>>>(0)?, row.get::<_, Vec<u8>>(1)?)),
        )?;
        let id =
            Uuid::try_parse(&id).map_err(|_| self.unexpected(&name, "the id", "32 hex digits"))?;
        let meta = match meta {
            Some(meta) => meta::decode(&meta).map_err(self.damaged(&name, "the meta"))?,
            None => None,
        };
        let meta =
            meta.ok_or_else(|| self.unexpected(&name, "the meta", "a tree with a count of runs"))?;
        let files = self.holder(&name);
        let fields = within(files.as_ref(), None, || datapak::decode(&fields))
            .map_err(self.damaged(&name, "the fields"))?;
        let fields =
            bunch(fields).ok_or_else(|| self.unexpected(&name, "the fields", "a dictionary"))?;
        let table = table_name(&name);
        let (columns, declared_types) = if meta.count > 0 {
            self.columns(db, &name, &table, &meta)?
        } else {
            (Vec::new(), Vec::new())
        };
        let newest = if schema::has_table(db, &table)? {
            let sql = format!("SELECT max(_rowid_) FROM {}", quoted(&table));
            db.query_row(&sql, [], |row| row.get::<_, Option<i64>>(0))?
        } else {
            None
        };
        Ok(StoredExperiment {
            id,
            name,
            fields,
            table,
            newest: newest.unwrap_or(i64::MIN),
            completed: meta.count,
            ledger: ledger_of(id, None),
            continued: false,
            columns,
            declared_types,
            files,
        })
    }

    pub(super) fn runs_in(
        &self,
        db: &Connection,
        of: &StoredExperiment,
        (after, most): (i64, usize),
        page: &mut RunPage,
    ) -> Result<()> {
        page.clear(of.columns.len());
        self.check_is_there(db, of.id, &of.name)?;
        if !schema::has_table(db, &of.table)? {
            return Ok(());
        }
        let mut sql = "SELECT _rowid_, id_run".to_owned();
        for column in &of.columns {
            sql.push_str(", ");
            sql.push_str(&quoted(&column.name));
        }
        sql.push_str(&format!(
            " FROM {} WHERE _rowid_ > ?1 AND id_experiment = ?2 ORDER BY _rowid_ LIMIT ?3",
            quoted(&of.table)
        ));
        let mut statement = db.prepare_cached(&sql)?;
        let mut rows = statement.query(params![after, text(&hex(of.id)), most as i64])?;
        let mut bytes = 0;
        while let Some(row) = rows.next()? {
            let id_run = (row.get_ref(1)?.as_bytes().ok())
                .and_then(|id| Uuid::try_parse_ascii(id).ok())
                .ok_or_else(|| self.unexpected(&of.name, "the id of a run", "32 hex digits"))?;
            page.begin(row.get(0)?, id_run);
            for i in 0..of.columns.len() {
                let cell = cell(row.get_ref(i + 2)?);
                bytes += cell.weight();
                page.push(cell);
            }
            if bytes > PAGE_BYTES {
                break;
            }
        }
        Ok(())
    }

    /// The cells of a run that was at `rowid`: VACUUM numbers the rows of such a table anew.
    pub(super) fn cells_in(
        &self,
        db: &Connection,
        table: &str,
        (id_run, rowid): (Uuid, i64),
        columns: &[&str],
    ) -> Result<Vec<Cell>> {
        let names: Vec<_> = columns.iter().map(|name| quoted(name)).collect();
        let sql = format!("SELECT {} FROM {}", names.join(", "), quoted(table));
        let id = hex(id_run);
        for (condition, rowid) in [
            (" AND _rowid_ = ?2", Some(rowid)),
            (" AND ?2 IS NULL", None),
        ] {
            let mut statement =
                db.prepare_cached(&format!("{sql} WHERE id_run = ?1{condition}"))?;
            let mut rows = statement.query(params![text(&id), rowid])?;
            if let Some(row) = rows.next()? {
                let cells = (0..columns.len()).map(|i| Ok(cell(row.get_ref(i)?)));
                return Ok(cells.collect::<rusqlite::Result<_>>()?);
            }
        }
        let what = format!("the run {}", id_run.simple());
        let experiment = table.strip_prefix("experiment_").unwrap_or(table);
        Err(self.unexpected(experiment, &what, "there any more"))
    }

    pub(super) fn failures_in(
        &self,
        db: &Connection,
        of: &StoredExperiment,
        after: i64,
    ) -> Result<Vec<StoredFailure>> {
        self.check_is_there(db, of.id, &of.name)?;
        if !schema::has_table(db, "xp_exception")? {
            return Ok(Vec::new());
        }
        // A point whose last attempt was a success is no failure any more; those that are
        // are few, so that looking only at what was attempted again is cheap.
        let mut statement = db.prepare_cached(
            "SELECT seq, id_run, outcome, step, message, location, backtrace, causes, inputs, \
                 fields, attempt \
                 FROM xp_run JOIN xp_exception USING (seq) JOIN xp_experiment USING (experiment) \
                 WHERE id_experiment = ?1 AND seq > ?2 AND seq IN ( \
                     SELECT max(seq) FROM xp_run WHERE experiment = \
                         (SELECT experiment FROM xp_experiment WHERE id_experiment = ?1) \
                     GROUP BY id_run) \
                 ORDER BY seq LIMIT ?3",
        )?;
        let mut rows = statement.query(params![of.ledger, after, PAGE_RUNS as i64])?;
        let mut page = Vec::new();
        while let Some(row) = rows.next()? {
            page.push(self.failure(of, row)?);
        }
        Ok(page)
    }

    pub(super) fn artifact_in(
        &self,
        db: &Connection,
        of: Uuid,
        id_run: Uuid,
        name: &str,
    ) -> Result<Option<Vec<u8>>> {
        if !schema::has_table(db, "xp_artifact")? {
            return Ok(None);
        }
        Ok(db
            .query_row(
                "SELECT content FROM xp_artifact JOIN xp_experiment USING (experiment) \
                     WHERE (id_experiment = ?1 OR id_experiment GLOB ?1 || '+*') \
                     AND id_run = ?2 AND name = ?3 ORDER BY experiment DESC",
                params![text(&hex(of)), text(&hex(id_run)), name],
                |row| row.get(0),
            )
            .optional()?)
    }

    pub(super) fn answer_in(&self, db: &Connection, sql: &str) -> Result<Rows> {
        let mut statement = db.prepare(sql)?;
        // What only changes the connection (BEGIN, ATTACH, a PRAGMA) counts as reading for
        // SQLite.
        let pragma = without_comments(sql).get(..6);
        let answers = statement.column_count() > 0
            && !pragma.is_some_and(|word| word.eq_ignore_ascii_case("pragma"));
        if !statement.readonly() || !answers {
            return Err(Failure::Store(StoreError::QueryWrites {
                sql: sql.to_owned(),
            }));
        }
        let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let mut rows = statement.query([])?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            let values = (0..columns.len())
                .map(|i| Ok(plain(row.get_ref(i)?)))
                .collect::<rusqlite::Result<Vec<_>>>()?;
            all.push(values);
        }
        Ok(Rows { columns, rows: all })
    }

    fn failure(&self, of: &StoredExperiment, row: &Row<'_>) -> Result<StoredFailure> {
        let outcome: String = row.get(2)?;
        let id: String = row.get(1)?;
        let unexpected = |what: &str, expected: &str| self.unexpected("xp_run", what, expected);
        let causes: Vec<u8> = row.get(7)?;
        let inputs: Vec<u8> = row.get(8)?;
        let id_run =
            Uuid::try_parse(&id).map_err(|_| unexpected("the id of a run", "32 hex digits"))?;
        Ok(StoredFailure {
            seq: row.get(0)?,
            id_run,
            outcome: Outcome::from_text(&outcome)
                .ok_or_else(|| unexpected("an outcome", "one that this xp knows"))?,
            exception: Exception {
                step: row.get(3)?,
                message: row.get(4)?,
                location: row.get(5)?,
                backtrace: row.get(6)?,
                causes: from_value(datapak::decode(&causes)?)
                    .map_err(|_| unexpected("the causes of an exception", "a list of texts"))?,
            },
            inputs: bunch(datapak::decode(&inputs)?)
                .ok_or_else(|| unexpected("the inputs of a run", "a dictionary"))?,
            fields: match row.get::<_, Option<Vec<u8>>>(9)? {
                Some(fields) => {
                    within(of.files.as_ref(), Some(id_run), || datapak::decode(&fields))
                        .map(bunch)?
                        .ok_or_else(|| unexpected("the fields of a run", "a dictionary"))?
                }
                None => Bunch::new(),
            },
            attempt: row.get(10)?,
        })
    }
}

/// Looking up, and what can be wrong with what is found.
impl SqliteStore {
    pub(super) fn not_found(&self, db: &Connection, key: &Key) -> Failure {
        let mut known = Vec::new();
        if let Ok(mut statement) = db.prepare("SELECT name FROM experiments ORDER BY rowid")
            && let Ok(names) = statement.query_map([], |row| row.get::<_, String>(0))
        {
            known.extend(
                names
                    .flatten()
                    .map(|name| format!("`{}`", shortened(&name))),
            );
        }
        let known = if known.is_empty() {
            "none".to_owned()
        } else {
            known.join(", ")
        };
        Failure::Store(StoreError::ExperimentNotFound {
            key: key.to_string(),
            file: self.file.clone(),
            known,
            continuing: None,
        })
    }

    pub(super) fn named(&self, db: &Connection, key: &Key) -> Result<(String, String)> {
        // A file that neither xp nor MLtraq has written yet, opened to be read only.
        if !schema::has_table(db, "experiments")? {
            return Err(self.not_found(db, key));
        }
        let get = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let found = match key {
            Key::Name(name) => db.query_row(
                "SELECT id_experiment, name FROM experiments WHERE name = ?1",
                [name],
                get,
            ),
            Key::Id(id) => db.query_row(
                "SELECT id_experiment, name FROM experiments WHERE id_experiment = ?1",
                [text(&hex(*id))],
                get,
            ),
        };
        found.optional()?.ok_or_else(|| self.not_found(db, key))
    }

    /// Refuses an experiment that another session has deleted or replaced since it was made or
    /// found: its table, if there is one, is that of another experiment.
    pub(super) fn check_is_there(&self, db: &Connection, id: Uuid, name: &str) -> Result<()> {
        let there = db
            .prepare_cached("SELECT 1 FROM experiments WHERE id_experiment = ?1")?
            .exists([text(&hex(id))])?;
        if there {
            return Ok(());
        }
        Err(Failure::Store(StoreError::ExperimentReplaced {
            name: shortened(name),
            file: self.file.clone(),
        }))
    }

    fn damaged(&self, experiment: &str, what: &str) -> impl Fn(DatapakError) -> Failure {
        let (experiment, what, file) = (experiment.to_owned(), what.to_owned(), self.file.clone());
        move |source| {
            Failure::Store(StoreError::Damaged {
                what: what.clone(),
                experiment: experiment.clone(),
                file: file.clone(),
                source: Box::new(source),
            })
        }
    }

    pub(super) fn unexpected(&self, experiment: &str, what: &str, expected: &str) -> Failure {
        Failure::Store(StoreError::Unexpected {
            what: what.to_owned(),
            experiment: experiment.to_owned(),
            file: self.file.clone(),
            expected: expected.to_owned(),
        })
    }

    /// The columns of an experiment's table that its meta lists, in the table's order.
    fn columns(
        &self,
        db: &Connection,
        name: &str,
        table: &str,
        meta: &meta::Meta,
    ) -> Result<(Vec<Column>, Vec<String>)> {
        let mut statement =
            db.prepare("SELECT name, type FROM pragma_table_info(?1) ORDER BY cid")?;
        let there = statement.query_map([table], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
        })?;
        let there = there.collect::<rusqlite::Result<Vec<_>>>()?;
        let missing = meta.serialized.iter().chain(&meta.native).find(|column| {
            !there
                .iter()
                .any(|(there, _)| there.eq_ignore_ascii_case(column))
        });
        if let Some(missing) = missing {
            let what = format!("the table `{table}`, which lacks the column `{missing}`,");
            return Err(self.unexpected(name, &what, "the table that the meta describes"));
        }
        let mut columns = Vec::new();
        let mut types = Vec::new();
        for (column, sql_type) in there {
            let serialized = meta.serialized.contains(&column);
            if !serialized && !meta.native.contains(&column) {
                continue;
            }
            let noted = meta.kinds.iter().find(|(of, _)| *of == column);
            let ty = match noted.and_then(|(_, kind)| meta::type_from_text(kind)) {
                Some(ty) => ty,
                None => ColumnType {
                    kind: Kind::of_sql_type(&sql_type, serialized).unwrap_or(Kind::Text),
                    nullable: true,
                },
            };
            let role = if meta.inputs.contains(&column) {
                Role::Input
            } else {
                Role::Field
            };
            columns.push(Column {
                name: column,
                ty,
                role,
            });
            types.push(sql_type);
        }
        Ok((columns, types))
    }
}

/// The statement from its first word on.
fn without_comments(sql: &str) -> &str {
    let mut rest = sql.trim_start_matches(|c: char| c.is_whitespace() || c == ';');
    loop {
        let comment = match rest.get(..2) {
            Some("--") => rest.find('\n').map(|end| end + 1),
            Some("/*") => rest.find("*/").map(|end| end + 2),
            _ => return rest,
        };
        let after = comment.and_then(|end| rest.get(end..)).unwrap_or_default();
        rest = after.trim_start_matches(|c: char| c.is_whitespace() || c == ';');
    }
}

/// Calls a function that decodes the fields of an experiment, or those that a run had come to.
fn within<R>(files: Option<&Arc<Holder>>, id_run: Option<Uuid>, decode: impl FnOnce() -> R) -> R {
    match files {
        Some(holder) => holder.within(id_run, "fields", decode),
        None => decode(),
    }
}
