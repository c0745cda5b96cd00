//! What can be done with an input, as data: its type is looked at in one place of the generated
//! code, so that a type that cannot be an input is one error.

use super::InputInfo;
use super::baseline::{Baseline, flat_baselines, plain_baseline, text_baseline};
use super::visit::{Visitor, visit_flat, visit_plain, visit_text};
use crate::bounds::{InputValue, KeyedValue};
use crate::identity::{EncodeError, encode};
use crate::row::{Layout, RowError, RowReader, RowWriter};
use crate::value::{Value, ValueError, from_value, to_members};

/// An input has a value that cannot be part of an identity or of a row.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the input `{input}` has a value that cannot be recorded")]
pub struct InputError {
    /// The input's name.
    pub input: String,
    /// What is wrong with it.
    pub source: Box<InputCause>,
}

/// What is wrong with the value of an input.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InputCause {
    /// It cannot be brought into canonical form.
    #[error(transparent)]
    Identity(#[from] EncodeError),
    /// It cannot be kept in its column.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// It cannot be kept in its columns.
    #[error(transparent)]
    Row(#[from] RowError),
    /// It cannot be sent to a run in another process.
    #[error("a run in another process cannot be given it: {0}")]
    NotSent(&'static str),
}

/// Shows an input to a visitor: info, value and absent value.
type Visit<T> =
    fn(&InputOps<T>, &InputInfo, &T, Option<&T>, &mut Visitor<'_, '_>) -> Result<(), InputCause>;

/// Appends what is known of an input when no value is given: default and absent value.
type Baselines<T> = fn(
    &InputOps<T>,
    &InputInfo,
    Option<&T>,
    Option<&T>,
    &mut Vec<Baseline>,
) -> Result<(), InputCause>;

const NOT_READ: &str = "its type cannot be read, since it has a `key`";

/// What can be done with an input of type `T`.
#[derive(Debug)]
pub struct InputOps<T> {
    /// Set if a text stands for the value.
    key: Option<fn(&T) -> String>,
    visit: Visit<T>,
    layout: fn(&mut Layout, &str),
    /// Checks that the value can be recorded, and appends what tells it from others.
    check: fn(&Self, &Layout, &T, &mut Vec<u8>) -> Result<(), InputCause>,
    from_value: fn(Value) -> Result<T, ValueError>,
    member: fn(&T, &str, Value) -> Option<Result<T, ValueError>>,
    read: fn(&mut RowReader<'_>) -> Result<T, RowError>,
    baselines: Baselines<T>,
}

// The bounds are those of the functions, so that a type without them is told by the trait's own message.
impl<T> InputOps<T> {
    /// An input that is one column.
    pub const fn plain() -> Self
    where
        T: InputValue,
    {
        Self {
            key: None,
            visit: |_, info, value, absent, visitor| visit_plain(info, value, absent, visitor),
            layout: |layout, name| layout.input::<T>(name),
            check: |_, layout, value, form| {
                layout.check_column(value)?;
                encode(value, form)?;
                Ok(())
            },
            from_value,
            member: |_, _, _| None,
            read: |row| row.get(),
            baselines: |_, info, default, absent, out| plain_baseline(info, default, absent, out),
        }
    }

    /// An input whose members are inputs of their own.
    pub const fn flat() -> Self
    where
        T: InputValue,
    {
        Self {
            key: None,
            visit: |_, info, value, absent, visitor| visit_flat(info, value, absent, visitor),
            layout: |layout, name| layout.flat_input::<T>(name),
            check: |_, layout, value, form| {
                // A type that cannot be flattened is told with all else that is wrong with it.
                if layout.is_valid() && !layout.columns().is_empty() {
                    RowWriter::new(layout).put_flat(value)?;
                }
                encode(value, form)?;
                Ok(())
            },
            from_value,
            member: with_member,
            read: |row| row.get_flat(),
            baselines: |_, info, default, absent, out| flat_baselines(info, default, absent, out),
        }
    }

    /// An input that stands as the text which `key` makes of it.
    pub const fn text(key: fn(&T) -> String) -> Self
    where
        T: KeyedValue,
    {
        Self {
            key: Some(key),
            visit: |ops, info, value, absent, visitor| {
                visit_text(
                    info,
                    ops.text_of(value),
                    absent.map(|absent| ops.text_of(absent)),
                    visitor,
                )
            },
            layout: Layout::text_input,
            check: |ops, _, value, form| {
                form.extend_from_slice(ops.text_of(value).as_bytes());
                Ok(())
            },
            from_value: |_| Err(ValueError::new(NOT_READ)),
            member: |_, _, _| None,
            // Never called: the column has the text, and is read as one.
            read: |_| {
                Err(RowError::Read {
                    column: String::new(),
                    source: ValueError::new(NOT_READ),
                })
            },
            baselines: |ops, info, default, absent, out| {
                let text = |value: Option<&T>| value.map(|value| ops.text_of(value));
                text_baseline(info, text(default), text(absent), out);
                Ok(())
            },
        }
    }

    fn text_of(&self, value: &T) -> String {
        self.key.map_or_else(String::new, |key| key(value))
    }

    /// Names the input's columns.
    pub fn layout(&self, layout: &mut Layout, name: &str) {
        (self.layout)(layout, name);
    }

    /// Reads the input's columns.
    pub fn read(&self, row: &mut RowReader<'_>) -> Result<T, RowError> {
        (self.read)(row)
    }

    /// Names the columns that the input would have if it were recorded.
    pub fn unrecorded(&self, layout: &mut Layout, name: &str) {
        let mut own = Layout::default();
        (self.layout)(&mut own, name);
        layout.unrecorded(own);
    }

    /// Shows the input to a visitor.
    pub fn visit(
        &self,
        info: &InputInfo,
        value: &T,
        absent: Option<&T>,
        visitor: &mut Visitor<'_, '_>,
    ) -> Result<(), InputError> {
        (self.visit)(self, info, value, absent, visitor).map_err(|source| error(info, source))
    }

    /// Appends the input's default and absent value, as data; of a flattened input, of each member.
    pub fn baselines(
        &self,
        info: &InputInfo,
        default: Option<&T>,
        absent: Option<&T>,
        out: &mut Vec<Baseline>,
    ) -> Result<(), InputError> {
        (self.baselines)(self, info, default, absent, out).map_err(|source| error(info, source))
    }

    /// Reads the value that was sent for this input.
    pub fn receive(
        &self,
        info: &InputInfo,
        values: &mut std::vec::IntoIter<Value>,
    ) -> Result<T, InputError> {
        let value = values.next();
        let value =
            value.ok_or_else(|| error(info, InputCause::NotSent("its value did not arrive")))?;
        self.read_value(value)
            .map_err(|source| error(info, source.into()))
    }

    /// Checks that a value can be recorded, and appends what tells it from others.
    pub(crate) fn check(
        &self,
        layout: &Layout,
        value: &T,
        form: &mut Vec<u8>,
    ) -> Result<(), InputCause> {
        (self.check)(self, layout, value, form)
    }

    pub(crate) fn read_value(&self, value: Value) -> Result<T, ValueError> {
        (self.from_value)(value)
    }

    /// The value with another value of one of its members; `None` if it has no such member.
    pub(crate) fn with_member(
        &self,
        of: &T,
        name: &str,
        value: Value,
    ) -> Option<Result<T, ValueError>> {
        (self.member)(of, name, value)
    }
}

/// That an input is none which can be sent.
#[doc(hidden)]
pub fn not_sent(input: &str) -> InputError {
    InputError {
        input: input.to_owned(),
        source: Box::new(InputCause::NotSent("it is read from the file")),
    }
}

fn error(info: &InputInfo, source: InputCause) -> InputError {
    InputError {
        input: info.name.to_owned(),
        source: Box::new(source),
    }
}

fn with_member<T: InputValue>(of: &T, name: &str, value: Value) -> Option<Result<T, ValueError>> {
    let mut members: Vec<(String, Value)> = to_members(of)
        .ok()?
        .into_iter()
        .map(|(name, value)| (name.into_owned(), value))
        .collect();
    let (_, old) = members.iter_mut().find(|(n, _)| n == name)?;
    *old = value;
    Some(crate::value::from_members(members))
}
