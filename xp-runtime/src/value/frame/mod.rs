//! Frames: tables of typed columns, as pandas, Arrow and MLtraq's sequences have them.

mod arrow;
mod bitmap;
mod builder;
mod column;
mod data_type;
mod error;
mod nest;
mod pandas;
#[cfg(feature = "arrow")]
mod record_batch;
mod strings;
mod take;
mod typed;

use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;

pub use self::bitmap::Bitmap;
pub use self::column::{Column, ColumnData, Lists, Structs};
pub use self::data_type::{DataType, Temporal, TimeUnit};
pub use self::error::{ColumnError, FrameError};
pub use self::pandas::Index;
#[cfg(feature = "arrow")]
pub use self::record_batch::ArrowTable;
pub use self::strings::{Binaries, Texts};
use super::de::from_records;
use super::{Value, ValueError};

pub(crate) use self::arrow::{estimated_size, write};
pub(crate) use self::builder::ColumnBuilder;

/// A table of named, typed columns with an index: a pandas DataFrame or Series, an Arrow table, or the rows of a sequence.
///
/// It is kept as it is stored, an Arrow IPC file, so that it is copied and written again byte by byte, with all that its
/// writer noted in it. Columns are decoded when they are asked for. Clones share the bytes.
///
/// # Equality
///
/// Two frames are equal if their files are, byte by byte.
///
/// # Examples
///
/// ```
/// use xp::value::{Column, ColumnData, Frame};
///
/// let frame = Frame::new(&[
///     Column::new("epoch", ColumnData::Int(vec![0, 1])),
///     Column::new("loss", ColumnData::Float(vec![0.5, 0.25])),
/// ])?;
/// assert_eq!(frame.rows(), 2);
/// assert_eq!(frame.to_vec::<f64>("loss")?, [0.5, 0.25]);
///
/// #[derive(serde::Deserialize)]
/// struct Row { epoch: u32, loss: f64 }
/// assert_eq!(frame.to_records::<Row>()?[1].epoch, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Frame(Arc<arrow::File>);

/// The name and type of a column of a [`Frame`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Field {
    /// The name.
    pub name: String,
    /// The type that the file has.
    pub data_type: DataType,
}

impl Frame {
    /// A frame of these columns, without an index of its own. A column that is shorter than the longest one ends in nulls.
    ///
    /// # Errors
    ///
    /// Columns nested too deep, and those of values for which Arrow has no type: see [`FrameError::NoType`].
    pub fn new(columns: &[Column]) -> Result<Self, FrameError> {
        Frame::from_arrow_file(arrow::to_file(&nest::nested(columns)?, &[]))
    }

