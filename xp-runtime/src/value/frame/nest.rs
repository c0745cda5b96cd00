//! Arrow's types for values: lists and structs where all values are such.

use std::borrow::Cow;
use std::collections::HashMap;

use super::builder::EXACT;
use super::{Column, ColumnBuilder, ColumnData, FrameError, Lists, Structs, Texts};
use crate::value::{MAX_DEPTH, Value};

/// The columns with types that Arrow has.
pub(super) fn nested(columns: &[Column]) -> Result<Cow<'_, [Column]>, FrameError> {
    if columns.iter().all(is_arrow) {
        return Ok(columns.into());
    }
    columns.iter().map(column).collect()
}

fn is_arrow(column: &Column) -> bool {
    match &column.data {
        ColumnData::Uuid(_) | ColumnData::Value(_) => false,
        ColumnData::List(lists) => is_arrow(lists.items()),
        ColumnData::Struct(structs) => structs.members().iter().all(is_arrow),
        ColumnData::Dictionary(_, values) => is_arrow(values),
        _ => true,
    }
}

fn column(column: &Column) -> Result<Column, FrameError> {
    let data = match &column.data {
        _ if is_arrow(column) => column.data.clone(),
        ColumnData::Uuid(uuids) => {
            let texts: Texts = uuids.iter().map(|uuid| uuid.simple().to_string()).collect();
            ColumnData::Text(texts)
        }
        _ => return of_values(&column.name, &column.name, column.iter().collect(), 0),
    };
    Ok(Column {
        name: column.name.clone(),
        data,
        validity: column.validity.clone(),
    })
}

/// A column of these values; `path` leads to them.
fn of_values(
    name: &str,
    path: &str,
    values: Vec<Value>,
    depth: usize,
) -> Result<Column, FrameError> {
    let no_type = |found: String| FrameError::NoType {
        column: path.to_owned(),
        found,
    };
    if depth > MAX_DEPTH {
        return Err(no_type("values that nest too deep".to_owned()));
    }
    let values = (values.into_iter().map(plain)).collect::<Result<Vec<_>, _>>()?;
    let all = |is: fn(&Value) -> bool| {
        let mut there = values.iter().filter(|value| !value.is_null()).peekable();
        there.peek().is_some() && there.all(is)
    };
    if all(|value| matches!(value, Value::List(_))) {
        return lists(name, path, values, depth);
    }
    if all(|value| matches!(value, Value::Bunch(_))) {
        return structs(name, path, values, depth);
    }
    let mut builder = ColumnBuilder::new(name);
    values.into_iter().for_each(|value| builder.push(value));
    let made = builder.finish();
    let ColumnData::Value(values) = &made.data else {
        return column(&made);
    };
    let mut kinds: Vec<_> = values.iter().map(described).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds.retain(|kind| *kind != Value::Null.describe());
    Err(no_type(kinds.join(" and ")))
}

fn described(value: &Value) -> &'static str {
    match value {
        Value::Int(i) if i64::try_from(*i).is_err() => "an integer beyond 64 bits",
        Value::Int(i) if i.unsigned_abs() > EXACT => "an integer that is no float",
        Value::Bunch(_) => "a map",
        value => value.describe(),
    }
}

fn lists(name: &str, path: &str, values: Vec<Value>, depth: usize) -> Result<Column, FrameError> {
    let (mut lengths, mut items) = (Vec::new(), Vec::new());
    let validity = values.iter().any(Value::is_null);
    let validity = validity.then(|| values.iter().map(|value| !value.is_null()).collect());
    for value in values {
        let Value::List(list) = value else {
            lengths.push(0);
            continue;
        };
        lengths.push(list.len());
        items.extend(list);
    }
    let items = of_values("item", &format!("{path}[]"), items, depth + 1)?;
    let lists = Lists::new(lengths, items).ok_or(FrameError::Malformed {
        problem: "lists without items",
    })?;
    Ok(Column {
        name: name.to_owned(),
        data: ColumnData::List(lists),
        validity,
    })
}

fn structs(name: &str, path: &str, values: Vec<Value>, depth: usize) -> Result<Column, FrameError> {
    let len = values.len();
    let validity = values.iter().any(Value::is_null);
    let validity = validity.then(|| values.iter().map(|value| !value.is_null()).collect());
    let mut members = Vec::<(String, Vec<Value>)>::new();
    let mut places = HashMap::<String, usize>::new();
    for (row, value) in values.into_iter().enumerate() {
        let Value::Bunch(entries) = value else {
            continue;
        };
        for (place, (name, value)) in entries.into_iter().enumerate() {
            // Most often all have the same names in the same order.
            let found = match members.get(place) {
                Some((there, _)) if *there == name => Some(place),
                _ => places.get(&name).copied(),
            };
            let place = found.unwrap_or_else(|| {
                places.insert(name.clone(), members.len());
                members.push((name, Vec::new()));
                members.len() - 1
            });
            let (name, items) = &mut members[place];
            if items.len() > row {
                return Err(FrameError::NoType {
                    column: path.to_owned(),
                    found: format!("a map with two keys `{name}`"),
                });
            }
            items.resize(row, Value::Null);
            items.push(value);
        }
    }
    let members = members.into_iter().map(|(name, mut values)| {
        values.resize(len, Value::Null);
        of_values(&name, &format!("{path}.{name}"), values, depth + 1)
    });
    let members = members.collect::<Result<Vec<_>, _>>()?;
    let structs = Structs::new(len, members).ok_or(FrameError::Malformed {
        problem: "structs without members",
    })?;
    Ok(Column {
        name: name.to_owned(),
        data: ColumnData::Struct(structs),
        validity,
    })
}

/// Containers as lists and bunches.
fn plain(value: Value) -> Result<Value, FrameError> {
    Ok(match value {
        Value::Tuple(items) | Value::Set(items) => Value::List(items),
        Value::Map(entries) | Value::KeyedBunch(entries) => {
            let named = entries
                .into_iter()
                .map(|(key, value)| (key.into_name(), value));
            Value::Bunch(named.collect())
        }
        Value::Array(array) => array.to_nested(),
        Value::Series(frame) => Value::List(frame.series_column()?.iter().collect()),
        Value::Frame(frame) | Value::Table(frame) | Value::Sequence(frame) => {
            frame.to_records_value()?
        }
        value => value,
    })
}
