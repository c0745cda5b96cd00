//! Record batches of the Arrow crates.

use std::io::Cursor;
use std::ops::{Deref, DerefMut};

use arrow_array::RecordBatch;
use arrow_ipc::reader::FileReader;
use arrow_ipc::writer::FileWriter;

use super::{Frame, FrameError};

fn unsupported(error: arrow_schema::ArrowError) -> FrameError {
    FrameError::Unsupported {
        what: error.to_string(),
    }
}

impl Frame {
    /// A frame of the batch's columns, with its schema.
    ///
    /// # Errors
    ///
    /// What the Arrow crates cannot write.
    pub fn from_record_batch(batch: &RecordBatch) -> Result<Self, FrameError> {
        let mut writer = FileWriter::try_new(Vec::new(), &batch.schema()).map_err(unsupported)?;
        writer.write(batch).map_err(unsupported)?;
        let file = writer.into_inner().map_err(unsupported)?;
        Frame::from_arrow_file(file)
    }

    /// The frame as one record batch, of the types that the file has.
    ///
    /// # Errors
    ///
    /// A damaged file, or one that the Arrow crates cannot read.
    pub fn to_record_batch(&self) -> Result<RecordBatch, FrameError> {
        let file = Cursor::new(self.as_arrow_file());
        let reader = FileReader::try_new(file, None).map_err(unsupported)?;
        let schema = reader.schema();
        let batches = reader.collect::<Result<Vec<_>, _>>().map_err(unsupported)?;
        match <[RecordBatch; 1]>::try_from(batches) {
            Ok([batch]) => Ok(batch),
            Err(batches) => {
                arrow_select::concat::concat_batches(&schema, &batches).map_err(unsupported)
            }
        }
    }
}

/// A record batch as a field: stored as a `pyarrow.Table`, and read from any frame, table or sequence.
///
/// The Arrow crates know no serde, which fields need; this is the batch with it.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
///
/// use arrow_array::{Float64Array, RecordBatch};
/// use xp::value::{ArrowTable, from_value, to_value};
///
/// let loss = Arc::new(Float64Array::from(vec![0.5, 0.25]));
/// let batch = RecordBatch::try_from_iter([("loss", loss as _)])?;
/// let value = to_value(&ArrowTable(batch.clone()))?;
/// assert_eq!(from_value::<ArrowTable>(value)?.0, batch);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ArrowTable(pub RecordBatch);

impl Deref for ArrowTable {
    type Target = RecordBatch;

    fn deref(&self) -> &RecordBatch {
        &self.0
    }
}

impl DerefMut for ArrowTable {
    fn deref_mut(&mut self) -> &mut RecordBatch {
        &mut self.0
    }
}

impl From<RecordBatch> for ArrowTable {
    fn from(batch: RecordBatch) -> Self {
        ArrowTable(batch)
    }
}
