//! Files beside the database to which cells refer: MLtraq's `DataStore` and `ArchiveStore`.
//!
//! [`StoreFiles::carry`] is the one place through which every serialised cell, field and exception
//! goes that is copied.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use uuid::Uuid;

use super::{Goal, Result};
use crate::store::{Store, StoreError};
use crate::stored::{FileName, StoreWriter, path, read_file, redirect};
use crate::value::Cell;

/// The files that one import brings along, into one experiment.
#[derive(Debug)]
pub(super) struct StoreFiles<'a> {
    target: &'a dyn Store,
    /// Who writes them, once there are some.
    writer: Option<Arc<StoreWriter>>,
    done: HashSet<PathBuf>,
}

impl<'a> StoreFiles<'a> {
    pub(super) fn new(target: &'a dyn Store) -> Self {
        Self {
            target,
            writer: None,
            done: HashSet::new(),
        }
    }

    /// Lets what a cell refers to be a file of that experiment: it is copied, and the cell refers to
    /// the copy. A cell without references stays as it is.
    pub(super) fn carry(
        &mut self,
        cell: &mut Cell,
        from: Option<&Path>,
        goal: &Goal,
    ) -> Result<()> {
        match cell {
            Cell::Blob(blob) => self.carry_all(blob, from, goal),
            _ => Ok(()),
        }
    }

    fn carry_all(&mut self, bytes: &mut [u8], from: Option<&Path>, goal: &Goal) -> Result<()> {
        redirect(bytes, goal.id, |of, name| self.copy(from, of, name, goal))
    }

    fn copy(&mut self, from: Option<&Path>, of: Uuid, name: FileName, goal: &Goal) -> Result<()> {
        let (Some(from), Some(writer)) = (from, self.writer(goal)?) else {
            return Err(failed(
                Path::new(&name.to_string()),
                io::Error::other("a session without a file has no place for it"),
            ));
        };
        let source = path(from, of, name);
        let target = path(writer.directory(), goal.id, name);
        let is_first = self.done.is_empty();
        if !self.done.insert(source.clone()) {
            return Ok(());
        }
        if source == target {
            return writer.share().map_err(|error| failed(&target, error));
        }
        // A name is 128 random bits, or a digest: what has it is this file.
        if writer.has(name).map_err(|error| failed(&target, error))? {
            return Ok(());
        }
        let content = read_file(from, of, name);
        let mut content = content.map_err(|cause| failed(&source, cause.into()))?;
        // A stored value may refer to further files.
        self.carry_all(&mut content, Some(from), goal)?;
        writer
            .put(name, &content, is_first)
            .map_err(|error| failed(&target, error))
    }

    fn writer(&mut self, goal: &Goal) -> Result<Option<Arc<StoreWriter>>> {
        if self.writer.is_none() {
            self.writer = self.target.writer_of_files(goal.id, &goal.name);
            if let Some(writer) = &self.writer {
                writer
                    .join_in_transaction()
                    .map_err(|error| failed(writer.directory(), error))?;
            }
        }
        Ok(self.writer.clone())
    }

    /// The end, behind the commit of what refers to them, if it came to that. If not, what nothing
    /// refers to is removed, unless others are writing files of the experiment: these may rely on
    /// some of them already, and remove the others in their turn.
    pub(super) fn end(self, is_kept: bool) {
        if let Some(writer) = self.writer {
            self.target.end_of_files(&writer, is_kept);
        }
    }
}

fn failed(file: &Path, source: io::Error) -> StoreError {
    StoreError::StoreFile {
        path: file.display().to_string(),
        source: Box::new(source),
    }
}
