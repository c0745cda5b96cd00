use serde::{Deserialize, Serialize};

use super::{Layout, RowWriter};
use crate::value::Cell;

#[derive(Serialize, Deserialize)]
struct Pair {
    a: u8,
    b: u8,
}

fn layout() -> Layout {
    let mut layout = Layout::default();
    layout.flat_input::<Pair>("pair");
    layout.field::<u8>("x");
    layout.flat_field::<Pair>("pairs", "p_");
    layout.field::<u8>("y");
    layout.check("e").unwrap()
}

#[test]
fn a_layout_knows_where_its_fields_are() {
    let layout = layout();
    let columns: Vec<_> = layout.fields().iter().map(|f| f.columns.clone()).collect();
    assert_eq!(columns, [2..3, 3..5, 5..6]);
}

#[test]
fn fields_are_put_in_any_order() {
    let layout = layout();
    let mut row = RowWriter::new(&layout);
    row.put_flat(&Pair { a: 1, b: 2 }).unwrap();
    row.seek(2);
    row.put(&6_u8).unwrap();
    row.seek(1);
    row.put_flat(&Pair { a: 4, b: 5 }).unwrap();
    let of = |row: &RowWriter<'_>, ordinal| row.cells_of(ordinal).map(|(i, _)| i).collect();
    let (x, pairs): (Vec<_>, Vec<_>) = (of(&row, 0), of(&row, 1));
    assert_eq!((x, pairs), (vec![], vec![3, 4]));
    row.seek(0);
    row.put(&3_u8).unwrap();
    let before = row.cells.as_ptr().addr();
    let cells = row.into_cells();
    assert_eq!(cells.as_ptr().addr(), before);
    let all: Vec<_> = (1..=6).map(Cell::Int).collect();
    assert_eq!(cells, all);
}

#[test]
fn what_was_reached_is_known() {
    let layout = layout();
    let mut row = RowWriter::new(&layout);
    row.put_flat(&Pair { a: 1, b: 2 }).unwrap();
    row.seek(2);
    row.put(&6_u8).unwrap();
    let reached = [(0, 1), (1, 2), (5, 6)].map(|(i, cell)| (i, Cell::Int(cell)));
    assert_eq!(row.reached(), reached);
    assert_eq!(RowWriter::new(&layout).into_cells(), vec![Cell::Null; 6]);
}
