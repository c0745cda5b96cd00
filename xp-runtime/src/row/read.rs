//! Reading the row of a run.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::layout::Content;
use super::{Layout, RowError};
use crate::sequence::Sequence;
use crate::store::{Column, StoredExperiment, kind_name};
use crate::value::origin::Holder;
use crate::value::{Cell, ColumnType, Kind, Value, ValueError, from_members};

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
    /// For each column of the layout where it is.
    places: Vec<Place>,
    /// The place of the column in which MLtraq kept the params.
    args: Option<usize>,
}

/// Where a column is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In the table.
    Column(usize),
    /// Among the params that MLtraq kept.
    Arg,
    /// Nowhere, and it may be missing.
    Missing,
}

impl Mapping {
    /// Finds every column, or says of all that do not fit why not.
    pub(crate) fn new(layout: Layout, stored: &StoredExperiment) -> Result<Self, Vec<Misfit>> {
        Self::find(layout, stored, None, 0)
    }

    /// The same, where params that are no columns may have been kept by MLtraq in a field, and the
    /// first `lacking` columns may be missing.
    pub(crate) fn with_args(
        layout: Layout,
        stored: &StoredExperiment,
        args_field: &str,
        lacking: usize,
    ) -> Result<Self, Vec<Misfit>> {
        let is_args =
            |column: &Column| column.name == args_field && column.ty.kind == Kind::Serialized;
        let args = stored.columns.iter().position(is_args);
        Self::find(layout, stored, args, lacking)
    }

    fn find(
        layout: Layout,
        stored: &StoredExperiment,
        args: Option<usize>,
        lacking: usize,
    ) -> Result<Self, Vec<Misfit>> {
        let mut misfits = Vec::new();
        let mut places = Vec::new();
        // Without a run there is no table, and nothing to read.
        let empty = stored.columns.is_empty();
        for (i, column) in layout.columns.iter().enumerate() {
            let place = stored.columns.iter().position(|c| c.name == column.name);
            if place.is_none() && args.is_some() && layout.params.contains(&i) {
                places.push(Place::Arg);
                continue;
            }
            let found = place.map(|i| &stored.columns[i].ty);
            let fits = match found {
                Some(found) => found.kind == column.ty.kind,
                None => column.ty.nullable || empty || i < lacking,
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
            places.push(place.map_or(Place::Missing, Place::Column));
        }
        if misfits.is_empty() {
            Ok(Self {
                layout,
                places,
                args,
            })
        } else {
            Err(misfits)
        }
    }

    /// All columns, with their types.
    pub(crate) fn columns(&self) -> impl Iterator<Item = (&str, ColumnType)> {
        let columns = self.layout.columns.iter();
        columns.map(|column| (column.name.as_str(), column.ty))
    }

    /// All columns, and where they are.
    pub(super) fn places(&self) -> impl Iterator<Item = (&Column, Place)> {
        self.layout.columns.iter().zip(self.places.iter().copied())
    }

    /// The place of the column in which MLtraq kept the params.
    pub(super) fn args(&self) -> Option<usize> {
        self.args
    }

    /// The columns of a run whose serialised values are of other types: that, the kinds of columns
    /// do not tell.
    pub(crate) fn misfits(&self, cells: &[Cell]) -> Vec<Misfit> {
        let columns = self.layout.columns.iter().zip(&self.layout.contents);
        let columns = columns.zip(&self.places);
        let misfit = |((column, content), place): ((&Column, &Option<Content>), &Place)| {
            let (Some(content), Place::Column(place)) = (content, place) else {
                return None;
            };
            // What is missing is told by other means.
            let cell = cells.get(*place).filter(|cell| **cell != Cell::Null)?;
            let error = (content.check)(&column.ty, cell.clone()).err()?;
            // A cell that is damaged is told with its run, and says nothing of the others.
            column.ty.decode_value(cell.clone()).ok()?;
            Some(Misfit {
                column: column.name.clone(),
                expected: format!("a `{}`", (content.type_name)()),
                found: format!("something else in the first run: {error}"),
            })
        };
        let serialized = columns.filter(|((column, _), _)| column.ty.kind == Kind::Serialized);
        serialized.filter_map(misfit).collect()
    }

    /// Those that are in the table.
    pub(crate) fn found(&self) -> impl Iterator<Item = (&str, ColumnType)> {
        let columns = self.columns().zip(&self.places);
        columns.filter_map(|(column, place)| matches!(place, Place::Column(_)).then_some(column))
    }
}

/// Reads the row of one run, column after column.
#[derive(Debug)]
pub struct RowReader<'a> {
    layout: &'a Layout,
    /// For each column of the layout its place among the cells; without, they are those of a field.
    places: Option<&'a [Place]>,
    cells: &'a mut [Cell],
    at: usize,
    group: usize,
    /// What MLtraq kept, once it was asked for.
    args: Option<Value>,
    /// Where it is among the cells.
    args_at: Option<usize>,
    /// The column of the first cell.
    first: usize,
    /// What a column holds that has no cell.
    other: Cell,
    /// The run whose cells they are, if it may have files beside its database.
    of: Option<Owner<'a>>,
}

/// What holds the files of a run, and the run unless it is live.
type Owner<'a> = (&'a Arc<Holder>, Option<Uuid>);

