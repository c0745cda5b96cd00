//! The columns of a table of runs, and where their values are.

use super::Mapping;
use super::read::Place;
use crate::store::{Column, Role, StoredExperiment};
use crate::value::{Cell, ColumnType, Kind, Value, ValueError};

/// A column of a table of runs.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct Part {
    pub(crate) column: Column,
    from: From,
}

/// Where the values are in a row.
#[derive(Clone, Copy, Debug)]
enum From {
    Cell(usize),
    /// Among the params that MLtraq kept in this cell.
    Args(usize),
    Nowhere,
}

impl Part {
    /// The columns of an experiment: inputs, then fields.
    pub(crate) fn of(stored: &StoredExperiment) -> Vec<Part> {
        let part = |(i, column): (usize, &Column)| Part {
            column: column.clone(),
            from: From::Cell(i),
        };
        sorted(stored.columns.iter().enumerate().map(part).collect())
    }

    /// The cell of a row that is looked at.
    pub(crate) fn cell(&self) -> Option<usize> {
        match self.from {
            From::Cell(i) | From::Args(i) => Some(i),
            From::Nowhere => None,
        }
    }

    /// The value in a row. What is NULL there is nothing, also where it stands for NaN. What MLtraq
    /// kept of the row is read once, into `kept`.
    pub(crate) fn value(
        &self,
        cells: &[Cell],
        kept: &mut Option<Value>,
    ) -> Result<Value, ValueError> {
        let ty = self.column.ty;
        let cell = |i: usize| cells.get(i).cloned().unwrap_or(Cell::Null);
        let cell = match self.from {
            From::Cell(i) => cell(i),
            From::Nowhere => return Ok(Value::Null),
            From::Args(i) => {
                if kept.is_none() {
                    *kept = Some(ColumnType::SERIALIZED.decode_value(cell(i))?);
                }
                super::read::arg(kept.as_ref().unwrap_or(&Value::Null), &self.column)?
            }
        };
        match cell {
            Cell::Null if ty.kind != Kind::Serialized => Ok(Value::Null),
            cell => ty.decode_value(cell),
        }
    }
}

impl Mapping {
    /// The columns of an experiment, inputs first: in the order of the declaration and then those that are not declared,
    /// or in the order of the table, and then those that are not there.
    pub(crate) fn parts(&self, stored: &StoredExperiment, declared_first: bool) -> Vec<Part> {
        let declared = self.places().map(|(column, place)| Part {
            column: match place {
                // What is read of a run that is there is an input or a field of what is continued.
                Place::Column(i) => stored.columns[i].clone(),
                Place::Arg | Place::Missing => column.clone(),
            },
            from: match (place, self.args()) {
                (Place::Column(i), _) => From::Cell(i),
                (Place::Arg, Some(i)) => From::Args(i),
                (Place::Arg, None) | (Place::Missing, _) => From::Nowhere,
            },
        });
        let (mut parts, rest) = if declared_first {
            (declared.collect(), Part::of(stored))
        } else {
            (Part::of(stored), declared.collect::<Vec<_>>())
        };
        for part in rest {
            if !parts
                .iter()
                .any(|other| other.column.name == part.column.name)
            {
                parts.push(part);
            }
        }
        sorted(parts)
    }
}

fn sorted(mut parts: Vec<Part>) -> Vec<Part> {
    parts.sort_by_key(|part| part.column.role == Role::Field);
    parts
}
