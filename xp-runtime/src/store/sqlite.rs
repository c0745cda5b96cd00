//! The store in SQLite.

use std::collections::{HashMap, HashSet};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, params};
use uuid::Uuid;

use super::failure::{self, Failure, typed};
use super::network;
use super::opened::{self, Db, Opened};
use super::process;
use super::read::PAGE_RUNS;
use super::schema::{self, Found};
use super::sql::{bunch_blob, hex, text};
use super::terms::Terms;
use super::write;
use super::{
    Answer, Claim, Claimant, Column, Continuable, Durability, Each, Execution, Finished, Given,
    History, IfExists, Import, Key, Known, Listed, Rows, RunPage, Snapshot, Store, StoreError,
    StoredExperiment, StoredFailure, StoredRun, Watch,
};
use crate::bunch::Bunch;
use crate::failpoint;
use crate::stored::StoreWriter;
use crate::value::{Cell, Value};

/// How many pages the log has (16 MB) before they are brought into the database, which waits for the
/// disk: the pages that every commit changes are among them as often.
const LOG: i64 = 4_000;

/// See [`Store`]. Clones share the database, each on its own terms.
#[derive(Clone, Debug)]
pub(crate) struct SqliteStore {
    opened: Arc<Opened>,
    terms: Terms,
}

impl Deref for SqliteStore {
    type Target = Opened;

    fn deref(&self) -> &Opened {
        &self.opened
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
        let store = Self::prepare(connect(path, flags), file, path)?;
        // What a process had taken that died is told by whoever opens the file next.
        store.reap()?;
        Ok(store)
    }

    /// Opens a file that is there, to be read only.
    pub(crate) fn open_read_only(path: &Path) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let file = path.display().to_string();
        Self::prepare(connect(path, flags), file, path)
    }

    /// A store that lives as long as the process.
    pub(crate) fn in_memory() -> Result<Self, StoreError> {
        let file = ":memory:".to_owned();
        Self::prepare(Connection::open_in_memory(), file, Path::new(""))
    }

    /// Closes all files that this process has open, which is about to exit.
    pub(crate) fn close_all() {
        opened::close_all();
    }

    fn prepare(
        db: rusqlite::Result<Connection>,
        file: String,
        path: &Path,
    ) -> Result<Self, StoreError> {
        let fail = |error| typed(&file, "open the database", Failure::Sql(error));
        let mut db = db.map_err(fail)?;
        let terms = Terms::default();
        db.busy_timeout(terms.lock_timeout()).map_err(fail)?;
        // Otherwise statements that compare a column with a parameter are planned anew each time.
        db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
            .map_err(fail)?;
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
            db.pragma_update(None, "wal_autocheckpoint", LOG)
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
        let db = Db::new(db, terms, imitates);
        Ok(Self {
            opened: Opened::new(db, file, process::directory(path), read_only),
            terms,
        })
    }

    /// The same store, which waits so long at most for others.
    pub(super) fn patient_for(&self, at_most: Duration) -> Self {
        let lock_timeout = self.terms.lock_timeout.min(at_most);
        Self {
            terms: Terms {
                lock_timeout,
                ..self.terms
            },
            ..self.clone()
        }
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
        let hasty = self.patient_for(Duration::ZERO);
        let freed = hasty.change("free what was taken", |tx| {
            tx.execute("DELETE FROM xp_claim WHERE execution = ?1", [execution])?;
            Ok(())
        });
        if freed.is_err() && last {
            // What cannot be freed in the file is as good as free when this process goes for dead.
            drop(self.lock_member().take());
        }
    }

    /// Removes what dead processes kept beside the database.
    fn forget(&self, dead: &[String]) {
        for lock in dead {
            process::remove(&self.beside, lock);
        }
    }

    /// Reads: without a transaction, so no lock outlives the call.
    pub(super) fn read<T>(
        &self,
        doing: &str,
        f: impl FnOnce(&Connection) -> failure::Result<T>,
    ) -> Result<T, StoreError> {
        self.opened.read(self.terms, doing, f)
    }

    /// Writes: one transaction, which is rolled back if `f` fails.
    pub(super) fn change<T>(
        &self,
        doing: &str,
        f: impl FnOnce(&Transaction<'_>) -> failure::Result<T>,
    ) -> Result<T, StoreError> {
        self.opened.transaction(self.terms, doing, |tx| {
            let result = f(&tx)?;
            tx.commit()?;
            Ok(result)
        })
    }
}

impl Store for SqliteStore {
    fn place(&self) -> &str {
        &self.file
    }

    fn on(&self, terms: Terms) -> Arc<dyn Store> {
        Arc::new(Self {
            terms,
            ..self.clone()
        })
    }

    fn connection(&self) -> usize {
        Arc::as_ptr(&self.opened).addr()
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
        let replaces = execution.key.is_none() && execution.new.if_exists == IfExists::Replace;
        if replaces {
            self.note_files(&Key::Name(execution.new.name.clone()));
        }
        self.change("commit runs", |tx| {
            failpoint::hit("commit.begun");
            self.write(tx, execution, runs)?;
            failpoint::hit("commit.ready");
            Ok(())
        })?;
        failpoint::hit("commit.committed");
        if replaces {
            self.tidy_all();
        }
        Ok(())
    }

    fn live_directory(&self) -> Result<Option<PathBuf>, StoreError> {
        if self.in_memory {
            return Ok(None);
        }
        self.directory_of_runs()
    }

    fn durability(&self) -> Durability {
        self.terms.durability
    }

