//! The store in SQLite: one connection behind a mutex, which no statement outlives.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::types::ValueRef;
use rusqlite::{
    Connection, ErrorCode, OpenFlags, OptionalExtension, Row, Transaction, TransactionBehavior,
    params,
};
use uuid::Uuid;

use super::name::{quoted, shortened, table_name};
use super::schema::{self, Found};
use super::write::{self, bunch_blob, hex, text};
use super::{
    Column, Execution, Finished, Key, Listed, Role, Rows, Store, StoreError, StoredExperiment,
    StoredFailure, StoredRun, meta,
};
use crate::bunch::Bunch;
use crate::datapak::{self, DatapakError};
use crate::exception::{Exception, Outcome};
use crate::value::{Cell, ColumnType, Kind, Value, from_value};

/// How long a writer waits for the lock of another one.
const PATIENCE: Duration = Duration::from_secs(60);

/// A page of runs ends behind the run with which it exceeds one of these.
const PAGE_RUNS: usize = 1_000;
const PAGE_BYTES: usize = 8 << 20;

/// See [`Store`].
#[derive(Debug)]
pub(crate) struct SqliteStore {
    db: Mutex<Connection>,
    pub(super) file: String,
    read_only: bool,
}

/// What goes wrong on the way, before it is known in which file and doing what.
#[derive(Debug)]
pub(super) enum Failure {
    Sql(rusqlite::Error),
    Encode(DatapakError),
    Store(StoreError),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<DatapakError> for Failure {
    fn from(error: DatapakError) -> Self {
        Self::Encode(error)
    }
}

impl SqliteStore {
    /// Opens the file, and makes it if it is missing.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let file = path.display().to_string();
        let connection = Connection::open_with_flags(path, flags)
            .and_then(|connection| readable(connection, path))
            .map_err(|error| typed(&file, "open it", Failure::Sql(error)))?;
        Self::prepare(connection, file)
    }

