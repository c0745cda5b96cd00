//! Rows: the columns of an experiment, written by its runs and read from the file.

mod layout;
mod parts;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub use layout::{Layout, LayoutError};
pub use parts::Part;
pub use read::{Mapping, Misfit, RowReader};
pub(crate) use write::RowWriter;

use crate::sequence::SequenceError;
use crate::value::ValueError;

/// Why a row cannot be written or read.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RowError {
    /// A value does not fit into its column.
    #[error("`{column}` cannot be kept")]
    Write {
        /// The column's name.
        column: String,
        /// What is wrong with the value.
        source: ValueError,
    },
    /// A cell is not what its column's type says.
    #[error("`{column}` cannot be read")]
    Read {
        /// The column's name.
        column: String,
        /// What is wrong with the cell.
        source: ValueError,
    },
    /// A fill needs a field that the run has, and it cannot be read.
    #[error(
        "the run has a `{column}` that cannot be read, on which a missing field depends; \
         `.rerun(Rerun::new().partial(true))` runs it whole"
    )]
    Given {
        /// The field's name, or that of its first column.
        column: String,
        /// Why it cannot be read.
        source: Box<RowError>,
    },
    /// A sequence cannot be written or read.
    #[error("the sequence `{column}` cannot be kept or read")]
    Sequence {
        /// The column's name.
        column: String,
        /// What is wrong with it.
        source: SequenceError,
    },
}
