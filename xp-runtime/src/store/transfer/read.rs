//! Reading whole experiments from SQLite.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::Range;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, params};
use uuid::Uuid;

use super::{
    ArtifactRecord, AttemptRecord, ExecutionRecord, Head, Ledger, Listing, Numbered, RowRecord,
    Snapshot, Standings, TableColumn,
};
use crate::datapak;
use crate::store::continued::ledger_of;
use crate::store::failure::{Failure, Result, typed};
use crate::store::history::{inputs_in, point};
use crate::store::literal::constant;
use crate::store::name::{quoted, table_name};
use crate::store::read::{PAGE_BYTES, PAGE_RUNS};
use crate::store::sql::{hex, sql_cell, text};
use crate::store::sqlite::SqliteStore;
use crate::store::{Key, StoreError, meta, schema};
use crate::value::Cell;

/// A connection inside of a transaction.
#[derive(Clone, Copy)]
pub(in crate::store) struct View<'a> {
    pub(super) store: &'a SqliteStore,
    pub(super) db: &'a Connection,
}

impl SqliteStore {
    /// The store as it is inside of a transaction of this connection.
    pub(in crate::store) fn view<'a>(&'a self, db: &'a Connection) -> View<'a> {
        View { store: self, db }
    }
}

impl View<'_> {
    pub(super) fn typed<T>(&self, result: Result<T>) -> super::Result<T> {
        let doing = "copy an experiment";
        result.map_err(|failure| typed(&self.store.file, doing, failure))
    }

    /// Whether the file has xp's tables: those of MLtraq's own that are only read have none.
    fn has_ledger(&self) -> Result<bool> {
        Ok(schema::version(self.db)?.is_some())
    }

    fn head(&self, key: &Key) -> Result<Option<Head>> {
        let (id, name) = match self.store.named(self.db, key) {
            Err(Failure::Store(StoreError::ExperimentNotFound { .. })) => return Ok(None),
            other => other?,
        };
        let (meta, fields): (Option<Vec<u8>>, Vec<u8>) = self.db.query_row(
            "SELECT meta, fields FROM experiments WHERE id_experiment = ?1",
            [&id],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let damaged = |source| {
            Failure::Store(StoreError::Damaged {
                what: "the meta".to_owned(),
                experiment: name.clone(),
                file: self.store.file.clone(),
                source: Box::new(source),
            })
        };
        let meta = datapak::decode(&meta.unwrap_or_default()).map_err(damaged)?;
        let id = Uuid::try_parse(&id)
            .map_err(|_| self.store.unexpected(&name, "the id", "32 hex digits"))?;
        let read = meta::read(&meta).ok_or_else(|| {
            let expected = "a tree with a count of runs";
            self.store.unexpected(&name, "the meta", expected)
        })?;
        let table = table_name(&name);
        let table = if read.count > 0 && schema::has_table(self.db, &table)? {
            let columns = self.columns(&name, &table, &read)?;
            Some((table, columns))
        } else {
            None
        };
        let ledgers = if self.has_ledger()? {
            self.ledgers(id)?
        } else {
            Vec::new()
        };
        let inputs = match ledgers.iter().find(|ledger| !ledger.continues) {
            Some(own) => inputs_in(self.db, own.key)?,
            None => Vec::new(),
        };
        Ok(Some(Head {
            id,
            name,
            fields,
            meta,
            table,
            ledgers,
            inputs,
        }))
    }

    /// That of the experiment, if it has one, and those of what continues it.
    fn ledgers(&self, id: Uuid) -> Result<Vec<Ledger>> {
        let own = ledger_of(id, None);
        let mut statement = self.db.prepare(
            "SELECT experiment, declared, id_experiment FROM xp_experiment \
                 WHERE id_experiment = ?1 OR id_experiment GLOB ?1 || '+*' ORDER BY experiment",
        )?;
        let mut rows = statement.query([&own])?;
        let mut ledgers = Vec::new();
        while let Some(row) = rows.next()? {
            let key = row.get(0)?;
            ledgers.push(Ledger {
                key,
                continues: row.get_ref(2)?.as_str()? != own,
                declared: row.get(1)?,
                executions: self.executions(key, None)?,
            });
        }
        Ok(ledgers)
    }

    fn columns(&self, name: &str, table: &str, meta: &meta::Meta) -> Result<Vec<TableColumn>> {
        let mut statement = self.db.prepare(
            "SELECT name, type, \"notnull\", dflt_value FROM pragma_table_info(?1) ORDER BY cid",
        )?;
        let mut rows = statement.query([table])?;
        let mut columns: Vec<TableColumn> = Vec::new();
        while let Some(row) = rows.next()? {
            let column: String = row.get(0)?;
            if column == "id_run" || column == "id_experiment" {
                continue;
            }
            let serialized = meta.serialized.contains(&column);
            let of = |pairs: &[(String, String)]| {
                let found = pairs.iter().find(|(of, _)| *of == column);
                found.map(|(_, text)| text.clone())
            };
            let listing = (serialized || meta.native.contains(&column)).then(|| Listing {
                serialized,
                python_type: of(&meta.types),
                noted: of(&meta.kinds),
                input: meta.inputs.contains(&column),
            });
            let default: Option<String> = row.get(3)?;
            columns.push(TableColumn {
                sql_type: row.get(1)?,
                not_null: row.get(2)?,
                default: default.as_deref().and_then(constant),
                name: column,
                listing,
            });
        }
        let listed = meta.serialized.iter().chain(&meta.native);
        let missing = listed
            .filter(|listed| !columns.iter().any(|column| column.name == **listed))
            .map(|listed| format!("`{listed}`"))
            .next();
        match missing {
            Some(missing) => {
                let what = format!("the table `{table}`, which lacks the column {missing},");
                let expected = "the table that the meta describes";
                Err(self.store.unexpected(name, &what, expected))
            }
            None => Ok(columns),
        }
    }

    /// The executions of an experiment; only those that started then, if that is asked for.
    pub(super) fn executions(
        &self,
        key: i64,
        started: Option<&Cell>,
    ) -> Result<Vec<ExecutionRecord>> {
        let mut statement = self.db.prepare(
            "SELECT execution, ended, root_seed, started, time_limit, cpu_limit, memory_limit \
                 FROM xp_execution WHERE experiment = ?1 AND started = coalesce(?2, started) \
                 ORDER BY execution",
        )?;
        let mut rows = statement.query(params![key, started.map(sql_cell)])?;
        let mut records = Vec::new();
        while let Some(row) = rows.next()? {
            let number = row.get(0)?;
            records.push(ExecutionRecord {
                number: Numbered {
                    number,
                    ended: row.get(1)?,
                },
                own: self.cells("xp_execution", row, 2..7)?,
                columns: self.all(
                    "SELECT name, made_by FROM xp_column WHERE execution = ?1 ORDER BY name",
                    number,
                    2,
                )?,
                inputs: self.all(
                    "SELECT position, name, role, initial, absent, absent_form FROM xp_input \
                         WHERE execution = ?1 ORDER BY position",
                    number,
                    6,
                )?,
                steps: self.all(
                    "SELECT position, name, module, file, line, version, doc, source, exact, \
                         fingerprint FROM xp_step WHERE execution = ?1 ORDER BY position",
                    number,
                    10,
                )?,
            });
        }
        Ok(records)
    }

    fn all(&self, sql: &str, of: i64, columns: usize) -> Result<Vec<Vec<Cell>>> {
        let mut statement = self.db.prepare_cached(sql)?;
        let mut rows = statement.query([of])?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            all.push(self.cells("xp_execution", row, 0..columns)?);
        }
        Ok(all)
    }

    /// Cells as they are: what cannot be told unchanged is refused.
    fn cells(&self, of: &str, row: &Row<'_>, places: Range<usize>) -> Result<Vec<Cell>> {
        let cell = |place| {
            let cell = match row.get_ref(place)? {
                ValueRef::Null => Cell::Null,
                ValueRef::Integer(int) => Cell::Int(int),
                ValueRef::Real(real) => Cell::Real(real),
                ValueRef::Blob(blob) => Cell::Blob(blob.to_vec()),
                ValueRef::Text(text) => match std::str::from_utf8(text) {
                    Ok(text) => Cell::Text(text.to_owned()),
                    Err(_) => {
                        let column = row.as_ref().column_name(place)?;
                        let what = format!("a text in the column `{column}`");
                        return Err(self.store.unexpected(of, &what, "valid UTF-8"));
                    }
                },
            };
            Ok(cell)
        };
        places.map(cell).collect()
    }

    fn id(&self, of: &Head, row: &Row<'_>, place: usize) -> Result<u128> {
        let digits = row.get_ref(place)?.as_str()?;
        let id = point(digits).or_else(|| Some(Uuid::try_parse(digits).ok()?.as_u128()));
        id.ok_or_else(|| {
            self.store
                .unexpected(&of.name, "the id of a run", "32 hex digits")
        })
    }

    fn standings(&self, of: &Head) -> Result<Standings> {
        let mut standings = Standings::default();
        if let Some((table, columns)) = &of.table {
            let names = columns.iter().map(|column| column.name.clone()).collect();
            let sql = format!(
                "SELECT id_run FROM {} WHERE id_experiment = ?1",
                quoted(table)
            );
            let mut statement = self.db.prepare(&sql)?;
            let mut rows = statement.query([text(&hex(of.id))])?;
            while let Some(row) = rows.next()? {
                standings.row(self.id(of, row, 0)?, &names);
            }
        }
        let mut declared: HashMap<i64, BTreeSet<String>> = HashMap::new();
        for record in of.ledgers.iter().flat_map(|ledger| &ledger.executions) {
            let names = record.columns.iter().filter_map(|row| match row.first() {
                Some(Cell::Text(name)) => Some(name.clone()),
                _ => None,
            });
            declared.insert(record.number.number, names.collect());
        }
        let continuing: HashSet<i64> = (of.ledgers.iter())
            .filter(|ledger| ledger.continues)
            .map(|ledger| ledger.key)
            .collect();
        let sql = format!(
            "SELECT id_run, execution, outcome, started, filled, experiment FROM xp_run \
                 WHERE experiment IN ({}) ORDER BY seq",
            keys(of)
        );
        let mut statement = self.db.prepare(&sql)?;
        let mut rows = statement.query([])?;
        let none = BTreeSet::new();
        while let Some(row) = rows.next()? {
            let completed = row.get_ref(2)?.as_str()? == "completed";
            let columns = declared.get(&row.get(1)?).unwrap_or(&none);
            let point = self.id(of, row, 0)?;
            if !continuing.contains(&row.get(5)?) {
                let columns = completed.then_some(columns);
                standings.attempt(point, row.get(3)?, columns, row.get(4)?);
            } else if completed {
                standings.continued(point, columns);
            }
        }
        Ok(standings)
    }

    fn rows(&self, of: &Head, after: i64) -> Result<Vec<RowRecord>> {
        let Some((table, columns)) = &of.table else {
            return Ok(Vec::new());
        };
        let names: String = (columns.iter())
            .map(|column| format!(", {}", quoted(&column.name)))
            .collect();
        let sql = format!(
            "SELECT _rowid_, id_run{names} FROM {} \
                 WHERE _rowid_ > ?1 AND id_experiment = ?2 ORDER BY _rowid_ LIMIT ?3",
            quoted(table)
        );
        let mut statement = self.db.prepare_cached(&sql)?;
        let mut rows = statement.query(params![after, text(&hex(of.id)), PAGE_RUNS as i64])?;
        let (mut page, mut bytes) = (Vec::new(), 0);
        while bytes <= PAGE_BYTES
            && let Some(row) = rows.next()?
        {
            let cells = self.cells(&of.name, row, 2..columns.len() + 2)?;
            bytes += cells.iter().map(Cell::weight).sum::<usize>();
            page.push(RowRecord {
                at: row.get(0)?,
                id_run: self.id(of, row, 1)?,
                cells,
            });
        }
        Ok(page)
    }

    fn attempts(&self, of: &Head, after: i64) -> Result<Vec<AttemptRecord>> {
        if of.ledgers.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT seq, execution, id_run, outcome, started, attempt, elapsed, last, filled, user, \
                 system, memory, message IS NOT NULL, step, message, location, backtrace, causes, \
                 inputs, fields, experiment \
                 FROM xp_run LEFT JOIN xp_exception USING (seq) \
                 WHERE experiment IN ({}) AND seq > ?1 ORDER BY seq LIMIT ?2",
            keys(of)
        );
        let mut statement = self.db.prepare_cached(&sql)?;
        let mut rows = statement.query(params![after, PAGE_RUNS as i64])?;
        let (mut page, mut bytes) = (Vec::new(), 0);
        while bytes <= PAGE_BYTES
            && let Some(row) = rows.next()?
        {
            let exception = if row.get(12)? {
                Some(self.cells(&of.name, row, 13..20)?)
            } else {
                None
            };
            let weights = exception.iter().flatten().map(Cell::weight);
            bytes += weights.sum::<usize>();
            page.push(AttemptRecord {
                at: row.get(0)?,
                ledger: row.get(20)?,
                execution: row.get(1)?,
                id_run: self.id(of, row, 2)?,
                outcome: row.get(3)?,
                started: row.get(4)?,
                attempt: row.get(5)?,
                own: self.cells(&of.name, row, 6..12)?,
                exception,
            });
        }
        Ok(page)
    }

    fn artifacts(&self, of: &Head, after: i64) -> Result<Vec<ArtifactRecord>> {
        if of.ledgers.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT rowid, id_run, name, content, experiment FROM xp_artifact \
                 WHERE experiment IN ({}) AND rowid > ?1 ORDER BY rowid LIMIT ?2",
            keys(of)
        );
        let mut statement = self.db.prepare_cached(&sql)?;
        let mut rows = statement.query(params![after, PAGE_RUNS as i64])?;
        let (mut page, mut bytes) = (Vec::new(), 0);
        while bytes <= PAGE_BYTES
            && let Some(row) = rows.next()?
        {
            let content: Vec<u8> = row.get(3)?;
            bytes += content.len();
            page.push(ArtifactRecord {
                at: row.get(0)?,
                ledger: row.get(4)?,
                id_run: self.id(of, row, 1)?,
                name: row.get(2)?,
                content,
            });
        }
        Ok(page)
    }

    fn claimed(&self, of: &Head) -> Result<HashSet<u128>> {
        let mut points = HashSet::new();
        for ledger in &of.ledgers {
            for claim in self.store.claims_in(self.db, ledger.key, None)? {
                if claim.alive {
                    let ended = self.store.ended_in(self.db, claim.execution)?;
                    let left = claim.points.iter().filter(|point| !ended.contains(point));
                    points.extend(left);
                }
            }
        }
        Ok(points)
    }
}

impl Snapshot for View<'_> {
    fn head(&self, key: &Key) -> super::Result<Option<Head>> {
        self.typed(self.head(key))
    }

    fn standings(&self, of: &Head) -> super::Result<Standings> {
        self.typed(self.standings(of))
    }

    fn rows(&self, of: &Head, after: i64) -> super::Result<Vec<RowRecord>> {
        self.typed(self.rows(of, after))
    }

    fn attempts(&self, of: &Head, after: i64) -> super::Result<Vec<AttemptRecord>> {
        self.typed(self.attempts(of, after))
    }

    fn artifacts(&self, of: &Head, after: i64) -> super::Result<Vec<ArtifactRecord>> {
        self.typed(self.artifacts(of, after))
    }

    fn claimed(&self, of: &Head) -> super::Result<HashSet<u128>> {
        self.typed(self.claimed(of))
    }
}

/// The keys of all ledgers, as SQL lists them.
fn keys(of: &Head) -> String {
    let keys = of.ledgers.iter().map(|ledger| ledger.key.to_string());
    keys.collect::<Vec<_>>().join(", ")
}
