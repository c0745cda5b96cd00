//! The `meta` of an experiment: the tree by which MLtraq knows which columns there are, and which
//! of them are serialised. xp adds a key of its own (`xp`), which MLtraq passes over.

use super::transfer::{Listing, TableColumn};
use super::{Column, Role};
use crate::datapak::{self, DatapakError};
use crate::value::{ColumnType, Kind, Value};

/// The version of MLtraq whose layout this is.
const MLTRAQ: &str = "0.1.165";

/// The meta of an experiment with `count` completed runs. The columns are told apart from the
/// first run on, since MLtraq looks for a table as soon as the count is not 0.
pub(super) fn encode(
    table: &str,
    columns: &[&Column],
    count: u64,
) -> Result<Vec<u8>, DatapakError> {
    let text = |text: &str| Value::Text(text.to_owned());
    let names = |serialized: bool| {
        Value::List(
            columns
                .iter()
                .filter(|c| (c.ty.kind == Kind::Serialized) == serialized)
                .map(|c| text(&c.name))
                .collect(),
        )
    };
    let bunch = |members: Vec<(&str, Value)>| {
        Value::Bunch(
            members
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
        )
    };
    let types = columns
        .iter()
        .map(|c| (text(&c.name), text(c.ty.kind.python_type())))
        .collect();
    let inputs = columns
        .iter()
        .filter(|c| c.role == Role::Input)
        .map(|c| text(&c.name))
        .collect();
    // A kind that SQL's type does not tell (durations, ids) and whether a column may be NULL.
    let kinds = columns
        .iter()
        .map(|c| (text(&c.name), Value::Text(kind_text(c.ty))))
        .collect();
    let meta = bunch(vec![
        (
            "runs",
            bunch(vec![
                ("count", Value::Int(i128::from(count))),
                ("table_name", text(table)),
                (
                    "columns",
                    bunch(vec![
                        ("types", Value::Map(types)),
                        ("serialized", names(true)),
                        ("non_serialized", names(false)),
                    ]),
                ),
            ]),
        ),
        (
            "serialization",
            bunch(vec![
                ("name", text("DataPakSerializer-0.0")),
                ("compression_codec", text("uncompressed")),
            ]),
        ),
        ("version", bunch(vec![("mltraq", text(MLTRAQ))])),
        (
            "xp",
            bunch(vec![
                ("version", text(env!("CARGO_PKG_VERSION"))),
                ("inputs", Value::List(inputs)),
                ("kinds", Value::Map(kinds)),
            ]),
        ),
    ]);
    datapak::encode(&meta)
}

/// A meta that xp or MLtraq wrote, with further columns; `None` if it is no tree of the expected
/// form.
pub(super) fn extend<'a>(
    blob: &[u8],
    columns: impl Iterator<Item = &'a Column> + Clone,
) -> Result<Option<Vec<u8>>, DatapakError> {
    let mut meta = datapak::decode(blob)?;
    match add(&mut meta, columns) {
        Some(()) => datapak::encode(&meta).map(Some),
        None => Ok(None),
    }
}

fn add<'a>(meta: &mut Value, columns: impl Iterator<Item = &'a Column> + Clone) -> Option<()> {
    let text = |text: &str| Value::Text(text.to_owned());
    let there = member_mut(member_mut(meta, "runs")?, "columns")?;
    for column in columns.clone() {
        let list = if column.ty.kind == Kind::Serialized {
            "serialized"
        } else {
            "non_serialized"
        };
        push(member_mut(there, list)?, text(&column.name))?;
        set(
            member_mut(there, "types")?,
            &column.name,
            text(column.ty.kind.python_type()),
        )?;
    }
    if member(meta, "xp").is_none() {
        let own = vec![
            ("version".to_owned(), text(env!("CARGO_PKG_VERSION"))),
            ("inputs".to_owned(), Value::List(Vec::new())),
            ("kinds".to_owned(), Value::Map(Vec::new())),
        ];
        set(meta, "xp", Value::Bunch(own))?;
    }
    let own = member_mut(meta, "xp")?;
    for column in columns {
        if column.role == Role::Input {
            push(member_mut(own, "inputs")?, text(&column.name))?;
        }
        let kind = text(&kind_text(column.ty));
        set(member_mut(own, "kinds")?, &column.name, kind)?;
    }
    Some(())
}

