//! Large values in files of their own.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::ensure;
use rusqlite::params;
use xp::prelude::*;
use xp::value::Array;

use crate::Result;
use crate::bare;
use crate::measure::{Effort, Line, factor, in_turns, timed};

/// How many numbers an array has, and how many arrays an execution.
const NUMBERS: usize = 1_000_000;
const ARRAYS: u64 = 8;

/// Numbers that there were in no file before: files of equal contents are written once.
fn numbers() -> Vec<f64> {
    static SEED: AtomicU64 = AtomicU64::new(1);
    let seed = SEED.fetch_add(1, Ordering::Relaxed) as f64;
    (0..NUMBERS).map(|i| i as f64 * seed).collect()
}

/// Arrays of a million numbers, written as `DataStore<Array>` and read.
pub(crate) fn arrays(effort: Effort) -> Result<Line> {
    compare(
        effort,
        |numbers| Array::from_vec(numbers.to_vec()),
        |array| array.len() == NUMBERS,
    )
}

/// The same as vectors, which are arrays in the file.
pub(crate) fn vectors(effort: Effort) -> Result<Line> {
    compare(
        effort,
        |numbers| numbers.to_vec(),
        |vector| vector.len() == NUMBERS,
    )
}

fn compare<T>(
    effort: Effort,
    make: impl Fn(&[f64]) -> T + Sync,
    is_whole: impl Fn(&T) -> bool,
) -> Result<Line>
where
    T: serde::Serialize + serde::de::DeserializeOwned + Clone + Send + Sync + 'static,
{
    let pair = in_turns(
        effort,
        15,
        || {
            let dir = tempfile::tempdir()?;
            let values: Vec<T> = (0..ARRAYS).map(|_| make(&numbers())).collect();
            let session = Session::open(dir.path().join("file.db"))?;
            let session = session.with(Options::new().jobs(1).group(1));
            let (time, ()) = timed(|| {
                let run = |i: &u64, _: &mut Run| {
                    let value = values[*i as usize].clone();
                    Ok::<_, String>(DataStore::new(value))
                };
                session.sweep("arrays", 0..ARRAYS, run)?;
                let loaded = session.load_as::<xp::Swept<u64, DataStore<T>>>("arrays")?;
                for run in loaded.runs() {
                    ensure!(is_whole(run?.fields.result.load()?), "it is not whole");
                }
                Ok(())
            })?;
            Ok(time)
        },
        || {
            let dir = tempfile::tempdir()?;
            let values: Vec<Vec<f64>> = (0..ARRAYS).map(|_| numbers()).collect();
            let db = bare::make(
                &dir.path().join("file.db"),
                &["CREATE TABLE runs (i INTEGER, file TEXT)".to_owned()],
            )?;
            let (time, ()) = timed(|| {
                for (i, numbers) in values.iter().enumerate() {
                    let path = dir.path().join(i.to_string());
                    write(&path, numbers)?;
                    db.execute(
                        "INSERT INTO runs VALUES (?1, ?2)",
                        params![i as i64, path.to_str()],
                    )?;
                }
                let mut rows = db.prepare("SELECT file FROM runs")?;
                for path in rows.query_map([], |row| row.get::<_, String>(0))? {
                    ensure!(read(Path::new(&path?))?.len() == NUMBERS, "it is not whole");
                }
                Ok(())
            })?;
            Ok(time)
        },
    )?;
    Ok(factor(pair, "1.5 ×"))
}

/// The numbers as bytes, and they are on the disk.
fn write(path: &Path, numbers: &[f64]) -> Result<()> {
    let bytes: Vec<u8> = numbers.iter().flat_map(|x| x.to_le_bytes()).collect();
    let mut file = File::create_new(path)?;
    file.write_all(&bytes)?;
    Ok(file.sync_data()?)
}

fn read(path: &Path) -> Result<Vec<f64>> {
    let bytes = fs::read(path)?;
    let (items, _) = bytes.as_chunks::<8>();
    Ok(items
        .iter()
        .map(|bytes| f64::from_le_bytes(*bytes))
        .collect())
}
