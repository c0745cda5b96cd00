//! Maps and bunches as columns, one for each name.

use std::collections::{HashMap, HashSet};

use super::TableError;
use crate::value::{Column, ColumnBuilder, ColumnData, Value};

/// The columns, with a column for each name of a map, down to so many maps.
pub(super) fn flatten(columns: &[Column], levels: usize) -> Result<Vec<Column>, TableError> {
    let mut flat = Vec::new();
    for column in columns {
        add(column.clone(), levels, &mut flat)?;
    }
    let mut names = HashSet::new();
    match flat.iter().find(|column| !names.insert(&*column.name)) {
        Some(twice) => Err(clash(&twice.name)),
        None => Ok(flat),
    }
}

fn clash(name: &str) -> TableError {
    TableError::Clash {
        column: name.to_owned(),
    }
}

fn add(column: Column, levels: usize, flat: &mut Vec<Column>) -> Result<(), TableError> {
    let (rest, members) = match column.data {
        ColumnData::Value(values) if levels > 0 && values.iter().any(is_map) => {
            split(&column.name, values)?
        }
        _ => {
            flat.push(column);
            return Ok(());
        }
    };
    flat.extend(rest);
    (members.into_iter()).try_for_each(|member| add(member, levels - 1, flat))
}

fn is_map(value: &Value) -> bool {
    matches!(
        value,
        Value::Map(_) | Value::Bunch(_) | Value::KeyedBunch(_)
    )
}

/// What is no map, if there is anything, and a column for each name in the order in which they come.
fn split(name: &str, values: Vec<Value>) -> Result<(Option<Column>, Vec<Column>), TableError> {
    let rows = values.len();
    let mut rest = ColumnBuilder::new(name);
    let mut has_rest = false;
    let mut members = Vec::<ColumnBuilder>::new();
    let mut places = HashMap::new();
    for (row, value) in values.into_iter().enumerate() {
        let entries: Vec<(String, Value)> = match value {
            Value::Bunch(entries) => entries,
            Value::Map(entries) | Value::KeyedBunch(entries) => (entries.into_iter())
                .map(|(k, v)| (k.into_name(), v))
                .collect(),
            other => {
                has_rest |= !other.is_null();
                rest.push(other);
                continue;
            }
        };
        rest.push(Value::Null);
        for (key, value) in entries {
            let place = *places.entry(key).or_insert_with_key(|key| {
                members.push(ColumnBuilder::new(format!("{name}.{key}")));
                members.len() - 1
            });
            let member = &mut members[place];
            if member.len() > row {
                return Err(clash(member.name()));
            }
            member.fill(row);
            member.push(value);
        }
    }
    let members = members.into_iter().map(|mut member| {
        member.fill(rows);
        member.finish()
    });
    let members = members.collect();
    Ok((has_rest.then(|| rest.finish()), members))
}
