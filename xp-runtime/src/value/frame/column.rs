use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::strings::bounds;
use super::{Binaries, Bitmap, DataType, Temporal, Texts, TimeUnit};
use crate::value::de::from_cell;
use crate::value::{Value, ValueError};

/// A column of a [`Frame`](super::Frame) or of a [`Table`](crate::Table): items of one type, in memory.
///
/// # Examples
///
/// ```
/// use xp::value::{Column, ColumnData, Value};
///
/// let mut loss = Column::new("loss", ColumnData::Float(vec![0.5, 0.25]));
/// loss.push_null();
/// assert_eq!(loss.get(1), Some(Value::Float(0.25)));
/// assert_eq!(loss.get(2), Some(Value::Null));
/// assert_eq!(loss.to_vec::<Option<f64>>()?, [Some(0.5), Some(0.25), None]);
/// # Ok::<(), xp::value::ValueError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// The name.
    pub name: String,
    /// The items. Where the item is null, what stands here has no meaning.
    pub data: ColumnData,
    /// Which items are not null; `None` if none is. Items beyond its end are not null.
    pub validity: Option<Bitmap>,
}

/// The items of a [`Column`], all of one type.
///
/// Numbers of all widths are widened; a [`Field`](super::Field) tells which ones the file has.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ColumnData {
    /// So many items that are null.
    Null(usize),
    /// Truth values.
    Bool(Bitmap),
    /// Integers that 64 signed bits hold.
    Int(Vec<i64>),
    /// Unsigned 64-bit integers.
    UInt(Vec<u64>),
    /// Floats. NaN is a number of its own here, not null.
    Float(Vec<f64>),
    /// Texts.
    Text(Texts),
    /// Byte strings.
    Binary(Binaries),
    /// Points in time, dates, times of day or durations, and what the counts mean.
    Temporal(Temporal, Vec<i64>),
    /// Lists of items of one type.
    List(Lists),
    /// Structs, by members.
    Struct(Structs),
    /// Items that are written once, and the place among them of each item.
    Dictionary(Vec<usize>, Box<Column>),
    /// Universally unique identifiers. A [`Frame`](super::Frame) has them as texts of 32 hexadecimal digits.
    Uuid(Vec<Uuid>),
    /// Items of several types, or of one that has no column of its own. A [`Frame`](super::Frame) has them as lists and
    /// structs where all of them are such, and cannot be made of other ones.
    Value(Vec<Value>),
}

/// Lists, whose items stand one after the other in one column.
#[derive(Clone, Debug, PartialEq)]
pub struct Lists {
    /// Where each list ends among the items, in ascending order.
    pub(super) ends: Vec<usize>,
    pub(super) items: Box<Column>,
}

impl Lists {
    /// Lists of which each has so many of the items; `None` if there are not as many items as the lists have.
    pub fn new(lengths: impl IntoIterator<Item = usize>, items: Column) -> Option<Self> {
        let mut end = 0_usize;
        let mut ends = Vec::new();
        for len in lengths {
            end = end.checked_add(len)?;
            ends.push(end);
        }
        (end == items.len()).then(|| Lists {
            ends,
            items: Box::new(items),
        })
    }

    /// How many lists there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are no lists.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The items of all lists, one after the other.
    pub fn items(&self) -> &Column {
        &self.items
    }

    /// The items of the list at `index`; `None` beyond the end.
    pub fn get(&self, index: usize) -> Option<Vec<Value>> {
        let (start, end) = bounds(&self.ends, index)?;
        (start..end).map(|i| self.items.get(i)).collect()
    }
}

/// Structs, whose members are columns of one length.
#[derive(Clone, Debug, PartialEq)]
pub struct Structs {
    pub(super) len: usize,
    pub(super) members: Vec<Column>,
}

impl Structs {
    /// So many structs of these members; `None` if a member has another length.
    pub fn new(len: usize, members: Vec<Column>) -> Option<Self> {
        let fits = members.iter().all(|member| member.len() == len);
        fits.then_some(Structs { len, members })
    }

    /// How many structs there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The members.
    pub fn members(&self) -> &[Column] {
        &self.members
    }

