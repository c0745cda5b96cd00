//! Runs: the live one, which steps see, and the finished one, which is read from the file.

mod args;
mod fields;
mod live;

use std::fmt;
use std::sync::Arc;

use serde::ser::{Serialize, SerializeStruct, Serializer};
use uuid::Uuid;

pub use args::Args;
pub use fields::{FieldError, LiveFields};
pub(crate) use fields::{FieldRegistry, values};
pub use live::Live;
pub(crate) use live::{Context, Keeper, Progress};

use crate::attributes::names;
use crate::bunch::Bunch;
use crate::exception::Exception;

/// What makes a [`Run`] the run of something: which fields and which state it has.
///
/// `#[experiment]` implements it for the type that it leaves; [`Live`] and [`Dynamic`] are xp's own.
pub trait RunKind: Sized {
    /// The run's fields.
    type Fields;
    /// What stays in memory after the run, in the process that executed it.
    type State: Send;
    /// What else a run of this kind holds; nothing that is part of its state.
    #[doc(hidden)]
    type Inner;
}

/// The kind of runs whose types are not known: their fields are a [`Bunch`].
#[derive(Clone, Copy, Debug)]
pub enum Dynamic {}

impl RunKind for Dynamic {
    type Fields = Bunch;
    type State = ();
    type Inner = ();
}

/// A run of an experiment.
///
/// Without a parameter it is the live run, which steps take as `run: &mut Run`, or `&Run`: it gives
/// them ids, inputs, random numbers, and further fields, sequences and artifacts to record.
///
/// `Run<Iris>` is a run of the experiment `iris` that has completed: it has the recorded inputs and
/// the fields as typed members. Its config and params themselves, and its vars, are gone with its
/// execution, and there is no accessor for them.
#[non_exhaustive]
pub struct Run<X: RunKind = Live> {
    /// The id of the experiment to which the run belongs.
    pub id_experiment: Uuid,
    /// The run's own id: a UUIDv8 made from the identity of its point, the same wherever it runs.
    pub id_run: Uuid,
    /// What is recorded: a column each.
    pub fields: X::Fields,
    /// What ended the run; `None` for a completed one, which nearly all are.
    pub exception: Option<Box<Exception>>,
    pub(crate) state: Option<Arc<X::State>>,
    pub(crate) inner: X::Inner,
}

/// The attributes of a run, in order, and whether they are serialised with it.
const ATTRIBUTES: [(&str, bool); 9] = [
    ("id_experiment", true),
    ("id_run", true),
    ("config", true),
    ("params", true),
    ("fields", true),
    ("state", true),
    ("exception", true),
    ("vars", false),
    ("steps", false),
];

impl Run {
    /// The names of the attributes that make up the state of a run.
    pub const STATE: [&'static str; 9] = names(&ATTRIBUTES, false);

    /// The names of the attributes with which a run is serialised: its state but `vars` and `steps`.
    pub const SERIALIZED: [&'static str; 7] = names(&ATTRIBUTES, true);
}

impl<X: RunKind<Inner = ()>> Run<X> {
    pub(crate) fn finished(
        id_experiment: Uuid,
        id_run: Uuid,
        fields: X::Fields,
        state: Option<Arc<X::State>>,
    ) -> Self {
        Self {
            id_experiment,
            id_run,
            fields,
            exception: None,
            state,
            inner: (),
        }
    }

    /// What the steps left in `#[state]` lets: in the process that executed the run, and `None`
    /// where the run was loaded from a file.
    pub fn state(&self) -> Option<&X::State> {
        self.state.as_deref()
    }
}

/// The attributes of [`Run::SERIALIZED`], in this order. A run is serialisable where its fields and
/// its state are. `config` and `params` are empty, as they are after every execution.
impl<X: RunKind<Inner = ()>> Serialize for Run<X>
where
    X::Fields: Serialize,
    X::State: Serialize,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("Run", Run::SERIALIZED.len())?;
        for name in Run::SERIALIZED {
            match name {
                "id_experiment" => out.serialize_field(name, &self.id_experiment)?,
                "id_run" => out.serialize_field(name, &self.id_run)?,
                "fields" => out.serialize_field(name, &self.fields)?,
                "state" => out.serialize_field(name, &self.state())?,
                "exception" => out.serialize_field(name, &self.exception)?,
                _ => out.serialize_field(name, &Bunch::new())?,
            }
        }
        out.end()
    }
}

impl<'de, X: RunKind<Inner = ()>> serde::Deserialize<'de> for Run<X>
where
    X::Fields: serde::Deserialize<'de>,
    X::State: serde::Deserialize<'de>,
{
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        #[serde(rename = "Run")]
        struct Parts<F, S> {
            id_experiment: Uuid,
            id_run: Uuid,
            fields: F,
            #[serde(default = "Option::default")]
            state: Option<S>,
            #[serde(default)]
            exception: Option<Box<Exception>>,
        }
        let parts = Parts::<X::Fields, X::State>::deserialize(deserializer)?;
        Ok(Self {
            id_experiment: parts.id_experiment,
            id_run: parts.id_run,
            fields: parts.fields,
            exception: parts.exception,
            state: parts.state.map(Arc::new),
            inner: (),
        })
    }
}

impl<X: RunKind> fmt::Debug for Run<X>
where
    X::Fields: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run")
            .field("id_experiment", &self.id_experiment)
            .field("id_run", &self.id_run)
            .field("fields", &self.fields)
            .field("exception", &self.exception)
            .finish_non_exhaustive()
    }
}
