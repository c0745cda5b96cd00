//! What `#[experiment]` leaves for the runtime: data about the inputs and fields, and one function
//! that runs the steps. Everything else follows from it here.

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::bunch::Bunch;
use crate::exception::StepError;
use crate::identity::{EncodeError, Inputs};
use crate::row::{Layout, RowError, RowReader, RowWriter};
use crate::run::{Run, RunKind};
use crate::scope::Scope;
use crate::step::StepInfo;
use crate::value::{Value, ValueError, to_members, to_value};

/// Whether an input is a config or a param.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InputRole {
    /// One value per execution.
    Config,
    /// A value per point.
    Param,
}

/// An input of an experiment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputInfo {
    /// The input's name.
    pub name: &'static str,
    /// Its doc comment.
    pub doc: &'static str,
    /// Its type, as it is written.
    pub ty: &'static str,
    /// Config or param.
    pub role: InputRole,
    /// Whether it is part of a point's identity.
    pub identity: bool,
    /// Whether it is recorded as a column.
    pub recorded: bool,
    /// Its place among the inputs, from 0.
    pub position: usize,
}

/// What is declared of an experiment.
#[derive(Clone, Copy, Debug)]
pub struct Declaration {
    /// The experiment's name, which is part of its points' identities.
    pub name: &'static str,
    /// Its doc comment.
    pub doc: &'static str,
    /// The module in which it is.
    pub module: &'static str,
    /// Config and params, in order.
    pub inputs: &'static [InputInfo],
    /// The steps, in order.
    pub steps: &'static [&'static StepInfo],
    /// For each shared value, in order, the positions of the inputs on which it depends.
    pub shared: &'static [&'static [usize]],
    /// Whether a step takes the run.
    pub uses_run: bool,
}

/// Implemented by the type that `#[experiment]` leaves, such as `Iris`.
pub trait Declared: RunKind<Inner = (), State: Send> + 'static {
    /// The values of the config inputs.
    type Config: Send + Sync + 'static;
    /// The values of the params: a point.
    type Params: Clone + Send + Sync + 'static;
    /// The values that inputs are taken to have had before they existed.
    type Absents: Send + Sync + 'static;

    /// What is declared.
    fn declaration() -> &'static Declaration;
    /// Evaluates the `absent` and `default` expressions.
    fn absents() -> Self::Absents;
    /// Names the columns, inputs first.
    fn layout(layout: &mut Layout);
    /// Shows each input to a visitor, in the order of the declaration.
    fn visit<V: Visitor>(
        config: &Self::Config,
        params: &Self::Params,
        absents: &Self::Absents,
        visitor: &mut V,
    ) -> Result<(), InputError>;
    /// Runs the steps, and puts the fields into the scope's row.
    fn steps(
        config: &Self::Config,
        params: &Self::Params,
        run: &mut Run,
        scope: &mut Scope<'_>,
    ) -> Result<Self::State, StepError>;
    /// Reads the recorded inputs and the fields, in the order of the layout.
    fn read(row: &mut RowReader<'_>) -> Result<Self::Fields, RowError>;
}

/// An input has a value that cannot be part of an identity or of a row.
#[derive(Debug, thiserror::Error)]
#[error("the input `{input}` has a value that cannot be recorded")]
pub struct InputError {
    /// The input's name.
    pub input: String,
    /// What is wrong with it.
    pub source: InputCause,
}

/// What is wrong with the value of an input.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InputCause {
    /// It cannot be brought into canonical form.
    #[error(transparent)]
    Identity(#[from] EncodeError),
    /// It cannot be kept in its column.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// It cannot be kept in its columns.
    #[error(transparent)]
    Row(#[from] RowError),
}

impl InputError {
    fn of(info: &InputInfo) -> impl Fn(InputCause) -> Self {
        let input = info.name;
        move |source| Self {
            input: input.to_owned(),
            source,
        }
    }
}

/// Sees the inputs of a point, one after the other.
pub trait Visitor {
    /// An input that is one value.
    fn plain<T: Serialize + DeserializeOwned + 'static>(
        &mut self,
        info: &InputInfo,
        value: &T,
        absent: Option<&T>,
    ) -> Result<(), InputCause>;

    /// An input that stands as the text that its `key` makes of it.
    fn text(
        &mut self,
        info: &InputInfo,
        text: String,
        absent: Option<String>,
    ) -> Result<(), InputCause>;

    /// An input that is a struct whose members count as inputs.
    fn flat<T: Serialize + DeserializeOwned + 'static>(
        &mut self,
        info: &InputInfo,
        value: &T,
        absent: Option<&T>,
    ) -> Result<(), InputCause>;
}

/// Visits with the name of the input in the error.
#[doc(hidden)]
pub fn named(info: &InputInfo, result: Result<(), InputCause>) -> Result<(), InputError> {
    result.map_err(InputError::of(info))
}

/// Collects what counts for the identity.
pub(crate) struct ForIdentity<'a>(pub(crate) &'a mut Inputs);

