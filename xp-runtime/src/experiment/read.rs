//! What runs are read as: typed, if their experiment is declared, and as bunches otherwise.

use std::collections::HashSet;

use uuid::Uuid;

use super::{Error, Result};
use crate::bunch::Bunch;
use crate::declare::Declared;
use crate::row::{Layout, Mapping, Misfit, Part, RowReader};
use crate::run::{Dynamic, RunKind};
use crate::store::{Store, StoredExperiment};
use crate::value::Cell;

/// A kind of runs that can be read from a file.
pub trait Readable: RunKind<Inner = ()> {
    /// How the columns are found.
    #[doc(hidden)]
    type Mapping;

    /// Finds the columns, or says of all that do not fit why not.
    #[doc(hidden)]
    fn mapping(stored: &StoredExperiment) -> Result<Self::Mapping, Vec<Misfit>>;

    /// The columns that a complete run was given; none if it may have any.
    #[doc(hidden)]
    fn columns() -> Layout {
        Layout::default()
    }

    /// The declared name of the experiment, if it continues the runs of another.
    #[doc(hidden)]
    fn continuing() -> Option<&'static str> {
        None
    }

    /// The columns of a table of runs.
    #[doc(hidden)]
    fn parts(mapping: &Self::Mapping, of: &StoredExperiment) -> Vec<Part>;

    /// The columns of a run whose values are of other types than their fields.
    #[doc(hidden)]
    fn misfits(_: &Self::Mapping, _: &[Cell]) -> Vec<Misfit> {
        Vec::new()
    }

    /// The fields of a run, taken out of its cells, which are in the order of the experiment's columns.
    #[doc(hidden)]
    fn read(
        mapping: &Self::Mapping,
        of: &StoredExperiment,
        id_run: Uuid,
        cells: &mut [Cell],
    ) -> Result<Self::Fields>;
}

/// The completed runs that lack a column.
pub(super) fn lacking<X: Readable>(
    db: &dyn Store,
    stored: &StoredExperiment,
) -> Result<HashSet<u128>> {
    let columns = X::columns();
    Ok(match X::continuing() {
        Some(declared) => db.lacking_continued(stored, declared, columns.columns())?,
        None => db.lacking(stored, columns.columns())?,
    })
}

impl<X: Declared> Readable for X {
    type Mapping = Mapping;

    fn mapping(stored: &StoredExperiment) -> Result<Mapping, Vec<Misfit>> {
        let mut layout = Self::columns();
        let own = layout.columns().len();
        X::reads(&mut layout);
        match X::continues() {
            Some(continues) => {
                // As long as all runs fail there are no columns.
                let lacking = if stored.continued { own } else { 0 };
                Mapping::with_args(layout, stored, continues.args_field, lacking)
            }
            None => Mapping::new(layout, stored),
        }
    }

    fn continuing() -> Option<&'static str> {
        X::continues().map(|_| X::declaration().name)
    }

    fn columns() -> Layout {
        let mut layout = Layout::default();
        X::layout(&mut layout);
        layout
    }

    fn misfits(mapping: &Mapping, cells: &[Cell]) -> Vec<Misfit> {
        mapping.misfits(cells)
    }

    fn parts(mapping: &Mapping, of: &StoredExperiment) -> Vec<Part> {
        mapping.parts(of, X::continues().is_none())
    }

    fn read(
        mapping: &Mapping,
        of: &StoredExperiment,
        id_run: Uuid,
        cells: &mut [Cell],
    ) -> Result<X::Fields> {
        X::read(&mut RowReader::new(mapping, cells).of_run(of, id_run)).map_err(|source| {
            Error::Run {
                experiment: of.name.clone(),
                id_run,
                source: Box::new(source),
            }
        })
    }
}

impl Readable for Dynamic {
    type Mapping = ();

    fn mapping(_: &StoredExperiment) -> Result<(), Vec<Misfit>> {
        Ok(())
    }

    fn parts((): &(), of: &StoredExperiment) -> Vec<Part> {
        Part::of(of)
    }

    fn read((): &(), of: &StoredExperiment, id_run: Uuid, cells: &mut [Cell]) -> Result<Bunch> {
        of.columns
            .iter()
            .zip(cells)
            .map(|(column, cell)| {
                let cell = cell.take();
                match of.within(column, id_run, || column.ty.decode_value(cell)) {
                    Ok(value) => Ok((column.name.clone(), value)),
                    Err(source) => Err(Error::Cell {
                        experiment: of.name.clone(),
                        id_run,
                        field: column.name.clone(),
                        source: Box::new(source),
                    }),
                }
            })
            .collect()
    }
}
