mod files;
mod format;
mod hostile;
#[cfg(unix)]
mod process;

use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{ChunkDir, RunChunks};
use crate::sequence::buffer::Buffer;

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Half {
    half: f64,
}

/// The row of that number, and nothing else.
fn half(i: usize) -> Half {
    Half {
        half: i as f64 / 2.0,
    }
}

/// A member of each type, of which some are missing later on.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Mixed {
    z: Option<i64>,
    half: f64,
    flag: bool,
    maybe: Option<bool>,
    note: Option<String>,
}

fn mixed(i: usize) -> Mixed {
    Mixed {
        z: (i < 20 || !i.is_multiple_of(3)).then_some(-(i as i64)),
        half: if i == 4 { f64::NAN } else { i as f64 / 2.0 },
        flag: i.is_multiple_of(2),
        maybe: (!i.is_multiple_of(7)).then_some(i.is_multiple_of(5)),
        note: (!i.is_multiple_of(5)).then(|| format!("é{i}")),
    }
}

fn chunks_of(dir: &Arc<ChunkDir>, id_run: Uuid) -> Arc<RunChunks> {
    Arc::new(RunChunks::new(Some(Arc::clone(dir)), id_run))
}

/// A buffer of a run of its own.
fn buffer<T: for<'a> Deserialize<'a> + 'static>(name: &str, dir: &Path) -> Buffer {
    let dir = Arc::new(ChunkDir::new(dir));
    Buffer::of::<T>(name)
        .unwrap()
        .flushed(&chunks_of(&dir, Uuid::max()))
}