fn member_mut<'a>(value: &'a mut Value, name: &str) -> Option<&'a mut Value> {
    match value {
        Value::Bunch(members) => members.iter_mut().find(|(n, _)| n == name).map(|(_, v)| v),
        Value::Map(entries) => entries
            .iter_mut()
            .find(|(n, _)| matches!(n, Value::Text(n) if n == name))
            .map(|(_, v)| v),
        _ => None,
    }
}

fn set(of: &mut Value, name: &str, value: Value) -> Option<()> {
    if let Some(old) = member_mut(of, name) {
        *old = value;
        return Some(());
    }
    match of {
        Value::Bunch(members) => members.push((name.to_owned(), value)),
        Value::Map(entries) => entries.push((Value::Text(name.to_owned()), value)),
        _ => return None,
    }
    Some(())
}

/// Adds a text to a list in which it is not yet.
fn push(list: &mut Value, text: Value) -> Option<()> {
    let Value::List(items) = list else {
        return None;
    };
    if !items.contains(&text) {
        items.push(text);
    }
    Some(())
}

/// A kind, and `?` if it may be NULL.
fn kind_text(ty: ColumnType) -> String {
    let null = if ty.nullable { "?" } else { "" };
    format!("{}{null}", kind_name(ty.kind))
}

const KINDS: [(Kind, &str); 11] = [
    (Kind::Bool, "bool"),
    (Kind::Int, "int"),
    (Kind::Float, "float"),
    (Kind::Text, "text"),
    (Kind::Bytes, "bytes"),
    (Kind::DateTime, "datetime"),
    (Kind::Date, "date"),
    (Kind::Time, "time"),
    (Kind::Uuid, "uuid"),
    (Kind::Duration, "duration"),
    (Kind::Serialized, "serialized"),
];

/// The word by which a kind stands in the meta and in messages.
pub(crate) fn kind_name(kind: Kind) -> &'static str {
    KINDS
        .iter()
        .find(|(k, _)| *k == kind)
        .map_or("serialized", |(_, name)| name)
}

/// The type for which [`encode`] wrote this text: a kind, and `?` if it may be NULL.
pub(super) fn type_from_text(text: &str) -> Option<ColumnType> {
    let name = text.trim_end_matches('?');
    let (kind, _) = KINDS.iter().find(|(_, n)| *n == name)?;
    Some(ColumnType {
        kind: *kind,
        nullable: name.len() < text.len(),
    })
}

/// What a loader needs of a meta.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Meta {
    pub(super) count: u64,
    pub(super) serialized: Vec<String>,
    pub(super) native: Vec<String>,
    pub(super) inputs: Vec<String>,
    /// Column to kind, as [`encode`] writes them.
    pub(super) kinds: Vec<(String, String)>,
    /// Column to Python type, as MLtraq writes them.
    pub(super) types: Vec<(String, String)>,
}

/// Reads a meta that xp or MLtraq wrote; `None` if it is no tree of the expected form.
pub(super) fn decode(blob: &[u8]) -> Result<Option<Meta>, DatapakError> {
    Ok(read(&datapak::decode(blob)?))
}

/// The same of a meta that is decoded.
pub(super) fn read(meta: &Value) -> Option<Meta> {
    let runs = member(meta, "runs")?;
    let count = match member(runs, "count")? {
        Value::Int(count) => u64::try_from(*count).ok()?,
        _ => return None,
    };
    if count == 0 {
        return Some(Meta::default());
    }
    let columns = member(runs, "columns")?;
    let xp = member(meta, "xp");
    Some(Meta {
        count,
        serialized: texts(member(columns, "serialized")?)?,
        native: texts(member(columns, "non_serialized")?)?,
        inputs: xp
            .and_then(|xp| member(xp, "inputs"))
            .and_then(texts)
            .unwrap_or_default(),
        kinds: xp
            .and_then(|xp| member(xp, "kinds"))
            .and_then(pairs)
            .unwrap_or_default(),
        types: member(columns, "types").and_then(pairs).unwrap_or_default(),
    })
}

/// A meta with another table.
pub(super) fn renamed(base: &Value, table: &str) -> Value {
    let mut meta = base.clone();
    *entry(entry(&mut meta, "runs"), "table_name") = Value::Text(table.to_owned());
    meta
}

