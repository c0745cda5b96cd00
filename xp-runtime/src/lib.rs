//! The runtime of xp: state, plans, execution, identity and the file.
//!
//! Programs depend on `xp-lab`, whose library is called `xp`; its documentation is the place to
//! start. A module here stands above all that it imports.

// So that generated code finds this crate, and not another one that was built without its tests.
#[cfg(test)]
extern crate self as xp;

pub mod datapak;
pub mod identity;
pub mod value;

mod attempt;
mod attributes;
mod bounds;
mod bunch;
mod continued;
mod declare;
mod disk;
mod exception;
mod execute;
mod experiment;
mod failpoint;
mod isolate;
#[cfg_attr(not(feature = "monitor"), path = "monitor/without.rs")]
mod monitor;
mod order;
mod panic;
mod plan;
mod rng;
mod row;
mod run;
mod scope;
mod sequence;
mod session;
mod shared;
mod signals;
mod step;
mod stop;
mod store;
mod stored;
mod sweep;
mod table;
mod usage;

pub use bounds::{FieldValue, InputValue, SharedValue, StateValue};
pub use bunch::Bunch;
pub use datapak::DatapakError;
pub use declare::{Declaration, FieldInfo, InputCause, InputError, InputInfo, InputRole, Slice};
pub use exception::{Exception, Outcome, Skip, skip};
pub use execute::{Counts, PointState};
pub use experiment::{
    ChangedInputs, Error, Experiment, ExperimentFields, Failure, Failures, Readable, Result, Runs,
    RunsFailed,
};
pub use isolate::{Experiments, child_main};
#[cfg(feature = "monitor")]
pub use monitor::Monitor;
pub use plan::{
    AnyPlan, CrossingState, Grid, IntoAny, IntoPlan, Isolation, IsolationError, Limited, Options,
    Order, Plan, PlanError, PlanOptions, Planned, Policy, Rerun, RunEnded, WithPoints, union,
};
pub use rng::Rng;
pub use row::{LayoutError, Misfit, RowError};
pub use run::{Args, Dynamic, FieldError, Live, LiveFields, Run, RunKind};
pub use sequence::{Row, Sequence, SequenceError};
pub use session::{Listing, PlanReport, PlannedGroup, PlannedPoint, Session, Upstreamed};
pub use step::{Fingerprint, SourceText, StepInfo};
pub use store::{Durability, IfExists, Listed, StoreError};
pub use stored::{ArchiveStore, DataStore, DataStoreCause, DataStoreError};
pub use sweep::{BoxError, Swept, SweptFields};
pub use table::{QueryRowError, Table, TableError};
pub use uuid::Uuid;
pub use value::{Value, ValueError};

/// Used by generated code. Not public, and not subject to semantic versioning.
#[doc(hidden)]
pub mod __private {
    pub use serde;
    #[cfg(test)]
    pub use xp_macros::callee_must_be_a_step;

    pub use crate::bounds::{AnyInput, InputType, SharedOps, StandsInRow, state_must_be_send};
    pub use crate::continued::{
        ExperimentFn, RunsOf, continues, continues_must_name_an_experiment, runs_in,
    };
    pub use crate::declare::{
        Baseline, Continues, Declaration, Declared, FieldInfo, FieldOps, InputError, InputInfo,
        InputOps, InputRole, Recorded, RunsKind, Slice, Visitor, not_sent, same_type,
    };
    pub use crate::exception::StepError;
    pub use crate::plan::{
        Any, AnyPlan, Axes, Axis, Given, HasConfigs, IntoAny, IntoPlan, Missing, Options, Plan,
        PlanError, PlanOptions, Planned, Slot, ValueOf, WithPoints, values,
    };
    pub use crate::row::{Layout, Mapping, Part, RowError, RowReader};
    pub use crate::run::{Run, RunKind};
    pub use crate::scope::Scope;
    pub use crate::sequence::Sequence;
    pub use crate::step::{Fingerprint, SourceText, Step, StepInfo};
    pub use crate::store::StoredExperiment;
    pub use crate::value::Value;
}
