//! Tables of typed columns: the runs of experiments, the answers to queries, and groups of rows.

#[cfg(feature = "arrow")]
mod arrow;
mod error;
mod flatten;
mod group;
mod print;

use std::fmt;

use serde::de::DeserializeOwned;

pub use self::error::{QueryRowError, TableError};
use crate::store::Rows;
use crate::value::{Column, Frame, Value, ValueError, from_record};

/// A table of named [columns](Column), each of one type.
///
/// [`Experiment::frame`](crate::Experiment::frame) and [`Runs::frame`](crate::Runs::frame) make one of
/// runs, [`Session::query`](crate::Session::query) of what SQL answers. It is in memory, a few bytes a
/// cell, and does not follow what is written to the file later.
///
/// ```
/// use xp::prelude::*;
///
/// # #[step] fn half(x: u32) -> f64 { f64::from(x) / 2.0 }
/// #[experiment]
/// fn halves(#[param] x: u32) {
///     #[field]
///     let half: f64 = half(x);
/// }
///
/// let session = Session::in_memory()?;
/// let frame = session.execute(halves().x(0..4))?.frame()?;
/// assert_eq!(frame.names(), ["id_experiment", "id_run", "x", "half"]);
/// assert_eq!(frame.column("x")?.as_i64s()?.iter().sum::<i64>(), 6);
///
/// let halves = frame.column("half")?.as_f64s()?;
/// let large = frame.filter(|row| halves[row] >= 1.0);
/// assert_eq!(large.len(), 2);
/// println!("{large}");
///
/// let error = frame.column("Half").unwrap_err();
/// assert_eq!(error.to_string(), "there is no column `Half`; there is `half`");
/// # Ok::<(), xp::Error>(())
/// ```
///
/// # Types
///
/// A column has the type of its values ([`DataType`](crate::value::DataType)): `int64`, `float64`, `bool`,
/// `string`, `binary`, `uuid`, `timestamp[us]`, `date32[day]`, `time64[us]`. Integers and floats together
/// are floats, if no integer loses a digit. Other mixtures, and what has no type of its own here (lists,
/// maps, arrays), are a column of [`Value`]s. What a run does not have is null; so is NaN in a column of
/// floats of the file, where it is stored as NULL.
///
/// `Display` prints it, aligned, and cut after [`PRINTED`](Self::PRINTED) rows. A table that could
/// not be made (an unknown column to group by) prints why.
///
/// # Other tables
///
/// A [`Frame`] is a table as a *value*, to be kept in a field: the bytes of an Arrow file. [`to_frame`](Self::to_frame)
/// makes one.
#[derive(Clone, Debug)]
pub struct Table {
    /// All of one length.
    columns: Vec<Column>,
    /// The columns that are recorded inputs: they are not aggregated.
    inputs: Vec<String>,
    /// By which columns the rows are grouped.
    groups: Vec<String>,
    /// What there is instead of the rows, if they are grouped.
    grouped: Vec<Column>,
    /// Columns of runs that no table shows, since SQL has no type for their values.
    left_out: Vec<String>,
    error: Option<String>,
}

impl Table {
    /// At most so many rows are printed.
    pub const PRINTED: usize = 60;

    pub(crate) fn new(columns: Vec<Column>) -> Self {
        Self {
            columns,
            inputs: Vec::new(),
            groups: Vec::new(),
            grouped: Vec::new(),
            left_out: Vec::new(),
            error: None,
        }
    }

    pub(crate) fn with_inputs(self, inputs: Vec<String>) -> Self {
        Self { inputs, ..self }
    }

    pub(crate) fn leaving_out(self, left_out: Vec<String>) -> Self {
        Self { left_out, ..self }
    }

    pub(crate) fn failed(error: String) -> Self {
        Self {
            error: Some(error),
            ..Self::new(Vec::new())
        }
    }

