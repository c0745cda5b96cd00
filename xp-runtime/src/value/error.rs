use std::fmt::{self, Display};

/// A Rust value could not be turned into a [`Value`](super::Value), a member or a cell, or back.
///
/// The message says what was expected and what was found; where the culprit is nested, the path leads to it:
/// ``in `a.b[3]`: expected u8, found 300``.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ValueError {
    path: String,
    message: String,
}

impl ValueError {
    /// An error with this message and no path.
    pub fn new(message: impl Into<String>) -> Self {
        ValueError {
            path: String::new(),
            message: message.into(),
        }
    }

    /// An error that says what was expected and what was found instead.
    pub(crate) fn expected(expected: impl Display, found: impl Display) -> Self {
        ValueError::new(format!("expected {expected}, found {found}"))
    }

    /// The same error, inside the member called `name`.
    #[must_use]
    pub fn in_member(mut self, name: impl Display) -> Self {
        let separator = if self.path.is_empty() || self.path.starts_with('[') {
            ""
        } else {
            "."
        };
        self.path = format!("{name}{separator}{}", self.path);
        self
    }

    /// The same error, inside the element at `index`.
    #[must_use]
    pub fn in_element(mut self, index: usize) -> Self {
        let separator = if self.path.is_empty() || self.path.starts_with('[') {
            ""
        } else {
            "."
        };
        self.path = format!("[{index}]{separator}{}", self.path);
        self
    }

    /// Where the culprit is, from the outermost value inwards (`a.b[3]`); empty if it is the value itself.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What is wrong, without the path.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => f.write_str(&self.message),
            path => write!(f, "in `{path}`: {}", self.message),
        }
    }
}

impl From<super::ArrayError> for ValueError {
    fn from(error: super::ArrayError) -> Self {
        ValueError::new(error.to_string())
    }
}

impl From<super::FrameError> for ValueError {
    fn from(error: super::FrameError) -> Self {
        ValueError::new(error.to_string())
    }
}

impl serde::ser::Error for ValueError {
    fn custom<T: Display>(message: T) -> Self {
        ValueError::new(message.to_string())
    }
}

impl serde::de::Error for ValueError {
    fn custom<T: Display>(message: T) -> Self {
        ValueError::new(message.to_string())
    }

    fn invalid_type(found: serde::de::Unexpected<'_>, expected: &dyn serde::de::Expected) -> Self {
        ValueError::expected(expected, found)
    }

    fn invalid_value(found: serde::de::Unexpected<'_>, expected: &dyn serde::de::Expected) -> Self {
        ValueError::expected(expected, found)
    }
}
