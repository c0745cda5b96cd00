//! Experiments: what an execution made, or what was loaded from a file.

mod error;
mod fields;
mod frame;
mod manage;
mod read;
mod runs;
mod union;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::ser::{SerializeStruct, Serializer};
use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

pub(crate) use error::States;
pub use error::{ChangedInputs, Error, Failure, Result, RunsFailed};
pub use fields::ExperimentFields;
pub use read::Readable;
use read::lacking;
pub use runs::{Failures, Runs};

use crate::attributes::names;
use crate::bunch::Bunch;
use crate::execute::Counts;
use crate::run::{Dynamic, Run};
use crate::store::{Key, Store, StoredExperiment, ledger_of};
use crate::value::{Kind, Value, ValueError, from_value};

/// A collection of runs under a name.
///
/// `Experiment<Iris>` has typed runs; without a parameter their fields are [`Bunch`]es. Runs are
/// read from the file when they are asked for, a page at a time.
pub struct Experiment<X: Readable = Dynamic> {
    /// The experiment's id: a random UUID.
    pub id_experiment: Uuid,
    /// The experiment's name, unique in its file.
    pub name: String,
    /// Values that belong to the experiment as a whole.
    pub fields: ExperimentFields,
    runs: Source<X>,
    states: Arc<HashMap<Uuid, Arc<X::State>>>,
    counts: Option<Counts>,
}

/// Where the runs are.
enum Source<X: Readable> {
    /// In a file.
    Db {
        db: Arc<dyn Store>,
        stored: Arc<StoredExperiment>,
        mapping: Arc<X::Mapping>,
        /// Completed runs that lack a field.
        partial: Arc<HashSet<u128>>,
    },
    /// In memory: the experiment was deserialised, and has no database.
    Owned(Arc<Vec<Value>>, ReadOwned<X>),
}

/// Makes a run of what a run was serialised as.
type ReadOwned<X> = fn(Value) -> Result<Run<X>, ValueError>;

/// The attributes of an experiment, in order, and whether they are serialised with it.
const ATTRIBUTES: [(&str, bool); 5] = [
    ("id_experiment", true),
    ("name", true),
    ("fields", true),
    ("runs", true),
    ("db", false),
];

