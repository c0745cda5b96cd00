//! The columns of an experiment, as it is declared.

use std::ops::Range;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::RowError;
use super::write::write_error;
use crate::store::{Column, Role, name};
use crate::value::{Cell, ColumnType, Kind, ValueError, is_stored, members_of};

/// The columns of an experiment, in the order in which its runs put them.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    pub(super) columns: Vec<Column>,
    /// For each of them what it holds, unless that is a member of a struct.
    pub(super) contents: Vec<Option<Content>>,
    /// The flattened structs among them.
    pub(super) groups: Vec<Group>,
    /// The declared sequences, then the fields, in the order of the declaration.
    pub(super) fields: Vec<FieldColumns>,
    /// The params among those that are read from runs that are there.
    pub(super) params: Range<usize>,
    /// What the names of the next flattened input begin with.
    prefix: &'static str,
    /// The names of inputs that are not recorded.
    unrecorded: Vec<String>,
    /// Set if what comes now is read of runs that are there.
    is_read: bool,
    /// What is wrong with the declaration; all of it.
    errors: Vec<String>,
}

/// What a column holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Content {
    pub(super) type_name: fn() -> &'static str,
    /// Whether a cell holds such a value.
    pub(super) check: fn(&ColumnType, Cell) -> Result<(), ValueError>,
}

#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) len: usize,
    pub(super) prefix: &'static str,
}

/// Where a declared sequence or a field is in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FieldColumns {
    /// Its columns; one, unless it is flattened.
    pub(crate) columns: Range<usize>,
    /// If it is flattened, its place among the flattened structs.
    pub(super) group: Option<usize>,
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
        if !self.is_read && is_stored::<T>() {
            self.errors.push(format!(
                "the input `{name}` has a file of its own (`DataStore`, `ArchiveStore`), and an \
                 input stands in its row and tells points apart by its value: take the value \
                 itself, or what a step can make of it"
            ));
        }
        self.column(name, ColumnType::of::<T>(), Role::Input);
        self.holds::<T>();
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
        let prefix = std::mem::take(&mut self.prefix);
        self.flat::<T>(name, prefix, Role::Input);
    }

    /// What is added from now on is read of runs that are there.
    pub(crate) fn reading(&mut self) -> &mut Self {
        self.is_read = true;
        self
    }

    /// The next flattened input has columns whose names begin like this.
    #[doc(hidden)]
    pub fn prefixed(&mut self, prefix: &'static str) -> &mut Self {
        self.prefix = prefix;
        self
    }

    /// Columns for params that are read from runs that are there, and that may have been kept by
    /// MLtraq in a field.
    #[doc(hidden)]
    pub fn params(&mut self, add: impl FnOnce(&mut Self)) {
        let first = self.columns.len();
        add(self);
        self.params = first..self.columns.len();
    }

    /// A column for a field.
    pub fn field<T: DeserializeOwned + 'static>(&mut self, name: &str) {
        self.field_of(|layout| {
            layout.column(name, ColumnType::of::<T>(), Role::Field);
            layout.holds::<T>();
        });
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

    /// The last column holds values of this type, of which its kind may not tell all.
    fn holds<T: DeserializeOwned + 'static>(&mut self) {
        if let Some(content) = self.contents.last_mut() {
            *content = Some(Content {
                type_name: std::any::type_name::<T>,
                check: |ty, cell| ty.decode::<T>(cell).map(drop),
            });
        }
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

    /// A column beside the declared ones, whose name nothing declared can have.
    pub(crate) fn reserve(&mut self, name: &str) {
        if let Err(error) = name::check_column(name) {
            self.errors.push(error.to_string());
        }
        self.is_free(name);
        self.unrecorded.push(name.to_owned());
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
        self.contents.push(None);
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
    pub(crate) fn fields(&self) -> &[FieldColumns] {
        &self.fields
    }
}
