//! Rows: the columns of an experiment, written by its runs and read from the file.

use std::collections::HashMap;
use std::ops::Range;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::sequence::{Sequence, SequenceError};
use crate::store::{Column, Role, StoredExperiment, kind_name, name};
use crate::value::{
    Cell, ColumnType, Kind, Value, ValueError, from_members, members_of, to_members,
};

/// The columns of an experiment, in the order in which its runs put them.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    columns: Vec<Column>,
    /// The flattened structs among them.
    groups: Vec<Group>,
    /// The declared sequences, then the fields, in the order of the declaration.
    fields: Vec<FieldColumns>,
    /// The names of inputs that are not recorded.
    unrecorded: Vec<String>,
    /// What is wrong with the declaration; all of it.
    errors: Vec<String>,
}

#[derive(Clone, Debug)]
struct Group {
    len: usize,
    prefix: &'static str,
}

/// Where a declared sequence or a field is in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FieldColumns {
    /// Its columns; one, unless it is flattened.
    pub(crate) columns: Range<usize>,
    /// If it is flattened, its place among the flattened structs.
    group: Option<usize>,
}

/// Why an experiment cannot be executed as it is declared.
#[derive(Debug, thiserror::Error)]
#[error("the experiment `{experiment}` cannot be executed: {}", reasons.join("; "))]
pub struct LayoutError {
    /// The experiment's name.
    pub experiment: String,
    /// All that is wrong.
    pub reasons: Vec<String>,
}

impl Layout {
    /// A column for an input.
    pub fn input<T: DeserializeOwned + 'static>(&mut self, name: &str) {
        self.column(name, ColumnType::of::<T>(), Role::Input);
    }

    /// A column for an input that stands as a text.
    pub fn text_input(&mut self, name: &str) {
        self.column(
            name,
            ColumnType {
                kind: Kind::Text,
                nullable: false,
            },
            Role::Input,
        );
    }

    /// A column for each member of an input.
    pub fn flat_input<T: DeserializeOwned + 'static>(&mut self, name: &str) {
        self.flat::<T>(name, "", Role::Input);
    }

    /// A column for a field.
    pub fn field<T: DeserializeOwned + 'static>(&mut self, name: &str) {
        self.field_of(|layout| layout.column(name, ColumnType::of::<T>(), Role::Field));
    }

    /// A column for each member of a field.
    pub fn flat_field<T: DeserializeOwned + 'static>(&mut self, name: &str, prefix: &'static str) {
        self.field_of(|layout| layout.flat::<T>(name, prefix, Role::Field));
    }

    /// A column for a sequence.
    pub fn sequence(&mut self, name: &str) {
        let ty = ColumnType {
            kind: Kind::Serialized,
            nullable: false,
        };
        self.field_of(|layout| layout.column(name, ty, Role::Field));
    }

    /// Keeps where the columns of a field are, which `add` adds.
    fn field_of(&mut self, add: impl FnOnce(&mut Self)) {
        let (first, group) = (self.columns.len(), self.groups.len());
        add(self);
        self.fields.push(FieldColumns {
            columns: first..self.columns.len(),
            group: (self.groups.len() > group).then_some(group),
        });
    }

    /// Inputs that have no column, and names that nothing else can have: they tell points apart.
    pub(crate) fn unrecorded(&mut self, inputs: Self) {
        for column in inputs.columns {
            self.is_free(&column.name);
            self.unrecorded.push(column.name);
        }
    }

    fn is_free(&mut self, name: &str) {
        let columns = self.columns.iter().map(|column| &column.name);
        let same = |other: &&String| other.eq_ignore_ascii_case(name);
        if let Some(other) = columns.chain(&self.unrecorded).find(same) {
            self.errors
                .push(format!("`{name}` and `{other}` have one name"));
        }
    }

    fn column(&mut self, name: &str, ty: ColumnType, role: Role) {
        if let Err(error) = name::check_column(name) {
            self.errors.push(error.to_string());
        }
        self.is_free(name);
        self.columns.push(Column {
            name: name.to_owned(),
            ty,
            role,
        });
    }

    fn flat<T: DeserializeOwned + 'static>(
        &mut self,
        name: &str,
        prefix: &'static str,
        role: Role,
    ) {
        let Some(members) = members_of::<T>() else {
            self.errors.push(format!(
                "`{name}` is to be flattened, and `{}` is no struct with named members",
                std::any::type_name::<T>()
            ));
            return;
        };
        self.groups.push(Group {
            len: members.len(),
            prefix,
        });
        for (member, ty) in members {
            self.column(&format!("{prefix}{member}"), ty, role);
        }
    }

    pub(crate) fn check(self, experiment: &str) -> Result<Self, LayoutError> {
        if self.errors.is_empty() {
            return Ok(self);
        }
        Err(LayoutError {
            experiment: experiment.to_owned(),
            reasons: self.errors,
        })
    }

    /// Whether the value can be kept in the layout's only column.
    pub(crate) fn check_column<T: Serialize + 'static>(&self, value: &T) -> Result<(), RowError> {
        for column in &self.columns {
            column
                .ty
                .encode(value)
                .map_err(|source| write_error(column, source))?;
        }
        Ok(())
    }

    pub(crate) fn is_valid(&self) -> bool {
        self.errors.is_empty()
    }

    pub(crate) fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The declared sequences and the fields, by ordinal: sequences first, then fields in the order
    /// of the body.
    #[allow(dead_code)]
    pub(crate) fn fields(&self) -> &[FieldColumns] {
        &self.fields
    }
}