    /// Opens a file that is there, to be read only.
    pub(crate) fn open_read_only(path: &Path) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let file = path.display().to_string();
        let connection = Connection::open_with_flags(path, flags)
            .and_then(|connection| readable(connection, path))
            .map_err(|error| typed(&file, "open it", Failure::Sql(error)))?;
        Self::prepare(connection, file)
    }

    /// A store that lives as long as the process.
    pub(crate) fn in_memory() -> Result<Self, StoreError> {
        let file = ":memory:".to_owned();
        let connection = Connection::open_in_memory()
            .map_err(|error| typed(&file, "open it", Failure::Sql(error)))?;
        Self::prepare(connection, file)
    }

    fn prepare(mut db: Connection, file: String) -> Result<Self, StoreError> {
        let fail = |error| typed(&file, "open it", Failure::Sql(error));
        db.busy_timeout(PATIENCE).map_err(fail)?;
        let read_only = db.is_readonly("main").map_err(fail)?;
        let found = if let Some(newer) = schema::newer(&db).map_err(fail)? {
            Found::Newer(newer)
        } else if read_only {
            Found::Ready
        } else {
            db.pragma_update(None, "journal_mode", "WAL")
                .map_err(fail)?;
            db.pragma_update(None, "synchronous", "NORMAL")
                .map_err(fail)?;
            schema::prepare(&mut db).map_err(fail)?
        };
        if let Found::Newer(found) = found {
            return Err(StoreError::NewerSchema {
                file,
                found,
                supported: schema::VERSION,
            });
        }
        Ok(Self {
            db: Mutex::new(db),
            file,
            read_only,
        })
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        // A panic while the lock was held left a transaction that was rolled back, so the
        // connection is as good as before.
        self.db.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads: without a transaction, so no lock outlives the call.
    fn read<T>(
        &self,
        doing: &str,
        f: impl FnOnce(&Connection) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        f(&self.connection()).map_err(|failure| typed(&self.file, doing, failure))
    }

    /// Writes: one transaction, which is rolled back if `f` fails.
    fn change<T>(
        &self,
        doing: &str,
        f: impl FnOnce(&Transaction<'_>) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        if self.read_only {
            return Err(StoreError::ReadOnly {
                file: self.file.clone(),
            });
        }
        let mut db = self.connection();
        let change = || {
            let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let result = f(&tx)?;
            tx.commit()?;
            Ok(result)
        };
        change().map_err(|failure| typed(&self.file, doing, failure))
    }

    fn not_found(&self, db: &Connection, key: &Key) -> Failure {
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
        })
    }

    fn named(&self, db: &Connection, key: &Key) -> Result<(String, String), Failure> {
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
    pub(super) fn check_is_there(
        &self,
        db: &Connection,
        id: Uuid,
        name: &str,
    ) -> Result<(), Failure> {
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
                source,
            })
        }
    }

    fn unexpected(&self, experiment: &str, what: &str, expected: &str) -> Failure {
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
    ) -> Result<(Vec<Column>, Vec<String>), Failure> {
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

impl Store for SqliteStore {
    fn place(&self) -> &str {
        &self.file
    }

    fn list(&self) -> Result<Vec<Listed>, StoreError> {
        self.read("list its experiments", |db| {
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
        })
    }

    fn find(&self, key: &Key) -> Result<StoredExperiment, StoreError> {
        self.read("load an experiment", |db| {
            let (id, name) = self.named(db, key)?;
            let (meta, fields) = db.query_row(
                "SELECT meta, fields FROM experiments WHERE id_experiment = ?1",
                [&id],
                |row| Ok((row.get::<_, Option<Vec<u8>>>(0)?, row.get::<_, Vec<u8>>(1)?)),
            )?;
            let id = Uuid::try_parse(&id)
                .map_err(|_| self.unexpected(&name, "the id", "32 hex digits"))?;
            let meta = match meta {
                Some(meta) => meta::decode(&meta).map_err(self.damaged(&name, "the meta"))?,
                None => None,
            };
            let meta = meta
                .ok_or_else(|| self.unexpected(&name, "the meta", "a tree with a count of runs"))?;
            let fields = datapak::decode(&fields).map_err(self.damaged(&name, "the fields"))?;
            let fields = bunch(fields)
                .ok_or_else(|| self.unexpected(&name, "the fields", "a dictionary"))?;
            let table = table_name(&name);
            let (columns, declared_types) = if meta.count > 0 {
                self.columns(db, &name, &table, &meta)?
            } else {
                (Vec::new(), Vec::new())
            };
            Ok(StoredExperiment {
                id,
                name,
                fields,
                table,
                columns,
                declared_types,
            })
        })
    }

    fn commit(&self, execution: &mut Execution, runs: &[Finished]) -> Result<(), StoreError> {
        self.change("commit runs", |tx| self.write(tx, execution, runs))
    }

    fn end(&self, execution: &Execution) -> Result<(), StoreError> {
        self.change("end an execution", |tx| {
            self.check_is_there(tx, execution.new.id, &execution.new.name)?;
            tx.execute(
                "UPDATE xp_execution SET ended = ?1 WHERE execution = ?2",
                params![jiff::Timestamp::now().as_microsecond(), execution.execution],
            )?;
            Ok(())
        })?;
        // Leaves the database whole in one file where no other process is using it; if one is,
        // the checkpoint is its own affair.
        let _ = self
            .connection()
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        Ok(())
    }

    fn delete(&self, key: &Key) -> Result<(), StoreError> {
        self.change("delete an experiment", |tx| {
            let (_, name) = self.named(tx, key)?;
            write::delete(tx, &name)
        })
    }

    fn set_fields(&self, id: Uuid, fields: &Bunch) -> Result<(), StoreError> {
        self.change("set the fields of an experiment", |tx| {
            let changed = tx.execute(
                "UPDATE experiments SET fields = ?1 WHERE id_experiment = ?2",
                params![bunch_blob(fields)?, text(&hex(id))],
            )?;
            if changed == 0 {
                Err(self.not_found(tx, &Key::Id(id)))
            } else {
                Ok(())
            }
        })
    }

    fn runs(&self, of: &StoredExperiment, after: i64) -> Result<Vec<StoredRun>, StoreError> {
        self.read("read runs", |db| {
            self.check_is_there(db, of.id, &of.name)?;
            if !schema::has_table(db, &of.table)? {
                return Ok(Vec::new());
            }
            let mut sql = "SELECT rowid, id_run".to_owned();
            for column in &of.columns {
                sql.push_str(", ");
                sql.push_str(&quoted(&column.name));
            }
            sql.push_str(&format!(
                " FROM {} WHERE rowid > ?1 AND id_experiment = ?2 ORDER BY rowid LIMIT ?3",
                quoted(&of.table)
            ));
            let mut statement = db.prepare_cached(&sql)?;
            let mut rows = statement.query(params![after, text(&hex(of.id)), PAGE_RUNS as i64])?;
            let mut page = Vec::new();
            let mut bytes = 0;
            while let Some(row) = rows.next()? {
                let id: String = row.get(1)?;
                let id_run = Uuid::try_parse(&id)
                    .map_err(|_| self.unexpected(&of.name, "the id of a run", "32 hex digits"))?;
                let cells = (0..of.columns.len())
                    .map(|i| Ok(cell(row.get_ref(i + 2)?)))
                    .collect::<rusqlite::Result<Vec<_>>>()?;
                bytes += cells.iter().map(size).sum::<usize>();
                page.push(StoredRun {
                    rowid: row.get(0)?,
                    id_run,
                    cells,
                });
                if bytes > PAGE_BYTES {
                    break;
                }
            }
            Ok(page)
        })
    }

    fn failures(&self, of: Uuid, after: i64) -> Result<Vec<StoredFailure>, StoreError> {
        self.read("read failures", |db| {
            if !schema::has_table(db, "xp_exception")? {
                return Ok(Vec::new());
            }
            let mut statement = db.prepare_cached(
                "SELECT seq, id_run, outcome, step, message, location, backtrace, causes, inputs \
                 FROM xp_run JOIN xp_exception USING (seq) JOIN xp_experiment USING (experiment) \
                 WHERE id_experiment = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3",
            )?;
            let mut rows = statement.query(params![text(&hex(of)), after, PAGE_RUNS as i64])?;
            let mut page = Vec::new();
            while let Some(row) = rows.next()? {
                page.push(self.failure(row)?);
            }
            Ok(page)
        })
    }

    fn artifact(&self, of: Uuid, id_run: Uuid, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.read("read an artifact", |db| {
            if !schema::has_table(db, "xp_artifact")? {
                return Ok(None);
            }
            Ok(db
                .query_row(
                    "SELECT content FROM xp_artifact JOIN xp_experiment USING (experiment) \
                     WHERE id_experiment = ?1 AND id_run = ?2 AND name = ?3",
                    params![text(&hex(of)), text(&hex(id_run)), name],
                    |row| row.get(0),
                )
                .optional()?)
        })
    }

    fn query(&self, sql: &str) -> Result<Rows, StoreError> {
        self.read("answer a query", |db| {
            let mut statement = db.prepare(sql)?;
            // What only changes the connection (BEGIN, ATTACH, a PRAGMA) counts as reading for
            // SQLite.
            let pragma = sql.trim_start().get(..6);
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
        })
    }
}

impl SqliteStore {
    fn failure(&self, row: &Row<'_>) -> Result<StoredFailure, Failure> {
        let outcome: String = row.get(2)?;
        let id: String = row.get(1)?;
        let unexpected = |what: &str, expected: &str| self.unexpected("xp_run", what, expected);
        let causes: Vec<u8> = row.get(7)?;
        let inputs: Vec<u8> = row.get(8)?;
        Ok(StoredFailure {
            seq: row.get(0)?,
            id_run: Uuid::try_parse(&id)
                .map_err(|_| unexpected("the id of a run", "32 hex digits"))?,
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
        })
    }
}

/// The connection, if it can read; or else one that takes the file for one that never changes.
///
/// SQLite keeps an index beside a file in WAL mode, also to read it, and cannot where the directory
/// must not be written. Without a log nobody is writing to the file, and it can do without.
fn readable(connection: Connection, path: &Path) -> rusqlite::Result<Connection> {
    let probe = connection.query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(()));
    let refused = matches!(
        &probe,
        Err(error) if matches!(
            error.sqlite_error_code(),
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen)
        )
    );
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let Some(name) = path.to_str().filter(|_| refused) else {
        return Ok(connection);
    };
    if Path::new(&log).exists() {
        return Ok(connection);
    }
    let name = name
        .replace('%', "%25")
        .replace('?', "%3f")
        .replace('#', "%23");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    Connection::open_with_flags(format!("file:{name}?immutable=1"), flags)
}

