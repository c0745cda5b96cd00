//! What is done with the inputs of a point, one after the other.

use super::{InputCause, InputInfo, InputRole};
use crate::bounds::InputValue;
use crate::bunch::Bunch;
use crate::identity::Inputs;
use crate::row::RowWriter;
use crate::value::{Value, to_members, to_value};

const KEYED: &str = "its type has a `key` instead of serde";

/// Sees the inputs of a point, one after the other.
#[derive(Debug)]
pub struct Visitor<'a, 'b>(pub(crate) See<'a, 'b>);

/// What a visitor does with them.
#[derive(Debug)]
pub(crate) enum See<'a, 'b> {
    /// Collects what counts for the identity.
    Identity(&'a mut Inputs),
    /// Collects what a shared value depends on, whether it counts for the identity or not.
    Shared(&'a mut Inputs, &'a [usize]),
    /// Collects all values, as they are given to a run in another process.
    Send(&'a mut Vec<Value>),
    /// Puts what is recorded into a row.
    Row(&'a mut RowWriter<'b>),
    /// Collects all by their names: config and params.
    Bunches {
        config: &'a mut Bunch,
        params: &'a mut Bunch,
    },
}

pub(super) fn visit_plain<T: InputValue>(
    info: &InputInfo,
    value: &T,
    absent: Option<&T>,
    visitor: &mut Visitor<'_, '_>,
) -> Result<(), InputCause> {
    match &mut visitor.0 {
        See::Identity(inputs) if info.identity => match absent {
            None => inputs.push(info.name, value)?,
            Some(absent) => inputs.push_unless(info.name, value, absent)?,
        },
        See::Shared(inputs, wanted) if wanted.contains(&info.position) => {
            inputs.push(info.name, value)?
        }
        See::Row(row) if info.recorded => row.put(value)?,
        See::Send(values) => values.push(to_value(value)?),
        See::Bunches { config, params } => {
            side(info, config, params).set(info.name.to_owned(), to_value(value)?);
        }
        See::Identity(_) | See::Shared(..) | See::Row(_) => {}
    }
    Ok(())
}

pub(super) fn visit_flat<T: InputValue>(
    info: &InputInfo,
    value: &T,
    absent: Option<&T>,
    visitor: &mut Visitor<'_, '_>,
) -> Result<(), InputCause> {
    match &mut visitor.0 {
        See::Identity(inputs) if info.identity => match absent {
            None => inputs.push_members(value)?,
            Some(absent) => inputs.push_members_unless(value, absent)?,
        },
        See::Shared(inputs, wanted) if wanted.contains(&info.position) => {
            inputs.push(info.name, value)?
        }
        See::Row(row) if info.recorded => row.put_flat(value)?,
        See::Send(values) => values.push(to_value(value)?),
        See::Bunches { config, params } => {
            let bunch = side(info, config, params);
            for (name, value) in to_members(value)? {
                bunch.set(name.into_owned(), value);
            }
        }
        See::Identity(_) | See::Shared(..) | See::Row(_) => {}
    }
    Ok(())
}

pub(super) fn visit_text(
    info: &InputInfo,
    text: String,
    absent: Option<String>,
    visitor: &mut Visitor<'_, '_>,
) -> Result<(), InputCause> {
    match &mut visitor.0 {
        See::Identity(inputs) if info.identity && absent.as_ref() != Some(&text) => {
            inputs.push_text(info.name, &text);
        }
        See::Shared(inputs, wanted) if wanted.contains(&info.position) => {
            inputs.push_text(info.name, &text)
        }
        See::Row(row) if info.recorded => row.put(&text)?,
        See::Send(_) => return Err(InputCause::NotSent(KEYED)),
        See::Bunches { config, params } => {
            side(info, config, params).set(info.name.to_owned(), Value::Text(text));
        }
        See::Identity(_) | See::Shared(..) | See::Row(_) => {}
    }
    Ok(())
}

fn side<'a>(info: &InputInfo, config: &'a mut Bunch, params: &'a mut Bunch) -> &'a mut Bunch {
    match info.role {
        InputRole::Config => config,
        InputRole::Param | InputRole::Read => params,
    }
}
