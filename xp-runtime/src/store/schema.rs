//! The tables. `experiments` is MLtraq's; those with the prefix `xp_` are xp's own.

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use crate::failpoint;

/// The version of the schema below, in `xp_schema`.
pub(super) const VERSION: i64 = 1;

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS experiments (
    id_experiment CHAR(32) NOT NULL,
    name VARCHAR NOT NULL,
    meta BLOB,
    fields BLOB NOT NULL,
    unsafe_pickle BLOB,
    PRIMARY KEY (id_experiment),
    UNIQUE (name)
);
CREATE TABLE xp_schema (version INTEGER NOT NULL);
-- An experiment that xp made. `declared` is the name that is part of the points' identities.
CREATE TABLE xp_experiment (
    experiment INTEGER PRIMARY KEY AUTOINCREMENT,
    id_experiment CHAR(32) NOT NULL UNIQUE,
    declared TEXT NOT NULL
);
-- One call of execute. Times are microseconds since 1970 in UTC.
CREATE TABLE xp_execution (
    execution INTEGER PRIMARY KEY AUTOINCREMENT,
    experiment INTEGER NOT NULL,
    root_seed INTEGER NOT NULL,
    started INTEGER NOT NULL,
    ended INTEGER
);
-- The steps of an execution, in order, as they were in the source. `exact` is 0 where the text is
-- a rendering of the tokens.
CREATE TABLE xp_step (
    execution INTEGER NOT NULL,
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    module TEXT NOT NULL,
    file TEXT NOT NULL,
    line INTEGER NOT NULL,
    version INTEGER NOT NULL,
    doc TEXT NOT NULL,
    source TEXT NOT NULL,
    exact INTEGER NOT NULL,
    fingerprint CHAR(32) NOT NULL,
    PRIMARY KEY (execution, position)
);
-- Every run that ended, however it ended; nothing is changed in it later. `id_run` is the identity
-- of its point (122 bits of it). `started` is in
-- microseconds since 1970 in UTC, `elapsed` in seconds.
CREATE TABLE xp_run (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    experiment INTEGER NOT NULL,
    execution INTEGER NOT NULL,
    id_run CHAR(32) NOT NULL,
    outcome TEXT NOT NULL,
    started INTEGER NOT NULL,
    elapsed REAL NOT NULL
);
-- Why a run did not complete, and its inputs. `causes` and `inputs` are DATAPAK.
CREATE TABLE xp_exception (
    seq INTEGER PRIMARY KEY,
    step TEXT,
    message TEXT NOT NULL,
    location TEXT,
    backtrace TEXT,
    causes BLOB NOT NULL,
    inputs BLOB NOT NULL
);
CREATE TABLE xp_artifact (
    id_run CHAR(32) NOT NULL,
    experiment INTEGER NOT NULL,
    name TEXT NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (id_run, experiment, name)
);
";

/// What [`prepare`] found.
pub(super) enum Found {
    Ready,
    Newer(i64),
}

/// Makes the tables that are missing, once, under SQLite's write lock.
pub(super) fn prepare(db: &mut Connection) -> rusqlite::Result<Found> {
    match version(db)? {
        Some(version) if version > VERSION => return Ok(Found::Newer(version)),
        Some(_) => return Ok(Found::Ready),
        None => {}
    }
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    failpoint::hit("schema.begun");
    // Another process may have made them since.
    if version(&tx)?.is_none() {
        tx.execute_batch(TABLES)?;
        failpoint::hit("schema.tables");
        tx.execute("INSERT INTO xp_schema (version) VALUES (?1)", [VERSION])?;
    }
    failpoint::hit("schema.before_commit");
    tx.commit()?;
    Ok(Found::Ready)
}

/// The version of the schema that is there, if it is newer than this xp.
pub(super) fn newer(db: &Connection) -> rusqlite::Result<Option<i64>> {
    Ok(version(db)?.filter(|version| *version > VERSION))
}

/// The version of the schema that is there; `None` in a file that xp has not seen yet.
pub(super) fn version(db: &Connection) -> rusqlite::Result<Option<i64>> {
    if !has_table(db, "xp_schema")? {
        return Ok(None);
    }
    db.query_row("SELECT max(version) FROM xp_schema", [], |row| row.get(0))
        .optional()
}

/// Whether there is a table of that name.
pub(super) fn has_table(db: &Connection, table: &str) -> rusqlite::Result<bool> {
    db.query_row(
        "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?1",
        [table],
        |row| row.get(0),
    )
}