fn bunch(value: Value) -> Option<Bunch> {
    match value {
        Value::Bunch(members) => Some(members.into_iter().collect()),
        Value::Map(entries) => entries
            .into_iter()
            .map(|(name, value)| match name {
                Value::Text(name) => Some((name, value)),
                _ => None,
            })
            .collect(),
        _ => None,
    }
}

fn cell(value: ValueRef<'_>) -> Cell {
    match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(int) => Cell::Int(int),
        ValueRef::Real(real) => Cell::Real(real),
        ValueRef::Text(text) => Cell::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(blob) => Cell::Blob(blob.to_vec()),
    }
}

fn plain(value: ValueRef<'_>) -> Value {
    match cell(value) {
        Cell::Null => Value::Null,
        Cell::Int(int) => Value::Int(int.into()),
        Cell::Real(real) => Value::Float(real),
        Cell::Text(text) => Value::Text(text),
        Cell::Blob(blob) => Value::Bytes(blob),
    }
}

fn size(cell: &Cell) -> usize {
    match cell {
        Cell::Text(text) => text.len(),
        Cell::Blob(blob) => blob.len(),
        _ => 8,
    }
}

/// Gives a failure its file, and SQLite's answers the meaning that they have for a user.
fn typed(file: &str, doing: &str, failure: Failure) -> StoreError {
    let file = file.to_owned();
    let source = match failure {
        Failure::Store(error) => return error,
        Failure::Encode(source) => {
            return StoreError::Encode {
                what: format!("what was needed to {doing}"),
                experiment: file,
                source,
            };
        }
        Failure::Sql(source) => source,
    };
    match source.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            StoreError::NotADatabase { file, source }
        }
        Some(ErrorCode::ReadOnly) => StoreError::ReadOnly { file },
        Some(ErrorCode::DiskFull | ErrorCode::SystemIoFailure) if is_full(&source) => {
            StoreError::Full { file, source }
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            StoreError::Locked { file, source }
        }
        _ => StoreError::Sqlite {
            file,
            doing: doing.to_owned(),
            source,
        },
    }
}

/// A write that the file system refuses (`SQLITE_IOERR_WRITE`) means the same as a full disk: it
/// is how a file-size limit shows.
fn is_full(error: &rusqlite::Error) -> bool {
    const IOERR_WRITE: i32 = 10 | (3 << 8);
    const FULL: i32 = 13;
    matches!(error, rusqlite::Error::SqliteFailure(e, _) if [IOERR_WRITE, FULL].contains(&e.extended_code))
}