impl Visitor for ForIdentity<'_> {
    fn plain<T: Serialize + DeserializeOwned + 'static>(
        &mut self,
        info: &InputInfo,
        value: &T,
        absent: Option<&T>,
    ) -> Result<(), InputCause> {
        match (info.identity, absent) {
            (false, _) => {}
            (true, None) => self.0.push(info.name, value)?,
            (true, Some(absent)) => self.0.push_unless(info.name, value, absent)?,
        }
        Ok(())
    }

    fn text(
        &mut self,
        info: &InputInfo,
        text: String,
        absent: Option<String>,
    ) -> Result<(), InputCause> {
        if info.identity && absent.as_ref() != Some(&text) {
            self.0.push_text(info.name, &text);
        }
        Ok(())
    }

    fn flat<T: Serialize + DeserializeOwned + 'static>(
        &mut self,
        info: &InputInfo,
        value: &T,
        absent: Option<&T>,
    ) -> Result<(), InputCause> {
        if info.identity {
            match absent {
                Some(absent) => self.0.push_members_unless(value, absent)?,
                None => self.0.push_members(value)?,
            }
        }
        Ok(())
    }
}

/// Collects the inputs on which a shared value depends, whether they count for the identity or not.
pub(crate) struct ForShared<'a> {
    pub(crate) inputs: &'a mut Inputs,
    pub(crate) wanted: &'a [usize],
}

impl Visitor for ForShared<'_> {
    fn plain<T: Serialize + DeserializeOwned + 'static>(
        &mut self,
        info: &InputInfo,
        value: &T,
        _: Option<&T>,
    ) -> Result<(), InputCause> {
        if self.wanted.contains(&info.position) {
            self.inputs.push(info.name, value)?;
        }
        Ok(())
    }

    fn text(
        &mut self,
        info: &InputInfo,
        text: String,
        _: Option<String>,
    ) -> Result<(), InputCause> {
        if self.wanted.contains(&info.position) {
            self.inputs.push_text(info.name, &text);
        }
        Ok(())
    }

    fn flat<T: Serialize + DeserializeOwned + 'static>(
        &mut self,
        info: &InputInfo,
        value: &T,
        _: Option<&T>,
    ) -> Result<(), InputCause> {
        if self.wanted.contains(&info.position) {
            self.inputs.push(info.name, value)?;
        }
        Ok(())
    }
}

/// Puts the recorded inputs into a row.
pub(crate) struct ForRow<'a, 'b>(pub(crate) &'a mut RowWriter<'b>);

impl Visitor for ForRow<'_, '_> {
    fn plain<T: Serialize + DeserializeOwned + 'static>(
        &mut self,
        info: &InputInfo,
        value: &T,
        _: Option<&T>,
    ) -> Result<(), InputCause> {
        if info.recorded {
            self.0.put(value)?;
        }
        Ok(())
    }

    fn text(
        &mut self,
        info: &InputInfo,
        text: String,
        _: Option<String>,
    ) -> Result<(), InputCause> {
        if info.recorded {
            self.0.put(&text)?;
        }
        Ok(())
    }

    fn flat<T: Serialize + DeserializeOwned + 'static>(
        &mut self,
        info: &InputInfo,
        value: &T,
        _: Option<&T>,
    ) -> Result<(), InputCause> {
        if info.recorded {
            self.0.put_flat(value)?;
        }
        Ok(())
    }
}

/// Collects all inputs by their names, for steps and for the record of a failure.
#[derive(Default)]
pub(crate) struct ForBunch {
    pub(crate) config: Bunch,
    pub(crate) params: Bunch,
}

impl ForBunch {
    fn set(&mut self, info: &InputInfo, name: &str, value: Value) {
        let bunch = match info.role {
            InputRole::Config => &mut self.config,
            InputRole::Param => &mut self.params,
        };
        bunch.set(name.to_owned(), value);
    }
}

impl Visitor for ForBunch {
    fn plain<T: Serialize + DeserializeOwned + 'static>(
        &mut self,
        info: &InputInfo,
        value: &T,
        _: Option<&T>,
    ) -> Result<(), InputCause> {
        self.set(info, info.name, to_value(value)?);
        Ok(())
    }

    fn text(
        &mut self,
        info: &InputInfo,
        text: String,
        _: Option<String>,
    ) -> Result<(), InputCause> {
        self.set(info, info.name, Value::Text(text));
        Ok(())
    }

    fn flat<T: Serialize + DeserializeOwned + 'static>(
        &mut self,
        info: &InputInfo,
        value: &T,
        _: Option<&T>,
    ) -> Result<(), InputCause> {
        for (name, value) in to_members(value)? {
            self.set(info, &name, value);
        }
        Ok(())
    }
}

/// A point of an experiment: params, with the config of the part of the plan they come from.
#[derive(Debug)]
pub(crate) struct Point<X: Declared> {
    pub(crate) config: Arc<X::Config>,
    pub(crate) params: X::Params,
}