    /// The names and items of the struct at `index`; `None` beyond the end.
    pub fn get(&self, index: usize) -> Option<Vec<(Value, Value)>> {
        let entry = |member: &Column| {
            let value = member.get(index).unwrap_or_default();
            (Value::Text(member.name.clone()), value)
        };
        (index < self.len).then(|| self.members.iter().map(entry).collect())
    }
}

impl ColumnData {
    /// How many items there are, nulls included.
    pub fn len(&self) -> usize {
        match self {
            ColumnData::Null(len) => *len,
            ColumnData::Struct(x) => x.len(),
            ColumnData::Bool(x) => x.len(),
            ColumnData::Int(x) | ColumnData::Temporal(_, x) => x.len(),
            ColumnData::UInt(x) => x.len(),
            ColumnData::Float(x) => x.len(),
            ColumnData::Text(x) => x.len(),
            ColumnData::Binary(x) => x.len(),
            ColumnData::List(x) => x.len(),
            ColumnData::Dictionary(x, _) => x.len(),
            ColumnData::Uuid(x) => x.len(),
            ColumnData::Value(x) => x.len(),
        }
    }

    /// Whether there are no items.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The type of the items, with which they are written.
    pub fn data_type(&self) -> DataType {
        match self {
            ColumnData::Null(_) => DataType::Null,
            ColumnData::Bool(_) => DataType::Bool,
            ColumnData::Int(_) => DataType::Int(64),
            ColumnData::UInt(_) => DataType::UInt(64),
            ColumnData::Float(_) => DataType::Float(64),
            ColumnData::Text(_) => DataType::Text,
            ColumnData::Binary(_) => DataType::Binary,
            ColumnData::Temporal(temporal, _) => DataType::Temporal(temporal.clone()),
            ColumnData::List(lists) => DataType::List(Box::new(lists.items.data.data_type())),
            ColumnData::Struct(x) => DataType::Struct(
                (x.members.iter())
                    .map(|member| (member.name.clone(), member.data.data_type()))
                    .collect(),
            ),
            // Written out, one item for each place.
            ColumnData::Dictionary(_, values) => values.data.data_type(),
            ColumnData::Uuid(_) => DataType::Uuid,
            ColumnData::Value(_) => DataType::Value,
        }
    }

    fn push_default(&mut self) {
        match self {
            ColumnData::Null(len) => *len += 1,
            ColumnData::Bool(x) => x.push(false),
            ColumnData::Int(x) | ColumnData::Temporal(_, x) => x.push(0),
            ColumnData::UInt(x) => x.push(0),
            ColumnData::Float(x) => x.push(f64::NAN),
            ColumnData::Text(x) => x.push(""),
            ColumnData::Binary(x) => x.push(b""),
            ColumnData::List(x) => x.ends.push(x.ends.last().copied().unwrap_or(0)),
            ColumnData::Struct(x) => {
                x.len += 1;
                x.members.iter_mut().for_each(Column::push_null);
            }
            ColumnData::Dictionary(x, _) => x.push(0),
            ColumnData::Uuid(x) => x.push(Uuid::nil()),
            ColumnData::Value(x) => x.push(Value::Null),
        }
    }

    fn get(&self, index: usize) -> Option<Value> {
        Some(match self {
            ColumnData::Null(len) => {
                return (index < *len).then_some(Value::Null);
            }
            ColumnData::Bool(x) => Value::Bool(x.get(index)?),
            ColumnData::Int(x) => (*x.get(index)?).into(),
            ColumnData::UInt(x) => (*x.get(index)?).into(),
            ColumnData::Float(x) => Value::Float(*x.get(index)?),
            ColumnData::Text(x) => x.get(index)?.into(),
            ColumnData::Binary(x) => Value::Bytes(x.get(index)?.to_vec()),
            ColumnData::Temporal(temporal, x) => moment(temporal, *x.get(index)?),
            ColumnData::List(x) => Value::List(x.get(index)?),
            ColumnData::Struct(x) => Value::Map(x.get(index)?),
            // A place beyond the values is that of an item that is null.
            ColumnData::Dictionary(x, values) => values.get(*x.get(index)?).unwrap_or_default(),
            ColumnData::Uuid(x) => Value::Uuid(*x.get(index)?),
            ColumnData::Value(x) => x.get(index)?.clone(),
        })
    }
}

