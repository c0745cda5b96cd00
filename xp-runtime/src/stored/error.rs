//! Why a value cannot be read that stands in a file of its own.

use std::fmt;
use std::io;
use std::sync::Arc;

use uuid::Uuid;

use crate::datapak::DatapakError;
use crate::value::ValueError;
use crate::value::origin::Origin;

/// A value that stands in a file beside the database cannot be read.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{} cannot be read", self.what())]
#[non_exhaustive]
pub struct DataStoreError {
    /// The file's path; the URL, if no file is known.
    pub file: String,
    /// The name of the experiment whose field refers to the file, if it is known.
    pub experiment: Option<String>,
    /// The run whose field it is; `None` if it is not known, or if it is a field of the experiment.
    pub id_run: Option<Uuid>,
    /// The name of the field, if it is known.
    pub field: Option<String>,
    /// What is wrong.
    #[source]
    pub cause: Box<DataStoreCause>,
}

/// What is wrong with a value that stands in a file beside the database.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataStoreCause {
    /// The URL leads to no file of an experiment in the store's directory.
    #[error("the URL is not of the form `file:///<id of an experiment>/<32 hex digits>`")]
    Outside,
    /// The reference was not read from a database, so that it is not known where its files are.
    #[error("the reference was not read from a database, which would have the file beside it")]
    NoDatabase,
    /// There is no such file, or it cannot be read.
    #[error("the file system says")]
    File(#[source] Arc<io::Error>),
    /// The file, or the experiment's directory, is a symbolic link.
    #[error("it is, or is in, a symbolic link, which could lead anywhere")]
    Link,
    /// There is something else in the place of the file.
    #[error("it is no regular file")]
    Irregular,
    /// The file is larger than a value can be.
    #[error("it has {size} bytes, and 4 GiB are the most that are read")]
    TooLarge {
        /// How many bytes it has.
        size: u64,
    },
    /// The content is another one than that for which the file's name was made.
    #[error("the content was damaged or changed: the file's name is a digest of another one")]
    Changed,
    /// The content is no value.
    #[error("the content is malformed")]
    Malformed(#[source] DatapakError),
    /// The content is another one than the type asks for.
    #[error("the content is of another type")]
    Type(#[source] ValueError),
}

impl From<DataStoreCause> for io::Error {
    fn from(cause: DataStoreCause) -> Self {
        let kind = match &cause {
            DataStoreCause::File(error) => error.kind(),
            _ => io::ErrorKind::Other,
        };
        io::Error::new(kind, cause)
    }
}

impl DataStoreError {
    pub(super) fn new(
        file: impl Into<String>,
        origin: Option<&Origin>,
        cause: DataStoreCause,
    ) -> Self {
        Self {
            file: file.into(),
            experiment: origin.map(|of| of.holder.experiment.clone()),
            id_run: origin.and_then(|of| of.id_run),
            field: origin.map(|of| of.field.clone()),
            cause: Box::new(cause),
        }
    }

    fn what(&self) -> impl fmt::Display + '_ {
        fmt::from_fn(|f| {
            write!(f, "the file `{}`", self.file)?;
            let (Some(field), Some(experiment)) = (&self.field, &self.experiment) else {
                return Ok(());
            };
            write!(f, ", to which `{field}` of ")?;
            if let Some(id_run) = self.id_run {
                write!(f, "the run {id_run} of ")?;
            }
            write!(f, "`{experiment}` refers,")
        })
    }
}