    pub(crate) fn of_query(rows: Rows) -> Self {
        let Rows { columns, mut rows } = rows;
        let column = |(i, name): (usize, String)| {
            Column::of_values(name, rows.iter_mut().map(|row| std::mem::take(&mut row[i])))
        };
        Self::new(columns.into_iter().enumerate().map(column).collect())
    }

    /// The columns, those of the groups if there are groups.
    pub fn columns(&self) -> &[Column] {
        if self.error.is_some() {
            &[]
        } else if self.groups.is_empty() {
            &self.columns
        } else {
            &self.grouped
        }
    }

    /// The names of the columns.
    pub fn names(&self) -> Vec<&str> {
        self.columns().iter().map(|column| &*column.name).collect()
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.columns().first().map_or(0, Column::len)
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The column of this name.
    ///
    /// # Errors
    ///
    /// There is no such column; the message has the names that are like it.
    pub fn column(&self, name: &str) -> Result<&Column, TableError> {
        self.check()?;
        let columns = self.columns();
        let found = columns.iter().find(|column| column.name == name);
        found.ok_or_else(|| TableError::no_column(name, columns.iter().map(|c| &*c.name)))
    }

    /// The rows, each with a value for every column. They take many times the memory of the columns.
    pub fn rows(&self) -> Vec<Vec<Value>> {
        let row = |i| {
            let items = self.columns().iter().map(|column| column.get(i));
            items.map(Option::unwrap_or_default).collect()
        };
        (0..self.len()).map(row).collect()
    }

    /// The rows as values of a struct whose members are named like the columns. A null is `None`, and NaN where a float is
    /// asked for; a point in time a `jiff::civil::DateTime`, or a number of microseconds since 1970.
    ///
    /// ```
    /// #[derive(serde::Deserialize)]
    /// struct Row { n: u32, text: String }
    ///
    /// let session = xp::Session::in_memory()?;
    /// let rows: Vec<Row> = session.query("select 3 as n, 'x' as text")?.into_rows()?;
    /// assert_eq!((rows[0].n, rows[0].text.as_str()), (3, "x"));
    /// # Ok::<(), xp::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A row is no such value.
    pub fn into_rows<T: DeserializeOwned>(self) -> Result<Vec<T>, QueryRowError> {
        if let Some(error) = self.error {
            let source = ValueError::new(error);
            return Err(QueryRowError { row: 0, source });
        }
        let columns: Vec<_> = self.columns().iter().collect();
        let row = |row| from_record(&columns, row).map_err(|source| QueryRowError { row, source });
        (0..self.len()).map(row).collect()
    }

    /// These columns, in this order.
    ///
    /// # Errors
    ///
    /// There is no such column.
    pub fn select<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Result<Self, TableError> {
        self.check()?;
        let columns = names.into_iter().map(|name| self.column(name).cloned());
        Ok(self.of(columns.collect::<Result<_, _>>()?))
    }

    /// All columns but these.
    ///
    /// # Errors
    ///
    /// There is no such column.
    pub fn without<'a>(
        &self,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, TableError> {
        self.check()?;
        let names: Vec<_> = names.into_iter().collect();
        names
            .iter()
            .try_for_each(|name| self.column(name).map(drop))?;
        let rest = self.columns().iter().filter(|c| !names.contains(&&*c.name));
        Ok(self.of(rest.cloned().collect()))
    }

    /// The rows for whose number, from 0, the function is true.
    #[must_use]
    pub fn filter(&self, mut keep: impl FnMut(usize) -> bool) -> Self {
        let places: Vec<_> = (0..self.len()).filter(|row| keep(*row)).collect();
        let columns = self.columns().iter().map(|column| column.take(&places));
        self.of(columns.collect())
    }

    /// The table with a column for each name in maps and bunches, such as `size.width`, and `size.unit.name` where they are
    /// nested, in the place of the column `size`.
    ///
    /// As with MLtraq's `df(max_level=..)`, lists stay as they are, a row whose map lacks a name has null there,
    /// and where some rows have no map in the column it stays, beside the new ones, with what they have; of a column of maps
    /// that are all empty nothing is left. The columns are in the order in which the names come.
    ///
    /// ```
    /// use std::collections::BTreeMap;
    ///
    /// # let session = xp::Session::in_memory()?;
    /// session.run("sizes", |run| {
    ///     let unit = BTreeMap::from([("mm".to_owned(), 0.001)]);
    ///     run.fields.insert("size", BTreeMap::from([("unit".to_owned(), unit)]))
    /// })?;
    /// let frame = session.load("sizes")?.frame()?;
    /// assert_eq!(frame.names()[2..], ["size"]);
    /// assert_eq!(frame.flatten()?.names()[2..], ["size.unit.mm"]);
    /// assert_eq!(frame.flatten_levels(1)?.names()[2..], ["size.unit"]);
    /// # Ok::<(), xp::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Two columns would have one name: those of the maps `{"a": {"b": 1}, "a.b": 2}`.
    pub fn flatten(&self) -> Result<Self, TableError> {
        self.flatten_levels(usize::MAX)
    }

    /// As [`flatten`](Self::flatten), down to so many maps: with 1, maps in maps stay.
    ///
    /// # Errors
    ///
    /// As for [`flatten`](Self::flatten).
    pub fn flatten_levels(&self, levels: usize) -> Result<Self, TableError> {
        self.check()?;
        let mut flat = self.of(flatten::flatten(self.columns(), levels)?);
        // The parts of inputs are inputs.
        let names = flat.columns.iter().map(|column| column.name.clone());
        let is_part = |name: &String| {
            let part_of = |input: &String| {
                let rest = name.strip_prefix(input.as_str());
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            };
            self.inputs.iter().any(part_of)
        };
        flat.inputs = names.filter(is_part).collect();
        Ok(flat)
    }

    /// The table as a value, which a field can hold: see [`Frame`]. Its columns are of the types of Arrow.
    ///
    /// # Errors
    ///
    /// [`TableError::Arrow`]: a column holds what Arrow has no type for, as a `DataStore`, or texts and numbers at once.
    pub fn to_frame(&self) -> Result<Frame, TableError> {
        self.check()?;
        Frame::new(self.columns()).map_err(|source| TableError::Arrow { source })
    }

    /// Groups the rows by a column: the table then has one row for each value of it, with the
    /// number of rows, and mean and standard deviation (`n - 1` in the denominator) of each column
    /// of numbers that is no input. Called again, it groups by both columns.
    #[must_use]
    pub fn group_by(mut self, column: &str) -> Self {
        if self.error.is_some() {
            return self;
        }
        if self.left_out.iter().any(|c| c == column) {
            self.error = Some(format!(
                "`{column}` is stored as a blob, by which rows cannot be grouped; an input with a \
                 `key = ..` is a text"
            ));
            return self;
        }
        if !self.columns.iter().any(|c| c.name == column) {
            let names = self.columns.iter().map(|c| &*c.name);
            self.error = Some(TableError::no_column(column, names).to_string());
            return self;
        }
        self.groups.push(column.to_owned());
        let place = |name: &String| self.columns.iter().position(|c| c.name == *name);
        let keys: Vec<_> = self.groups.iter().filter_map(place).collect();
        let values: Vec<_> = (0..self.columns.len())
            .filter(|i| !keys.contains(i) && !self.inputs.contains(&self.columns[*i].name))
            .collect();
        self.grouped = group::group(&self.columns, &keys, &values);
        self
    }

    /// Why there is no table.
    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    fn check(&self) -> Result<(), TableError> {
        match &self.error {
            Some(reason) => Err(TableError::NoTable {
                reason: reason.clone(),
            }),
            None => Ok(()),
        }
    }

    /// A table of other columns, without groups.
    fn of(&self, columns: Vec<Column>) -> Self {
        Self {
            inputs: self.inputs.clone(),
            left_out: self.left_out.clone(),
            error: self.error.clone(),
            ..Self::new(columns)
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.error {
            Some(error) => f.write_str(error),
            None => print::print(f, self.columns(), self.len()),
        }
    }
}
