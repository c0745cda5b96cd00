//! The values of one input: checked and made distinct when the plan is made, so that a value that
//! cannot be recorded is told before the first run.

use std::collections::HashSet;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::PlanError;
use crate::declare::{InputCause, InputInfo};
use crate::identity::encode;
use crate::row::{Layout, RowWriter};
use crate::value::{Value, from_value};

/// The distinct values of a param; the first of equal ones stays.
#[doc(hidden)]
pub fn axis<T: Serialize + DeserializeOwned + 'static>(
    experiment: &'static str,
    info: &'static InputInfo,
    values: Option<Vec<T>>,
) -> Result<Vec<T>, PlanError> {
    let mut layout = Layout::default();
    layout.input::<T>(info.name);
    checked(experiment, info, values, |value, seen| {
        if info.recorded {
            RowWriter::new(&layout).put(value)?;
        }
        encode(value, seen)?;
        Ok(())
    })
}

/// The same for a flattened struct.
#[doc(hidden)]
pub fn flat_axis<T: Serialize + DeserializeOwned + 'static>(
    experiment: &'static str,
    info: &'static InputInfo,
    values: Option<Vec<T>>,
) -> Result<Vec<T>, PlanError> {
    let mut layout = Layout::default();
    layout.flat_input::<T>(info.name);
    // A type that cannot be flattened is told with all else that is wrong with the layout.
    let flat = layout.clone().check(experiment).is_ok();
    checked(experiment, info, values, |value, seen| {
        if info.recorded && flat {
            RowWriter::new(&layout).put_flat(value)?;
        }
        encode(value, seen)?;
        Ok(())
    })
}

/// The same for a type that stands as the text which `key` makes of it.
#[doc(hidden)]
pub fn text_axis<T>(
    experiment: &'static str,
    info: &'static InputInfo,
    values: Option<Vec<T>>,
    key: impl Fn(&T) -> String,
) -> Result<Vec<T>, PlanError> {
    checked(experiment, info, values, |value, seen| {
        seen.extend_from_slice(key(value).as_bytes());
        Ok(())
    })
}

/// Checks the value of a config.
#[doc(hidden)]
pub fn check_config<T>(
    experiment: &'static str,
    info: &'static InputInfo,
    value: Option<T>,
    check: impl FnOnce(&'static str, &'static InputInfo, Option<Vec<T>>) -> Result<Vec<T>, PlanError>,
) -> Result<T, PlanError> {
    let lacks = || PlanError::Lacks {
        experiment,
        input: info.name,
    };
    let value = value.ok_or_else(lacks)?;
    check(experiment, info, Some(vec![value]))?
        .pop()
        .ok_or_else(lacks)
}

fn checked<T>(
    experiment: &'static str,
    info: &'static InputInfo,
    values: Option<Vec<T>>,
    check: impl Fn(&T, &mut Vec<u8>) -> Result<(), InputCause>,
) -> Result<Vec<T>, PlanError> {
    let values = values.ok_or(PlanError::Lacks {
        experiment,
        input: info.name,
    })?;
    let mut seen = HashSet::new();
    let mut distinct = Vec::with_capacity(values.len());
    let mut form = Vec::new();
    for value in values {
        form.clear();
        check(&value, &mut form).map_err(|source| PlanError::Value {
            experiment,
            input: info.name,
            source,
        })?;
        // Hashes, since an axis may have a million values.
        if seen.insert(
            *blake3::hash(&form)
                .as_bytes()
                .first_chunk::<16>()
                .unwrap_or(&[0; 16]),
        ) {
            distinct.push(value);
        }
    }
    Ok(distinct)
}

/// The values that `.set(..)` was given, as what the input declares.
#[doc(hidden)]
pub fn from_values<T: DeserializeOwned>(
    experiment: &'static str,
    info: &'static InputInfo,
    values: Vec<Value>,
) -> Result<Vec<T>, PlanError> {
    values
        .into_iter()
        .map(|value| {
            from_value(value).map_err(|source| PlanError::WrongType {
                experiment,
                input: info.name,
                expected: info.ty,
                source,
            })
        })
        .collect()
}
