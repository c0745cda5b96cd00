//! Reading: what is in cells, and runs of a file.

use std::hint::black_box;
use std::path::Path;

use rusqlite::Connection;
use uuid::Uuid;
use xp::prelude::*;
use xp::value::{Cell, ColumnType};

use crate::Result;
use crate::experiments::{Natives, execute_natives};
use crate::measure::{Effort, Line, factor, in_turns, timed};

/// A list of a million floats as xp writes it.
pub(crate) fn floats_of_xp(effort: Effort) -> Result<Line> {
    let column = ColumnType::of::<Vec<f64>>();
    match column.encode(&floats())? {
        Cell::Blob(pickle) => decode(effort, column, &pickle),
        cell => anyhow::bail!("a list is no {cell:?}"),
    }
}

/// A list of a million floats as CPython, and so MLtraq, writes it: a thousand at a time, in frames of 64 KiB.
pub(crate) fn floats_of_mltraq(effort: Effort) -> Result<Line> {
    let mut body = Vec::from(b"]\x94");
    let mut pickle = Vec::from(b"\x80\x05");
    let mut frame = |body: &mut Vec<u8>| {
        pickle.push(0x95);
        pickle.extend_from_slice(&(body.len() as u64).to_le_bytes());
        pickle.append(body);
    };
    for batch in floats().chunks(1_000) {
        body.push(b'(');
        for x in batch {
            body.push(b'G');
            body.extend_from_slice(&x.to_be_bytes());
            if body.len() >= 1 << 16 {
                frame(&mut body);
            }
        }
        body.push(b'e');
    }
    body.push(b'.');
    frame(&mut body);
    decode(effort, ColumnType::of::<Vec<f64>>(), &pickle)
}

fn floats() -> Vec<f64> {
    (0..1_000_000).map(|i| f64::from(i) / 8.0).collect()
}

fn decode(effort: Effort, column: ColumnType, pickle: &[u8]) -> Result<Line> {
    let check = |floats: &[f64]| {
        anyhow::ensure!(floats.len() == 1_000_000 && floats[999_999] == 124_999.875);
        Ok(())
    };
    let pair = in_turns(
        effort,
        101,
        || {
            let cell = Cell::Blob(pickle.to_vec());
            let (time, floats) = timed(|| Ok(column.decode::<Vec<f64>>(cell)?))?;
            check(&floats)?;
            Ok(time)
        },
        || {
            let pickle = black_box(pickle.to_vec());
            let (time, floats) = timed(|| {
                let floats = binfloats(&pickle);
                // As above, the bytes are gone in the end.
                drop(pickle);
                Ok(floats)
            })?;
            check(&floats)?;
            Ok(time)
        },
    )?;
    Ok(factor(pair, "3 ×"))
}

/// The floats of a pickle that has nothing but a list of them.
fn binfloats(pickle: &[u8]) -> Vec<f64> {
    let mut floats = Vec::new();
    let mut rest = pickle;
    while let Some((opcode, behind)) = rest.split_first() {
        rest = match (opcode, behind.split_first_chunk()) {
            (b'G', Some((x, rest))) => {
                floats.push(f64::from_be_bytes(*x));
                rest
            }
            (0x95, Some((_, rest))) => rest,
            (0x80, _) => &behind[1..],
            _ => behind,
        };
    }
    floats
}

/// A hundred thousand runs with native fields of all kinds.
pub(crate) fn runs(effort: Effort) -> Result<Line> {
    const RUNS: u64 = 100_000;
    let dir = tempfile::tempdir()?;
    let file = dir.path().join("xp.db");
    execute_natives(&Session::open(&file)?, RUNS)?;
    let check = |runs: usize| {
        anyhow::ensure!(runs as u64 == RUNS, "{runs} runs");
        Ok(())
    };
    let pair = in_turns(
        effort,
        31,
        || {
            let (time, runs) = timed(|| {
                let experiment = Session::open(&file)?.load_as::<Natives>("natives")?;
                Ok(experiment.runs().collect::<xp::Result<Vec<_>>>()?)
            })?;
            check(runs.len())?;
            Ok(time)
        },
        || {
            let (time, rows) = timed(|| rows(&file))?;
            check(rows.len())?;
            Ok(time)
        },
    )?;
    Ok(factor(pair, "1.5 ×"))
}

/// A run as a program without xp would have it.
#[expect(dead_code, reason = "its members are read, and nothing asks for them")]
struct Row {
    id_experiment: Uuid,
    id_run: Uuid,
    i: u64,
    int: i64,
    float: f64,
    text: String,
    truth: bool,
    maybe: Option<f64>,
}

fn rows(file: &Path) -> Result<Vec<Row>> {
    let db = Connection::open(file)?;
    let mut select = db.prepare(
        "SELECT id_experiment, id_run, i, int, float, text, truth, maybe \
         FROM experiment_natives ORDER BY _rowid_",
    )?;
    let mut rows = select.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(Row {
            id_experiment: Uuid::try_parse(row.get_ref(0)?.as_str()?)?,
            id_run: Uuid::try_parse(row.get_ref(1)?.as_str()?)?,
            i: row.get::<_, i64>(2)?.try_into()?,
            int: row.get(3)?,
            float: row.get(4)?,
            text: row.get(5)?,
            truth: row.get(6)?,
            maybe: row.get(7)?,
        });
    }
    Ok(all)
}
