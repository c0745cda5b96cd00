//! The store in SQLite: one connection behind a mutex, which no statement outlives.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior, params};
use uuid::Uuid;

use super::failure::{self, Failure, typed};
use super::network;
use super::place::Place;
use super::process::{self, Member};
use super::schema::{self, Found};
use super::sql::{bunch_blob, hex, text};
use super::terms::Terms;
use super::write;
use super::{
    Answer, Claim, Claimant, Column, Continuable, Execution, Finished, History, Key, Known, Listed,
    Rows, Store, StoreError, StoredExperiment, StoredFailure, StoredRun, Watch,
};
use crate::bunch::Bunch;
use crate::failpoint;
use crate::value::{Cell, Value};

/// See [`Store`].
#[derive(Debug)]
pub(crate) struct SqliteStore {
    db: Mutex<Db>,
    pub(super) file: String,
    /// The directory for what its processes keep beside the file; `None` in memory.
    pub(super) beside: PathBuf,
    /// Where the file is; `None` in memory.
    place: Option<Place>,
    read_only: bool,
    pub(super) in_memory: bool,
    /// This session among the processes that write to the file, once it has executed something.
    member: Mutex<Option<Member>>,
    /// The executions of this session that go on.
    active: Mutex<HashSet<i64>>,
}

/// The connection, and the terms that it is set to.
#[derive(Debug)]
struct Db {
    connection: Connection,
    terms: Terms,
    /// Whether the file is of an older version, and reads like one of this version.
    imitates: bool,
}

impl Db {
    /// Sets the connection to the terms of the next transaction.
    fn set(&mut self, terms: Terms) -> rusqlite::Result<()> {
        if self.terms.lock_timeout != terms.lock_timeout {
            self.connection.busy_timeout(terms.lock_timeout())?;
        }
        if self.terms.durability != terms.durability {
            let synchronous = terms.synchronous();
            self.connection
                .pragma_update(None, "synchronous", synchronous)?;
        }
        self.terms = terms;
        Ok(())
    }

    /// Brings what is in the log into the database, and empties the log, unless others are using
    /// it: that is not worth waiting for.
    fn empty_log(&self) {
        let db = &self.connection;
        let _ = db.busy_timeout(Duration::ZERO);
        let _ = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        let _ = db.busy_timeout(self.terms.lock_timeout());
    }
}

