//! The fields of experiments that come together.

use super::bring::Transfer;
use super::{Goal, Head, Result};
use crate::bunch::Bunch;
use crate::datapak;
use crate::store::{StoreError, sql};
use crate::value::{Cell, Value};

impl Transfer<'_, '_> {
    /// Of several values under one name, the last one counts; but what is there stays.
    pub(super) fn fields(&mut self, goal: &Goal, there: Option<&Head>) -> Result<()> {
        let mut given = self
            .sources
            .iter()
            .filter(|source| source.head.has_fields());
        let (first, more) = (given.next(), given.next().is_some());
        let Some(first) = first else { return Ok(()) };
        if there.is_none() && !more {
            // As they are: also values that this xp does not know.
            let mut cell = Cell::Blob(first.head.fields.clone());
            self.files
                .carry(&mut cell, first.directory.as_deref(), goal)?;
            let Cell::Blob(blob) = cell else {
                return Ok(());
            };
            return self.import.set_fields(goal, &blob);
        }
        let mut all = Bunch::new();
        for source in self.sources {
            let mut cell = Cell::Blob(source.head.fields.clone());
            self.files
                .carry(&mut cell, source.directory.as_deref(), goal)?;
            let Cell::Blob(blob) = cell else { continue };
            for (name, value) in self.decoded(&source.head, &blob)?.into_members() {
                all.set(name, value);
            }
        }
        let mut fields = match there {
            Some(there) => self.decoded(there, &there.fields)?,
            None => Bunch::new(),
        };
        let before = fields.len();
        for (name, value) in all.into_members() {
            if fields.value(&name).is_none() {
                fields.set(name, value);
            }
        }
        if fields.len() == before {
            return Ok(());
        }
        let blob = sql::bunch_blob(&fields).map_err(|_| self.bad_fields(&goal.name))?;
        self.import.set_fields(goal, &blob)
    }

    fn decoded(&self, of: &Head, blob: &[u8]) -> Result<Bunch> {
        let value = datapak::decode(blob).map_err(|source| StoreError::Damaged {
            what: "the fields".to_owned(),
            experiment: of.name.clone(),
            file: self.file.to_owned(),
            source: Box::new(source),
        })?;
        sql::bunch(value).ok_or_else(|| self.bad_fields(&of.name))
    }

    fn bad_fields(&self, experiment: &str) -> StoreError {
        StoreError::Unexpected {
            what: "the fields".to_owned(),
            experiment: experiment.to_owned(),
            file: self.file.to_owned(),
            expected: "a dictionary".to_owned(),
        }
    }
}

impl Head {
    /// Whether there is a field under every name that the other one has.
    pub(super) fn has_fields_of(&self, other: &Self) -> bool {
        if !other.has_fields() {
            return true;
        }
        let fields = |of: &Self| sql::bunch(datapak::decode(&of.fields).ok()?);
        // What cannot be read is told when it is copied.
        let (Some(there), Some(given)) = (fields(self), fields(other)) else {
            return false;
        };
        (given.iter()).all(|(name, _)| there.value(name).is_some())
    }

    fn has_fields(&self) -> bool {
        let none = [Value::Bunch(Vec::new()), Value::Map(Vec::new())];
        !datapak::decode(&self.fields).is_ok_and(|fields| none.contains(&fields))
    }
}
