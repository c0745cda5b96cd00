//! Writing files, each whole and on the disk before anything refers to it.

use std::cell::RefCell;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use uuid::Uuid;

use super::LARGEST;
use super::in_use::{Alone, InUse};
use super::name::{self, FileName};
use super::read;
use crate::disk::sync_directory;
use crate::failpoint;
use crate::value::StoreUrl;
use crate::value::origin::Holder;

/// Writes the files of one experiment, for all threads of an execution.
///
/// The protocol, step by step: the content goes to a file with the end `.part`; it is waited for
/// until it is on the disk; the file gets its name; it is waited for until the directory is on the
/// disk. Only then is the reference there that a row can hold.
#[derive(Debug)]
pub(crate) struct StoreWriter {
    holder: Arc<Holder>,
    owner: Uuid,
    /// The directory in which it stands that the files are in use.
    beside: PathBuf,
    in_use: Mutex<Option<InUse>>,
}

/// A file cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("the file `{file}` cannot be written: {source}")]
pub(crate) struct WriteError {
    file: String,
    source: io::Error,
}

impl StoreWriter {
    /// Does nothing yet.
    pub(crate) fn new(holder: Arc<Holder>, beside: PathBuf, owner: Uuid) -> Self {
        Self {
            holder,
            owner,
            beside,
            in_use: Mutex::default(),
        }
    }

    /// The experiment, as values that are read of it know it.
    pub(crate) fn holder(&self) -> &Arc<Holder> {
        &self.holder
    }

    /// The directory of the files of all experiments.
    pub(crate) fn directory(&self) -> &Path {
        &self.holder.directory
    }

    /// Where it stands that the files are in use.
    pub(crate) fn beside(&self) -> &Path {
        &self.beside
    }

    pub(super) fn owner(&self) -> Uuid {
        self.owner
    }

    /// Writes a content, unless the experiment has it already.
    pub(super) fn write(&self, content: &[u8], refers: bool) -> Result<StoreUrl, WriteError> {
        let name = FileName::of(content, self.owner, refers);
        self.join()
            .and_then(|is_first| self.put(name, content, is_first))
            .map_err(|source| WriteError {
                file: self.path(name).display().to_string(),
                source,
            })?;
        Ok(name::url(self.owner, name))
    }

    /// Puts a content under its name, unless it is there: whole, and on the disk with the
    /// directories that lead to it. Those above the experiment's own are waited for if they are new,
    /// or if this `is_first`: others may just have made them.
    pub(crate) fn put(&self, name: FileName, content: &[u8], is_first: bool) -> io::Result<()> {
        if content.len() as u64 > LARGEST {
            return Err(io::Error::other(format!(
                "the value takes {} bytes, and 4 GiB are the most that a file can have",
                content.len()
            )));
        }
        let file = self.path(name);
        let folder = self.directory().join(self.owner.hyphenated().to_string());
        let is_new = !folder.exists();
        fs::create_dir_all(&folder)?;
        if !fs::symlink_metadata(&folder)?.is_dir() {
            return Err(io::Error::other("the experiment's directory is a link"));
        }
        if is_first || is_new {
            // The directory itself is not to be lost, nor that of all experiments, whoever made it.
            sync_directory(self.directory())?;
            self.directory().parent().map_or(Ok(()), sync_directory)?;
        }
        let there = fs::symlink_metadata(&file)
            .is_ok_and(|there| there.is_file() && there.len() == content.len() as u64);
        if !there {
            let part = file.with_extension(format!("{}.part", Uuid::new_v4().simple()));
            write_to(&part, content)
                .or_else(|error| match error.kind() {
                    // The directory was removed meanwhile, since it was empty.
                    io::ErrorKind::NotFound => {
                        fs::create_dir_all(&folder)?;
                        write_to(&part, content)
                    }
                    _ => Err(error),
                })
                .and_then(|()| fs::rename(&part, &file))
                .inspect_err(|_| {
                    let _ = fs::remove_file(&part);
                })?;
            failpoint::hit("store.renamed");
        }
        // Also if another thread or process is about to do it.
        sync_directory(&folder)?;
        failpoint::hit("store.written");
        Ok(())
    }

