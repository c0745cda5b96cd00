//! Writing the row of a run.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Serialize;

use super::{Layout, RowError, RowReader};
use crate::sequence::Sequence;
use crate::store::Column;
use crate::stored::{StoreWriter, writing};
use crate::value::{Cell, Kind, Value, ValueError, to_members};

/// The row of one run, column after column; fields in any order. Cells that were not put are unknown.
#[derive(Debug)]
pub(crate) struct RowWriter<'a> {
    layout: &'a Layout,
    /// One for each column of the layout.
    pub(super) cells: Vec<Option<Cell>>,
    /// The column that comes next.
    at: usize,
    /// The flattened struct that comes next.
    group: usize,
    /// Who writes what has a file of its own.
    stores: Option<Arc<StoreWriter>>,
}

impl<'a> RowWriter<'a> {
    pub(crate) fn new(layout: &'a Layout) -> Self {
        let mut cells = Vec::new();
        cells.resize_with(layout.columns.len(), || None);
        Self {
            layout,
            cells,
            at: 0,
            group: 0,
            stores: None,
        }
    }

    /// What is put from now on has files of its own where its type says so; before, it stays in its
    /// row.
    pub(crate) fn store_files(&mut self, stores: Option<&Arc<StoreWriter>>) {
        self.stores = stores.cloned();
    }

    /// Goes on with the field of that ordinal; an unknown ordinal changes nothing.
    pub(crate) fn seek(&mut self, ordinal: usize) {
        if let Some(field) = self.layout.fields.get(ordinal) {
            self.at = field.columns.start;
            self.group = field.group.unwrap_or(self.group);
        }
    }

    fn push(&mut self, cell: Cell) {
        self.cells[self.at] = Some(cell);
        self.at += 1;
    }

    /// Puts the next column.
    pub(crate) fn put<T: Serialize + 'static>(&mut self, value: &T) -> Result<(), RowError> {
        let column = &self.layout.columns[self.at];
        let encode = || column.ty.encode(value);
        let cell = if column.ty.kind == Kind::Serialized {
            writing(self.stores.as_ref(), encode)
        } else {
            encode()
        };
        self.push(cell.map_err(|source| write_error(column, source))?);
        Ok(())
    }

    /// Puts the columns of a flattened struct.
    pub(crate) fn put_flat<T: Serialize>(&mut self, value: &T) -> Result<(), RowError> {
        let group = &self.layout.groups[self.group];
        let columns = &self.layout.columns[self.at..][..group.len];
        self.group += 1;
        let Some(first) = columns.first() else {
            return Ok(());
        };
        let mut members: HashMap<_, _> = writing(self.stores.as_ref(), || to_members(value))
            .map_err(|source| write_error(first, source))?
            .into_iter()
            .collect();
        for column in columns {
            // A member that its struct leaves out (`skip_serializing_if`) is missing.
            let cell = match members.remove(&column.name[group.prefix.len()..]) {
                None if column.ty.kind != Kind::Serialized => Ok(Cell::Null),
                value => column.ty.encode_value(&value.unwrap_or(Value::Null)),
            };
            let cell = cell.map_err(|source| write_error(column, source))?;
            self.push(cell);
        }
        Ok(())
    }

    /// Puts a sequence.
    pub(crate) fn put_sequence<T>(&mut self, sequence: Sequence<T>) -> Result<(), RowError> {
        let column = &self.layout.columns[self.at];
        let blob = sequence
            .into_datapak()
            .map_err(|source| RowError::Sequence {
                column: column.name.clone(),
                source,
            })?;
        self.push(Cell::Blob(blob));
        Ok(())
    }

    /// All cells, in the order of the layout; NULL for those that were not put.
    pub(crate) fn into_cells(self) -> Vec<Cell> {
        let cells = self.cells.into_iter();
        // As large as before, so that they stay where they are.
        cells.map(|cell| cell.unwrap_or(Cell::Null)).collect()
    }

    /// What was put so far, inputs among them, each cell with the place of its column.
    pub(crate) fn reached(self) -> Vec<(usize, Cell)> {
        let cells = self.cells.into_iter().enumerate();
        cells.filter_map(|(i, cell)| Some((i, cell?))).collect()
    }

    /// What was put of the field of that ordinal, each cell with the place of its column.
    pub(crate) fn cells_of(&self, ordinal: usize) -> impl Iterator<Item = (usize, &Cell)> {
        let field = self.layout.fields.get(ordinal);
        let columns = field.map_or(0..0, |field| field.columns.clone());
        columns.filter_map(|i| Some((i, self.cells[i].as_ref()?)))
    }
}

impl RowWriter<'_> {
    /// Reads a field that was put, or that a run has which is there: its cells by the places of their
    /// columns.
    pub(crate) fn field_or<T>(
        &self,
        ordinal: usize,
        kept: &[(usize, Cell)],
        read: impl FnOnce(&mut RowReader<'_>) -> Result<T, RowError>,
    ) -> Result<T, RowError> {
        let field = self.layout.fields.get(ordinal);
        let columns = field.map_or(0..0, |field| field.columns.clone());
        let first = columns.clone().next();
        let cell = |place: usize| {
            let put = self.cells[place].as_ref();
            let kept = || {
                kept.iter()
                    .find(|(of, _)| *of == place)
                    .map(|(_, cell)| cell)
            };
            put.or_else(kept).cloned()
        };
        let cells: Option<Vec<_>> = columns.map(cell).collect();
        let unknown = || {
            let column = first.and_then(|place| self.layout.columns.get(place));
            RowError::Read {
                column: column.map_or_else(String::new, |column| column.name.clone()),
                source: ValueError::new("it was not recorded"),
            }
        };
        let mut cells = cells.ok_or_else(unknown)?;
        let holder = self.stores.as_ref().map(|stores| stores.holder());
        read(&mut RowReader::of_field(self.layout, ordinal, &mut cells).of_live_run(holder))
    }
}

pub(super) fn write_error(column: &Column, source: ValueError) -> RowError {
    RowError::Write {
        column: column.name.clone(),
        source,
    }
}
