//! What can be done with a field, as data: its type is looked at in one place of the generated
//! code, so that a type that cannot be stored is one error.

use std::marker::PhantomData;

use crate::bounds::FieldValue;
use crate::row::{Layout, RowError, RowReader};
use crate::scope::Scope;

/// What can be done with a field of type `T`.
#[derive(Debug)]
pub struct FieldOps<T> {
    layout: fn(&mut Layout, &str, &'static str),
    put: fn(&mut Scope<'_>, &T) -> Result<(), RowError>,
    read: fn(&mut RowReader<'_>) -> Result<T, RowError>,
    of: PhantomData<fn(T)>,
}

// The bounds are those of the functions, so that a type without them is told by the trait's own message.
impl<T> FieldOps<T> {
    /// A field that is one column.
    pub const fn plain() -> Self
    where
        T: FieldValue,
    {
        Self {
            layout: |layout, name, _| layout.field::<T>(name),
            put: |scope, value| scope.row.put(value),
            read: |row| row.get(),
            of: PhantomData,
        }
    }

    /// A field whose members are the columns.
    pub const fn flat() -> Self
    where
        T: FieldValue,
    {
        Self {
            layout: |layout, name, prefix| layout.flat_field::<T>(name, prefix),
            put: |scope, value| scope.row.put_flat(value),
            read: |row| row.get_flat(),
            of: PhantomData,
        }
    }
}

impl<T> FieldOps<T> {
    /// Names the field's columns.
    pub fn layout(&self, layout: &mut Layout, name: &str, prefix: &'static str) {
        (self.layout)(layout, name, prefix);
    }

    /// Puts the columns of the field of that ordinal into the row.
    pub fn put(&self, scope: &mut Scope<'_>, ordinal: usize, value: &T) -> Result<(), RowError> {
        scope.row.seek(ordinal);
        (self.put)(scope, value)
    }

    /// Puts the columns of a field that does not change any more, while steps are still to come.
    pub fn reach(&self, scope: &mut Scope<'_>, ordinal: usize, value: &T) -> Result<(), RowError> {
        self.put(scope, ordinal, value)?;
        for (column, cell) in scope.row.cells_of(ordinal) {
            scope.watch.reached(column, cell);
        }
        Ok(())
    }

    /// What is recorded of the field of that ordinal, in a fill.
    pub fn given(&self, scope: &mut Scope<'_>, ordinal: usize) -> Result<T, RowError> {
        scope.recorded(ordinal, self.read)
    }

    /// Reads the field's columns.
    pub fn read(&self, row: &mut RowReader<'_>) -> Result<T, RowError> {
        (self.read)(row)
    }
}
