//! From what SQLite answers to what it means for a user.

use std::path::Path;

use rusqlite::ErrorCode;

use super::StoreError;
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
    let full = is_full(&source);
    let code = source.sqlite_error_code();
    let source = Box::new(source);
    match code {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            StoreError::NotADatabase { file, source }
        }
        Some(ErrorCode::ReadOnly) => StoreError::ReadOnly { file },
        Some(ErrorCode::DiskFull | ErrorCode::SystemIoFailure) if full => {
            StoreError::Full { file, source }
        }
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

/// A write that the file system refuses (`SQLITE_IOERR_WRITE`) means the same as a full disk: it
/// is how a file-size limit shows.
fn is_full(error: &rusqlite::Error) -> bool {
    const IOERR_WRITE: i32 = 10 | (3 << 8);
    const FULL: i32 = 13;
    matches!(error, rusqlite::Error::SqliteFailure(e, _) if [IOERR_WRITE, FULL].contains(&e.extended_code))
}
