//! The same work without xp: what it cannot be faster than.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use crate::Result;

/// A connection as xp uses it.
pub(crate) fn connect(file: &Path) -> Result<Connection> {
    let db = Connection::open(file)?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "NORMAL")?;
    Ok(db)
}

/// Makes tables by these statements.
pub(crate) fn make(file: &Path, tables: &[String]) -> Result<Connection> {
    let mut db = connect(file)?;
    let tx = db.transaction()?;
    for table in tables {
        tx.execute_batch(table)?;
    }
    tx.commit()?;
    Ok(db)
}

/// A row of an experiment's table.
pub(crate) type Row = Vec<Value>;

/// Inserts rows into the table of an experiment, `group` in a transaction, and closes the file.
pub(crate) fn insert(mut db: Connection, sql: &str, rows: &[Row], group: usize) -> Result<()> {
    for rows in rows.chunks(group) {
        let tx = db.transaction()?;
        let mut insert = tx.prepare_cached(sql)?;
        for row in rows {
            insert.execute(params_from_iter(row))?;
        }
        drop(insert);
        tx.commit()?;
    }
    Ok(db.close().map_err(|(_, error)| error)?)
}

/// A sequence as three vectors.
#[derive(Debug, Default)]
pub(crate) struct Vectors {
    pub(crate) idx: Vec<i64>,
    pub(crate) timestamp: Vec<i64>,
    pub(crate) value: Vec<f64>,
}

impl Vectors {
    #[inline]
    pub(crate) fn append(&mut self, value: f64) {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        self.idx.push(self.idx.len() as i64);
        self.timestamp.push(since.as_micros() as i64);
        self.value.push(value);
    }
}

/// Tasks on so many threads.
pub(crate) fn tasks<T>(threads: usize, count: u64, task: impl Fn(u64) -> T + Sync) {
    let next = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    if i >= count {
                        break;
                    }
                    std::hint::black_box(task(std::hint::black_box(i)));
                }
            });
        }
    });
}