/// Why a row cannot be written or read.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RowError {
    /// A value does not fit into its column.
    #[error("`{column}` cannot be kept")]
    Write {
        /// The column's name.
        column: String,
        /// What is wrong with the value.
        source: ValueError,
    },
    /// A cell is not what its column's type says.
    #[error("`{column}` cannot be read")]
    Read {
        /// The column's name.
        column: String,
        /// What is wrong with the cell.
        source: ValueError,
    },
    /// A sequence cannot be written or read.
    #[error("the sequence `{column}` cannot be kept or read")]
    Sequence {
        /// The column's name.
        column: String,
        /// What is wrong with it.
        source: SequenceError,
    },
}

/// The row of one run, column after column; fields in any order. Cells that were not put are unknown.
#[derive(Debug)]
pub(crate) struct RowWriter<'a> {
    layout: &'a Layout,
    /// One for each column of the layout.
    cells: Vec<Option<Cell>>,
    /// The column that comes next.
    at: usize,
    /// The flattened struct that comes next.
    group: usize,
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
        }
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
        let cell = column
            .ty
            .encode(value)
            .map_err(|source| write_error(column, source))?;
        self.push(cell);
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
        let mut members: HashMap<_, _> = to_members(value)
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
    #[allow(dead_code)]
    pub(crate) fn reached(self) -> Vec<(usize, Cell)> {
        let cells = self.cells.into_iter().enumerate();
        cells.filter_map(|(i, cell)| Some((i, cell?))).collect()
    }

    /// What was put of the field of that ordinal, each cell with the place of its column.
    #[allow(dead_code)]
    pub(crate) fn cells_of(&self, ordinal: usize) -> impl Iterator<Item = (usize, &Cell)> {
        let field = self.layout.fields.get(ordinal);
        let columns = field.map_or(0..0, |field| field.columns.clone());
        columns.filter_map(|i| Some((i, self.cells[i].as_ref()?)))
    }
}

fn write_error(column: &Column, source: ValueError) -> RowError {
    RowError::Write {
        column: column.name.clone(),
        source,
    }
}

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
    mapping: &'a Mapping,
    cells: Vec<Cell>,
    at: usize,
    group: usize,
}

impl<'a> RowReader<'a> {
    pub(crate) fn new(mapping: &'a Mapping, cells: Vec<Cell>) -> Self {
        Self {
            mapping,
            cells,
            at: 0,
            group: 0,
        }
    }

    fn next(&mut self) -> (&'a Column, Cell) {
        let column = &self.mapping.layout.columns[self.at];
        let place = self.mapping.places[self.at];
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
        let mapping = self.mapping;
        let group = &mapping.layout.groups[self.group];
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
                column: mapping
                    .layout
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

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Serialize, Deserialize)]
    struct Pair {
        a: u8,
        b: u8,
    }

    fn layout() -> Layout {
        let mut layout = Layout::default();
        layout.flat_input::<Pair>("pair");
        layout.field::<u8>("x");
        layout.flat_field::<Pair>("pairs", "p_");
        layout.field::<u8>("y");
        layout.check("e").unwrap()
    }

    #[test]
    fn a_layout_knows_where_its_fields_are() {
        let layout = layout();
        let columns: Vec<_> = layout.fields().iter().map(|f| f.columns.clone()).collect();
        assert_eq!(columns, [2..3, 3..5, 5..6]);
    }

    #[test]
    fn fields_are_put_in_any_order() {
        let layout = layout();
        let mut row = RowWriter::new(&layout);
        row.put_flat(&Pair { a: 1, b: 2 }).unwrap();
        row.seek(2);
        row.put(&6_u8).unwrap();
        row.seek(1);
        row.put_flat(&Pair { a: 4, b: 5 }).unwrap();
        let of = |row: &RowWriter<'_>, ordinal| row.cells_of(ordinal).map(|(i, _)| i).collect();
        let (x, pairs): (Vec<_>, Vec<_>) = (of(&row, 0), of(&row, 1));
        assert_eq!((x, pairs), (vec![], vec![3, 4]));
        row.seek(0);
        row.put(&3_u8).unwrap();
        let before = row.cells.as_ptr().addr();
        let cells = row.into_cells();
        assert_eq!(cells.as_ptr().addr(), before);
        let all: Vec<_> = (1..=6).map(Cell::Int).collect();
        assert_eq!(cells, all);
    }

    #[test]
    fn what_was_reached_is_known() {
        let layout = layout();
        let mut row = RowWriter::new(&layout);
        row.put_flat(&Pair { a: 1, b: 2 }).unwrap();
        row.seek(2);
        row.put(&6_u8).unwrap();
        let reached = [(0, 1), (1, 2), (5, 6)].map(|(i, cell)| (i, Cell::Int(cell)));
        assert_eq!(row.reached(), reached);
        assert_eq!(RowWriter::new(&layout).into_cells(), vec![Cell::Null; 6]);
    }
}
