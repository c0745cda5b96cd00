//! What stands for the monitor where the feature `monitor` is off: nothing of it can be made.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use crate::sequence::Buffer;

/// Cannot be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Monitor {}

/// Cannot be made.
#[derive(Debug)]
pub(crate) enum Sampler {}

/// Cannot be made.
#[derive(Debug)]
pub(crate) struct Watched(Infallible);

/// Cannot be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MonitorError {}

impl Monitor {
    pub(crate) fn field_name(&self) -> &str {
        match *self {}
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        match self.0 {}
    }
}

impl Sampler {
    pub(crate) fn new(settings: Monitor) -> Self {
        match settings {}
    }

    pub(crate) fn settings(&self) -> &Monitor {
        match *self {}
    }

    pub(crate) fn sequence(&self) -> Result<Buffer, MonitorError> {
        match *self {}
    }

    pub(crate) fn watch(&self, _: Arc<Mutex<Buffer>>) -> Watched {
        match *self {}
    }
}
