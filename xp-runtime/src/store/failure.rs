//! From what SQLite answers to what it means for a user.

use std::path::Path;

use rusqlite::ErrorCode;

use super::StoreError;
use super::place::{self, Refusal};
use crate::datapak::DatapakError;

/// The result of what goes on inside of a transaction.
pub(super) type Result<T> = std::result::Result<T, Failure>;

/// What goes wrong on the way, before it is known in which file and doing what.
#[derive(Debug)]
pub(super) enum Failure {
    Sql(rusqlite::Error),
    Encode(DatapakError),
    Store(StoreError),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<rusqlite::types::FromSqlError> for Failure {
    fn from(error: rusqlite::types::FromSqlError) -> Self {
        Self::Sql(error.into())
    }
}

impl From<DatapakError> for Failure {
    fn from(error: DatapakError) -> Self {
        Self::Encode(error)
    }
}

/// Gives a failure its file, and SQLite's answers the meaning that they have for a user.
pub(super) fn typed(file: &str, doing: &str, failure: Failure) -> StoreError {
    let file = file.to_owned();
    let source = match failure {
        Failure::Store(error) => return error,
        Failure::Encode(source) => {
            let doing = doing.to_owned();
            return StoreError::Datapak {
                file,
                doing,
                source: Box::new(source),
            };
        }
        Failure::Sql(source) => source,
    };
    let code = source.sqlite_error_code();
    let extended = extended_code(&source);
    let source = Box::new(source);
    match code {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            StoreError::NotADatabase { file, source }
        }
        Some(ErrorCode::ReadOnly) if extended == READONLY_DBMOVED => {
            if Path::new(&file).exists() {
                StoreError::FileReplaced { file }
            } else {
                StoreError::FileGone { file }
            }
        }
        Some(ErrorCode::ReadOnly) => StoreError::ReadOnly { file },
        Some(ErrorCode::DiskFull) => StoreError::Full { file, source },
        Some(ErrorCode::SystemIoFailure) => io(file, doing, extended, source),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            StoreError::Locked { file, source }
        }
        Some(ErrorCode::CannotOpen) => StoreError::CannotOpen {
            reason: why_not_opened(Path::new(&file)),
            file,
            source,
        },
        _ => StoreError::Sqlite {
            file,
            doing: doing.to_owned(),
            source,
        },
    }
}

fn why_not_opened(file: &Path) -> String {
    match file
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    {
        _ if file.is_dir() => "it is a directory".to_owned(),
        Some(parent) if !parent.exists() => {
            format!("there is no directory `{}`", parent.display())
        }
        _ if !file.exists() => "there is no such file, or it cannot be made".to_owned(),
        _ => "the file system refuses it".to_owned(),
    }
}

/// What an error of the file system (`SQLITE_IOERR`) means, which SQLite does not tell.
fn io(file: String, doing: &str, extended: i32, source: Box<rusqlite::Error>) -> StoreError {
    let reading = [IOERR_READ, IOERR_SHORT_READ].contains(&extended);
    let refusal = if reading {
        None
    } else {
        place::refusal(Path::new(&file))
    };
    match refusal {
        Some(Refusal::ReadOnly) => StoreError::ReadOnly { file },
        Some(Refusal::Full) => StoreError::Full { file, source },
        // What else may be written, and this file may not: it has come to the limit on its size.
        None if extended == IOERR_WRITE => StoreError::Full { file, source },
        None => StoreError::Io {
            file,
            doing: doing.to_owned(),
            source,
        },
    }
}

// Codes of <https://www.sqlite.org/rescode.html>.
const READONLY_DBMOVED: i32 = 8 | (4 << 8);
const IOERR_READ: i32 = 10 | (1 << 8);
const IOERR_SHORT_READ: i32 = 10 | (2 << 8);
const IOERR_WRITE: i32 = 10 | (3 << 8);

fn extended_code(error: &rusqlite::Error) -> i32 {
    match error {
        rusqlite::Error::SqliteFailure(error, _) => error.extended_code,
        _ => 0,
    }
}