/// Calls a function that decodes a cell of the column.
#[inline]
fn within<R>(of: Option<Owner<'_>>, column: &Column, decode: impl FnOnce() -> R) -> R {
    match of {
        Some((holder, id_run)) if column.ty.kind == Kind::Serialized => {
            holder.within(id_run, &column.name, decode)
        }
        _ => decode(),
    }
}

impl<'a> RowReader<'a> {
    /// Takes the cells of a run, in the order of the experiment's columns.
    pub(crate) fn new(mapping: &'a Mapping, cells: &'a mut [Cell]) -> Self {
        Self {
            layout: &mapping.layout,
            places: Some(&mapping.places),
            cells,
            at: 0,
            group: 0,
            args: None,
            args_at: mapping.args,
            first: 0,
            other: Cell::Null,
            of: None,
        }
    }

    /// Says whose cells they are.
    pub(crate) fn of_run(mut self, of: &'a StoredExperiment, id_run: Uuid) -> Self {
        self.of = of.files.as_ref().map(|holder| (holder, Some(id_run)));
        self
    }

    /// The same, by what is known in an execution.
    pub(crate) fn of_live_run(mut self, holder: Option<&'a Arc<Holder>>) -> Self {
        self.of = holder.map(|holder| (holder, None));
        self
    }

    /// Reads one field, given by its ordinal, from its cells.
    pub(crate) fn of_field(layout: &'a Layout, ordinal: usize, cells: &'a mut [Cell]) -> Self {
        let field = layout.fields.get(ordinal);
        let first = field.map_or(0, |field| field.columns.start);
        Self {
            layout,
            places: None,
            cells,
            at: first,
            group: field.and_then(|field| field.group).unwrap_or_default(),
            args: None,
            args_at: None,
            first,
            other: Cell::Null,
            of: None,
        }
    }

    /// The next column, and its cell.
    #[inline]
    fn next(&mut self) -> Result<(&'a Column, &mut Cell), RowError> {
        let column = &self.layout.columns[self.at];
        let place = match self.places {
            Some(places) => places[self.at],
            None => Place::Column(self.at - self.first),
        };
        self.at += 1;
        if let Place::Column(i) = place {
            return Ok((column, &mut self.cells[i]));
        }
        self.other = match place {
            Place::Arg => self
                .arg(column)
                .map_err(|source| read_error(column, source))?,
            _ => Cell::Null,
        };
        Ok((column, &mut self.other))
    }

    /// A param that MLtraq kept: among the params, or in the config.
    fn arg(&mut self, column: &Column) -> Result<Cell, ValueError> {
        if self.args.is_none() {
            let cell = self.args_at.map(|i| self.cells[i].clone());
            let cell = cell.unwrap_or(Cell::Null);
            self.args = Some(ColumnType::SERIALIZED.decode_value(cell)?);
        }
        arg(self.args.as_ref().unwrap_or(&Value::Null), column)
    }

    /// The params that cannot be read from what MLtraq kept.
    pub(crate) fn args_lacking(mut self) -> Vec<RowError> {
        let places = self.places.unwrap_or_default();
        let columns = self.layout.columns.iter().zip(places);
        let args = columns.filter(|(_, place)| **place == Place::Arg);
        let failed = args.filter_map(|(column, _)| {
            let cell = self
                .arg(column)
                .and_then(|cell| column.ty.decode_value(cell));
            cell.err().map(|source| read_error(column, source))
        });
        failed.collect()
    }

    /// Reads the next column.
    pub fn get<T: DeserializeOwned + 'static>(&mut self) -> Result<T, RowError> {
        let of = self.of;
        let (column, cell) = self.next()?;
        within(of, column, || column.ty.take(cell)).map_err(|source| read_error(column, source))
    }

    /// Reads the columns of a flattened struct.
    pub fn get_flat<T: DeserializeOwned>(&mut self) -> Result<T, RowError> {
        let layout = self.layout;
        let group = &layout.groups[self.group];
        self.group += 1;
        let mut members = Vec::with_capacity(group.len);
        for _ in 0..group.len {
            let of = self.of;
            let (column, cell) = self.next()?;
            let cell = cell.take();
            let value = match (&cell, column.ty.kind) {
                // A missing number is NaN; any other member was left out.
                (Cell::Null, kind) if kind != Kind::Float => Ok(Value::Null),
                _ => within(of, column, || column.ty.decode_value(cell)),
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
        let (column, cell) = self.next()?;
        let value = column
            .ty
            .decode_value(cell.take())
            .map_err(|source| read_error(column, source))?;
        Sequence::from_stored(&value).map_err(|source| RowError::Sequence {
            column: column.name.clone(),
            source,
        })
    }
}

/// The cell of a param that MLtraq kept.
pub(super) fn arg(args: &Value, column: &Column) -> Result<Cell, ValueError> {
    let of = |side: &str| args.member(side).and_then(|side| side.member(&column.name));
    match of("params").or_else(|| of("config")) {
        Some(value) => column.ty.encode_value(value),
        None => Err(ValueError::new("there is none of this name")),
    }
}

fn read_error(column: &Column, source: ValueError) -> RowError {
    RowError::Read {
        column: column.name.clone(),
        source,
    }
}