    /// Whether there is a file of that name; it is on the disk then, also if another thread or
    /// process is about to see to that.
    pub(crate) fn has(&self, name: FileName) -> io::Result<bool> {
        let file = self.path(name);
        let has = fs::symlink_metadata(&file).is_ok_and(|there| there.is_file());
        if has {
            file.parent().map_or(Ok(()), sync_directory)?;
        }
        Ok(has)
    }

    /// Notes that another database in this directory has the same experiment, and so refers to the
    /// same files: from then on none of them is removed, since no database knows all that refers to
    /// them.
    pub(crate) fn share(&self) -> io::Result<()> {
        let folder = self.directory().join(self.owner.hyphenated().to_string());
        File::create(folder.join(SHARED))?.sync_all()?;
        sync_directory(&folder)
    }

    fn path(&self, name: FileName) -> PathBuf {
        read::path(self.directory(), self.owner, name)
    }

    /// Says that the files are in use, for whoever is writing to the database. If someone is looking
    /// for what was left, it is not waited for: that one waits for the database, and looks at what
    /// has come of it then.
    pub(crate) fn join_in_transaction(&self) -> io::Result<()> {
        let mut in_use = self.in_use.lock().unwrap_or_else(PoisonError::into_inner);
        *in_use = InUse::join_if_free(&self.beside, self.owner)?;
        Ok(())
    }

    /// Says that the files are in use; whether this is the first one.
    pub(super) fn join(&self) -> io::Result<bool> {
        let mut in_use = self.in_use.lock().unwrap_or_else(PoisonError::into_inner);
        let is_first = in_use.is_none();
        if is_first {
            *in_use = Some(InUse::join(&self.beside, self.owner)?);
            failpoint::hit("store.joined");
        }
        Ok(is_first)
    }

    /// The end of all writing. What is given back is to be looked at for files that nothing refers
    /// to: nobody else is writing. If everything that was written `is_kept`, there are none.
    pub(crate) fn end(&self, is_kept: bool) -> Option<Alone> {
        let mut in_use = self.in_use.lock().unwrap_or_else(PoisonError::into_inner);
        let alone = in_use.take()?.alone()?;
        if is_kept && alone.is_first() {
            alone.end();
            return None;
        }
        Some(alone)
    }
}

/// The file that says that several databases refer to the files of an experiment.
const SHARED: &str = "shared";

/// Whether several databases refer to the files in this directory of an experiment.
pub(crate) fn is_shared(folder: &Path) -> bool {
    folder.join(SHARED).exists()
}

fn write_to(part: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = File::create_new(part)?;
    file.write_all(content)?;
    failpoint::hit("store.part");
    file.sync_data()
}

thread_local! {
    /// Who writes what serde is given in this thread.
    static WRITER: RefCell<Option<Arc<StoreWriter>>> = const { RefCell::new(None) };
}

/// Puts back what was there before, also if serde's code panics.
struct Before(Option<Arc<StoreWriter>>);

impl Drop for Before {
    fn drop(&mut self) {
        WRITER.set(self.0.take());
    }
}

/// Calls a function that serialises fields: what is to have files of its own is written meanwhile,
/// and is a reference in what comes of it. Without a writer it stays where it is.
///
/// Serde has no place for this, so it is a matter of the thread, for as long as the call takes.
pub(crate) fn writing<R>(writer: Option<&Arc<StoreWriter>>, serialise: impl FnOnce() -> R) -> R {
    let _before = Before(WRITER.replace(writer.cloned()));
    serialise()
}

/// Who writes in this thread.
pub(super) fn current() -> Option<Arc<StoreWriter>> {
    WRITER.with_borrow(Clone::clone)
}
