//! The fields of an experiment: values that belong to it as a whole.

use std::ops::Deref;
use std::sync::Arc;

use serde::Serialize;
use uuid::Uuid;

use super::{Error, Result};
use crate::bunch::Bunch;
use crate::store::{Store, StoredExperiment};
use crate::stored::writing;
use crate::value::{Value, ValueError, to_value};

/// The fields of an experiment. They are read as a [`Bunch`]; [`insert`](Self::insert) writes one
/// through to the file at once.
#[derive(Clone, Debug)]
pub struct ExperimentFields {
    bunch: Bunch,
    experiment: String,
    db: Option<(Arc<dyn Store>, Uuid)>,
}

impl ExperimentFields {
    pub(super) fn stored(db: &Arc<dyn Store>, stored: &StoredExperiment) -> Self {
        let db = Some((Arc::clone(db), stored.id));
        Self {
            bunch: stored.fields.clone(),
            experiment: stored.name.clone(),
            db,
        }
    }

    pub(super) fn owned(experiment: &str, bunch: Bunch) -> Self {
        Self {
            bunch,
            experiment: experiment.to_owned(),
            db: None,
        }
    }

    /// Sets a field, and commits it.
    ///
    /// # Errors
    ///
    /// The value cannot be kept, or the file cannot be written; the fields are as they were.
    pub fn insert<T: Serialize + ?Sized>(
        &mut self,
        name: impl Into<String>,
        value: &T,
    ) -> Result<()> {
        let name = name.into();
        let files = self.db.as_ref();
        let files = files.and_then(|(db, id)| db.writer_of_files(*id, &self.experiment));
        let was_there = self.bunch.value(&name).is_some();
        let result = self.set(&name, || writing(files.as_ref(), || to_value(value)));
        if let (Some(files), Some((db, _))) = (files, &self.db) {
            // Another value may have had a file in its place.
            db.end_of_files(&files, result.is_ok() && !was_there);
        }
        result
    }

    fn set(
        &mut self,
        name: &str,
        value: impl FnOnce() -> std::result::Result<Value, ValueError>,
    ) -> Result<()> {
        let value = value().map_err(|source| Error::Field {
            experiment: self.experiment.clone(),
            field: name.to_owned(),
            source,
        })?;
        match &self.db {
            // Another handle may have set other fields since.
            Some((db, id)) => self.bunch = db.set_field(*id, name, value)?,
            None => self.bunch.set(name.to_owned(), value),
        }
        Ok(())
    }
}

impl Deref for ExperimentFields {
    type Target = Bunch;

    fn deref(&self) -> &Bunch {
        &self.bunch
    }
}