/// Dates and times are themselves, points in time a `DateTime64` in microseconds, durations their seconds.
fn moment(temporal: &Temporal, count: i64) -> Value {
    let date = |days: i64| {
        let epoch = jiff::civil::Date::constant(1970, 1, 1);
        let span = jiff::Span::new().try_days(days).ok()?;
        epoch.checked_add(span).ok()
    };
    let value = match temporal {
        Temporal::Timestamp(unit, _) => unit.micros(count).map(|x| Value::DateTime64(Some(x))),
        Temporal::Date32 => date(count).map(Value::Date),
        Temporal::Date64 => date(count.div_euclid(86_400_000)).map(Value::Date),
        Temporal::Time(unit) => time(*unit, count).map(Value::Time),
        Temporal::Duration(unit) => Some(Value::Float(count as f64 / unit.per_second() as f64)),
    };
    // What is out of range is shown as its count.
    value.unwrap_or_else(|| count.into())
}

fn time(unit: TimeUnit, count: i64) -> Option<jiff::civil::Time> {
    let nanos = count.checked_mul(1_000_000_000 / unit.per_second())?;
    let seconds = i32::try_from(nanos.div_euclid(1_000_000_000)).ok()?;
    let (minutes, second) = (seconds / 60, i8::try_from(seconds % 60).ok()?);
    let (hour, minute) = (
        i8::try_from(minutes / 60).ok()?,
        i8::try_from(minutes % 60).ok()?,
    );
    let below = i32::try_from(nanos.rem_euclid(1_000_000_000)).ok()?;
    jiff::civil::Time::new(hour, minute, second, below).ok()
}

impl Column {
    /// A column without nulls.
    pub fn new(name: impl Into<String>, data: ColumnData) -> Self {
        Column {
            name: name.into(),
            data,
            validity: None,
        }
    }

    /// How many items there are, nulls included.
    pub fn len(&self) -> usize {
        self.data.len()
    }

    /// Whether there are no items.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many items are null.
    pub fn null_count(&self) -> usize {
        if let ColumnData::Null(len) = self.data {
            return len;
        }
        self.validity
            .as_ref()
            .map_or(0, |v| v.len() - v.count_ones())
    }

    /// Whether the item at `index` is null.
    pub fn is_null(&self, index: usize) -> bool {
        self.validity.as_ref().and_then(|v| v.get(index)) == Some(false)
    }

    /// The item at `index`; `None` beyond the end.
    ///
    /// Lists are lists, structs maps. A point in time is a [`DateTime64`](Value::DateTime64), its microseconds rounded
    /// towards the past; a date a [`Date`](Value::Date), a time of day a [`Time`](Value::Time), a duration its seconds.
    pub fn get(&self, index: usize) -> Option<Value> {
        let item = self.data.get(index)?;
        Some(if self.is_null(index) {
            Value::Null
        } else {
            item
        })
    }

    /// The items in order, as [`get`](Self::get) gives them.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Value> + '_ {
        (0..self.len()).map(|i| self.get(i).unwrap_or_default())
    }

    /// The items as any type that serde makes of them; nulls are `None`, and NaN where a float is asked for.
    ///
    /// # Errors
    ///
    /// An item of another type; the path leads to it.
    pub fn to_vec<T: DeserializeOwned>(&self) -> Result<Vec<T>, ValueError> {
        (self.iter().enumerate())
            .map(|(i, item)| from_cell(item).map_err(|e| e.in_element(i).in_member(&self.name)))
            .collect()
    }

    /// Add a null at the end.
    pub fn push_null(&mut self) {
        let len = self.len();
        let validity = self.validity.get_or_insert_with(Bitmap::new);
        while validity.len() < len {
            validity.push(true);
        }
        validity.push(false);
        self.data.push_default();
    }
}