/// A meta, brought up to date: it lists these columns and so many runs. All else stays, also what
/// only MLtraq knows.
pub(super) fn united(base: &Value, table: &str, columns: &[TableColumn], count: u64) -> Value {
    let mut meta = base.clone();
    let listed = || {
        let listed = |column: &'_ TableColumn| {
            let listing = column.listing.clone()?;
            Some((column.name.clone(), column.sql_type.clone(), listing))
        };
        columns.iter().filter_map(listed)
    };
    let names = |is: fn(&Listing) -> bool| {
        let names = listed().filter(|(_, _, of)| is(of));
        Value::List(names.map(|(name, ..)| Value::Text(name)).collect())
    };
    let python = |sql_type: &str, of: &Listing| {
        let noted = of.noted.as_deref().and_then(type_from_text);
        let kind = noted.map(|ty| ty.kind);
        let kind = kind.or_else(|| Kind::of_sql_type(sql_type, of.serialized));
        let python = kind.unwrap_or(Kind::Text).python_type();
        of.python_type.clone().unwrap_or_else(|| python.to_owned())
    };
    let types: Vec<_> = listed()
        .map(|(name, sql_type, of)| (name, python(&sql_type, &of)))
        .collect();
    let runs = entry(&mut meta, "runs");
    *entry(runs, "count") = Value::Int(i128::from(count));
    *entry(runs, "table_name") = Value::Text(table.to_owned());
    let lists = entry(runs, "columns");
    let known = entry(lists, "types");
    if !matches!(known, Value::Map(_)) {
        *known = Value::Map(Vec::new());
    }
    for (name, python) in types {
        *entry(known, &name) = Value::Text(python);
    }
    *entry(lists, "serialized") = names(|of| of.serialized);
    *entry(lists, "non_serialized") = names(|of| !of.serialized);
    let kinds: Vec<_> = listed()
        .filter_map(|(name, _, of)| Some((Value::Text(name), Value::Text(of.noted?))))
        .collect();
    // Of what MLtraq wrote nothing else is known.
    if !kinds.is_empty() || member(base, "xp").is_some() {
        let xp = entry(&mut meta, "xp");
        *entry(xp, "inputs") = names(|of| of.input);
        *entry(xp, "kinds") = Value::Map(kinds);
    }
    meta
}

/// The member of that name, which is made if it is missing.
fn entry<'a>(tree: &'a mut Value, name: &str) -> &'a mut Value {
    if !matches!(tree, Value::Bunch(_) | Value::Map(_)) {
        *tree = Value::Bunch(Vec::new());
    }
    match tree {
        Value::Map(entries) => {
            let is = |(n, _): &(Value, Value)| matches!(n, Value::Text(n) if n == name);
            let place = entries.iter().position(is).unwrap_or_else(|| {
                entries.push((Value::Text(name.to_owned()), Value::Bunch(Vec::new())));
                entries.len() - 1
            });
            &mut entries[place].1
        }
        Value::Bunch(members) => {
            let place = members.iter().position(|(n, _)| n == name);
            let place = place.unwrap_or_else(|| {
                members.push((name.to_owned(), Value::Bunch(Vec::new())));
                members.len() - 1
            });
            &mut members[place].1
        }
        // It is one of the two.
        other => other,
    }
}

fn member<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    match value {
        Value::Bunch(members) => members.iter().find(|(n, _)| n == name).map(|(_, v)| v),
        Value::Map(entries) => entries
            .iter()
            .find(|(n, _)| matches!(n, Value::Text(n) if n == name))
            .map(|(_, v)| v),
        _ => None,
    }
}

fn texts(value: &Value) -> Option<Vec<String>> {
    let Value::List(items) = value else {
        return None;
    };
    items
        .iter()
        .map(|item| match item {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        })
        .collect()
}

fn pairs(value: &Value) -> Option<Vec<(String, String)>> {
    let Value::Map(entries) = value else {
        return None;
    };
    entries
        .iter()
        .map(|entry| match entry {
            (Value::Text(name), Value::Text(kind)) => Some((name.clone(), kind.clone())),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_meta_reads_back() {
        let column = |name: &str, kind, role| Column {
            name: name.to_owned(),
            ty: ColumnType {
                kind,
                nullable: true,
            },
            role,
        };
        let k = column("k", Kind::Int, Role::Input);
        let curve = column("curve", Kind::Serialized, Role::Field);
        let blob = encode("experiment_iris", &[&k, &curve], 3).unwrap();
        let meta = decode(&blob).unwrap().unwrap();
        assert_eq!(
            (meta.count, meta.serialized, meta.native),
            (3, vec!["curve".into()], vec!["k".into()])
        );
        assert_eq!(meta.inputs, ["k"]);
        assert_eq!(
            meta.kinds,
            [
                ("k".into(), "int?".into()),
                ("curve".into(), "serialized?".into())
            ]
        );
    }
}