impl Experiment {
    /// The names of the attributes that make up the state of an experiment.
    pub const STATE: [&'static str; 5] = names(&ATTRIBUTES, false);

    /// The names of the attributes with which an experiment is serialised: all but `db`.
    pub const SERIALIZED: [&'static str; 4] = names(&ATTRIBUTES, true);
}

impl<X: Readable> Experiment<X> {
    /// The stored experiment, as one of this kind.
    pub(crate) fn open(
        db: &Arc<dyn Store>,
        key: &Key,
        states: HashMap<Uuid, Arc<X::State>>,
    ) -> Result<Self> {
        let mut stored = db.find(key)?;
        if let Some(declared) = X::continuing() {
            stored.ledger = ledger_of(stored.id, Some(declared));
            stored.continued = db.is_continued(&stored, declared)?;
        }
        let partial = lacking::<X>(db.as_ref(), &stored)?;
        let mapping = X::mapping(&stored).map_err(|misfits| Error::Misfit {
            experiment: stored.name.clone(),
            misfits,
        })?;
        Ok(Self {
            id_experiment: stored.id,
            name: stored.name.clone(),
            fields: ExperimentFields::stored(db, &stored),
            runs: Source::Db {
                db: Arc::clone(db),
                mapping: Arc::new(mapping),
                stored: Arc::new(stored),
                partial: Arc::new(partial),
            },
            states: Arc::new(states),
            counts: None,
        })
    }

    /// The experiment, if its serialised values are of the types that are read from them.
    pub(crate) fn checked(self) -> Result<Self> {
        if let Source::Db {
            db,
            stored,
            mapping,
            partial,
        } = &self.runs
        {
            let mut kinds = stored.columns.iter().map(|column| column.ty.kind);
            // The first run stands for all.
            let first = match kinds.any(|kind| kind == Kind::Serialized) {
                true => db.first_run(stored)?,
                false => None,
            };
            // One that lacks fields stands for none that is read.
            let first = first.filter(|run| !partial.contains(&run.id_run.as_u128()));
            let misfits = first.map_or_else(Vec::new, |run| X::misfits(mapping, &run.cells));
            if !misfits.is_empty() {
                return Err(Error::Misfit {
                    experiment: stored.name.clone(),
                    misfits,
                });
            }
        }
        Ok(self)
    }

    /// The experiment, with the failures of one that continues it.
    pub(crate) fn continued_by(mut self, declared: &str) -> Self {
        if let Source::Db { stored, .. } = &mut self.runs {
            let mut own = StoredExperiment::clone(stored);
            own.ledger = ledger_of(own.id, Some(declared));
            *stored = Arc::new(own);
        }
        self
    }

    /// The experiment, with how the points of its plan stood before.
    pub(crate) fn counted(self, counts: Option<Counts>) -> Self {
        Self { counts, ..self }
    }

    /// How the points of the plan stood in the file when [`resume`](crate::Session::resume) began,
    /// with those that were left as they are: stale, partial, skipped. `None` if the experiment was
    /// new, or was loaded.
    pub fn counts(&self) -> Option<&Counts> {
        self.counts.as_ref()
    }

    /// The same experiment as one of another kind; `None` if it has no database.
    fn retyped<Y: Readable>(
        &self,
        states: HashMap<Uuid, Arc<Y::State>>,
    ) -> Option<Result<Experiment<Y>>> {
        match &self.runs {
            Source::Db { db, stored, .. } => {
                Some(Experiment::open(db, &Key::Id(stored.id), states))
            }
            Source::Owned(..) => None,
        }
    }

    /// How many completed runs lack a field that was declared after they were made. Typed runs are
    /// without them; [`fill`](crate::PlanOptions::fill) gives them what they lack.
    pub fn partial(&self) -> usize {
        match &self.runs {
            Source::Db { partial, .. } => partial.len(),
            Source::Owned(..) => 0,
        }
    }

    /// The runs that completed, in the order in which they ended. Typed ones have all fields: see
    /// [`partial`](Self::partial).
    pub fn runs(&self) -> Runs<X> {
        match &self.runs {
            Source::Db {
                db,
                stored,
                mapping,
                partial,
            } => Runs::stored(
                Arc::clone(db),
                Arc::clone(stored),
                Arc::clone(mapping),
                Arc::clone(&self.states),
                Arc::clone(partial),
            ),
            Source::Owned(runs, read) => Runs::owned(&self.name, runs, *read),
        }
    }

    /// The runs that did not complete, with their inputs and what ended them.
    pub fn failures(&self) -> Failures {
        match &self.runs {
            Source::Db { db, stored, .. } => Failures::stored(Arc::clone(db), Arc::clone(stored)),
            Source::Owned(..) => Failures::none(),
        }
    }

    /// The path of the file in which the experiment is; `None` if it was deserialised.
    pub fn db(&self) -> Option<&str> {
        match &self.runs {
            Source::Db { db, .. } => Some(db.place()),
            Source::Owned(..) => None,
        }
    }

    /// What a run kept as an artifact under that name: see [`Run::artifact`].
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn artifact(&self, id_run: Uuid, name: &str) -> Result<Option<Vec<u8>>> {
        match &self.runs {
            Source::Db { db, stored, .. } => Ok(db.artifact(stored.id, id_run, name)?),
            Source::Owned(..) => Ok(None),
        }
    }
}

impl<X: Readable> Clone for Experiment<X> {
    fn clone(&self) -> Self {
        Self {
            id_experiment: self.id_experiment,
            name: self.name.clone(),
            fields: self.fields.clone(),
            runs: match &self.runs {
                Source::Db {
                    db,
                    stored,
                    mapping,
                    partial,
                } => Source::Db {
                    db: Arc::clone(db),
                    stored: Arc::clone(stored),
                    mapping: Arc::clone(mapping),
                    partial: Arc::clone(partial),
                },
                Source::Owned(runs, read) => Source::Owned(Arc::clone(runs), *read),
            },
            states: Arc::clone(&self.states),
            counts: self.counts,
        }
    }
}

impl<X: Readable> fmt::Debug for Experiment<X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Experiment")
            .field("id_experiment", &self.id_experiment)
            .field("name", &self.name)
            .field("fields", &*self.fields)
            .field("db", &self.db())
            .finish_non_exhaustive()
    }
}

/// The attributes of [`Experiment::SERIALIZED`], in this order. The runs are read from the file.
impl<X: Readable> Serialize for Experiment<X>
where
    Run<X>: Serialize,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("Experiment", Experiment::SERIALIZED.len())?;
        for name in Experiment::SERIALIZED {
            match name {
                "id_experiment" => out.serialize_field(name, &self.id_experiment)?,
                "name" => out.serialize_field(name, &self.name)?,
                "fields" => out.serialize_field(name, &*self.fields)?,
                _ => {
                    let runs: Result<Vec<_>> = self.runs().collect();
                    out.serialize_field(name, &runs.map_err(serde::ser::Error::custom)?)?;
                }
            }
        }
        out.end()
    }
}

/// From a format that describes itself, such as JSON. The experiment has no database, and no
/// failures; its runs are in memory.
impl<'de, X: Readable> Deserialize<'de> for Experiment<X>
where
    Run<X>: DeserializeOwned,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename = "Experiment")]
        struct Parts {
            id_experiment: Uuid,
            name: String,
            fields: Bunch,
            runs: Vec<Value>,
        }
        let parts = Parts::deserialize(deserializer)?;
        for run in &parts.runs {
            from_value::<Run<X>>(run.clone()).map_err(serde::de::Error::custom)?;
        }
        Ok(Self {
            id_experiment: parts.id_experiment,
            fields: ExperimentFields::owned(&parts.name, parts.fields),
            name: parts.name,
            runs: Source::Owned(Arc::new(parts.runs), from_value),
            states: Arc::default(),
            counts: None,
        })
    }
}

impl From<crate::store::StoredFailure> for Failure {
    fn from(stored: crate::store::StoredFailure) -> Self {
        let crate::store::StoredFailure {
            id_run,
            outcome,
            exception,
            inputs,
            fields,
            attempt,
            ..
        } = stored;
        Self {
            id_run,
            outcome,
            exception,
            inputs,
            fields,
            attempt,
        }
    }
}
