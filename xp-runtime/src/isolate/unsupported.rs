//! What stands for children where there can be none: there are no Unix sockets.

use std::convert::Infallible;
use std::marker::PhantomData;
use std::sync::Arc;

use uuid::Uuid;

use super::{Crossing, IsolationError, Limits};
use crate::attempt::Ran;
use crate::declare::{Declared, Portion};
use crate::identity::InputsHash;
use crate::run::Context;
use crate::sequence::ChunkDir;
use crate::shared::SharedKey;
use crate::stored::StoreWriter;
use crate::value::{Cell, Value};

/// Cannot be made.
pub(crate) struct Host<S>(Infallible, PhantomData<fn() -> S>);

/// Cannot be made.
pub(crate) struct Child<'a, S>(Infallible, PhantomData<&'a S>);

/// What would be sent of a point.
pub(crate) struct Sent<'a> {
    pub(crate) id_run: Uuid,
    pub(crate) inputs: InputsHash,
    pub(crate) values: Vec<Value>,
    pub(crate) keys: &'a [SharedKey],
    pub(crate) chunks: Option<&'a ChunkDir>,
    pub(crate) stores: Option<&'a StoreWriter>,
    pub(crate) portions: Vec<Portion>,
    pub(crate) kept: Vec<(usize, Cell)>,
}

impl<S> Host<S> {
    pub(super) fn new<X: Declared<State = S>>(
        _: Crossing<S>,
        _: Limits,
    ) -> Result<Self, IsolationError> {
        Err(IsolationError::Unsupported {
            experiment: X::declaration().name,
            what: "runs in processes of their own",
        })
    }

    pub(crate) fn begin(&self) -> Result<(), IsolationError> {
        match self.0 {}
    }

    pub(crate) fn child(&self, _: &Arc<Context>) -> Child<'_, S> {
        match self.0 {}
    }
}

impl<S> Child<'_, S> {
    pub(crate) fn prepare(&mut self) -> Result<(), IsolationError> {
        match self.0 {}
    }

    pub(crate) fn run(&mut self, _: Sent<'_>) -> Ran<S> {
        match self.0 {}
    }
}
