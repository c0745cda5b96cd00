//! Fields that only become known while a run goes on.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Context;
use crate::store::{Column, Role, StoreError, kind_name, name};
use crate::stored::writing;
use crate::value::{Cell, ColumnType, Value, ValueError};

/// Why a field cannot be inserted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FieldError {
    /// The name is that of a declared input or field.
    #[error("`{name}` is declared by the experiment; a run cannot insert it")]
    Declared {
        /// The field's name.
        name: String,
    },
    /// Another run inserted a field of this name and another type.
    #[error("the field `{name}` holds {expected}, as another run inserted it, and not {found}")]
    OtherType {
        /// The field's name.
        name: String,
        /// What the column holds.
        expected: &'static str,
        /// What was to be inserted.
        found: &'static str,
    },
    /// A sequence of this run has that name.
    #[error("`{name}` is a field and a sequence of one run, and both would be its column")]
    Sequence {
        /// The name.
        name: String,
    },
    /// A name that no column can have, or one that differs from another one by case only.
    #[error(transparent)]
    Name(StoreError),
    /// The value cannot be kept.
    #[error("the field `{name}` cannot be kept")]
    Value {
        /// The field's name.
        name: String,
        /// What is wrong with the value.
        source: ValueError,
    },
}

/// The columns that the runs of one execution have in common.
#[derive(Debug, Default)]
pub(crate) struct FieldRegistry {
    /// By their names in lower case, since SQLite does not tell case apart.
    known: Mutex<HashMap<String, (String, Option<ColumnType>)>>,
}

impl FieldRegistry {
    /// The declared columns are known from the start, and nothing else may have their names.
    /// So are those that earlier runs have inserted, which are inserted with the same type.
    pub(crate) fn new(declared: &[Column], inserted: &[Column]) -> Self {
        let known = (declared.iter().map(|c| (c, None)))
            .chain(inserted.iter().map(|c| (c, Some(c.ty))))
            .map(|(c, ty)| (c.name.to_lowercase(), (c.name.clone(), ty)))
            .collect();
        Self {
            known: Mutex::new(known),
        }
    }

    /// Lets no run insert a field of that name, which is the execution's own.
    pub(crate) fn reserve(&self, name: &str) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(name.to_lowercase(), (name.to_owned(), None));
    }

    /// Whether a run may insert a field of that name and type.
    pub(crate) fn check(&self, name: &str, ty: ColumnType) -> Result<(), FieldError> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match known.get(&name.to_lowercase()) {
            None => name::check_column(name).map_err(FieldError::Name),
            Some((other, _)) if other != name => Err(FieldError::Name(StoreError::ColumnName {
                name: name.to_owned(),
                reason: format!("it differs from `{other}` by upper and lower case only"),
            })),
            Some((_, None)) => Err(FieldError::Declared {
                name: name.to_owned(),
            }),
            Some((_, Some(other))) if other.kind == ty.kind => Ok(()),
            Some((_, Some(other))) => Err(FieldError::OtherType {
                name: name.to_owned(),
                expected: kind_name(other.kind),
                found: kind_name(ty.kind),
            }),
        }
    }

    /// Makes the fields of a run that has completed those of the execution.
    pub(crate) fn register(&self, fields: &[(Column, Cell)]) -> Result<(), FieldError> {
        for (column, _) in fields {
            self.check(&column.name, column.ty)?;
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known
                .entry(column.name.to_lowercase())
                .or_insert_with(|| (column.name.clone(), Some(column.ty)));
        }
        Ok(())
    }
}

/// The fields of a live run: see [`insert`](LiveFields::insert).
#[derive(Debug)]
pub struct LiveFields {
    context: Arc<Context>,
    inserted: Vec<(Column, Cell)>,
}

impl LiveFields {
    pub(crate) fn new(context: Arc<Context>) -> Self {
        Self {
            context,
            inserted: Vec::new(),
        }
    }

    /// Records a field that is not declared, because only the run knows that there is one. It
    /// becomes a column of the experiment, and is missing (NULL) in the runs that do not insert it.
    /// Inserting it again replaces the value.
    ///
    /// # Errors
    ///
    /// The name is declared by the experiment or cannot be that of a column, another run inserted
    /// a value of another type, or the value cannot be kept.
    ///
    /// ```
    /// fn solve(run: &mut xp::Run) -> Result<f64, xp::FieldError> {
    ///     run.fields.insert("restarts", 3)?;
    ///     Ok(0.5)
    /// }
    /// assert_eq!(solve(&mut xp::Run::detached(7))?, 0.5);
    /// # Ok::<(), xp::FieldError>(())
    /// ```
    pub fn insert<T: Serialize + DeserializeOwned + 'static>(
        &mut self,
        name: &str,
        value: T,
    ) -> Result<(), FieldError> {
        let ty = ColumnType::of::<T>();
        let encoded = writing(self.context.stores.as_ref(), || ty.encode(&value));
        let cell = encoded.map_err(|source| FieldError::Value {
            name: name.to_owned(),
            source,
        })?;
        self.insert_cell(name, ty, cell)?;
        if let Some(keeper) = &self.context.keeper
            && let Some((column, cell)) = self.inserted.iter().find(|(c, _)| c.name == name)
        {
            keeper.inserted(column, cell);
        }
        Ok(())
    }

    pub(crate) fn insert_cell(
        &mut self,
        name: &str,
        ty: ColumnType,
        cell: Cell,
    ) -> Result<(), FieldError> {
        self.context.registry.check(name, ty)?;
        let clash = |other: &&Column| other.name != name && other.name.eq_ignore_ascii_case(name);
        if let Some(other) = self.inserted.iter().map(|(column, _)| column).find(clash) {
            return Err(FieldError::Name(StoreError::ColumnName {
                name: name.to_owned(),
                reason: format!(
                    "it differs from `{}` by upper and lower case only",
                    other.name
                ),
            }));
        }
        match self
            .inserted
            .iter_mut()
            .find(|(column, _)| column.name == name)
        {
            Some((column, old)) => {
                column.ty = ColumnType {
                    nullable: true,
                    ..ty
                };
                *old = cell;
            }
            None => {
                // Runs that lack it make it missing, whatever its own type says.
                let ty = ColumnType {
                    nullable: true,
                    ..ty
                };
                self.inserted.push((
                    Column {
                        name: name.to_owned(),
                        ty,
                        role: Role::Field,
                    },
                    cell,
                ));
            }
        }
        Ok(())
    }

    /// The names of the fields that this run has inserted so far, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.inserted.iter().map(|(column, _)| column.name.as_str())
    }

    /// The values that were inserted so far.
    pub(crate) fn so_far(&self) -> impl Iterator<Item = (String, Value)> {
        values(&self.inserted)
    }

    /// The fields of a run that has completed.
    pub(crate) fn take(&mut self) -> Result<Vec<(Column, Cell)>, FieldError> {
        self.context.registry.register(&self.inserted)?;
        Ok(std::mem::take(&mut self.inserted))
    }
}

/// What the cells stand for, by the names of their columns.
pub(crate) fn values(cells: &[(Column, Cell)]) -> impl Iterator<Item = (String, Value)> {
    cells.iter().filter_map(|(column, cell)| {
        let value = column.ty.decode_value(cell.clone()).ok()?;
        Some((column.name.clone(), value))
    })
}
