//! The tables. `experiments` is MLtraq's; those with the prefix `xp_` are xp's own.

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::name::table_name;
use crate::failpoint;

/// The version of the schema below, in `xp_schema`.
pub(super) const VERSION: i64 = 3;

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
-- An experiment that xp made. `declared` is the name that is part of the points' identities. One that
-- continues the runs of another has the other's id, `+` and its own name in place of an id, and a
-- ledger of its own.
CREATE TABLE xp_experiment (
    experiment INTEGER PRIMARY KEY AUTOINCREMENT,
    id_experiment CHAR(32) NOT NULL UNIQUE,
    declared TEXT NOT NULL
);
-- One call of execute or resume. Times are microseconds since 1970 in UTC, limits in seconds and
-- bytes.
CREATE TABLE xp_execution (
    execution INTEGER PRIMARY KEY AUTOINCREMENT,
    experiment INTEGER NOT NULL,
    root_seed INTEGER NOT NULL,
    started INTEGER NOT NULL,
    ended INTEGER,
    time_limit REAL,
    cpu_limit REAL,
    memory_limit INTEGER
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
-- Every attempt that ended, however it ended; nothing is changed in it later, and what comes later
-- counts. `id_run` is the identity of its point (122 bits of it). `started` is in microseconds since
-- 1970 in UTC; `elapsed` and the time on a processor (`user`, `system`) in seconds; `memory`, the
-- peak, in bytes. `last` is 0 where a further attempt was to follow, `filled` is 1 where only missing
-- fields were computed.
CREATE TABLE xp_run (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    experiment INTEGER NOT NULL,
    execution INTEGER NOT NULL,
    id_run CHAR(32) NOT NULL,
    outcome TEXT NOT NULL,
    started INTEGER NOT NULL,
    elapsed REAL NOT NULL,
    attempt INTEGER NOT NULL DEFAULT 1,
    last INTEGER NOT NULL DEFAULT 1,
    filled INTEGER NOT NULL DEFAULT 0,
    user REAL,
    system REAL,
    memory INTEGER
);
-- Why a run did not complete, its inputs, and the fields that it had reached. `causes`, `inputs` and
-- `fields` are DATAPAK.
CREATE TABLE xp_exception (
    seq INTEGER PRIMARY KEY,
    step TEXT,
    message TEXT NOT NULL,
    location TEXT,
    backtrace TEXT,
    causes BLOB NOT NULL,
    inputs BLOB NOT NULL,
    fields BLOB
);
CREATE TABLE xp_artifact (
    id_run CHAR(32) NOT NULL,
    experiment INTEGER NOT NULL,
    name TEXT NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (id_run, experiment, name)
);
";

/// What the second version added beside columns.
const SINCE_2: &str = "
-- The columns that an execution declares: a completed run has those of its execution. `made_by` is
-- a digest of the steps on which a field depends.
CREATE TABLE xp_column (
    execution INTEGER NOT NULL,
    name TEXT NOT NULL,
    made_by TEXT,
    PRIMARY KEY (execution, name)
) WITHOUT ROWID;
-- The inputs that an execution declares. `absent` is the value that is left out of identities, in
-- canonical form and as it is written. Of the role `runs`, which steps are given all at once, it is
-- how many they were and a digest of them.
CREATE TABLE xp_input (
    execution INTEGER NOT NULL,
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    initial TEXT,
    absent TEXT,
    absent_form BLOB,
    PRIMARY KEY (execution, position)
);
-- A process that may execute. It lives as long as the lock on its file is held; host and pid are
-- for people.
CREATE TABLE xp_process (
    process INTEGER PRIMARY KEY AUTOINCREMENT,
    lock TEXT NOT NULL,
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    started INTEGER NOT NULL
);
-- Points that a process has taken to run: the 16 bytes of each one's `id_run`, one after the other.
CREATE TABLE xp_claim (
    claim INTEGER PRIMARY KEY AUTOINCREMENT,
    experiment INTEGER NOT NULL,
    execution INTEGER NOT NULL,
    process INTEGER NOT NULL,
    points BLOB NOT NULL
);
";

/// The columns that the second version added to tables of the first.
const COLUMNS_SINCE_2: &str = "
ALTER TABLE xp_execution ADD COLUMN time_limit REAL;
ALTER TABLE xp_execution ADD COLUMN cpu_limit REAL;
ALTER TABLE xp_execution ADD COLUMN memory_limit INTEGER;
ALTER TABLE xp_run ADD COLUMN attempt INTEGER NOT NULL DEFAULT 1;
ALTER TABLE xp_run ADD COLUMN last INTEGER NOT NULL DEFAULT 1;
ALTER TABLE xp_run ADD COLUMN filled INTEGER NOT NULL DEFAULT 0;
ALTER TABLE xp_run ADD COLUMN user REAL;
ALTER TABLE xp_run ADD COLUMN system REAL;
ALTER TABLE xp_run ADD COLUMN memory INTEGER;
ALTER TABLE xp_exception ADD COLUMN fields BLOB;
";

/// The third version counts completed runs in the meta only.
const COLUMNS_UNTIL_2: &str = "ALTER TABLE xp_experiment DROP COLUMN completed";

/// Views of a connection's own, by which a file of the first version reads like one of this version.
const VIEWS_OF_1: &str = "
CREATE TEMP VIEW xp_execution AS SELECT *, NULL AS time_limit, NULL AS cpu_limit,
    NULL AS memory_limit FROM main.xp_execution;
CREATE TEMP VIEW xp_run AS SELECT *, 1 AS attempt, 1 AS last, 0 AS filled, NULL AS user,
    NULL AS system, NULL AS memory FROM main.xp_run;
CREATE TEMP VIEW xp_exception AS SELECT *, NULL AS fields FROM main.xp_exception;
";

/// What [`prepare`] found.
pub(super) enum Found {
    Ready,
    Newer(i64),
}

/// Makes the tables that are missing, once, under SQLite's write lock: another process that comes
/// meanwhile waits, and then finds them.
pub(super) fn prepare(db: &mut Connection) -> rusqlite::Result<Found> {
    match version(db)? {
        Some(version) if version > VERSION => return Ok(Found::Newer(version)),
        Some(VERSION) => return Ok(Found::Ready),
        Some(_) | None => {}
    }
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    failpoint::hit("schema.begun");
    match version(&tx)? {
        None => {
            tx.execute_batch(TABLES)?;
            failpoint::hit("schema.tables");
            tx.execute_batch(SINCE_2)?;
            tx.execute("INSERT INTO xp_schema (version) VALUES (?1)", [VERSION])?;
        }
        Some(1) => {
            tx.execute_batch(COLUMNS_SINCE_2)?;
            failpoint::hit("schema.columns");
            tx.execute_batch(SINCE_2)?;
            note_columns(&tx)?;
            tx.execute("UPDATE xp_schema SET version = ?1", [VERSION])?;
        }
        Some(2) => {
            tx.execute_batch(COLUMNS_UNTIL_2)?;
            failpoint::hit("schema.columns");
            tx.execute("UPDATE xp_schema SET version = ?1", [VERSION])?;
        }
        // Another process made them.
        Some(found) if found > VERSION => return Ok(Found::Newer(found)),
        Some(_) => {}
    }
    failpoint::hit("schema.before_commit");
    tx.commit()?;
    Ok(Found::Ready)
}

/// Lets a file of the first version that must not be changed read like one of this version. Whether
/// that was necessary: then [`look_again`] must be asked before each reading.
pub(super) fn imitate(db: &Connection) -> rusqlite::Result<bool> {
    if version(db)? != Some(1) {
        return Ok(false);
    }
    db.pragma_update(None, "temp_store", "MEMORY")?;
    db.execute_batch(VIEWS_OF_1)?;
    db.execute_batch(&SINCE_2.replace("CREATE TABLE", "CREATE TEMP TABLE"))?;
    note_columns(db)?;
    Ok(true)
}

/// Takes back what [`imitate`] made if another process has migrated the file; true as long as none
/// has.
pub(super) fn look_again(db: &Connection) -> rusqlite::Result<bool> {
    if version(db)? == Some(1) {
        return Ok(true);
    }
    let own = db
        .prepare(
            "SELECT type, name FROM sqlite_temp_master \
             WHERE type IN ('table', 'view') AND name GLOB 'xp_*'",
        )?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<Vec<(String, String)>>>()?;
    for (kind, name) in own {
        db.execute_batch(&format!("DROP {kind} temp.{name}"))?;
    }
    Ok(false)
}

/// An execution of the first version declared the columns of its experiment's table: there was one
/// execution of each experiment.
fn note_columns(tx: &Connection) -> rusqlite::Result<()> {
    let mut statement = tx.prepare(
        "SELECT execution, name FROM xp_execution JOIN xp_experiment USING (experiment) \
             JOIN experiments USING (id_experiment)",
    )?;
    let executions = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<Vec<(i64, String)>>>()?;
    for (execution, name) in executions {
        tx.execute(
            "INSERT INTO xp_column SELECT ?1, name, NULL FROM pragma_table_info(?2) \
                 WHERE name NOT IN ('id_experiment', 'id_run')",
            params![execution, table_name(&name)],
        )?;
    }
    Ok(())
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
    db.prepare_cached("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?1")?
        .query_row([table], |row| row.get(0))
}
