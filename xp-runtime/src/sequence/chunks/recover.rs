//! The rows that the runs of a dead process have left.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::EXTENSION;
use super::decode::{ChunkError, Rows, rows};
use crate::datapak::encode_sequence;
use crate::sequence::buffer::stored;

/// A sequence of a run that did not end, as far as it was written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Recovered {
    pub(crate) id_run: Uuid,
    /// The name of the sequence.
    pub(crate) name: String,
    /// How many rows there are.
    pub(crate) rows: usize,
    /// What would be the cell of its column, had the run ended there.
    pub(crate) datapak: Vec<u8>,
}

/// A file without which the rows must do.
#[derive(Debug, thiserror::Error)]
#[error("{} cannot be read", path.display())]
pub(crate) struct Unreadable {
    pub(crate) path: PathBuf,
    pub(crate) source: UnreadableCause,
}

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnreadableCause {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Chunk(#[from] ChunkError),
}

/// What is left in a directory.
#[derive(Debug, Default)]
pub(crate) struct Recovery {
    /// Ordered by run, and those of a run as they were begun. A name occurs once in a run.
    pub(crate) sequences: Vec<Recovered>,
    pub(crate) unreadable: Vec<Unreadable>,
}

/// The sequences of all runs of a dead process, from its directory; none if there is no directory.
pub(crate) fn recover(dir: &Path) -> Recovery {
    let found = match files(dir) {
        Ok(found) => found,
        Err(error) => {
            let path = dir.to_owned();
            let source = error.into();
            return Recovery {
                unreadable: vec![Unreadable { path, source }],
                ..Recovery::default()
            };
        }
    };
    let mut recovery = Recovery::default();
    for (id, _, path) in found {
        recovery.add(path, id);
    }
    recovery
}

/// The sequences in these files of one run, which are ordered as they were made.
#[cfg(unix)]
pub(crate) fn recover_files(files: &[PathBuf], id_run: Uuid) -> Recovery {
    let mut recovery = Recovery::default();
    for path in files {
        recovery.add(path.clone(), id_run);
    }
    recovery
}

/// The files of one run of a dead process, from a number on.
#[cfg(unix)]
pub(crate) fn files_of(dir: &Path, id_run: Uuid, first: u64) -> Vec<PathBuf> {
    let files = files(dir).unwrap_or_default().into_iter();
    files
        .filter_map(|(id, number, path)| (id == id_run && number >= first).then_some(path))
        .collect()
}

impl Recovery {
    /// Adds the sequence in a file of that run.
    fn add(&mut self, path: PathBuf, id_run: Uuid) {
        match read(&path, id_run) {
            // An earlier attempt at the run may have left a file of the same name.
            Ok(Some(recovered)) => {
                let same =
                    |other: &Recovered| other.id_run == id_run && other.name == recovered.name;
                self.sequences.retain(|other| !same(other));
                self.sequences.push(recovered);
            }
            Ok(None) => {}
            Err(source) => self.unreadable.push(Unreadable { path, source }),
        }
    }
}

/// The files of a directory: whose they are and which number they have, in that order.
fn files(dir: &Path) -> io::Result<Vec<(Uuid, u64, PathBuf)>> {
    let mut files = Vec::new();
    let Some(entries) = missing_is_fine(fs::read_dir(dir).map(Some))? else {
        return Ok(files);
    };
    for entry in entries {
        let entry = entry?;
        let path = entry.path();
        if path.extension().is_some_and(|e| e == EXTENSION)
            && let Some(stem) = path.file_stem().and_then(|stem| stem.to_str())
            && let Some((id, number)) = stem.split_once('-')
            && let (Ok(id), Ok(number)) = (Uuid::try_parse(id), number.parse())
            && entry.file_type()?.is_file()
        {
            files.push((id, number, path));
        }
    }
    files.sort_unstable();
    Ok(files)
}

fn missing_is_fine<T: Default>(result: io::Result<T>) -> io::Result<T> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(T::default()),
        result => result,
    }
}

/// The sequence of a file; `None` if it was killed before it had rows, or is removed by now.
fn read(path: &Path, id_run: Uuid) -> Result<Option<Recovered>, UnreadableCause> {
    let Some(bytes) = missing_is_fine(fs::read(path).map(Some))? else {
        return Ok(None);
    };
    let Rows {
        id_run: found,
        name,
        columns,
        times,
    } = match rows(&bytes) {
        Err(ChunkError::NoHeader) => return Ok(None),
        rows => rows?,
    };
    drop(bytes);
    if found != id_run {
        return Err(ChunkError::Header.into());
    }
    let rows = times.len();
    Ok(Some(Recovered {
        id_run,
        name,
        rows,
        datapak: encode_sequence(&stored(columns, times)),
    }))
}
