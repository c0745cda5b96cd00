use std::any::TypeId;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::typed::decode_typed;
use super::{decode, encode, flat, moment, native};
use crate::value::{
    Cell, ColumnType, Kind, Value, ValueError, foreign, from_value, to_column_value,
};

impl ColumnType {
    /// The cell for a value in a column of this type.
    ///
    /// # Errors
    ///
    /// A value of another kind, or a missing one where the column is not nullable; an integer beyond 64 signed bits; a
    /// date in a negative year; and what DATAPAK refuses.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use xp::value::{Cell, ColumnType};
    ///
    /// let column = ColumnType::of::<Duration>();
    /// let cell = column.encode(&Duration::from_millis(1500))?;
    /// assert_eq!(cell, Cell::Real(1.5));
    /// assert_eq!(column.decode::<Duration>(cell)?, Duration::from_millis(1500));
    /// # Ok::<(), xp::value::ValueError>(())
    /// ```
    pub fn encode<T: Serialize + 'static>(&self, v: &T) -> Result<Cell, ValueError> {
        if let Some(cell) = native::encode(self.kind, v) {
            return cell.and_then(|cell| self.check_null(cell));
        }
        if self.kind == Kind::Serialized
            && let Some(list) = flat::encode(v)
        {
            return Ok(Cell::Blob(list));
        }
        match (v as &dyn std::any::Any).downcast_ref::<Value>() {
            Some(value) => self.encode_value(value),
            None if self.kind == Kind::Serialized => match foreign::value(v) {
                Some(value) => self.encode_value(&value),
                None => self.encode_value(&crate::value::to_value(v)?),
            },
            None => self.encode_value(&to_column_value(v)?),
        }
    }

    /// NaN may be NULL in every column of floats, a missing value in nullable columns only.
    fn check_null(&self, cell: Cell) -> Result<Cell, ValueError> {
        if cell == Cell::Null && !self.nullable && self.kind != Kind::Float {
            return Err(ValueError::expected(
                format_args!("a value of kind {:?}", self.kind),
                "nothing",
            ));
        }
        Ok(cell)
    }

    /// The cell for a value in a column of this type.
    ///
    /// # Errors
    ///
    /// As [`encode`](ColumnType::encode).
    pub fn encode_value(&self, v: &Value) -> Result<Cell, ValueError> {
        Ok(match (self.kind, v) {
            (Kind::Serialized, value) => Cell::Blob(encode(value)?),
            (_, Value::Null) if self.nullable => Cell::Null,
            (Kind::Bool, Value::Bool(x)) => Cell::Int((*x).into()),
            (Kind::Int, Value::Int(x)) => int(*x)?,
            (Kind::Float, Value::Float(x)) => real(*x),
            (Kind::Duration, Value::Float(x)) if x.is_finite() => Cell::Real(*x),
            (Kind::Text, Value::Text(x)) => Cell::Text(x.clone()),
            (Kind::Bytes, Value::Bytes(x)) => Cell::Blob(x.clone()),
            (Kind::Uuid, Value::Uuid(x)) => Cell::Text(x.simple().to_string()),
            (Kind::DateTime, Value::DateTime(x)) => Cell::Text(moment::datetime(*x)?),
            (Kind::Date, Value::Date(x)) => Cell::Text(moment::date(*x)?),
            (Kind::Time, Value::Time(x)) => Cell::Text(moment::time(*x)),
            (kind, value) => {
                return Err(ValueError::expected(
                    format_args!("a value of kind {kind:?}"),
                    value.describe(),
                ));
            }
        })
    }

    /// The value of a cell in a column of this type: the inverse of [`encode`](ColumnType::encode).
    ///
    /// In a column of floats, NULL is NaN unless `T` is an option.
    ///
    /// # Errors
    ///
    /// A cell that does not hold what the column or `T` asks for.
    pub fn decode<T: DeserializeOwned + 'static>(&self, mut cell: Cell) -> Result<T, ValueError> {
        self.take(&mut cell)
    }

    /// The same, taken out of the cell.
    #[inline]
    pub(crate) fn take<T: DeserializeOwned + 'static>(
        &self,
        cell: &mut Cell,
    ) -> Result<T, ValueError> {
        if self.kind != Kind::Serialized
            && let Some(result) = native::decode(cell)
        {
            return result;
        }
        self.decode_other(cell.take())
    }

    /// A value of a type that has no cell of its own.
    fn decode_other<T: DeserializeOwned + 'static>(&self, cell: Cell) -> Result<T, ValueError> {
        if TypeId::of::<T>() == TypeId::of::<Value>() {
            return self.decode_value(cell).and_then(native::cast);
        }
        if foreign::is_foreign::<T>()
            && let Some(result) = foreign::read(&self.decode_value(cell.clone())?)
        {
            return result;
        }
        match (self.kind, cell) {
            (Kind::Serialized, Cell::Blob(bytes)) => Ok(decode_typed(&bytes)?),
            (_, cell) => from_value(self.decode_value(cell)?),
        }
    }

    /// The value of a cell in a column of this type.
    ///
    /// Where SQL types are shared, the cell decides: bytes may stand in a column of texts, and integers in one of floats.
    ///
    /// # Errors
    ///
    /// A cell that does not hold what the column says.
    pub fn decode_value(&self, cell: Cell) -> Result<Value, ValueError> {
        Ok(match (self.kind, cell) {
            (Kind::Serialized, Cell::Blob(bytes)) => decode(&bytes)?,
            (Kind::Serialized, cell) => {
                return Err(ValueError::expected("a serialised value", cell.describe()));
            }
            (Kind::Float, Cell::Null) if !self.nullable => Value::Float(f64::NAN),
            (_, Cell::Null) if self.nullable => Value::Null,
            (Kind::Bool, Cell::Int(x @ 0..=1)) => Value::Bool(x == 1),
            (Kind::Int, Cell::Int(x)) => x.into(),
            (Kind::Float | Kind::Duration | Kind::Int, Cell::Real(x)) => x.into(),
            (Kind::Float | Kind::Duration, Cell::Int(x)) => Value::Float(x as f64),
            (Kind::Text, Cell::Text(x)) => x.into(),
            (Kind::Text | Kind::Bytes, Cell::Blob(x)) => Value::Bytes(x),
            (Kind::Bytes, Cell::Text(x)) => x.into(),
            (Kind::Uuid, Cell::Text(x)) => Value::Uuid(moment::parse("a UUID", &x)?),
            (Kind::DateTime, Cell::Text(x)) => Value::DateTime(moment::parse("a datetime", &x)?),
            (Kind::Date, Cell::Text(x)) => Value::Date(moment::parse("a date", &x)?),
            (Kind::Time, Cell::Text(x)) => Value::Time(moment::parse("a time", &x)?),
            (kind, cell) => {
                return Err(ValueError::expected(
                    format_args!("a value of kind {kind:?}"),
                    cell.describe(),
                ));
            }
        })
    }
}

/// The cell of an integer.
pub(super) fn int(x: i128) -> Result<Cell, ValueError> {
    match i64::try_from(x) {
        Ok(x) => Ok(Cell::Int(x)),
        Err(_) => Err(ValueError::new(format!(
            "the integer {x} does not fit a column of integers, which ends at {}",
            if x < 0 { i64::MIN } else { i64::MAX }
        ))),
    }
}

/// The cell of a float. SQLite stores NaN as NULL, so it is NULL from here on.
pub(super) fn real(x: f64) -> Cell {
    if x.is_nan() {
        Cell::Null
    } else {
        Cell::Real(x)
    }
}
