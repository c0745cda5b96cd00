use crate::value::{ArrayError, FrameError, MAX_DEPTH, ValueError};

/// A value could not be written as DATAPAK, or bytes could not be read as such.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DatapakError {
    /// The bytes end in the middle of a value.
    #[error("the bytes end too early, at offset {at}")]
    Truncated {
        /// Where more was expected.
        at: usize,
    },
    /// An opcode that DATAPAK does not allow: it could run code, or is not needed.
    #[error("the pickle opcode 0x{opcode:02x} at offset {at} is not allowed")]
    Opcode {
        /// The opcode.
        opcode: u8,
        /// Its offset.
        at: usize,
    },
    /// Allowed opcodes that make no sense together.
    #[error("malformed pickle at offset {at}: {problem}")]
    Malformed {
        /// The offset of the opcode.
        at: usize,
        /// What is wrong.
        problem: &'static str,
    },
    /// Compressed bytes that cannot be read.
    #[error("compressed bytes: {problem}")]
    Compressed {
        /// What is wrong.
        problem: &'static str,
    },
    /// Containers nested deeper than [`MAX_DEPTH`], or within themselves.
    #[error("values nest deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// Shared parts that would take absurdly more memory than the bytes they come from.
    #[error("the value would take far more memory than its bytes")]
    TooLarge,
    /// An integer that is too long: one of more than 255 bytes to write, or of more than 38 digits in a pickle of texts.
    #[error("an integer of {bytes} bytes is not supported")]
    Integer {
        /// How many bytes it takes.
        bytes: usize,
    },
    /// A type that DATAPAK does not hold.
    #[error("{what} cannot be stored as DATAPAK")]
    Unsupported {
        /// The type, in words.
        what: &'static str,
    },
    /// A key of a map, or an element of a set, that Python could not hash.
    #[error(
        "{what} cannot be the key of a map or an element of a set: only scalars and tuples of them can"
    )]
    Unhashable {
        /// The type, in words.
        what: &'static str,
    },
    /// A map with the key that marks complex values.
    #[error("a map cannot have the key \"DATAPAK-0\"")]
    ReservedKey,
    /// A complex value of a kind that is not known.
    #[error("unknown kind of value `{kind}`")]
    UnknownKind {
        /// The kind, as written.
        kind: String,
    },
    /// A complex value whose content is not what its kind says.
    #[error("malformed `{kind}`: {problem}")]
    Payload {
        /// The kind.
        kind: String,
        /// What is wrong.
        problem: &'static str,
    },
    /// A frame that cannot be read or made.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// An array that cannot be read.
    #[error(transparent)]
    Array(#[from] ArrayError),
    /// A Rust value that could not become a value to write.
    #[error(transparent)]
    Value(#[from] ValueError),
}

impl From<DatapakError> for ValueError {
    fn from(error: DatapakError) -> Self {
        match error {
            DatapakError::Value(error) => error,
            error => ValueError::new(error.to_string()),
        }
    }
}
