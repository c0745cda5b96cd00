//! What ended a run, and what is kept of an error or a panic.

use std::error::Error as StdError;
use std::fmt;

use serde::{Deserialize, Serialize};

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// All steps ended; the run's fields are stored.
    Completed,
    /// A step returned an error.
    Failed,
    /// A step panicked.
    Panicked,
    /// A step returned [`skip`]: there is nothing to compute for this point, and that is no failure.
    Skipped,
    /// The run took longer than it was allowed to.
    TimedOut,
    /// The run needed more memory than it was allowed to.
    OutOfMemory,
    /// A signal ended the process of the run: an abort, an overflow of the stack, a fault.
    Killed,
    /// A step ended the process of the run (`std::process::exit`).
    Exited,
    /// The run was asked to stop, and did.
    Cancelled,
    /// The process of the run died before the run ended.
    Interrupted,
    /// It was not attempted, since a smaller point had failed: see [`Grid::prune`](crate::Grid::prune).
    Pruned,
}

impl Outcome {
    /// The text that stands for this outcome in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Panicked => "panicked",
            Self::Skipped => "skipped",
            Self::TimedOut => "timed_out",
            Self::OutOfMemory => "out_of_memory",
            Self::Killed => "killed",
            Self::Exited => "exited",
            Self::Cancelled => "cancelled",
            Self::Interrupted => "interrupted",
            Self::Pruned => "pruned",
        }
    }

    /// The outcome for which a text stands in the file.
    pub fn from_text(text: &str) -> Option<Self> {
        [
            Self::Completed,
            Self::Failed,
            Self::Panicked,
            Self::Skipped,
            Self::TimedOut,
            Self::OutOfMemory,
            Self::Killed,
            Self::Exited,
            Self::Cancelled,
            Self::Interrupted,
            Self::Pruned,
        ]
        .into_iter()
        .find(|outcome| outcome.as_str() == text)
    }

    /// Whether this counts as a failure of the run: everything but completed, skipped and pruned.
    pub fn is_failure(self) -> bool {
        !matches!(self, Self::Completed | Self::Skipped | Self::Pruned)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is kept of the error, the panic or the skip that ended a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exception {
    /// The step in which it happened; `None` if it was between the steps.
    pub step: Option<String>,
    /// The error's text, the panic's message, or the reason to skip.
    pub message: String,
    /// The texts of the error's sources, the nearest first.
    pub causes: Vec<String>,
    /// Where it panicked, as `file:line:column`. An error has no location.
    pub location: Option<String>,
    /// The panic's backtrace, if the environment asks for one (`RUST_BACKTRACE`).
    pub backtrace: Option<String>,
}

impl fmt::Display for Exception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(step) = &self.step {
            write!(f, "step `{step}`: ")?;
        }
        f.write_str(&self.message)?;
        for cause in &self.causes {
            write!(f, ": {cause}")?;
        }
        if let Some(location) = &self.location {
            write!(f, " (at {location})")?;
        }
        Ok(())
    }
}

/// The error by which a step says that there is nothing to compute for this point.
///
/// The run counts as skipped: neither completed nor failed, and not attempted again by itself.
///
/// ```
///
/// fn parse(text: &str) -> Result<u32, xp::Skip> {
///     text.parse().map_err(|_| xp::skip("no number"))
/// }
/// assert_eq!(parse("x").unwrap_err().to_string(), "no number");
/// ```
pub fn skip(reason: impl fmt::Display) -> Skip {
    Skip {
        reason: SkipReason(reason.to_string()),
    }
}

/// See [`skip`].
#[derive(Clone, Debug)]
pub struct Skip {
    reason: SkipReason,
}

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)
    }
}

impl StdError for Skip {
    // The reason stands in the chain of causes, where it can be found again although `anyhow` and
    // its like hide the type of the outermost error.
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.reason)
    }
}

#[derive(Clone, Debug)]
struct SkipReason(String);

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for SkipReason {}

/// The error of a step on its way out of a run: anything that is, or becomes, a boxed error.
///
/// It implements no `Error` itself, so that `?` can make it from every error.
#[derive(Debug)]
pub struct StepError(pub(crate) Cause);

#[derive(Debug)]
pub(crate) enum Cause {
    /// A step of this run returned it.
    Error(Box<dyn StdError + Send + Sync>),
    /// A shared step returned it, or panicked, in this run or in another one.
    Shared(Box<(Outcome, Exception)>),
}

impl<E: Into<Box<dyn StdError + Send + Sync>>> From<E> for StepError {
    fn from(error: E) -> Self {
        Self(Cause::Error(error.into()))
    }
}

impl StepError {
    /// The outcome and the exception of a run that ended in this error during `step`.
    pub(crate) fn into_exception(self, step: Option<&str>) -> (Outcome, Exception) {
        let error = match self.0 {
            Cause::Shared(ended) => return *ended,
            Cause::Error(error) => error,
        };
        let mut causes = Vec::new();
        let mut skipped = false;
        let mut source = error.source();
        while let Some(cause) = source {
            if cause.is::<SkipReason>() {
                skipped = true;
            } else {
                causes.push(cause.to_string());
            }
            source = cause.source();
        }
        let exception = Exception {
            step: step.map(str::to_owned),
            message: error.to_string(),
            causes,
            location: None,
            backtrace: None,
        };
        (
            if skipped {
                Outcome::Skipped
            } else {
                Outcome::Failed
            },
            exception,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Wrapped(Skip);

    impl fmt::Display for Wrapped {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.fmt(f)
        }
    }

    impl StdError for Wrapped {
        fn source(&self) -> Option<&(dyn StdError + 'static)> {
            self.0.source()
        }
    }

    fn ended(error: impl Into<StepError>) -> (Outcome, Exception) {
        error.into().into_exception(Some("load"))
    }

    #[test]
    fn a_skip_is_found_behind_a_wrapper_that_hides_its_type() {
        let (outcome, exception) = ended(Wrapped(skip("no traceback")));
        assert_eq!(outcome, Outcome::Skipped);
        assert_eq!(exception.message, "no traceback");
        assert!(exception.causes.is_empty());
    }

    #[test]
    fn texts_and_errors_are_failures_with_their_causes() {
        let (outcome, exception) = ended("no such file".to_owned());
        assert_eq!(
            (outcome, exception.to_string().as_str()),
            (Outcome::Failed, "step `load`: no such file")
        );
        let io = std::io::Error::other("x".parse::<u8>().unwrap_err());
        assert_eq!(ended(io).1.message, "invalid digit found in string");
    }

    #[test]
    fn outcomes_read_back_from_their_texts() {
        for outcome in [Outcome::Completed, Outcome::Skipped, Outcome::OutOfMemory] {
            assert_eq!(Outcome::from_text(outcome.as_str()), Some(outcome));
        }
    }
}