    fn set_active(&self, execution: i64, active: bool) {
        let mut executions = self.lock_active();
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
        let claimed = self.change("take points", |tx| {
            failpoint::hit("claim.begun");
            let claimed = self.claim_in(tx, me, who, watch, points, most)?;
            failpoint::hit("claim.ready");
            Ok(claimed)
        })?;
        failpoint::hit("claim.committed");
        Ok(claimed)
    }

    fn reap(&self) -> Result<(), StoreError> {
        self.tidy_all();
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
        self.forget(&dead);
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

    fn cells(
        &self,
        table: &str,
        id_run: Uuid,
        rowid: i64,
        columns: &[&str],
    ) -> Result<Vec<Cell>, StoreError> {
        self.read("read a run", |db| {
            self.cells_in(db, table, (id_run, rowid), columns)
        })
    }

    fn rehearse(&self, execution: &Execution) -> Result<(), StoreError> {
        self.transaction(self.terms, "commit runs", |tx| {
            if execution.continuing.is_some() {
                self.check_continued(&tx, execution)?;
                return Ok(tx.rollback()?);
            }
            self.make_room_for(&tx, &execution.new)?;
            Ok(tx.rollback()?)
        })
    }

    fn end(&self, execution: &mut Execution) -> Result<(), StoreError> {
        self.change("end an execution", |tx| {
            self.check_is_there(tx, execution.id, &execution.new.name)?;
            self.complete(tx, execution)?;
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

    fn is_continued(&self, of: &StoredExperiment, declared: &str) -> Result<bool, StoreError> {
        self.read("load an experiment", |db| {
            self.is_continued_in(db, of, declared)
        })
    }

    fn given(
        &self,
        of: &StoredExperiment,
        declared: Option<&str>,
        without: &HashSet<u128>,
    ) -> Result<Given, StoreError> {
        self.read("read runs", |db| self.given_in(db, of, declared, without))
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
        self.note_files(key);
        self.change("delete an experiment", |tx| {
            let (_, name) = self.named(tx, key)?;
            write::delete(tx, &name)?;
            failpoint::hit("delete.ready");
            Ok(())
        })?;
        failpoint::hit("delete.committed");
        self.tidy_all();
        Ok(())
    }

    fn rename(&self, id: Uuid, name: &str) -> Result<(), StoreError> {
        self.change("rename an experiment", |tx| self.rename_in(tx, id, name))
    }

    fn snapshot(
        &self,
        read: &mut dyn FnMut(&dyn Snapshot) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.read("copy an experiment", |db| {
            // All that is read belongs to one state until this ends.
            let tx = db.unchecked_transaction()?;
            read(&self.view(&tx)).map_err(Failure::Store)
        })
    }

    fn import(
        &self,
        write: &mut dyn FnMut(&dyn Import) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let dead = self.change("copy an experiment", |tx| {
            failpoint::hit("import.begun");
            self.check_schema(tx)?;
            // What they left of points that are replaced must not come later than what is written.
            let dead = self.reap_in(tx)?;
            write(&self.view(tx)).map_err(Failure::Store)?;
            failpoint::hit("import.ready");
            Ok(dead)
        })?;
        failpoint::hit("import.committed");
        self.forget(&dead);
        self.tidy_all();
        self.db().empty_log();
        Ok(())
    }

    fn store_directory(&self) -> Option<PathBuf> {
        self.directory_of_files()
    }

    fn writer_of_files(&self, of: Uuid, experiment: &str) -> Option<Arc<StoreWriter>> {
        self.writer_of(of, experiment)
    }

    fn end_of_files(&self, writer: &StoreWriter, is_kept: bool) {
        match writer.end(is_kept) {
            Some(alone) => self.tidy(alone),
            // Runs in processes of their own have written.
            None if !is_kept => self.tidy_all(),
            None => {}
        }
    }

    fn ids(&self, of: &StoredExperiment) -> Result<HashSet<u128>, StoreError> {
        self.read("read runs", |db| self.ids_in(db, of))
    }

    fn set_field(&self, id: Uuid, name: &str, value: Value) -> Result<Bunch, StoreError> {
        self.change("set a field of an experiment", |tx| {
            let mut fields = self.find_in(tx, &Key::Id(id))?.fields;
            fields.set(name.to_owned(), value);
            tx.execute(
                "UPDATE experiments SET fields = ?1 WHERE id_experiment = ?2",
                params![bunch_blob(&fields)?, text(&hex(id))],
            )?;
            // As they are read: what refers to files knows where they are.
            Ok(self.find_in(tx, &Key::Id(id))?.fields)
        })
    }

    fn runs(
        &self,
        of: &StoredExperiment,
        after: i64,
        page: &mut RunPage,
    ) -> Result<(), StoreError> {
        self.read("read runs", |db| {
            self.runs_in(db, of, (after, PAGE_RUNS), page)
        })
    }

    fn first_run(&self, of: &StoredExperiment) -> Result<Option<StoredRun>, StoreError> {
        self.read("read a run", |db| {
            let mut page = RunPage::default();
            self.runs_in(db, of, (i64::MIN, 1), &mut page)?;
            Ok(page.next().map(|(id_run, cells)| StoredRun {
                id_run,
                cells: cells.iter_mut().map(Cell::take).collect(),
            }))
        })
    }

    fn scan(
        &self,
        of: &StoredExperiment,
        wanted: &[bool],
        each: &mut Each<'_>,
    ) -> Result<(), StoreError> {
        self.read("read runs", |db| self.scan_in(db, of, wanted, each))
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

/// A connection to a file; a first look at it may have to wait.
fn connect(path: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Terms::default().lock_timeout())?;
    readable(connection, path)
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