impl SqliteStore {
    /// Opens the file, and makes it if it is missing.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let file = path.display().to_string();
        if let Some(kind) = network::kind(path) {
            return Err(StoreError::NetworkFileSystem { file, kind });
        }
        let connection = Connection::open_with_flags(path, flags)
            .and_then(|connection| readable(connection, path))
            .map_err(|error| typed(&file, "open the database", Failure::Sql(error)))?;
        let store = Self::prepare(connection, file, path)?;
        // What a process had taken that died is told by whoever opens the file next.
        store.reap()?;
        Ok(store)
    }

    /// Opens a file that is there, to be read only.
    pub(crate) fn open_read_only(path: &Path) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let file = path.display().to_string();
        let connection = Connection::open_with_flags(path, flags)
            .and_then(|connection| readable(connection, path))
            .map_err(|error| typed(&file, "open the database", Failure::Sql(error)))?;
        Self::prepare(connection, file, path)
    }

    /// A store that lives as long as the process.
    pub(crate) fn in_memory() -> Result<Self, StoreError> {
        let file = ":memory:".to_owned();
        let connection = Connection::open_in_memory()
            .map_err(|error| typed(&file, "open the database", Failure::Sql(error)))?;
        let mut store = Self::prepare(connection, file, Path::new(""))?;
        store.in_memory = true;
        Ok(store)
    }

    fn prepare(mut db: Connection, file: String, path: &Path) -> Result<Self, StoreError> {
        let fail = |error| typed(&file, "open the database", Failure::Sql(error));
        let terms = Terms::default();
        db.busy_timeout(terms.lock_timeout()).map_err(fail)?;
        let read_only = db.is_readonly("main").map_err(fail)?;
        let mut imitates = false;
        let found = if let Some(newer) = schema::newer(&db).map_err(fail)? {
            Found::Newer(newer)
        } else if read_only {
            imitates = schema::imitate(&db).map_err(fail)?;
            Found::Ready
        } else {
            patiently(&terms, || db.pragma_update(None, "journal_mode", "WAL")).map_err(fail)?;
            db.pragma_update(None, "synchronous", terms.synchronous())
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
            place: Place::of(&db),
            db: Mutex::new(Db {
                connection: db,
                terms,
                imitates,
            }),
            file,
            beside: process::directory(path),
            read_only,
            in_memory: false,
            member: Mutex::new(None),
            active: Mutex::default(),
        })
    }

    pub(super) fn lock_member(&self) -> MutexGuard<'_, Option<Member>> {
        // It is set and taken whole.
        self.member.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn member_if_any(&self) -> Option<i64> {
        if self.in_memory {
            return Some(process::ALONE);
        }
        self.lock_member().as_ref().map(|member| member.process)
    }

    /// Whether an execution of this session goes on.
    pub(super) fn is_active(&self, execution: i64) -> bool {
        let active = self.active.lock().unwrap_or_else(PoisonError::into_inner);
        active.contains(&execution)
    }

    /// Frees what an execution has taken that failed: others are not to wait for it as long as this
    /// process lives.
    fn release(&self, execution: i64, last: bool) {
        const CLAIM: &str = "SELECT 1 FROM xp_claim WHERE execution = ?1";
        let has_claims = |db: &Connection| Ok(db.prepare(CLAIM)?.exists([execution])?);
        if matches!(self.read("look for claims", has_claims), Ok(false)) {
            return;
        }
        // It has waited long enough if it failed because of a lock.
        let terms = Terms {
            lock_timeout: Duration::ZERO,
            ..Terms::default()
        };
        let freed = self.change_on(terms, "free what was taken", |tx| {
            tx.execute("DELETE FROM xp_claim WHERE execution = ?1", [execution])?;
            Ok(())
        });
        if freed.is_err() && last {
            // What cannot be freed in the file is as good as free when this process goes for dead.
            drop(self.lock_member().take());
        }
    }

    fn db(&self) -> MutexGuard<'_, Db> {
        // A panic while the lock was held left a transaction that was rolled back, so the
        // connection is as good as before.
        self.db.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads: without a transaction, so no lock outlives the call.
    fn read<T>(
        &self,
        doing: &str,
        f: impl FnOnce(&Connection) -> failure::Result<T>,
    ) -> Result<T, StoreError> {
        let mut db = self.db();
        let ready = if db.imitates {
            schema::look_again(&db.connection).map(|imitates| db.imitates = imitates)
        } else {
            Ok(())
        };
        let result = ready.map_err(Failure::from);
        let result = result.and_then(|()| f(&db.connection));
        result.map_err(|failure| typed(&self.file, doing, failure))
    }

    /// Writes: one transaction, which is rolled back if `f` fails.
    pub(super) fn change<T>(
        &self,
        doing: &str,
        f: impl FnOnce(&Transaction<'_>) -> failure::Result<T>,
    ) -> Result<T, StoreError> {
        self.change_on(Terms::default(), doing, f)
    }

    /// Writes, on the terms of an execution.
    fn change_on<T>(
        &self,
        terms: Terms,
        doing: &str,
        f: impl FnOnce(&Transaction<'_>) -> failure::Result<T>,
    ) -> Result<T, StoreError> {
        self.transaction(terms, doing, |tx| {
            let result = f(&tx)?;
            tx.commit()?;
            Ok(result)
        })
    }

    fn transaction<T>(
        &self,
        terms: Terms,
        doing: &str,
        f: impl FnOnce(Transaction<'_>) -> failure::Result<T>,
    ) -> Result<T, StoreError> {
        if self.read_only {
            return Err(StoreError::ReadOnly {
                file: self.file.clone(),
            });
        }
        let mut db = self.db();
        self.check_place(&db)?;
        let result = db.set(terms).and_then(|()| {
            db.connection
                .transaction_with_behavior(TransactionBehavior::Immediate)
        });
        let result = result.map_err(Failure::from).and_then(f);
        // What was committed to a file that is gone is not to be counted; and that it is gone
        // explains more than what SQLite says then.
        self.check_place(&db)?;
        result.map_err(|failure| typed(&self.file, doing, failure))
    }

    /// Refuses to go on if the file is no longer the one that was opened.
    fn check_place(&self, db: &Db) -> Result<(), StoreError> {
        let Some(place) = &self.place else {
            return Ok(());
        };
        place.check(&self.file).inspect_err(|_| {
            // The log goes by the path of the file. Whoever opens another one there is not to find
            // our commits in it; and if the old file is still somewhere, they belong there.
            db.empty_log();
        })
    }
}

impl Store for SqliteStore {
    fn place(&self) -> &str {
        &self.file
    }

    fn list(&self) -> Result<Vec<Listed>, StoreError> {
        self.read("list its experiments", |db| self.list_in(db))
    }

    fn find(&self, key: &Key) -> Result<StoredExperiment, StoreError> {
        self.read("load an experiment", |db| self.find_in(db, key))
    }

    fn commit(
        &self,
        execution: &mut Execution,
        runs: &mut Vec<Finished>,
    ) -> Result<(), StoreError> {
        failpoint::hit("commit.before");
        self.change_on(execution.terms, "commit runs", |tx| {
            failpoint::hit("commit.begun");
            self.write(tx, execution, runs)?;
            failpoint::hit("commit.ready");
            Ok(())
        })?;
        failpoint::hit("commit.committed");
        Ok(())
    }

    fn live_directory(&self) -> Result<Option<PathBuf>, StoreError> {
        if self.in_memory {
            return Ok(None);
        }
        self.directory_of_runs()
    }

    fn set_active(&self, execution: i64, active: bool) {
        let mut executions = self.active.lock().unwrap_or_else(PoisonError::into_inner);
        if active {
            executions.insert(execution);
        } else {
            executions.remove(&execution);
            let last = executions.is_empty();
            drop(executions);
            self.release(execution, last);
        }
    }

    fn claim(
        &self,
        who: &Claimant,
        watch: &mut Watch,
        points: &[u128],
        most: usize,
    ) -> Result<(Option<Claim>, Vec<Answer>), StoreError> {
        let me = self.member()?;
        let claimed = self.change_on(who.terms, "take points", |tx| {
            failpoint::hit("claim.begun");
            let claimed = self.claim_in(tx, me, who, watch, points, most)?;
            failpoint::hit("claim.ready");
            Ok(claimed)
        })?;
        failpoint::hit("claim.committed");
        Ok(claimed)
    }

    fn reap(&self) -> Result<(), StoreError> {
        let has_dead = |db: &Connection| self.has_dead(db);
        if self.read_only || self.in_memory || !self.read("look for processes", has_dead)? {
            return Ok(());
        }
        let dead = self.change("record what was interrupted", |tx| {
            let dead = self.reap_in(tx)?;
            failpoint::hit("reap.ready");
            Ok(dead)
        })?;
        failpoint::hit("reap.committed");
        for lock in dead {
            process::remove(&self.beside, &lock);
        }
        Ok(())
    }

    fn known(&self, name: &str) -> Result<Option<Known>, StoreError> {
        self.read("load an experiment", |db| self.known_in(db, name))
    }

    fn history(&self, known: &Known) -> Result<History, StoreError> {
        self.read("read the runs that ended", |db| self.history_in(db, known))
    }

    fn lacking(
        &self,
        of: &StoredExperiment,
        columns: &[Column],
    ) -> Result<HashSet<u128>, StoreError> {
        self.read("read runs", |db| self.lacking_in(db, of, columns))
    }

    fn rows_of(
        &self,
        of: &Known,
        points: &HashSet<u128>,
    ) -> Result<HashMap<u128, i64>, StoreError> {
        self.read("read runs", |db| self.rows_of_in(db, of, points))
    }

    fn rehearse(&self, execution: &Execution) -> Result<(), StoreError> {
        self.transaction(execution.terms, "commit runs", |tx| {
            if execution.continuing.is_some() {
                self.check_continued(&tx, execution)?;
                return Ok(tx.rollback()?);
            }
            self.make_room(&tx, &execution.new, &execution.table)?;
            Ok(tx.rollback()?)
        })
    }

    fn end(&self, execution: &mut Execution) -> Result<(), StoreError> {
        self.change_on(execution.terms, "end an execution", |tx| {
            self.check_is_there(tx, execution.id, &execution.new.name)?;
            self.add_what_is_declared(tx, execution)?;
            tx.execute(
                "DELETE FROM xp_claim WHERE execution = ?1",
                [execution.execution],
            )?;
            tx.execute(
                "UPDATE xp_execution SET ended = ?1 WHERE execution = ?2",
                params![jiff::Timestamp::now().as_microsecond(), execution.execution],
            )?;
            failpoint::hit("end.ready");
            Ok(())
        })?;
        failpoint::hit("end.committed");
        // Leaves the database whole in one file where no other process is using it; if one is,
        // the checkpoint is its own affair, and not worth waiting for.
        self.db().empty_log();
        Ok(())
    }

    fn continuable(&self, key: &Key, declared: &str) -> Result<Continuable, StoreError> {
        self.read("load an experiment", |db| {
            self.continuable_in(db, key, declared)
        })
    }

    fn lacking_continued(
        &self,
        of: &StoredExperiment,
        declared: &str,
        columns: &[Column],
    ) -> Result<HashSet<u128>, StoreError> {
        self.read("read runs", |db| {
            self.lacking_continued_in(db, of, declared, columns)
        })
    }

    fn row(
        &self,
        of: &StoredExperiment,
        row: (u128, i64),
    ) -> Result<Option<StoredRun>, StoreError> {
        self.read("read a run", |db| self.row_in(db, of, row))
    }

    fn differing(
        &self,
        of: &StoredExperiment,
        cells: &[(String, Cell)],
    ) -> Result<HashSet<u128>, StoreError> {
        self.read("read runs", |db| self.differing_in(db, of, cells))
    }

    fn delete(&self, key: &Key) -> Result<(), StoreError> {
        self.change("delete an experiment", |tx| {
            let (_, name) = self.named(tx, key)?;
            write::delete(tx, &name)
        })
    }

    fn set_field(&self, id: Uuid, name: &str, value: Value) -> Result<Bunch, StoreError> {
        self.change("set a field of an experiment", |tx| {
            let mut fields = self.find_in(tx, &Key::Id(id))?.fields;
            fields.set(name.to_owned(), value);
            tx.execute(
                "UPDATE experiments SET fields = ?1 WHERE id_experiment = ?2",
                params![bunch_blob(&fields)?, text(&hex(id))],
            )?;
            Ok(fields)
        })
    }

    fn runs(&self, of: &StoredExperiment, after: i64) -> Result<Vec<StoredRun>, StoreError> {
        self.read("read runs", |db| self.runs_in(db, of, after))
    }

    fn failures(
        &self,
        of: &StoredExperiment,
        after: i64,
    ) -> Result<Vec<StoredFailure>, StoreError> {
        self.read("read failures", |db| self.failures_in(db, of, after))
    }

    fn artifact(&self, of: Uuid, id_run: Uuid, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.read("read an artifact", |db| {
            self.artifact_in(db, of, id_run, name)
        })
    }

    fn query(&self, sql: &str) -> Result<Rows, StoreError> {
        self.read("answer a query", |db| self.answer_in(db, sql))
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.leave();
    }
}

/// Tries again what SQLite refuses at once, although it has been told to wait for locks: of several
/// processes that change the journal of a new file at the same time, it lets one go on.
fn patiently<T>(terms: &Terms, mut f: impl FnMut() -> rusqlite::Result<T>) -> rusqlite::Result<T> {
    let begun = Instant::now();
    loop {
        match f() {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && begun.elapsed() < terms.lock_timeout =>
            {
                std::thread::sleep(Duration::from_millis(2));
            }
            done => return done,
        }
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
