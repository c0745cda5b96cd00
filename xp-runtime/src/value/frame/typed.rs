//! The items of a column as slices and iterators of Rust types.

use std::borrow::Cow;

use uuid::Uuid;

use super::{Column, ColumnData, ColumnError, DataType, Temporal, TimeUnit};
use crate::value::Value;

/// Slices show the items of a column without nulls. The methods without `as_` go through all items, where a null is `None`.
/// Any other type is what serde makes of the items: see [`to_vec`](Self::to_vec).
///
/// ```
/// use xp::value::{Column, Value};
///
/// let n = Column::of_values("n", [1, 2, 3].map(Value::from));
/// assert_eq!(n.as_i64s()?, [1, 2, 3]);
///
/// let n = Column::of_values("n", [1.into(), Value::Null]);
/// assert_eq!(n.i64s()?.collect::<Vec<_>>(), [Some(1), None]);
/// assert_eq!(
///     n.as_i64s().unwrap_err().to_string(),
///     "the column `n` has nulls (1 of 2); `.i64s()` gives them as `None`"
/// );
/// assert_eq!(
///     n.as_f64s().unwrap_err().to_string(),
///     "the column `n` is of type int64, and not of type float64"
/// );
/// # Ok::<(), xp::value::ColumnError>(())
/// ```
impl Column {
    /// The integers.
    ///
    /// # Errors
    ///
    /// The column is of another type, or has nulls.
    pub fn as_i64s(&self) -> Result<&[i64], ColumnError> {
        match &self.data {
            ColumnData::Int(ints) => self.without_nulls("i64s").map(|()| ints.as_slice()),
            _ => self.other(DataType::Int(64)),
        }
    }

    /// The floats; nulls are NaN.
    ///
    /// # Errors
    ///
    /// The column is of another type.
    pub fn as_f64s(&self) -> Result<Cow<'_, [f64]>, ColumnError> {
        let ColumnData::Float(floats) = &self.data else {
            return self.other(DataType::Float(64));
        };
        let is_shown = |(i, float): (usize, &f64)| float.is_nan() || !self.is_null(i);
        if self.validity.is_none() || floats.iter().enumerate().all(is_shown) {
            return Ok(Cow::Borrowed(floats));
        }
        let float = |(i, float): (usize, &f64)| if self.is_null(i) { f64::NAN } else { *float };
        Ok(floats.iter().enumerate().map(float).collect())
    }

    /// The identifiers.
    ///
    /// # Errors
    ///
    /// The column is of another type, or has nulls.
    pub fn as_uuids(&self) -> Result<&[Uuid], ColumnError> {
        match &self.data {
            ColumnData::Uuid(uuids) => self.without_nulls("uuids").map(|()| uuids.as_slice()),
            _ => self.other(DataType::Uuid),
        }
    }

    /// The items of a column of values of several types; nulls are [`Value::Null`].
    ///
    /// # Errors
    ///
    /// The column is of another type. [`iter`](Self::iter) gives the values of any.
    pub fn as_values(&self) -> Result<&[Value], ColumnError> {
        match &self.data {
            ColumnData::Value(values) => Ok(values),
            _ => self.other(DataType::Value),
        }
    }

    /// The truth values.
    ///
    /// # Errors
    ///
    /// The column is of another type.
    pub fn bools(&self) -> Result<impl ExactSizeIterator<Item = Option<bool>> + '_, ColumnError> {
        match &self.data {
            ColumnData::Bool(bools) => Ok(self.options(|i| bools.get(i))),
            _ => self.other(DataType::Bool),
        }
    }

    /// The integers.
    ///
    /// # Errors
    ///
    /// The column is of another type.
    pub fn i64s(&self) -> Result<impl ExactSizeIterator<Item = Option<i64>> + '_, ColumnError> {
        match &self.data {
            ColumnData::Int(ints) => Ok(self.options(|i| ints.get(i).copied())),
            _ => self.other(DataType::Int(64)),
        }
    }

    /// The floats.
    ///
    /// # Errors
    ///
    /// The column is of another type.
    pub fn f64s(&self) -> Result<impl ExactSizeIterator<Item = Option<f64>> + '_, ColumnError> {
        match &self.data {
            ColumnData::Float(floats) => Ok(self.options(|i| floats.get(i).copied())),
            _ => self.other(DataType::Float(64)),
        }
    }

    /// The texts.
    ///
    /// # Errors
    ///
    /// The column is of another type.
    pub fn texts(&self) -> Result<impl ExactSizeIterator<Item = Option<&str>> + '_, ColumnError> {
        match &self.data {
            ColumnData::Text(texts) => Ok(self.options(|i| texts.get(i))),
            _ => self.other(DataType::Text),
        }
    }

    /// The byte strings.
    ///
    /// # Errors
    ///
    /// The column is of another type.
    pub fn bytes(&self) -> Result<impl ExactSizeIterator<Item = Option<&[u8]>> + '_, ColumnError> {
        match &self.data {
            ColumnData::Binary(all) => Ok(self.options(|i| all.get(i))),
            _ => self.other(DataType::Binary),
        }
    }

    /// The identifiers.
    ///
    /// # Errors
    ///
    /// The column is of another type.
    pub fn uuids(&self) -> Result<impl ExactSizeIterator<Item = Option<Uuid>> + '_, ColumnError> {
        match &self.data {
            ColumnData::Uuid(uuids) => Ok(self.options(|i| uuids.get(i).copied())),
            _ => self.other(DataType::Uuid),
        }
    }

    /// The points in time, in microseconds since 1970-01-01, rounded towards the past: in UTC if they were recorded as
    /// such, as `jiff::Timestamp` and `SystemTime` are. Dates, times of day and points in time are had as types of `jiff::civil`
    /// with [`to_vec`](Self::to_vec).
    ///
    /// # Errors
    ///
    /// The column is of another type.
    pub fn timestamps(
        &self,
    ) -> Result<impl ExactSizeIterator<Item = Option<i64>> + '_, ColumnError> {
        match &self.data {
            ColumnData::Temporal(Temporal::Timestamp(unit, _), counts) => {
                let unit: TimeUnit = *unit;
                Ok(self.options(move |i| unit.micros(*counts.get(i)?)))
            }
            _ => self.other(DataType::Temporal(Temporal::TIMESTAMP)),
        }
    }

    fn options<'a, T>(
        &'a self,
        get: impl Fn(usize) -> Option<T> + 'a,
    ) -> impl ExactSizeIterator<Item = Option<T>> + 'a {
        (0..self.len()).map(move |i| if self.is_null(i) { None } else { get(i) })
    }

    fn without_nulls(&self, instead: &'static str) -> Result<(), ColumnError> {
        match self.null_count() {
            0 => Ok(()),
            nulls => Err(ColumnError::Nulls {
                column: self.name.clone(),
                nulls,
                len: self.len(),
                instead,
            }),
        }
    }

    fn other<T>(&self, asked: DataType) -> Result<T, ColumnError> {
        Err(ColumnError::OtherType {
            column: self.name.clone(),
            asked,
            found: self.data.data_type(),
        })
    }
}
