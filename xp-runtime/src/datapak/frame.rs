use super::{Bitmap, DatapakError};

/// A table in memory: named columns, dense and typed.
///
/// # Examples
///
/// ```
/// use xp::datapak::{Column, ColumnData, Frame, Item};
///
/// let mut loss = Column::new("loss", ColumnData::Float(vec![0.5, 0.25]));
/// loss.push_null();
/// let frame = Frame { columns: vec![Column::new("epoch", ColumnData::Int(vec![0, 1, 2])), loss] };
/// assert_eq!(frame.rows(), 3);
/// assert_eq!(frame.column("loss").and_then(|c| c.get(1)), Some(Item::Float(0.25)));
/// assert_eq!(frame.column("loss").and_then(|c| c.get(2)), Some(Item::Null));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Frame {
    /// The columns, in order. A column that is shorter than the longest one is written as if nulls followed.
    pub columns: Vec<Column>,
}

impl Frame {
    /// The length of the longest column.
    pub fn rows(&self) -> usize {
        self.columns.iter().map(Column::len).max().unwrap_or(0)
    }

    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// A column of a [`Frame`].
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
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ColumnData {
    /// 64-bit integers.
    Int(Vec<i64>),
    /// 64-bit floats. NaN is a number of its own here, not null.
    Float(Vec<f64>),
    /// Truth values.
    Bool(Bitmap),
    /// Texts.
    Text(Texts),
    /// Points in time without a zone, in microseconds since 1970-01-01.
    Timestamp(Vec<i64>),
}

/// Texts, one after the other in one buffer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts {
    /// Where each text ends in the buffer: in ascending order, at character boundaries.
    pub(super) ends: Vec<usize>,
    pub(super) buffer: String,
}

impl Texts {
    /// No texts.
    pub fn new() -> Self {
        Texts::default()
    }

    /// How many texts there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Add a text at the end.
    pub fn push(&mut self, text: &str) {
        self.buffer.push_str(text);
        self.ends.push(self.buffer.len());
    }

    /// The text at `index`; `None` beyond the end.
    pub fn get(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)?;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.buffer.get(start..end)
    }

    /// The texts in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> + '_ {
        (0..self.len()).filter_map(|i| self.get(i))
    }
}

impl<S: AsRef<str>> FromIterator<S> for Texts {
    fn from_iter<I: IntoIterator<Item = S>>(texts: I) -> Self {
        let mut all = Texts::new();
        texts.into_iter().for_each(|text| all.push(text.as_ref()));
        all
    }
}

/// One item of a column.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Item<'a> {
    /// No value.
    Null,
    /// An integer.
    Int(i64),
    /// A float.
    Float(f64),
    /// A truth value.
    Bool(bool),
    /// A text.
    Text(&'a str),
    /// Microseconds since 1970-01-01, without a zone.
    Timestamp(i64),
}

impl Item<'_> {
    fn describe(self) -> &'static str {
        match self {
            Item::Null => "null",
            Item::Int(_) => "integers",
            Item::Float(_) => "floats",
            Item::Bool(_) => "bools",
            Item::Text(_) => "texts",
            Item::Timestamp(_) => "timestamps",
        }
    }
}

impl ColumnData {
    /// How many items there are, nulls included.
    pub fn len(&self) -> usize {
        match self {
            ColumnData::Int(x) | ColumnData::Timestamp(x) => x.len(),
            ColumnData::Float(x) => x.len(),
            ColumnData::Bool(x) => x.len(),
            ColumnData::Text(x) => x.len(),
        }
    }

    /// Whether there are no items.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn describe(&self) -> &'static str {
        match self {
            ColumnData::Int(_) => Item::Int(0).describe(),
            ColumnData::Float(_) => Item::Float(0.0).describe(),
            ColumnData::Bool(_) => Item::Bool(false).describe(),
            ColumnData::Text(_) => Item::Text("").describe(),
            ColumnData::Timestamp(_) => Item::Timestamp(0).describe(),
        }
    }

    fn push_default(&mut self) {
        match self {
            ColumnData::Int(x) | ColumnData::Timestamp(x) => x.push(0),
            ColumnData::Float(x) => x.push(0.0),
            ColumnData::Bool(x) => x.push(false),
            ColumnData::Text(x) => x.push(""),
        }
    }
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
        self.validity
            .as_ref()
            .map_or(0, |v| v.len() - v.count_ones())
    }

    /// The item at `index`; `None` beyond the end.
    pub fn get(&self, index: usize) -> Option<Item<'_>> {
        let item = match &self.data {
            ColumnData::Int(x) => Item::Int(*x.get(index)?),
            ColumnData::Float(x) => Item::Float(*x.get(index)?),
            ColumnData::Bool(x) => Item::Bool(x.get(index)?),
            ColumnData::Text(x) => Item::Text(x.get(index)?),
            ColumnData::Timestamp(x) => Item::Timestamp(*x.get(index)?),
        };
        let is_null = self.validity.as_ref().and_then(|v| v.get(index)) == Some(false);
        Some(if is_null { Item::Null } else { item })
    }

    /// The items in order.
    pub fn iter(&self) -> impl Iterator<Item = Item<'_>> + '_ {
        (0..self.len()).filter_map(|i| self.get(i))
    }

    /// Add an item at the end.
    ///
    /// # Errors
    ///
    /// An item of another type than the column's.
    pub fn push(&mut self, item: Item<'_>) -> Result<(), DatapakError> {
        match (&mut self.data, item) {
            (_, Item::Null) => {
                self.push_null();
                return Ok(());
            }
            (ColumnData::Int(x), Item::Int(item))
            | (ColumnData::Timestamp(x), Item::Timestamp(item)) => x.push(item),
            (ColumnData::Float(x), Item::Float(item)) => x.push(item),
            (ColumnData::Bool(x), Item::Bool(item)) => x.push(item),
            (ColumnData::Text(x), Item::Text(item)) => x.push(item),
            (data, item) => {
                let (expected, found) = (data.describe(), item.describe());
                return Err(DatapakError::ItemType {
                    column: self.name.clone(),
                    expected,
                    found,
                });
            }
        }
        if let Some(validity) = &mut self.validity {
            validity.push(true);
        }
        Ok(())
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