    /// A frame as pandas writes a Series without a name: of one column, whose name is left out.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn series(mut column: Column) -> Result<Self, FrameError> {
        column.name = "0".to_owned();
        let metadata = [(pandas::KEY, pandas::SERIES)];
        let columns = [column];
        Frame::from_arrow_file(arrow::to_file(&nest::nested(&columns)?, &metadata))
    }

    /// The frame that an Arrow IPC file (Feather, version 2) holds.
    ///
    /// # Errors
    ///
    /// Bytes that are no such file. What cannot be read of one (types of columns, compression) is an error when its columns
    /// are asked for.
    pub fn from_arrow_file(bytes: Vec<u8>) -> Result<Self, FrameError> {
        arrow::File::open(bytes).map(|file| Frame(Arc::new(file)))
    }

    /// The Arrow IPC file, as it was read or made.
    pub fn as_arrow_file(&self) -> &[u8] {
        self.0.bytes()
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.0.rows()
    }

    /// The names and types of the columns, in order; those of the index are among them.
    pub fn fields(&self) -> impl ExactSizeIterator<Item = Field> + '_ {
        self.0.fields().iter().map(|field| Field {
            name: field.name.clone(),
            data_type: field.data_type(),
        })
    }

    /// All columns, in order; those of the index are among them.
    ///
    /// # Errors
    ///
    /// A damaged file, or one that uses what cannot be read: see [`FrameError::Unsupported`].
    pub fn columns(&self) -> Result<Vec<Column>, FrameError> {
        self.0.columns(|_| true)
    }

    /// The column of this name, the first if there are several; `None` if there is none.
    ///
    /// # Errors
    ///
    /// As [`columns`](Self::columns).
    pub fn column(&self, name: &str) -> Result<Option<Column>, FrameError> {
        let Some(place) = self.0.fields().iter().position(|field| field.name == name) else {
            return Ok(None);
        };
        Ok(self.0.columns(|i| i == place)?.pop())
    }

    /// The items of a column, as any type that serde makes of them: see [`Column::to_vec`].
    ///
    /// # Errors
    ///
    /// There is no such column, it cannot be read, or one of its items is no `T`.
    pub fn to_vec<T: DeserializeOwned>(&self, column: &str) -> Result<Vec<T>, ValueError> {
        let found = self.column(column)?.ok_or_else(|| FrameError::NoColumn {
            column: column.to_owned(),
        })?;
        found.to_vec()
    }

    /// The rows, each as a struct (or a map) that serde makes of the columns' items. A null is `None`, and NaN where a
    /// float is asked for.
    ///
    /// # Errors
    ///
    /// Columns that cannot be read, or a row that is no `T`; the path leads to it.
    pub fn to_records<T: DeserializeOwned>(&self) -> Result<Vec<T>, ValueError> {
        from_records(self)
    }

    /// How the rows are labelled.
    ///
    /// The default where the writer noted nothing, as in Arrow tables: the numbers from 0.
    pub fn index(&self) -> Index {
        pandas::index(self.0.metadata(pandas::KEY)).unwrap_or_else(|| Index::Range {
            start: 0,
            stop: i64::try_from(self.rows()).unwrap_or(i64::MAX),
            step: 1,
        })
    }

    /// Whether the writer noted that the names of the columns stand for integers, as those of a Series and of data frames
    /// without names do.
    pub fn has_integer_labels(&self) -> bool {
        pandas::has_integer_labels(self.0.metadata(pandas::KEY))
    }

    /// The values of a Series: of the column that is not part of the index.
    ///
    /// # Errors
    ///
    /// There is no such column, or it cannot be read.
    pub fn series_column(&self) -> Result<Column, FrameError> {
        let index = match self.index() {
            Index::Columns(names) => names,
            Index::Range { .. } => Vec::new(),
        };
        let fields = self.0.fields();
        match fields.iter().position(|field| !index.contains(&field.name)) {
            Some(place) => Ok(self.0.columns(|i| i == place)?.pop()),
            None => Ok(None),
        }?
        .ok_or_else(|| FrameError::NoColumn {
            column: "0".to_owned(),
        })
    }

    pub(super) fn into_arrow_file(self) -> Vec<u8> {
        match Arc::try_unwrap(self.0) {
            Ok(file) => file.into_bytes(),
            Err(shared) => shared.bytes().to_vec(),
        }
    }

    /// The rows as maps, by the names of the columns.
    pub(super) fn to_records_value(&self) -> Result<Value, FrameError> {
        let columns = self.columns()?;
        let columns: Vec<_> = columns.iter().collect();
        Ok(Value::List(
            (0..self.rows()).map(|i| record(&columns, i)).collect(),
        ))
    }
}

/// The row at `index`.
pub(super) fn record(columns: &[&Column], index: usize) -> Value {
    let item = |column: &&Column| (column.name.clone(), column.get(index).unwrap_or_default());
    Value::Bunch(columns.iter().map(item).collect())
}

impl PartialEq for Frame {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.as_arrow_file() == other.as_arrow_file()
    }
}

impl Eq for Frame {}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = self
            .fields()
            .map(|field| (field.name, field.data_type.to_string()));
        f.debug_struct("Frame")
            .field("rows", &self.rows())
            .field("fields", &fields.collect::<Vec<_>>())
            .finish()
    }
}

#[cfg(test)]
mod tests;
