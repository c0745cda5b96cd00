//! Columns made of values of which nobody says the type.

use super::{Binaries, Bitmap, Column, ColumnData, Temporal, Texts, TimeUnit};
use crate::value::{Kind, Value};

/// Integers up to this are floats, too, without a loss.
pub(super) const EXACT: u128 = 1 << 53;

const TIME: Temporal = Temporal::Time(TimeUnit::Microsecond);

/// Makes a column of values: of their type if it is one, of floats if they are numbers and no integer loses a digit, and
/// of [values](ColumnData::Value) otherwise.
#[derive(Clone, Debug)]
pub(crate) struct ColumnBuilder {
    column: Column,
    /// Whether there is an item that is not null. Without one the type is what was expected.
    typed: bool,
    /// Among floats those that came as integers, as far as it goes.
    ints: Bitmap,
}

impl ColumnBuilder {
    /// Of values that can be anything.
    pub(crate) fn new(name: impl Into<String>) -> Self {
        Self::of(name, ColumnData::Null(0))
    }

    /// Of values that a column of this kind holds, most likely.
    pub(crate) fn of_kind(name: impl Into<String>, kind: Kind) -> Self {
        Self::of(name, of_kind(kind))
    }

    fn of(name: impl Into<String>, data: ColumnData) -> Self {
        ColumnBuilder {
            column: Column::new(name, data),
            typed: false,
            ints: Bitmap::new(),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.column.name
    }

    pub(crate) fn len(&self) -> usize {
        self.column.len()
    }

    /// Expects values of this kind, too, as long as there are none.
    pub(crate) fn expect(&mut self, kind: Kind) {
        let other = of_kind(kind);
        if !self.typed && other.data_type() != self.column.data.data_type() {
            let number =
                |data: &ColumnData| matches!(data, ColumnData::Int(_) | ColumnData::Float(_));
            let both = number(&other) && number(&self.column.data);
            self.retype(if both {
                ColumnData::Float(Vec::new())
            } else {
                ColumnData::Null(0)
            });
        }
    }

    /// Adds an item.
    pub(crate) fn push(&mut self, value: Value) {
        if matches!(value, Value::Null | Value::DateTime64(None)) {
            self.column.push_null();
            return;
        }
        if let Err(value) = self.offer(value) {
            if !self.typed {
                self.retype(of_value(&value));
            } else if !matches!(value, Value::Float(_)) || !self.widen() {
                self.mix();
            }
            if let Err(value) = self.offer(value) {
                // Of the type that is usual for it, and out of its range.
                self.mix();
                let _ = self.offer(value);
            }
        }
        self.typed = true;
    }

    /// Nulls up to this length.
    pub(crate) fn fill(&mut self, len: usize) {
        while self.len() < len {
            self.column.push_null();
        }
    }

    pub(crate) fn finish(self) -> Column {
        self.column
    }

    /// Adds an item if it is of the column's type.
    fn offer(&mut self, value: Value) -> Result<(), Value> {
        match (&mut self.column.data, value) {
            (ColumnData::Value(x), value) => x.push(value),
            (ColumnData::Bool(x), Value::Bool(b)) => x.push(b),
            (ColumnData::Int(x), Value::Int(i)) => {
                x.push(i64::try_from(i).map_err(|_| Value::Int(i))?);
            }
            (ColumnData::Float(x), Value::Float(float)) => x.push(float),
            (ColumnData::Float(x), Value::Int(i)) if i.unsigned_abs() <= EXACT => {
                while self.ints.len() < x.len() {
                    self.ints.push(false);
                }
                self.ints.push(true);
                x.push(i as f64);
            }
            (ColumnData::Text(x), Value::Text(text)) => x.push(&text),
            (ColumnData::Binary(x), Value::Bytes(bytes)) => x.push(&bytes),
            (ColumnData::Uuid(x), Value::Uuid(uuid)) => x.push(uuid),
            (ColumnData::Temporal(of, x), value) => match count(of, &value) {
                Some(count) => x.push(count),
                None => return Err(value),
            },
            (_, value) => return Err(value),
        }
        Ok(())
    }

    /// Nulls, as many as there are, of another type.
    fn retype(&mut self, data: ColumnData) {
        let nulls = self.len();
        self.column.data = data;
        self.column.validity = None;
        self.fill(nulls);
    }

    /// Makes floats of integers, if none loses a digit.
    fn widen(&mut self) -> bool {
        let ColumnData::Int(ints) = &self.column.data else {
            return false;
        };
        if !ints.iter().all(|i| u128::from(i.unsigned_abs()) <= EXACT) {
            return false;
        }
        let float = |(i, int): (usize, &i64)| match self.column.is_null(i) {
            true => f64::NAN,
            false => *int as f64,
        };
        let floats = ints.iter().enumerate().map(float).collect();
        self.ints = Bitmap::filled(true, ints.len());
        self.column.data = ColumnData::Float(floats);
        true
    }

    /// Makes values of the items: the numbers that were given, and points in time as counts of their unit.
    fn mix(&mut self) {
        let item = |(i, item): (usize, Value)| match item {
            Value::Float(x) if self.ints.get(i) == Some(true) => Value::Int(x as i128),
            item => item,
        };
        let items = self.column.iter().enumerate().map(item).collect();
        self.column.data = ColumnData::Value(items);
    }
}

impl Column {
    /// A column of these items, of their type if it is one; of floats if they are numbers and no integer loses a digit;
    /// and of [values](ColumnData::Value) otherwise.
    ///
    /// ```
    /// use xp::value::{Column, DataType, Value};
    ///
    /// let column = Column::of_values("x", [Value::Null, 1.into(), 0.5.into()]);
    /// assert_eq!(column.data.data_type(), DataType::Float(64));
    /// let column = Column::of_values("x", [Value::from(1), "one".into()]);
    /// assert_eq!(column.data.data_type(), DataType::Value);
    /// ```
    pub fn of_values(name: impl Into<String>, items: impl IntoIterator<Item = Value>) -> Self {
        let mut builder = ColumnBuilder::new(name);
        items.into_iter().for_each(|item| builder.push(item));
        builder.finish()
    }
}

fn of_kind(kind: Kind) -> ColumnData {
    match kind {
        Kind::Bool => ColumnData::Bool(Bitmap::new()),
        Kind::Int => ColumnData::Int(Vec::new()),
        Kind::Float | Kind::Duration => ColumnData::Float(Vec::new()),
        Kind::Text => ColumnData::Text(Texts::new()),
        Kind::Bytes => ColumnData::Binary(Binaries::new()),
        Kind::DateTime => ColumnData::Temporal(Temporal::TIMESTAMP, Vec::new()),
        Kind::Date => ColumnData::Temporal(Temporal::Date32, Vec::new()),
        Kind::Time => ColumnData::Temporal(TIME, Vec::new()),
        Kind::Uuid => ColumnData::Uuid(Vec::new()),
        Kind::Serialized => ColumnData::Null(0),
    }
}

/// An empty column of the type that is usual for such values.
fn of_value(value: &Value) -> ColumnData {
    match value {
        Value::Bool(_) => of_kind(Kind::Bool),
        Value::Int(_) => of_kind(Kind::Int),
        Value::Float(_) => of_kind(Kind::Float),
        Value::Text(_) => of_kind(Kind::Text),
        Value::Bytes(_) => of_kind(Kind::Bytes),
        Value::Uuid(_) => of_kind(Kind::Uuid),
        Value::DateTime(_) | Value::DateTime64(_) => of_kind(Kind::DateTime),
        Value::Date(_) => of_kind(Kind::Date),
        Value::Time(_) => of_kind(Kind::Time),
        _ => ColumnData::Value(Vec::new()),
    }
}

/// What stands for the value in a temporal column, if it loses nothing.
fn count(temporal: &Temporal, value: &Value) -> Option<i64> {
    let micros = |nanos: i128| (nanos % 1_000 == 0).then(|| i64::try_from(nanos / 1_000).ok())?;
    match (temporal, value) {
        (Temporal::Timestamp(TimeUnit::Microsecond, None), Value::DateTime64(micros)) => *micros,
        (Temporal::Timestamp(TimeUnit::Microsecond, None), Value::DateTime(datetime)) => {
            let timestamp = jiff::tz::Offset::UTC.to_timestamp(*datetime).ok()?;
            micros(timestamp.as_nanosecond())
        }
        (Temporal::Date32, Value::Date(date)) => {
            let midnight = jiff::tz::Offset::UTC
                .to_timestamp(date.at(0, 0, 0, 0))
                .ok()?;
            Some(midnight.as_second().div_euclid(86_400))
        }
        (Temporal::Time(TimeUnit::Microsecond), Value::Time(time)) => {
            let since = time.duration_since(jiff::civil::Time::midnight());
            micros(since.as_nanos())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::DataType;

    fn types(values: &[Value]) -> (DataType, Vec<Value>) {
        let column = Column::of_values("x", values.iter().cloned());
        (column.data.data_type(), column.iter().collect())
    }

    #[test]
    fn a_column_has_the_type_of_its_values() {
        let day = jiff::civil::date(1969, 12, 31);
        let noon = day.at(12, 0, 0, 500_000);
        for (value, data_type) in [
            (true.into(), DataType::Bool),
            (1.into(), DataType::Int(64)),
            (0.5.into(), DataType::Float(64)),
            ("a".into(), DataType::Text),
            (Value::Bytes(vec![1]), DataType::Binary),
            (uuid::Uuid::from_u128(7).into(), DataType::Uuid),
            (day.into(), DataType::Temporal(Temporal::Date32)),
            (noon.time().into(), DataType::Temporal(TIME)),
            (vec![1].into(), DataType::Value),
        ] {
            let values = [Value::Null, value, Value::Null];
            assert_eq!(types(&values), (data_type, values.to_vec()));
        }
        let (data_type, values) = types(&[noon.into()]);
        assert_eq!(data_type, DataType::Temporal(Temporal::TIMESTAMP));
        assert_eq!(values, [Value::DateTime64(Some(-43_199_999_500))]);
        assert_eq!(types(&[Value::Null]), (DataType::Null, vec![Value::Null]));
    }

    #[test]
    fn integers_become_floats_only_where_none_is_lost() {
        let (small, large) = (1_i64 << 53, (1_i64 << 53) + 1);
        let (float, value) = (DataType::Float(64), DataType::Value);
        assert_eq!(types(&[small.into(), 0.5.into(), 1.into()]).0, float);
        assert_eq!(types(&[0.5.into(), (-small).into()]).0, float);
        let mixed = [large.into(), Value::Null, 0.5.into()];
        assert_eq!(types(&mixed), (value.clone(), mixed.to_vec()));
        let mixed = [1.into(), 0.5.into(), 2.into(), large.into()];
        assert_eq!(types(&mixed), (value.clone(), mixed.to_vec()));
        let huge = [1.into(), Value::Int(i128::MAX)];
        assert_eq!(types(&huge), (value.clone(), huge.to_vec()));
        let huge = [Value::Int(i128::MAX)];
        assert_eq!(types(&huge), (value, huge.to_vec()));
    }

    #[test]
    fn other_mixtures_are_values_and_lose_nothing() {
        let nanos = jiff::civil::time(0, 0, 0, 1);
        for mixed in [
            [true.into(), Value::Null, 1.into()],
            [1.into(), Value::Null, "1".into()],
            ["a".into(), Value::Null, Value::Bytes(vec![])],
            [Value::Null, nanos.into(), Value::Null],
        ] {
            assert_eq!(types(&mixed), (DataType::Value, mixed.to_vec()));
        }
    }

    #[test]
    fn nulls_have_the_type_that_is_expected() {
        let mut builder = ColumnBuilder::of_kind("x", Kind::Int);
        builder.fill(2);
        let (other, text) = (&mut builder.clone(), &mut builder.clone());
        other.expect(Kind::Float);
        text.expect(Kind::Text);
        assert_eq!(builder.finish().data.data_type(), DataType::Int(64));
        assert_eq!(other.column.data.data_type(), DataType::Float(64));
        assert_eq!(text.column.data, ColumnData::Null(2));
    }
}
