//! What can be done with an experiment where it is: look again, rename, delete.

use std::collections::HashMap;
use std::sync::Arc;

use uuid::Uuid;

use super::{Error, Experiment, Readable, Result, Source};
use crate::store::{Key, Store, check_experiment};
use crate::value::from_value;

impl<X: Readable> Experiment<X> {
    /// The store in which it is, and its id there.
    pub(crate) fn in_store(&self) -> Result<(&Arc<dyn Store>, Uuid)> {
        match &self.runs {
            Source::Db { db, stored, .. } => Ok((db, stored.id)),
            Source::Owned(..) => Err(Error::NoDatabase {
                experiment: self.name.clone(),
            }),
        }
    }

    /// What its runs have left in memory.
    pub(crate) fn states(&self) -> HashMap<Uuid, Arc<X::State>> {
        let states = self.states.iter();
        states.map(|(id, state)| (*id, Arc::clone(state))).collect()
    }

    /// Looks again at the file: what others have changed since the experiment was loaded is seen
    /// then, such as its fields, its name, and fields that runs have inserted.
    ///
    /// ```
    /// # let session = xp::Session::in_memory()?;
    /// # session.sweep("halves", 0..4, |x: &u32, _: &mut xp::Run| Ok::<_, String>(x / 2))?;
    /// let mut experiment = session.load("halves")?;
    /// session.load("halves")?.fields.insert("note", "final")?;
    /// experiment.reload()?;
    /// assert_eq!(experiment.fields.get::<String>("note")?.as_deref(), Some("final"));
    /// # Ok::<(), xp::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// It was deleted, it cannot be read, or it was deserialised and is in no file; it is as it was
    /// then.
    pub fn reload(&mut self) -> Result<()> {
        let (db, id) = self.in_store()?;
        db.reap()?;
        let now = Self::open(db, &Key::Id(id), HashMap::new())?;
        let (states, counts) = (Arc::clone(&self.states), self.counts);
        *self = Self {
            states,
            counts,
            ..now
        };
        Ok(())
    }

    /// Gives the experiment, and the table of its runs, another name. Plans continue it under that
    /// name (`.named("..")`), and its id stays: [`upstream`](Self::upstream) still finds it in shared
    /// files that have it. A process that is executing it stops with an error.
    ///
    /// # Errors
    ///
    /// [`StoreError::NameTaken`](crate::StoreError::NameTaken), or the file cannot be written;
    /// nothing is changed then.
    pub fn rename(&mut self, name: &str) -> Result<()> {
        check_experiment(name)?;
        let (db, id) = self.in_store()?;
        db.rename(id, name)?;
        self.reload()
    }

    /// Deletes the experiment with all of its runs.
    ///
    /// # Errors
    ///
    /// It is gone already, it was deserialised and is in no file, or the file cannot be written.
    pub fn delete(self) -> Result<()> {
        let (db, id) = self.in_store()?;
        Ok(db.delete(&Key::Id(id))?)
    }

    /// The same experiment with runs whose fields are [`Bunch`](crate::Bunch)es.
    pub fn untyped(&self) -> Experiment {
        Experiment {
            id_experiment: self.id_experiment,
            name: self.name.clone(),
            fields: self.fields.clone(),
            runs: match &self.runs {
                Source::Db { db, stored, .. } => Source::Db {
                    db: Arc::clone(db),
                    stored: Arc::clone(stored),
                    mapping: Arc::default(),
                    partial: Arc::default(),
                },
                Source::Owned(runs, _) => Source::Owned(Arc::clone(runs), from_value),
            },
            states: Arc::default(),
            counts: self.counts,
        }
    }
}
