//! The file of one sequence.

use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;

use super::encode::{TooLong, chunk, header};
use super::{BYTES, RunChunks, lock};
use crate::disk::sync_directory;
use crate::failpoint;
use crate::value::Column;

/// See the module's text.
#[derive(Debug)]
pub(in crate::sequence) struct ChunkFile {
    chunks: Arc<RunChunks>,
    /// How many rows are written.
    written: usize,
    /// Made for the first chunk.
    file: Option<File>,
    /// What is written at once.
    out: Vec<u8>,
}

impl ChunkFile {
    pub(in crate::sequence) fn new(chunks: Arc<RunChunks>) -> Self {
        Self {
            chunks,
            written: 0,
            file: None,
            out: Vec::new(),
        }
    }

    /// How many rows are written.
    pub(in crate::sequence) fn written(&self) -> usize {
        self.written
    }

    /// Writes the rows that are not written yet. False if it is of no use to write more: the run has
    /// ended, or there was an error, which the directory keeps as a warning.
    pub(in crate::sequence) fn write(
        &mut self,
        name: &str,
        columns: &[Column],
        times: &[i64],
    ) -> bool {
        match self.try_write(name, columns, times) {
            Ok(goes_on) => goes_on,
            Err(error) => {
                let Some(dir) = &self.chunks.dir else {
                    return false;
                };
                dir.warn(format!(
                    "rows of the sequence `{name}` cannot be written to {} while its run is live, \
                     and would be lost if the process were killed: {error}",
                    dir.path.display()
                ));
                false
            }
        }
    }

    fn try_write(&mut self, name: &str, columns: &[Column], times: &[i64]) -> io::Result<bool> {
        self.out.clear();
        let too_long =
            |TooLong| io::Error::new(io::ErrorKind::FileTooLarge, "a chunk of more than 4 GiB");
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                header(&mut self.out, self.chunks.id_run, name, columns).map_err(too_long)?;
                let Some(file) = self.chunks.make_file()? else {
                    return Ok(false);
                };
                self.file.insert(file)
            }
        };
        chunk(&mut self.out, columns, times, self.written).map_err(too_long)?;
        file.write_all(&self.out)?;
        if self.chunks.dir.as_ref().is_some_and(|dir| dir.synced) {
            file.sync_data()?;
            failpoint::hit("chunk.synced");
        }
        self.written = times.len();
        // A chunk of long texts is rare, and its memory is not kept.
        self.out.shrink_to(2 * BYTES);
        Ok(true)
    }
}

impl RunChunks {
    /// A new file; `None` if the run has ended.
    fn make_file(&self) -> io::Result<Option<File>> {
        let mut files = lock(&self.files);
        let (Some(files), Some(dir)) = (files.as_mut(), &self.dir) else {
            return Ok(None);
        };
        let path = dir.file_of(self.id_run);
        let file = File::create_new(&path).or_else(|error| match error.kind() {
            io::ErrorKind::NotFound => {
                std::fs::create_dir_all(&dir.path)?;
                File::create_new(&path)
            }
            _ => Err(error),
        })?;
        if dir.synced {
            // It stands in a directory beside the database, and whoever made these may not have waited.
            for directory in dir.path.ancestors().take(3) {
                sync_directory(directory)?;
            }
        }
        files.push(path);
        Ok(Some(file))
    }
}
