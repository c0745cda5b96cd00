//! Reading a file to which a value refers: nothing is read that is not below the store's directory.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use uuid::Uuid;

use super::LARGEST;
use super::error::{DataStoreCause as Cause, DataStoreError};
use super::name::{self, FileName};
use crate::datapak;
use crate::value::origin::{self, Origin};
use crate::value::{Archive, StoreUrl, Value};

impl StoreUrl {
    /// What a `DataStore` refers to, read and verified: a bunch of values by their names. References
    /// in it can be read in turn.
    ///
    /// ```
    /// use xp::prelude::*;
    /// use xp::Value;
    ///
    /// #[step]
    /// fn simulate(n: usize) -> DataStore<Vec<f64>> {
    ///     vec![0.5; n].into()
    /// }
    ///
    /// #[experiment]
    /// fn simulation(#[param] n: usize) {
    ///     #[field]
    ///     let trace: DataStore<Vec<f64>> = simulate(n);
    /// }
    ///
    /// # let folder = tempfile::tempdir()?;
    /// let session = Session::open(folder.path().join("simulation.db"))?;
    /// session.execute(simulation().n([3]))?;
    /// for run in session.load("simulation")?.runs() {
    ///     let run = run?;
    ///     let Some(Value::DataStore(url)) = run.fields.value("trace") else { panic!("a store") };
    ///     let read = url.read()?;
    ///     let Some(Value::Array(trace)) = read.member("value") else { panic!("an array") };
    ///     assert_eq!(trace.to_vec::<f64>()?, [0.5; 3]);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The reference was not read from a database, or leads out of the directory beside it; the file
    /// is missing, is a link, was changed, or holds no values.
    pub fn read(&self) -> Result<Value, DataStoreError> {
        values(self).map(|entries| {
            let is_text = |(key, _): &(Value, Value)| matches!(key, Value::Text(_));
            if !entries.iter().all(is_text) {
                return Value::KeyedBunch(entries);
            }
            let named = entries.into_iter().filter_map(|(key, value)| match key {
                Value::Text(name) => Some((name, value)),
                _ => None,
            });
            Value::Bunch(named.collect())
        })
    }

    /// The archive to which an `ArchiveStore` refers, read and verified.
    ///
    /// # Errors
    ///
    /// As for [`read`](Self::read). What is in the archive is only looked at when its entries are
    /// asked for.
    pub fn read_archive(&self) -> Result<Archive, DataStoreError> {
        content(self).map(Archive::from_tar)
    }
}

/// The values of a data store by their keys.
pub(super) fn values(url: &StoreUrl) -> Result<Vec<(Value, Value)>, DataStoreError> {
    let content = content(url)?;
    let decode = || datapak::decode(&content);
    let decoded = match url.origin() {
        Some(origin) => origin::within(Origin::clone(origin), decode),
        None => decode(),
    };
    let failed = |problem| failure(url, Cause::Malformed(problem));
    match decoded.map_err(failed)? {
        Value::Map(entries) => Ok(entries),
        _ => Err(failed(datapak::DatapakError::Payload {
            kind: "mltraq.DataStore-0".to_owned(),
            problem: "it is no dictionary",
        })),
    }
}

/// The bytes of the file.
pub(super) fn content(url: &StoreUrl) -> Result<Vec<u8>, DataStoreError> {
    let (owner, name) = name::parse(url.as_str()).ok_or_else(|| failure(url, Cause::Outside))?;
    let origin = url
        .origin()
        .ok_or_else(|| failure(url, Cause::NoDatabase))?;
    let directory = &origin.holder.directory;
    let content = read(directory, owner, name).map_err(|cause| {
        let file = path(directory, owner, name).display().to_string();
        DataStoreError::new(file, Some(origin), cause)
    })?;
    Ok(content)
}

/// An error that calls the file by its path, where that is known.
pub(super) fn failure(url: &StoreUrl, cause: Cause) -> DataStoreError {
    let origin: Option<&Origin> = url.origin().map(|origin| &**origin);
    let file = match (name::parse(url.as_str()), origin) {
        (Some((owner, name)), Some(origin)) => path(&origin.holder.directory, owner, name)
            .display()
            .to_string(),
        _ => url.to_string(),
    };
    DataStoreError::new(file, origin, cause)
}

pub(crate) fn path(directory: &Path, owner: Uuid, name: FileName) -> std::path::PathBuf {
    directory
        .join(owner.hyphenated().to_string())
        .join(name.to_string())
}

/// The content of a file, verified if its name is made of it. Nothing else is read than a file of
/// that experiment in this directory.
pub(crate) fn read(directory: &Path, owner: Uuid, name: FileName) -> Result<Vec<u8>, Cause> {
    let file_error = |error: io::Error| Cause::File(Arc::new(error));
    let mut file = open(directory, owner, name)?;
    let metadata = file.metadata().map_err(file_error)?;
    if !metadata.is_file() {
        return Err(Cause::Irregular);
    }
    let size = metadata.len();
    if size > LARGEST {
        return Err(Cause::TooLarge { size });
    }
    let mut content = Vec::new();
    usize::try_from(size)
        .ok()
        .and_then(|size| content.try_reserve_exact(size).ok())
        .ok_or(Cause::TooLarge { size })?;
    // No more than it had when its size was looked at.
    (&mut file)
        .take(size)
        .read_to_end(&mut content)
        .map_err(file_error)?;
    if name.is_digest() && FileName::of(&content, owner, name.refers()) != name {
        return Err(Cause::Changed);
    }
    Ok(content)
}

/// Opens the file without following a link in the place of the experiment's directory or the file,
/// whatever others do meanwhile, and without waiting for the other end of a pipe.
#[cfg(unix)]
fn open(directory: &Path, owner: Uuid, name: FileName) -> Result<File, Cause> {
    use nix::errno::Errno;
    use nix::fcntl::{OFlag, open, openat};
    use nix::sys::stat::Mode;

    let failed = |errno| match errno {
        Errno::ELOOP => Cause::Link,
        errno => Cause::File(Arc::new(errno.into())),
    };
    let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let folder = directory.join(owner.hyphenated().to_string());
    let opened = open(&folder, flags | OFlag::O_DIRECTORY, Mode::empty());
    let opened = opened.map_err(|errno| match errno {
        Errno::ENOTDIR if folder.is_symlink() => Cause::Link,
        errno => failed(errno),
    })?;
    let file = openat(
        opened,
        name.to_string().as_str(),
        flags | OFlag::O_NONBLOCK,
        Mode::empty(),
    );
    file.map(File::from).map_err(failed)
}

#[cfg(not(unix))]
fn open(directory: &Path, owner: Uuid, name: FileName) -> Result<File, Cause> {
    let failed = |error: io::Error| Cause::File(Arc::new(error));
    let path = path(directory, owner, name);
    let folder = directory.join(owner.hyphenated().to_string());
    for part in [&folder, &path] {
        if part.symlink_metadata().map_err(failed)?.is_symlink() {
            return Err(Cause::Link);
        }
    }
    File::open(path).map_err(failed)
}
