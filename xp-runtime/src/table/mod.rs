//! Tables to be printed: the rows of a query, the runs of an experiment, and groups of them.

mod group;
mod print;

use std::fmt;

use serde::de::DeserializeOwned;

use crate::store::{Column, Role, Rows, Store, StoredExperiment, quoted};
use crate::value::{Value, ValueError, from_members};

/// Rows of values under named columns.
///
/// `Display` prints it, aligned, and cut after [`PRINTED`](Self::PRINTED) rows. A table that could
/// not be made (an unknown column to group by) prints why.
#[derive(Clone, Debug)]
pub struct Table {
    columns: Vec<String>,
    /// The columns that are recorded inputs: they are not aggregated.
    inputs: Vec<String>,
    rows: Vec<Vec<Value>>,
    /// By which columns the rows are grouped.
    groups: Vec<String>,
    /// Columns of runs that no table shows, since SQL has no type for their values.
    left_out: Vec<String>,
    error: Option<String>,
}

/// A row of a query is not of the type that was asked for.
#[derive(Debug, thiserror::Error)]
#[error("row {row} of the query is not of the type that was asked for")]
pub struct QueryRowError {
    /// The row, from 0.
    pub row: usize,
    /// Why not.
    pub source: ValueError,
}

impl Table {
    /// At most so many rows are printed.
    pub const PRINTED: usize = 60;

    pub(crate) fn new(columns: Vec<String>, rows: Vec<Vec<Value>>) -> Self {
        Self {
            columns,
            inputs: Vec::new(),
            rows,
            groups: Vec::new(),
            left_out: Vec::new(),
            error: None,
        }
    }

    pub(crate) fn leaving_out(self, left_out: Vec<String>) -> Self {
        Self { left_out, ..self }
    }

    pub(crate) fn failed(error: String) -> Self {
        Self {
            error: Some(error),
            ..Self::new(Vec::new(), Vec::new())
        }
    }

    pub(crate) fn of_query(rows: Rows) -> Self {
        Self::new(rows.columns, rows.rows)
    }

    pub(crate) fn of_runs(db: &dyn Store, of: &StoredExperiment, columns: &[&Column]) -> Self {
        let names: Vec<_> = columns.iter().map(|c| c.name.clone()).collect();
        let list: Vec<_> = names.iter().map(|name| quoted(name)).collect();
        let list = if list.is_empty() {
            "id_run".to_owned()
        } else {
            list.join(", ")
        };
        match db.query(&format!(
            "SELECT {list} FROM {} WHERE id_experiment = '{}' ORDER BY _rowid_",
            quoted(&of.table),
            of.id.simple()
        )) {
            Ok(rows) => {
                let inputs = columns
                    .iter()
                    .filter(|c| c.role == Role::Input)
                    .map(|c| c.name.clone());
                Self {
                    inputs: inputs.collect(),
                    ..Self::of_query(rows)
                }
            }
            Err(error) => Self::failed(error.to_string()),
        }
    }

    /// Groups the rows by a column: the table then has one row for each value of it, with the
    /// number of rows, and mean and standard deviation (`n - 1` in the denominator) of each column
    /// of numbers that is no input. Called again, it groups by both columns.
    #[must_use]
    pub fn group_by(mut self, column: &str) -> Self {
        if self.left_out.iter().any(|c| c == column) {
            self.error = Some(format!(
                "`{column}` is stored as a blob, by which rows cannot be grouped; an input with a \
                 `key = ..` is a text"
            ));
        } else if self.error.is_none() && !self.columns.iter().any(|c| c == column) {
            self.error = Some(format!(
                "there is no column `{column}`; there are: {}",
                self.columns.join(", ")
            ));
        }
        self.groups.push(column.to_owned());
        self
    }

    /// The names of the columns, those of the groups if there are groups.
    pub fn columns(&self) -> Vec<String> {
        if self.groups.is_empty() {
            self.columns.clone()
        } else {
            self.grouped().columns
        }
    }

    /// The rows, those of the groups if there are groups, each with a value for every column.
    pub fn rows(&self) -> Vec<Vec<Value>> {
        if self.groups.is_empty() {
            self.rows.clone()
        } else {
            self.grouped().rows
        }
    }

    /// Why there is no table.
    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    /// The rows as values of a struct whose members are named like the columns.
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
        let columns = self.columns();
        let row = |(row, values): (usize, Vec<Value>)| {
            from_members(columns.iter().cloned().zip(values).collect())
                .map_err(|source| QueryRowError { row, source })
        };
        self.rows().into_iter().enumerate().map(row).collect()
    }

    fn grouped(&self) -> Self {
        if self.error.is_some() {
            return Self::new(Vec::new(), Vec::new());
        }
        let place = |name: &String| self.columns.iter().position(|c| c == name);
        let keys: Vec<_> = self.groups.iter().filter_map(place).collect();
        let values: Vec<_> = (0..self.columns.len())
            .filter(|i| !keys.contains(i) && !self.inputs.contains(&self.columns[*i]))
            .collect();
        let (columns, rows) = group::group(&self.columns, &self.rows, &keys, &values);
        Self::new(columns, rows)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.error {
            Some(error) => f.write_str(error),
            None => print::print(f, &self.columns(), &self.rows()),
        }
    }
}
