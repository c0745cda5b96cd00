//! The benchmarks that measure time.

use std::hint::black_box;
use std::path::Path;

use anyhow::Context;
use rusqlite::{Connection, OpenFlags};
use xp::prelude::*;

use crate::Result;
use crate::bare::{self, Row, Vectors};
use crate::experiments::{Point, execute_curves, execute_empty, half};
use crate::measure::{Effort, Line, factor, in_turns, show, timed};

/// A million points of sequences, in the files of their runs.
pub(crate) fn sequences(effort: Effort) -> Result<Line> {
    let run = |session: &Session| Ok(execute_curves(session, 1_000)?);
    let dir = tempfile::tempdir()?;
    let (tables, sql, rows) = written(&dir.path().join("model.db"), "curves", run)?;
    let pair = in_turns(
        effort,
        9,
        || {
            in_new_file(
                |file| Session::open(file).map_err(Into::into),
                |session| run(&session),
            )
        },
        || {
            in_new_file(
                |file| bare::make(file, &tables),
                |db| bare::insert(db, &sql, &rows, 1),
            )
        },
    )?;
    Ok(factor(pair, "1.5 ×"))
}

/// Ten thousand runs that do nothing.
pub(crate) fn empty_runs(effort: Effort) -> Result<Line> {
    let run = |session: &Session| {
        let session = session.clone().with(Options::new().group(100));
        Ok(execute_empty(&session, 10_000)?)
    };
    let dir = tempfile::tempdir()?;
    let (tables, sql, rows) = written(&dir.path().join("model.db"), "empty", run)?;
    let pair = in_turns(
        effort,
        31,
        || {
            in_new_file(
                |file| Session::open(file).map_err(Into::into),
                |session| run(&session),
            )
        },
        || {
            in_new_file(
                |file| bare::make(file, &tables),
                |db| bare::insert(db, &sql, &rows, 100),
            )
        },
    )?;
    Ok(factor(pair, "2.5 ×"))
}

/// Points into declared sequences, a thousand each.
pub(crate) fn one_point(effort: Effort) -> Result<Line> {
    const SEQUENCES: u32 = 300;
    const POINTS: u32 = 1_000;
    let per_point = SEQUENCES * POINTS;
    let pair = in_turns(
        effort,
        31,
        || {
            let (time, ()) = timed(|| {
                for _ in 0..SEQUENCES {
                    let mut curve = Sequence::<Point>::declare("curve")?;
                    for k in 0..POINTS {
                        curve.append(black_box(Point {
                            value: f64::from(k),
                        }));
                    }
                    black_box(&curve);
                }
                Ok(())
            })?;
            Ok(time / per_point)
        },
        || {
            let (time, ()) = timed(|| {
                for _ in 0..SEQUENCES {
                    let mut curve = Vectors::default();
                    for k in 0..POINTS {
                        curve.append(black_box(f64::from(k)));
                    }
                    black_box(&curve);
                }
                Ok(())
            })?;
            Ok(time / per_point)
        },
    )?;
    Ok(factor(pair, "2 ×"))
}

/// Points into one long sequence, which goes to a file while it grows, or does not.
pub(crate) fn flushed(effort: Effort) -> Result<Line> {
    fn fill(mut curve: Sequence<Point>) -> Result<std::time::Duration> {
        let (time, ()) = timed(|| {
            for k in 0..1_000_000 {
                curve.append(black_box(Point {
                    value: f64::from(k),
                }));
            }
            Ok(())
        })?;
        black_box(&curve);
        Ok(time)
    }

    let pair = in_turns(
        effort,
        31,
        || {
            let dir = tempfile::tempdir()?;
            fill(Sequence::declare_flushed("curve", dir.path())?)
        },
        || fill(Sequence::declare("curve")?),
    )?;
    Ok(factor(pair, "1.2 ×"))
}

/// What a run costs if nothing is written to a file.
pub(crate) fn one_run(effort: Effort) -> Result<Line> {
    const RUNS: u32 = 20_000;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let pair = in_turns(
        effort,
        31,
        || {
            let session = Session::in_memory()?;
            let (time, ()) = timed(|| Ok(execute_empty(&session, RUNS.into())?))?;
            Ok(time / RUNS)
        },
        || {
            let (time, ()) = timed(|| {
                bare::tasks(threads, RUNS.into(), half);
                Ok(())
            })?;
            Ok(time / RUNS)
        },
    )?;
    Ok(Line {
        ratio: format!("{} more", show(pair.xp - pair.limit)),
        ..factor(pair, "1 µs more")
    })
}

/// Opening a session on a file that is not there.
pub(crate) fn open(effort: Effort) -> Result<Line> {
    let dir = tempfile::tempdir()?;
    let file = dir.path().join("model.db");
    drop(Session::open(&file)?);
    let tables = tables(&Connection::open(&file)?)?;
    let pair = in_turns(
        effort,
        101,
        || {
            let dir = tempfile::tempdir()?;
            let file = dir.path().join("xp.db");
            let (time, _session) = timed(|| Ok(Session::open(&file)?))?;
            Ok(time)
        },
        || {
            let dir = tempfile::tempdir()?;
            let file = dir.path().join("xp.db");
            let (time, _db) = timed(|| bare::make(&file, &tables))?;
            Ok(time)
        },
    )?;
    Ok(factor(pair, "1.5 ×"))
}

/// Opens a new file, which does not count, and measures what is done with it.
fn in_new_file<T>(
    open: impl FnOnce(&Path) -> Result<T>,
    f: impl FnOnce(T) -> Result<()>,
) -> Result<std::time::Duration> {
    let dir = tempfile::tempdir()?;
    let opened = open(&dir.path().join("xp.db"))?;
    let (time, ()) = timed(|| f(opened))?;
    Ok(time)
}

/// What xp writes: the statements that make its tables, the one that inserts a row into the table
/// of the experiment, and the rows.
fn written(
    file: &Path,
    name: &str,
    run: impl Fn(&Session) -> Result<()>,
) -> Result<(Vec<String>, String, Vec<Row>)> {
    let session = Session::open(file)?;
    run(&session)?;
    drop(session);
    let db = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut select = db.prepare(&format!("SELECT * FROM experiment_{name}"))?;
    let names: Vec<_> = select.column_names().map(str::to_owned).collect();
    let rows = select.query_map([], |row| {
        (0..names.len())
            .map(|i| row.get(i))
            .collect::<rusqlite::Result<Row>>()
    })?;
    let rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    rows.first().context("no rows were written")?;
    let marks = vec!["?"; names.len()].join(", ");
    let names = names.join(", ");
    let sql = format!("INSERT INTO experiment_{name} ({names}) VALUES ({marks})");
    Ok((tables(&db)?, sql, rows))
}

/// The statements by which the tables of a file were made.
fn tables(db: &Connection) -> Result<Vec<String>> {
    let mut select = db.prepare(
        "SELECT sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
    )?;
    let tables = select.query_map([], |row| row.get(0))?;
    Ok(tables.collect::<rusqlite::Result<Vec<_>>>()?)
}
