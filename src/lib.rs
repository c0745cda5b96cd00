//! Computational experiments: declare the steps, run the grid in parallel, keep every run in a
//! SQLite file.

pub use xp_macros::{experiment, step};
pub use xp_runtime::*;

/// What nearly every program needs: `use xp::prelude::*;`.
pub mod prelude {
    pub use crate::{
        AnyPlan as _, Experiment, Grid as _, IfExists, IntoAny as _, IntoPlan as _, Options, Order,
        PlanOptions as _, Policy, Run, Sequence, Session, WithPoints as _, experiment, step,
    };
}

/// Used by generated code. Not public, and not subject to semantic versioning.
#[doc(hidden)]
pub mod __private {
    pub use xp_macros::callee_must_be_a_step;
    pub use xp_runtime::__private::*;
}
