//! Tables as the record batches of the Arrow crates.

use arrow_array::RecordBatch;

use super::{Table, TableError};

impl Table {
    /// The table as a record batch of Arrow, for DuckDB, polars, DataFusion, or pandas by way of a file.
    ///
    /// | column | Arrow |
    /// |---|---|
    /// | integers, floats, bools, texts, bytes | `Int64`, `Float64`, `Boolean`, `Utf8`, `Binary` |
    /// | ids | `Utf8`: 32 hexadecimal digits, as in the database, so that both can be joined |
    /// | points in time | `Timestamp(Microsecond)` without a zone |
    /// | dates, times of day | `Date32`, `Time64(Microsecond)` |
    /// | lists, tuples, sets, arrays, series | `List` of what their items are |
    /// | maps, structs, bunches | `Struct`; names that a row lacks are null |
    /// | sequences, frames, tables | `List` of `Struct`, a member for each column |
    /// | nulls only | `Null` |
    ///
    /// ```
    /// use xp::prelude::*;
    ///
    /// # #[step] fn half(x: f64) -> f64 { x / 2.0 }
    /// #[experiment]
    /// fn halves(#[param] x: f64) {
    ///     #[field]
    ///     let half: f64 = half(x);
    /// }
    ///
    /// let session = Session::in_memory()?;
    /// let batch = session.execute(halves().x([1.0, 2.0]))?.frame()?.to_record_batch()?;
    /// assert_eq!((batch.num_rows(), batch.num_columns()), (2, 4));
    /// # Ok::<(), xp::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`TableError::Arrow`]: a column holds what Arrow has no type for, as a `DataStore`, or texts and numbers at once.
    pub fn to_record_batch(&self) -> Result<RecordBatch, TableError> {
        let frame = self.to_frame()?;
        let batch = frame.to_record_batch();
        batch.map_err(|source| TableError::Arrow { source })
    }
}
