//! A database that is open: one connection behind a mutex, which no statement outlives.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError, Weak};
use std::time::{Duration, Instant};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::StoreError;
use super::failure::{self, Failure, typed};
use super::place::Place;
use super::process::{self, Member};
use super::schema;
use super::terms::Terms;

/// See the module's text.
#[derive(Debug)]
pub(crate) struct Opened {
    db: Mutex<Db>,
    pub(super) file: String,
    /// The directory for what its processes keep beside the file; `None` in memory.
    pub(super) beside: PathBuf,
    /// Where the file is; `None` in memory.
    place: Option<Place>,
    pub(super) read_only: bool,
    pub(super) in_memory: bool,
    /// This session among the processes that write to the file, once it has executed something.
    member: Mutex<Option<Member>>,
    /// The executions of this session that go on.
    active: Mutex<HashSet<i64>>,
}

/// The connection, and the terms that it is set to.
#[derive(Debug)]
pub(super) struct Db {
    connection: Connection,
    terms: Terms,
    /// Whether the file is of an older version, and reads like one of this version.
    imitates: bool,
}

impl Db {
    pub(super) fn new(connection: Connection, terms: Terms, imitates: bool) -> Self {
        Self {
            connection,
            terms,
            imitates,
        }
    }

    /// Sets how long the next statements wait.
    fn wait_for(&mut self, lock_timeout: Duration) -> rusqlite::Result<()> {
        if self.terms.lock_timeout != lock_timeout {
            self.terms.lock_timeout = lock_timeout;
            self.connection.busy_timeout(self.terms.lock_timeout())?;
        }
        Ok(())
    }

    /// Sets the connection to the terms of the next transaction.
    fn set(&mut self, terms: Terms) -> rusqlite::Result<()> {
        self.wait_for(terms.lock_timeout)?;
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
    pub(super) fn empty_log(&self) {
        let db = &self.connection;
        let _ = db.busy_timeout(Duration::ZERO);
        let _ = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        let _ = db.busy_timeout(self.terms.lock_timeout());
    }
}

/// All that this process has open.
static OPEN: Mutex<Vec<Weak<Opened>>> = Mutex::new(Vec::new());

/// Closes what this process has open, since it is about to exit: what waits for one of the databases
/// waits for ever. What an execution goes on with is left, as by a kill.
pub(super) fn close_all() {
    let open = std::mem::take(&mut *OPEN.lock().unwrap_or_else(PoisonError::into_inner));
    for opened in open.iter().filter_map(Weak::upgrade) {
        opened.close();
    }
}

impl Opened {
    pub(super) fn new(db: Db, file: String, beside: PathBuf, read_only: bool) -> Arc<Self> {
        let opened = Arc::new(Self {
            in_memory: db.connection.path().is_none_or(str::is_empty),
            place: Place::of(&db.connection),
            db: Mutex::new(db),
            file,
            beside,
            read_only,
            member: Mutex::new(None),
            active: Mutex::default(),
        });
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|opened| opened.strong_count() > 0);
        open.push(Arc::downgrade(&opened));
        opened
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

    pub(super) fn lock_active(&self) -> MutexGuard<'_, HashSet<i64>> {
        // It is changed in steps that do not panic.
        self.active.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether an execution of this session goes on.
    pub(super) fn is_active(&self, execution: i64) -> bool {
        self.lock_active().contains(&execution)
    }

    pub(super) fn db(&self) -> MutexGuard<'_, Db> {
        // A panic while the lock was held left a transaction that was rolled back, so the
        // connection is as good as before.
        self.db.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads: without a transaction, so no lock outlives the call.
    pub(super) fn read<T>(
        &self,
        terms: Terms,
        doing: &str,
        f: impl FnOnce(&Connection) -> failure::Result<T>,
    ) -> Result<T, StoreError> {
        let mut db = self.db();
        let mut ready = db.wait_for(terms.lock_timeout);
        if db.imitates {
            ready = ready
                .and_then(|()| schema::look_again(&db.connection))
                .map(|imitates| db.imitates = imitates);
        }
        let result = ready.map_err(Failure::from);
        let result = result.and_then(|()| f(&db.connection));
        result.map_err(|failure| typed(&self.file, doing, failure))
    }

    pub(super) fn transaction<T>(
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

    /// Leaves the processes that write to the file.
    pub(super) fn leave(&self) {
        let Some(member) = self.lock_member().take() else {
            return;
        };
        let terms = self.db().terms;
        // Where that fails, the next process finds that this one is dead.
        let left = self.transaction(terms, "leave the processes that write to it", |tx| {
            member.strike(&tx)?;
            Ok(tx.commit()?)
        });
        if left.is_ok() {
            member.remove(&self.beside);
        }
    }

    fn close(&self) {
        /// How long the end waits for a call that is on its way in another thread.
        const PATIENCE: Duration = Duration::from_secs(1);
        let begun = Instant::now();
        while matches!(self.db.try_lock(), Err(TryLockError::WouldBlock)) {
            if begun.elapsed() > PATIENCE {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        if !self.lock_active().is_empty() {
            return;
        }
        self.leave();
        let mut db = self.db();
        if let Ok(none) = Connection::open_in_memory() {
            drop(std::mem::replace(&mut db.connection, none));
            std::mem::forget(db);
        }
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.leave();
    }
}
