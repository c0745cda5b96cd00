//! Writing the blocks of the format.

use uuid::Uuid;

use super::{MAGIC, VERSION};
use crate::value::{Bitmap, Column, ColumnData, Texts};

/// The length, and the hash.
pub(super) const FRAME: usize = 4 + HASH;
pub(super) const HASH: usize = 16;

/// A text or a chunk of more than 4 GiB.
#[derive(Debug)]
pub(super) struct TooLong;

/// The first bytes of the hash of a payload.
pub(super) fn hash(payload: &[u8]) -> [u8; HASH] {
    let mut first = [0; HASH];
    first.copy_from_slice(&blake3::hash(payload).as_bytes()[..HASH]);
    first
}

/// Appends a block with the payload that `write` appends.
pub(super) fn block(
    out: &mut Vec<u8>,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), TooLong>,
) -> Result<(), TooLong> {
    let start = out.len();
    out.extend_from_slice(&[0; FRAME]);
    write(out)?;
    let (frame, payload) = out[start..].split_at_mut(FRAME);
    frame[..4].copy_from_slice(&length(payload.len())?);
    frame[4..].copy_from_slice(&hash(payload));
    Ok(())
}

fn length(len: usize) -> Result<[u8; 4], TooLong> {
    u32::try_from(len)
        .map(u32::to_le_bytes)
        .map_err(|_| TooLong)
}

fn text(out: &mut Vec<u8>, text: &str) -> Result<(), TooLong> {
    out.extend_from_slice(&length(text.len())?);
    out.extend_from_slice(text.as_bytes());
    Ok(())
}

/// The type of a column; the buffers of sequences have no columns of other types.
pub(super) fn type_of(data: &ColumnData) -> u8 {
    match data {
        ColumnData::Float(_) => 2,
        ColumnData::Bool(_) => 3,
        ColumnData::Text(_) => 4,
        _ => 1,
    }
}

/// Appends what a file begins with.
pub(super) fn header(
    out: &mut Vec<u8>,
    id_run: Uuid,
    name: &str,
    columns: &[Column],
) -> Result<(), TooLong> {
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&VERSION.to_le_bytes());
    block(out, |out| {
        out.extend_from_slice(id_run.as_bytes());
        text(out, name)?;
        out.extend_from_slice(&length(columns.len())?);
        for column in columns {
            out.push(type_of(&column.data));
            text(out, &column.name)?;
        }
        Ok(())
    })
}

/// Appends the rows from `first` on. There is a time for each whole row.
pub(super) fn chunk(
    out: &mut Vec<u8>,
    columns: &[Column],
    times: &[i64],
    first: usize,
) -> Result<(), TooLong> {
    let rows = first..times.len();
    block(out, |out| {
        out.extend_from_slice(&(first as u64).to_le_bytes());
        out.extend_from_slice(&length(rows.len())?);
        integers(out, &times[first..]);
        for column in columns {
            let missing = column
                .validity
                .as_ref()
                .filter(|there| rows.clone().any(|i| there.get(i) == Some(false)));
            out.push(missing.is_some().into());
            if let Some(there) = missing {
                bits(out, there, rows.clone());
            }
            match &column.data {
                ColumnData::Int(x) => integers(out, &x[rows.clone()]),
                ColumnData::Float(x) => {
                    words(out, x[rows.clone()].iter().map(|x| x.to_le_bytes()));
                }
                ColumnData::Bool(x) => bits(out, x, rows.clone()),
                ColumnData::Text(x) => texts(out, x, rows.clone())?,
                // See `type_of`.
                _ => {}
            }
        }
        Ok(())
    })
}

fn integers(out: &mut Vec<u8>, all: &[i64]) {
    out.extend_from_slice(&all.first().copied().unwrap_or_default().to_le_bytes());
    let differences = || {
        all.array_windows()
            .map(|[before, x]| x.wrapping_sub(*before) as u64)
    };
    match differences().fold(0, |bits, difference| bits | difference) {
        0..=0xff => {
            out.push(1);
            words(out, differences().map(|x| [x as u8]));
        }
        0x100..=0xffff => {
            out.push(2);
            words(out, differences().map(|x| (x as u16).to_le_bytes()));
        }
        0x1_0000..=0xffff_ffff => {
            out.push(4);
            words(out, differences().map(|x| (x as u32).to_le_bytes()));
        }
        _ => {
            out.push(8);
            words(out, differences().map(u64::to_le_bytes));
        }
    }
}

fn words<const N: usize>(out: &mut Vec<u8>, words: impl ExactSizeIterator<Item = [u8; N]>) {
    let start = out.len();
    out.resize(start + N * words.len(), 0);
    let (targets, _) = out[start..].as_chunks_mut();
    targets
        .iter_mut()
        .zip(words)
        .for_each(|(target, word)| *target = word);
}

fn bits(out: &mut Vec<u8>, bitmap: &Bitmap, rows: std::ops::Range<usize>) {
    let end = rows.end;
    for start in rows.step_by(8) {
        let byte = (start..end.min(start + 8))
            .map(|i| u8::from(bitmap.get(i).unwrap_or(true)) << (i - start))
            .sum();
        out.push(byte);
    }
}

fn texts(out: &mut Vec<u8>, texts: &Texts, rows: std::ops::Range<usize>) -> Result<(), TooLong> {
    let all = || rows.clone().map(|i| texts.get(i).unwrap_or_default());
    for text in all() {
        out.extend_from_slice(&length(text.len())?);
    }
    all().for_each(|text| out.extend_from_slice(text.as_bytes()));
    Ok(())
}
