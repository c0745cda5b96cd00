//! Which processes are alive. Each holds the lock on a file of its own for as long as it lives: a
//! lock that can be had, or a file that is gone, is that of a dead one, whatever ended it.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Transaction, params};
use uuid::Uuid;

use super::StoreError;
use super::sqlite::SqliteStore;
use crate::failpoint;

/// The number of the only process that writes to a store in memory: its threads share a sweep, too.
pub(super) const ALONE: i64 = 0;

/// This session among the processes that write to the file.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) process: i64,
    /// Held until it is dropped.
    _lock: File,
    path: PathBuf,
}

impl Member {
    /// Takes it and its claims out of the file.
    pub(super) fn strike(&self, tx: &Transaction<'_>) -> rusqlite::Result<()> {
        tx.execute("DELETE FROM xp_claim WHERE process = ?1", [self.process])?;
        tx.execute("DELETE FROM xp_process WHERE process = ?1", [self.process])?;
        Ok(())
    }

    /// Removes what it kept beside the database.
    pub(super) fn remove(&self, directory: &Path) {
        if let Some(lock) = self.path.file_name().and_then(|name| name.to_str()) {
            remove(directory, lock);
        }
    }
}

/// The directory beside a database in which its processes keep their locks and what is not yet
/// committed. It is the same one by whatever name they have opened the database, from wherever.
pub(super) fn directory(file: &Path) -> PathBuf {
    let file = fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    let mut name = file.into_os_string();
    name.push("-xp");
    PathBuf::from(name)
}

/// Whether the process that has this lock file is alive.
pub(super) fn is_alive(directory: &Path, lock: &str) -> bool {
    match File::open(directory.join(lock)) {
        // Shared, so that two that ask do not take each other for the owner.
        Ok(file) => matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)),
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}

/// Makes a file in a directory, which whoever leaves last removes at any time.
fn make(directory: &Path, path: &Path) -> io::Result<File> {
    const TIMES: u32 = 100;
    let mut made = Err(io::ErrorKind::NotFound.into());
    for _ in 0..TIMES {
        fs::create_dir_all(directory)?;
        made = File::create_new(path);
        if !matches!(&made, Err(error) if error.kind() == io::ErrorKind::NotFound) {
            break;
        }
    }
    made
}

/// Removes what a process that is dead, or is about to end, kept beside the database.
pub(super) fn remove(directory: &Path, lock: &str) {
    let path = directory.join(lock);
    // What cannot be removed now is in nobody's way, and is tried again by the next one.
    let _ = fs::remove_dir_all(path.with_extension("runs"));
    let _ = fs::remove_file(path);
    let _ = fs::remove_dir(directory);
}

impl SqliteStore {
    /// The number of this session among the processes that write to the file.
    pub(super) fn member(&self) -> Result<i64, StoreError> {
        if self.in_memory {
            return Ok(ALONE);
        }
        let mut lost = None;
        if let Some(member) = &*self.lock_member() {
            if !member.path.try_exists().is_ok_and(|exists| !exists) {
                return Ok(member.process);
            }
            // Someone has removed the lock: others take this process for dead.
            lost = Some(member.process);
        }
        let io = |source: io::Error| StoreError::Beside {
            directory: self.beside.display().to_string(),
            source: Box::new(source),
        };
        let lock = format!("{}.lock", Uuid::new_v4().simple());
        let path = self.beside.join(&lock);
        let file = make(&self.beside, &path).map_err(io)?;
        file.lock().map_err(io)?;
        failpoint::hit("join.locked");
        let process = self.change("join the processes that write to it", |tx| {
            tx.execute(
                "INSERT INTO xp_process (lock, host, pid, started) VALUES (?1, ?2, ?3, ?4)",
                params![
                    lock,
                    host(),
                    std::process::id(),
                    jiff::Timestamp::now().as_microsecond()
                ],
            )?;
            let process = tx.last_insert_rowid();
            tx.execute(
                "UPDATE xp_claim SET process = ?1 WHERE process = ?2",
                params![process, lost],
            )?;
            tx.execute("DELETE FROM xp_process WHERE process = ?1", [lost])?;
            Ok(process)
        });
        failpoint::hit("join.committed");
        let process = match process {
            Ok(process) => process,
            Err(error) => {
                remove(&self.beside, &lock);
                return Err(error);
            }
        };
        let mut member = self.lock_member();
        if let Some(other) = member.as_ref().filter(|other| Some(other.process) != lost) {
            // Another thread of this session was faster. The row is that of a dead process.
            remove(&self.beside, &lock);
            return Ok(other.process);
        }
        *member = Some(Member {
            process,
            _lock: file,
            path,
        });
        Ok(process)
    }

    /// The directory for what this session's live runs keep beside the database; it is not made yet.
    pub(super) fn directory_of_runs(&self) -> Result<Option<PathBuf>, StoreError> {
        self.member()?;
        let member = self.lock_member();
        Ok((member.as_ref()).map(|member| member.path.with_extension("runs")))
    }
}

#[cfg(unix)]
fn host() -> String {
    nix::unistd::gethostname()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

#[cfg(not(unix))]
fn host() -> String {
    std::env::var("COMPUTERNAME").unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_alive_as_long_as_its_lock_is_held() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.lock");
        assert!(!is_alive(directory.path(), "a.lock"));
        let file = File::create_new(&path).unwrap();
        file.lock().unwrap();
        assert!(is_alive(directory.path(), "a.lock"));
        let again = File::open(&path).unwrap();
        assert!(is_alive(directory.path(), "a.lock"));
        drop((file, again));
        assert!(!is_alive(directory.path(), "a.lock"));
    }
}
