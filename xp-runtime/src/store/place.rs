//! The database's file as the file system has it: whether it is still the one that was opened, and
//! what keeps it from being written.
//!
//! Nothing here opens the database: on Unix, a process that closes a file loses all locks that it
//! holds on it, SQLite's among them.

use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use uuid::Uuid;

use super::StoreError;

/// A file that was opened, and the log beside it.
#[derive(Debug)]
pub(super) struct Place {
    path: PathBuf,
    id: FileId,
    log: PathBuf,
    /// `None` if the database has no log.
    log_id: Option<FileId>,
}

/// What tells two files apart that have the same path one after the other: device and inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileId(u64, u64);

impl FileId {
    #[cfg(unix)]
    fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        Self(metadata.dev(), metadata.ino())
    }

    /// Here it is only found out that a file is gone.
    #[cfg(not(unix))]
    fn of(_: &Metadata) -> Self {
        Self(0, 0)
    }
}

impl Place {
    /// The place of a database that was opened, and read or written since; `None` if it is in
    /// memory.
    pub(super) fn of(db: &Connection) -> Option<Self> {
        // As SQLite has it: absolute, and without symbolic links.
        let path = PathBuf::from(db.path().filter(|path| !path.is_empty())?);
        let log = with_suffix(&path, "-wal");
        let id = |path: &Path| fs::metadata(path).ok().as_ref().map(FileId::of);
        Some(Self {
            id: id(&path)?,
            log_id: id(&log),
            path,
            log,
        })
    }

    /// Whether the file, which messages call `file`, is still the one that was opened, and the log
    /// still the one that its commits are in.
    pub(super) fn check(&self, file: &str) -> Result<(), StoreError> {
        match found(&self.path, self.id) {
            Found::Same => {}
            Found::Gone => {
                return Err(StoreError::FileGone {
                    file: file.to_owned(),
                });
            }
            Found::Another => {
                return Err(StoreError::FileReplaced {
                    file: file.to_owned(),
                });
            }
        }
        match self.log_id.map(|id| found(&self.log, id)) {
            None | Some(Found::Same) => Ok(()),
            Some(Found::Gone | Found::Another) => Err(StoreError::LogGone {
                file: file.to_owned(),
            }),
        }
    }
}

enum Found {
    Same,
    Gone,
    Another,
}

fn found(path: &Path, id: FileId) -> Found {
    match fs::metadata(path) {
        Ok(metadata) if FileId::of(&metadata) == id => Found::Same,
        Ok(_) => Found::Another,
        Err(error) => match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => Found::Gone,
            // Nothing is known then; if something is wrong, SQLite comes upon it.
            _ => Found::Same,
        },
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut path = OsString::from(path);
    path.push(suffix);
    path.into()
}

/// What a file system says against writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    ReadOnly,
    Full,
}

/// Why a file could not be written, by writing another one beside it for a moment: SQLite keeps the
/// operating system's answer to itself. `None` if that can be written, or for another reason cannot.
pub(super) fn refusal(file: &Path) -> Option<Refusal> {
    /// More than SQLite asks for at once: an index of the log takes 32 KiB.
    const SIZE: usize = 64 << 10;
    let path = with_suffix(file, &format!("-probe-{}", Uuid::new_v4().simple()));
    let written = File::create_new(&path).and_then(|mut probe| {
        let written = probe.write_all(&[0; SIZE]);
        drop(probe);
        fs::remove_file(&path)?;
        written
    });
    match written.err()?.kind() {
        ErrorKind::ReadOnlyFilesystem => Some(Refusal::ReadOnly),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            Some(Refusal::Full)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Opened {
        dir: tempfile::TempDir,
        path: PathBuf,
        db: Connection,
        place: Place,
    }

    impl Opened {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("a.db");
            let db = Connection::open(&path).unwrap();
            db.pragma_update(None, "journal_mode", "WAL").unwrap();
            db.execute_batch("CREATE TABLE t (x)").unwrap();
            let place = Place::of(&db).unwrap();
            place.check("a.db").unwrap();
            assert!(place.log_id.is_some());
            Self {
                dir,
                path,
                db,
                place,
            }
        }

        fn error(&self) -> StoreError {
            self.place.check("a.db").unwrap_err()
        }
    }

    #[test]
    fn a_file_in_use_stays_the_same() {
        let opened = Opened::new();
        let db = &opened.db;
        db.execute_batch("INSERT INTO t VALUES (1)").unwrap();
        db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
            .unwrap();
        drop(Connection::open(&opened.path).unwrap());
        opened.place.check("a.db").unwrap();
    }

    #[test]
    fn a_file_that_is_gone_is_told_from_one_that_is_another() {
        let opened = Opened::new();
        let path = &opened.path;
        let away = path.with_extension("away");
        fs::rename(path, &away).unwrap();
        assert!(matches!(opened.error(), StoreError::FileGone { .. }));
        fs::write(path, "").unwrap();
        #[cfg(unix)]
        assert!(matches!(opened.error(), StoreError::FileReplaced { .. }));
        fs::rename(&away, path).unwrap();
        opened.place.check("a.db").unwrap();
    }

    #[test]
    fn a_directory_and_a_log_that_are_gone_are_found() {
        let opened = Opened::new();
        fs::remove_file(with_suffix(&opened.path, "-wal")).unwrap();
        assert!(matches!(opened.error(), StoreError::LogGone { .. }));
        let opened = Opened::new();
        fs::remove_dir_all(opened.dir.path()).unwrap();
        assert!(matches!(opened.error(), StoreError::FileGone { .. }));
    }

    #[test]
    fn a_database_in_memory_has_no_place() {
        assert!(Place::of(&Connection::open_in_memory().unwrap()).is_none());
        assert!(Place::of(&Connection::open("").unwrap()).is_none());
    }

    #[test]
    fn nothing_is_said_against_a_file_that_can_be_written() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(refusal(&dir.path().join("a.db")), None);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        assert_eq!(refusal(&dir.path().join("missing").join("a.db")), None);
    }
}
