//! Between xp's values and those of SQL.

use rusqlite::types::{ToSqlOutput, Value as Sql, ValueRef};
use uuid::Uuid;

use super::failure::Result;
use crate::bunch::Bunch;
use crate::datapak;
use crate::value::{Cell, Value};

/// What a serialised column holds where there is no value: its default, too. MLtraq cannot load a
/// NULL there.
pub(super) const PICKLED_NONE: &[u8] = b"\x80\x05N.";

/// A bunch as DATAPAK.
pub(super) fn bunch_blob(bunch: &Bunch) -> Result<Vec<u8>> {
    let members = bunch
        .iter()
        .map(|(name, value)| (name.to_owned(), value.clone()))
        .collect();
    Ok(datapak::encode(&Value::Bunch(members))?)
}

/// 32 lowercase hex digits, as MLtraq writes ids.
pub(super) fn hex(id: Uuid) -> [u8; 32] {
    let mut digits = [0; 32];
    id.simple().encode_lower(&mut digits);
    digits
}

/// Bytes that are known to be ASCII, as an SQL text.
pub(super) fn text(ascii: &[u8]) -> ToSqlOutput<'_> {
    ToSqlOutput::Borrowed(ValueRef::Text(ascii))
}

/// A cell, to be bound.
pub(super) fn sql_cell(cell: &Cell) -> ToSqlOutput<'_> {
    match cell {
        Cell::Null => ToSqlOutput::Owned(Sql::Null),
        Cell::Int(int) => ToSqlOutput::Owned(Sql::Integer(*int)),
        Cell::Real(real) => ToSqlOutput::Owned(Sql::Real(*real)),
        Cell::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
        Cell::Blob(blob) => ToSqlOutput::Borrowed(ValueRef::Blob(blob)),
    }
}

/// What was written by [`bunch_blob`], or by MLtraq.
pub(super) fn bunch(value: Value) -> Option<Bunch> {
    match value {
        Value::Bunch(members) => Some(members.into_iter().collect()),
        Value::Map(entries) => entries
            .into_iter()
            .map(|(name, value)| match name {
                Value::Text(name) => Some((name, value)),
                _ => None,
            })
            .collect(),
        _ => None,
    }
}

/// A cell, as it is stored.
#[inline]
pub(super) fn cell(value: ValueRef<'_>) -> Cell {
    match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(int) => Cell::Int(int),
        ValueRef::Real(real) => Cell::Real(real),
        ValueRef::Text(text) => Cell::Text(match std::str::from_utf8(text) {
            Ok(text) => text.to_owned(),
            Err(_) => String::from_utf8_lossy(text).into_owned(),
        }),
        ValueRef::Blob(blob) => Cell::Blob(blob.to_vec()),
    }
}

/// A value of a query, of which no column tells the kind.
pub(super) fn plain(value: ValueRef<'_>) -> Value {
    match cell(value) {
        Cell::Null => Value::Null,
        Cell::Int(int) => Value::Int(int.into()),
        Cell::Real(real) => Value::Float(real),
        Cell::Text(text) => Value::Text(text),
        Cell::Blob(blob) => Value::Bytes(blob),
    }
}
