//! Reading the row of a run.

use serde::de::DeserializeOwned;

use super::{Layout, RowError};
use crate::sequence::Sequence;
use crate::store::{Column, StoredExperiment, kind_name};
use crate::value::{Cell, Kind, Value, ValueError, from_members};

/// A column that does not fit the type that is to be read from it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Misfit {
    /// The column's name.
    pub column: String,
    /// What the type needs.
    pub expected: String,
    /// What the file has.
    pub found: String,
}

/// How the columns of a layout are found in an experiment's table.
#[derive(Clone, Debug)]
#[doc(hidden)]
pub struct Mapping {
    layout: Layout,
    /// For each column of the layout its place in the table; `None` if it is missing and may be.
    places: Vec<Option<usize>>,
}

impl Mapping {
    /// Finds every column, or says of all that do not fit why not.
    pub(crate) fn new(layout: Layout, stored: &StoredExperiment) -> Result<Self, Vec<Misfit>> {
        let mut misfits = Vec::new();
        let mut places = Vec::new();
        // Without a run there is no table, and nothing to read.
        let empty = stored.columns.is_empty();
        for column in &layout.columns {
            let place = stored.columns.iter().position(|c| c.name == column.name);
            let found = place.map(|i| &stored.columns[i].ty);
            let fits = match found {
                Some(found) => found.kind == column.ty.kind,
                None => column.ty.nullable || empty,
            };
            if !fits {
                misfits.push(Misfit {
                    column: column.name.clone(),
                    expected: kind_name(column.ty.kind).to_owned(),
                    found: place.map_or_else(
                        || "no such column".to_owned(),
                        |i| {
                            format!(
                                "{} ({})",
                                kind_name(stored.columns[i].ty.kind),
                                stored.declared_types[i]
                            )
                        },
                    ),
                });
            }
            places.push(place);
        }
        if misfits.is_empty() {
            Ok(Self { layout, places })
        } else {
            Err(misfits)
        }
    }
}

/// Reads the row of one run, column after column.
#[derive(Debug)]
pub struct RowReader<'a> {
    layout: &'a Layout,
    /// For each column of the layout its place among the cells; without, they are those of a field.
    places: Option<&'a [Option<usize>]>,
    cells: Vec<Cell>,
    at: usize,
    group: usize,
    /// The column of the first cell.
    first: usize,
}

impl<'a> RowReader<'a> {
    pub(crate) fn new(mapping: &'a Mapping, cells: Vec<Cell>) -> Self {
        Self {
            layout: &mapping.layout,
            places: Some(&mapping.places),
            cells,
            at: 0,
            group: 0,
            first: 0,
        }
    }

    /// Reads one field, given by its ordinal, from its cells.
    pub(crate) fn of_field(layout: &'a Layout, ordinal: usize, cells: Vec<Cell>) -> Self {
        let field = layout.fields.get(ordinal);
        let first = field.map_or(0, |field| field.columns.start);
        Self {
            layout,
            places: None,
            cells,
            at: first,
            group: field.and_then(|field| field.group).unwrap_or_default(),
            first,
        }
    }

    fn next(&mut self) -> (&'a Column, Cell) {
        let column = &self.layout.columns[self.at];
        let place = match self.places {
            Some(places) => places[self.at],
            None => Some(self.at - self.first),
        };
        self.at += 1;
        (
            column,
            place.map_or(Cell::Null, |i| {
                std::mem::replace(&mut self.cells[i], Cell::Null)
            }),
        )
    }

    /// Reads the next column.
    pub fn get<T: DeserializeOwned + 'static>(&mut self) -> Result<T, RowError> {
        let (column, cell) = self.next();
        column
            .ty
            .decode(cell)
            .map_err(|source| read_error(column, source))
    }

    /// Reads the columns of a flattened struct.
    pub fn get_flat<T: DeserializeOwned>(&mut self) -> Result<T, RowError> {
        let layout = self.layout;
        let group = &layout.groups[self.group];
        self.group += 1;
        let mut members = Vec::with_capacity(group.len);
        for _ in 0..group.len {
            let (column, cell) = self.next();
            let value = match (&cell, column.ty.kind) {
                // A missing number is NaN; any other member was left out.
                (Cell::Null, kind) if kind != Kind::Float => Ok(Value::Null),
                _ => column.ty.decode_value(cell),
            };
            let value = value.map_err(|source| read_error(column, source))?;
            members.push((column.name[group.prefix.len()..].to_owned(), value));
        }
        let is_there = |(_, value): &&(String, Value)| *value != Value::Null;
        let lacks_some = !members.iter().all(|member| is_there(&member));
        let there: Option<Vec<_>> =
            lacks_some.then(|| members.iter().filter(is_there).cloned().collect());
        from_members(members)
            .or_else(|error| match there {
                // What is missing may have been left out when it was written, to be the default.
                Some(there) => from_members(there).map_err(|_| error),
                None => Err(error),
            })
            .map_err(|source| RowError::Read {
                column: layout
                    .columns
                    .get(self.at.saturating_sub(1))
                    .map_or_else(String::new, |column| column.name.clone()),
                source,
            })
    }

    /// Reads a sequence.
    pub fn get_sequence<T>(&mut self) -> Result<Sequence<T>, RowError> {
        let (column, cell) = self.next();
        let value = column
            .ty
            .decode_value(cell)
            .map_err(|source| read_error(column, source))?;
        Sequence::from_stored(&value).map_err(|source| RowError::Sequence {
            column: column.name.clone(),
            source,
        })
    }
}

fn read_error(column: &Column, source: ValueError) -> RowError {
    RowError::Read {
        column: column.name.clone(),
        source,
    }
}
