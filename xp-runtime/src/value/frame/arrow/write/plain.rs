//! Columns without dictionaries, each item in its place: what is read of them is the same, and they need no messages of
//! their own.

use std::borrow::Cow;

use crate::value::frame::{Column, ColumnData};

pub(super) fn plain(columns: &[Column]) -> Cow<'_, [Column]> {
    if columns.iter().any(has_dictionary) {
        columns.iter().map(written_out).collect()
    } else {
        columns.into()
    }
}

fn has_dictionary(column: &Column) -> bool {
    match &column.data {
        ColumnData::Dictionary(..) => true,
        ColumnData::List(lists) => has_dictionary(&lists.items),
        ColumnData::Struct(structs) => structs.members.iter().any(has_dictionary),
        _ => false,
    }
}

fn written_out(column: &Column) -> Column {
    let all: Vec<usize> = (0..column.len()).collect();
    column.take(&all)
}
