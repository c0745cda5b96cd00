//! The errors of plans.

use super::IsolationError;
use crate::declare::{Declaration, InputCause};
use crate::value::ValueError;

/// What is wrong with a plan. Nothing was executed, and nothing was changed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// An input has no value.
    #[error("the plan of `{experiment}` lacks the input `{input}`; give it with `.{input}(..)`")]
    Lacks {
        /// The experiment's name.
        experiment: &'static str,
        /// The input's name.
        input: &'static str,
    },
    /// There is no point.
    #[error("the plan of `{experiment}` has no point: {input} is empty")]
    Empty {
        /// The experiment's name.
        experiment: &'static str,
        /// What is empty.
        input: String,
    },
    /// There are more points than 64 bits can count.
    #[error("the plan of `{experiment}` has more than 2^64 points")]
    TooLarge {
        /// The experiment's name.
        experiment: &'static str,
    },
    /// A value that cannot be recorded.
    #[error("the input `{input}` of `{experiment}` has a value that cannot be recorded")]
    Value {
        /// The experiment's name.
        experiment: &'static str,
        /// The input's name.
        input: &'static str,
        /// What is wrong with the value.
        source: Box<InputCause>,
    },
    /// `.set(..)` was given the name of no input.
    #[error("`{experiment}` has no input `{input}`; its inputs are {}", known.join(", "))]
    UnknownInput {
        /// The experiment's name.
        experiment: &'static str,
        /// The name that was given.
        input: String,
        /// The names that there are.
        known: Vec<&'static str>,
    },
    /// `.set(..)` was given a value of another type.
    #[error("the input `{input}` of `{experiment}` is a `{expected}`")]
    WrongType {
        /// The experiment's name.
        experiment: &'static str,
        /// The input's name.
        input: &'static str,
        /// The input's type, as it is declared.
        expected: &'static str,
        /// What is wrong with the value.
        source: ValueError,
    },
    /// A config was given another number of values than one.
    #[error("the input `{input}` of `{experiment}` is a config: it takes one value, not {found}")]
    OneValue {
        /// The experiment's name.
        experiment: &'static str,
        /// The input's name.
        input: &'static str,
        /// How many values were given.
        found: usize,
    },
    /// `.zip()` on inputs of different lengths.
    #[error("the inputs of `{experiment}` cannot be zipped: {}", lengths(found))]
    ZipLengths {
        /// The experiment's name.
        experiment: &'static str,
        /// The inputs with more than one value, and how many they have.
        found: Vec<(&'static str, usize)>,
    },
    /// A plan for the runs that are there was zipped, mapped, or joined with another.
    #[error(
        "`{experiment}` continues the runs that are there: they can be filtered and ordered, and not \
         zipped, mapped or joined"
    )]
    OfRuns {
        /// The continuing experiment's name.
        experiment: &'static str,
    },
    /// A plan that is resumed, or that continues the runs of another experiment, was told what to do
    /// if the experiment is there.
    #[error("the plan of `{experiment}` has `.if_exists(..)`, and {why}: leave it out")]
    IfExists {
        /// The experiment's name.
        experiment: &'static str,
        /// Why that says nothing.
        why: &'static str,
    },
    /// It is not said which experiment is continued.
    #[error(
        "`{experiment}` continues an experiment that no program declares: say which one of the file, \
         `.named(\"..\")`"
    )]
    NoName {
        /// The continuing experiment's name.
        experiment: &'static str,
    },
    /// There is no run that could be continued.
    #[error("`{experiment}` has nothing to continue: `{continued}` has no completed run")]
    NoRuns {
        /// The continuing experiment's name.
        experiment: &'static str,
        /// The name of the experiment that is continued.
        continued: String,
    },
    /// The runs cannot have processes of their own, or limits.
    #[error(transparent)]
    Isolation(#[from] Box<IsolationError>),
    /// `.zip()` on what is no product any more.
    #[error("the plan of `{experiment}` cannot be zipped any more: call `.zip()` before all else")]
    ZipOrder {
        /// The experiment's name.
        experiment: &'static str,
    },
}

impl PlanError {
    #[doc(hidden)]
    pub fn unknown_input(declaration: &'static Declaration, input: &str) -> Self {
        Self::UnknownInput {
            experiment: declaration.name,
            input: input.to_owned(),
            known: declaration.inputs.iter().map(|info| info.name).collect(),
        }
    }
}

fn lengths(found: &[(&str, usize)]) -> String {
    let each: Vec<_> = found
        .iter()
        .map(|(name, len)| format!("`{name}` has {len} values"))
        .collect();
    each.join(", ")
}
