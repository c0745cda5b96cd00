//! Which experiments' files are in use: beside the database there is a file for each, on which all
//! who write hold a shared lock, for as long as they live.
//!
//! Whoever can lock it alone knows that nobody writes: what nothing refers to was left by runs that
//! were not committed, and by processes that died. The file is removed when that was looked at; so one
//! that is there while nobody holds a lock says that it is still to be done.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use uuid::Uuid;

/// What the files' names end with.
const END: &str = "stores";

/// The files of an experiment are being written.
#[derive(Debug)]
pub(super) struct InUse {
    file: File,
    path: PathBuf,
}

/// The files of an experiment are being written by nobody, as long as this is there.
#[derive(Debug)]
pub(crate) struct Alone {
    /// The lock is let go when it is closed.
    file: File,
    path: PathBuf,
    owner: Uuid,
}

fn path(beside: &Path, owner: Uuid) -> PathBuf {
    beside.join(format!("{}.{END}", owner.simple()))
}

impl InUse {
    /// Waits as long as someone looks for what was left.
    pub(super) fn join(beside: &Path, owner: Uuid) -> io::Result<Self> {
        let joined = Self::join_by(beside, owner, &|file| file.lock_shared().map(|()| true))?;
        joined.ok_or_else(|| io::ErrorKind::WouldBlock.into())
    }

    /// `None` if someone is looking for what was left.
    pub(super) fn join_if_free(beside: &Path, owner: Uuid) -> io::Result<Option<Self>> {
        Self::join_by(beside, owner, &|file| match file.try_lock_shared() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(error),
        })
    }

    /// Locks the file by a function, which says whether it could.
    fn join_by(
        beside: &Path,
        owner: Uuid,
        lock: &dyn Fn(&File) -> io::Result<bool>,
    ) -> io::Result<Option<Self>> {
        const TIMES: u32 = 100;
        let path = path(beside, owner);
        let mut last = io::Error::from(io::ErrorKind::NotFound);
        // The file, and the directory, are removed by whoever leaves last.
        for _ in 0..TIMES {
            fs::create_dir_all(beside)?;
            let mut file = match File::options().append(true).create(true).open(&path) {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    last = error;
                    continue;
                }
                Err(error) => return Err(error),
            };
            if !lock(&file)? {
                return Ok(None);
            }
            if is_at(&file, &path) {
                // Tells those who were here apart from those who were alone.
                file.write_all(b"+")?;
                return Ok(Some(Self { file, path }));
            }
        }
        Err(last)
    }

    /// Stops using them; `None` if others go on.
    pub(super) fn alone(self) -> Option<Alone> {
        let Self { file, path } = self;
        let owner = owner_of(&path)?;
        file.unlock().ok()?;
        Alone::lock(file, path, owner)
    }
}

impl Alone {
    /// `None` if they are in use, or there is nothing left behind.
    pub(crate) fn of(beside: &Path, owner: Uuid) -> Option<Self> {
        let path = path(beside, owner);
        let file = File::options().append(true).open(&path).ok()?;
        Self::lock(file, path, owner)
    }

    /// Notes that the files are to be looked at, for instance since the experiment is about to be
    /// deleted.
    pub(crate) fn note(beside: &Path, owner: Uuid) -> io::Result<()> {
        InUse::join(beside, owner).map(drop)
    }

    fn lock(file: File, path: PathBuf, owner: Uuid) -> Option<Self> {
        match file.try_lock() {
            Ok(()) => is_at(&file, &path).then_some(Self { file, path, owner }),
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => None,
        }
    }

    /// The experiment.
    pub(crate) fn owner(&self) -> Uuid {
        self.owner
    }

    /// Whether nobody else has written since this was last looked at.
    pub(super) fn is_first(&self) -> bool {
        self.file.metadata().is_ok_and(|file| file.len() == 1)
    }

    /// There is nothing left behind.
    pub(crate) fn end(self) {
        // What cannot be removed is looked at again.
        let _ = fs::remove_file(&self.path);
        if let Some(beside) = self.path.parent() {
            let _ = fs::remove_dir(beside);
        }
    }
}

/// The experiments whose files are in use, or are to be looked at.
pub(crate) fn left_behind(beside: &Path) -> Vec<Uuid> {
    let Ok(entries) = fs::read_dir(beside) else {
        return Vec::new();
    };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    paths.filter_map(|path| owner_of(&path)).collect()
}

fn owner_of(path: &Path) -> Option<Uuid> {
    let name = path.file_name()?.to_str()?;
    let (owner, end) = name.split_once('.')?;
    (end == END).then(|| Uuid::try_parse(owner).ok())?
}

/// Whether the path is still that of this file, and not of one that was made since.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let (Ok(file), Ok(there)) = (file.metadata(), fs::metadata(path)) else {
        return false;
    };
    (file.dev(), file.ino()) == (there.dev(), there.ino())
}

#[cfg(not(unix))]
fn is_at(_: &File, path: &Path) -> bool {
    path.exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_alone_while_others_write() {
        let dir = tempfile::tempdir().unwrap();
        let (beside, owner) = (dir.path().join("a.db-xp"), Uuid::from_u128(7));
        let one = InUse::join(&beside, owner).unwrap();
        let two = InUse::join(&beside, owner).unwrap();
        assert_eq!(left_behind(&beside), [owner]);
        assert!(Alone::of(&beside, owner).is_none());
        assert!(one.alone().is_none());
        let alone = two.alone().unwrap();
        assert!(!alone.is_first());
        assert!(Alone::of(&beside, owner).is_none());
        alone.end();
        assert!(!beside.exists());
        assert!(Alone::of(&beside, owner).is_none());
    }

    #[test]
    fn what_is_left_behind_is_there_for_the_next_one() {
        let dir = tempfile::tempdir().unwrap();
        let owner = Uuid::from_u128(7);
        drop(InUse::join(dir.path(), owner).unwrap());
        assert_eq!(left_behind(dir.path()), [owner]);
        let again = InUse::join(dir.path(), owner).unwrap().alone().unwrap();
        assert!(!again.is_first());
        drop(again);
        assert!(Alone::of(dir.path(), owner).is_some());
    }

    #[test]
    fn one_who_joins_what_is_being_removed_makes_it_anew() {
        let dir = tempfile::tempdir().unwrap();
        let (beside, owner) = (dir.path().join("a.db-xp"), Uuid::from_u128(7));
        drop(InUse::join(&beside, owner).unwrap());
        let alone = Alone::of(&beside, owner).unwrap();
        let joins = std::thread::spawn({
            let beside = beside.clone();
            move || InUse::join(&beside, owner).unwrap()
        });
        std::thread::sleep(std::time::Duration::from_millis(50));
        alone.end();
        let joined = joins.join().unwrap().alone().unwrap();
        assert!(joined.is_first());
    }
}
