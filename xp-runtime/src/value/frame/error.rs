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
}
