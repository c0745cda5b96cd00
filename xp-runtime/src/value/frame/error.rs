use super::DataType;

/// Bytes that are no frame, or a frame that cannot be read or made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// Bytes that are no Arrow IPC file.
    #[error("malformed Arrow file: {problem}")]
    Malformed {
        /// What is wrong.
        problem: &'static str,
    },
    /// A file that uses what cannot be read. The frame can still be copied as it is.
    #[error("not supported in Arrow files: {what}")]
    Unsupported {
        /// What is used.
        what: String,
    },
    /// There is no such column.
    #[error("the frame has no column `{column}`")]
    NoColumn {
        /// The name that was asked for.
        column: String,
    },
    /// Values for which Arrow has no type: texts and numbers in one column, say, or an archive.
    #[error("`{column}` holds {found}, for which Arrow has no type")]
    NoType {
        /// The column's name, and the way from there if the values are nested.
        column: String,
        /// What there is, in words.
        found: String,
    },
}

/// The items of a column are not what was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ColumnError {
    /// They are of another type.
    #[error("the column `{column}` is of type {found}, and not of type {asked}")]
    OtherType {
        /// The column's name.
        column: String,
        /// The type that was asked for.
        asked: DataType,
        /// The type of the column.
        found: DataType,
    },
    /// Some of them are null, which no slice can show.
    #[error(
        "the column `{column}` has nulls ({nulls} of {len}); `.{instead}()` gives them as `None`"
    )]
    Nulls {
        /// The column's name.
        column: String,
        /// How many items are null.
        nulls: usize,
        /// How many items there are.
        len: usize,
        /// The method that gives options.
        instead: &'static str,
    },
}
