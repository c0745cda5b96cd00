//! Values as they are written in statements, and in the defaults of columns.

use crate::value::Cell;

/// A cell as it is written in a statement. In parentheses or alone it is a constant for SQLite, which
/// can be the default of a column.
pub(super) fn literal(cell: &Cell) -> String {
    match cell {
        Cell::Null => "NULL".to_owned(),
        Cell::Int(int) => int.to_string(),
        Cell::Real(real) if real.is_nan() => "NULL".to_owned(),
        Cell::Real(real) if real.is_infinite() => {
            if *real > 0.0 { "9e999" } else { "-9e999" }.to_owned()
        }
        Cell::Real(real) => format!("{real:?}"),
        // SQLite takes a NUL for the end of the statement.
        Cell::Text(text) if text.contains('\0') => {
            format!("(CAST({} AS TEXT))", blob(text.as_bytes()))
        }
        Cell::Text(text) => format!("'{}'", text.replace('\'', "''")),
        Cell::Blob(bytes) => blob(bytes),
    }
}

fn blob(bytes: &[u8]) -> String {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("x'{digits}'")
}

/// The value of a literal, as SQLite tells a column's default; `None` of any other expression.
pub(super) fn constant(sql: &str) -> Option<Cell> {
    if sql.eq_ignore_ascii_case("NULL") {
        return Some(Cell::Null);
    }
    if let Some(digits) = sql.strip_prefix(['x', 'X']).and_then(unquoted) {
        return Some(Cell::Blob(bytes(&digits)?));
    }
    if let Some(text) = unquoted(sql) {
        return Some(Cell::Text(text));
    }
    let cast = sql
        .strip_prefix("CAST(x")
        .and_then(|of| of.strip_suffix(" AS TEXT)"));
    if let Some(digits) = cast.and_then(unquoted) {
        return Some(Cell::Text(String::from_utf8(bytes(&digits)?).ok()?));
    }
    if let Ok(int) = sql.parse() {
        return Some(Cell::Int(int));
    }
    // Not the words for infinity and NaN.
    let is_number = sql.starts_with(|c: char| c.is_ascii_digit() || c == '-');
    sql.parse().ok().filter(|_| is_number).map(Cell::Real)
}

fn unquoted(sql: &str) -> Option<String> {
    let inner = sql.strip_prefix('\'')?.strip_suffix('\'')?;
    let is_one = inner.replace("''", "").find('\'').is_none();
    is_one.then(|| inner.replace("''", "'"))
}

fn bytes(digits: &str) -> Option<Vec<u8>> {
    let (pairs, []) = digits.as_bytes().as_chunks::<2>() else {
        return None;
    };
    let byte = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    pairs.iter().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rusqlite::Connection;

    use super::*;
    use crate::store::sql;

    fn text(text: &str) -> Cell {
        Cell::Text(text.to_owned())
    }

    #[test]
    fn defaults_are_read_as_they_are_written() {
        for (sql, cell) in [
            ("x'80054e2e'", Some(Cell::Blob(b"\x80\x05N.".to_vec()))),
            ("X''", Some(Cell::Blob(Vec::new()))),
            ("'it''s'", Some(text("it's"))),
            ("''", Some(text(""))),
            ("CAST(x'6100' AS TEXT)", Some(text("a\0"))),
            ("-7", Some(Cell::Int(-7))),
            ("0.2", Some(Cell::Real(0.2))),
            ("9e999", Some(Cell::Real(f64::INFINITY))),
            ("-9e999", Some(Cell::Real(f64::NEG_INFINITY))),
            ("NULL", Some(Cell::Null)),
            ("load_extension('x')", None),
            ("'a' || 'b'", None),
            ("x'8'", None),
            ("inf", None),
        ] {
            assert_eq!(constant(sql), cell, "{sql}");
        }
    }

    /// What rows have of a default: one that was there, and one that comes later; and how SQLite
    /// tells it.
    fn through_sqlite(cell: &Cell) -> rusqlite::Result<(Vec<Cell>, Option<Cell>)> {
        let db = Connection::open_in_memory()?;
        let literal = literal(cell);
        db.execute_batch(&format!(
            "CREATE TABLE t (x); INSERT INTO t VALUES (1); \
             ALTER TABLE t ADD COLUMN y BLOB DEFAULT {literal}; INSERT INTO t (x) VALUES (2)"
        ))?;
        let cells = db
            .prepare("SELECT y FROM t ORDER BY x")?
            .query_map([], |row| Ok(sql::cell(row.get_ref(0)?)))?
            .collect::<rusqlite::Result<_>>()?;
        let told: String = db.query_row(
            "SELECT dflt_value FROM pragma_table_info('t') WHERE name = 'y'",
            [],
            |row| row.get(0),
        )?;
        Ok((cells, constant(&told)))
    }

    proptest! {
        #[test]
        fn every_cell_can_be_the_default_of_a_column(cell in prop_oneof![
            Just(Cell::Null),
            prop_oneof![any::<i64>(), Just(i64::MIN), Just(i64::MAX)].prop_map(Cell::Int),
            any::<f64>().prop_filter("NaN is NULL", |real| !real.is_nan()).prop_map(Cell::Real),
            "[ab'\\x00\"\\\\;)-]{0,8}".prop_map(Cell::Text),
            any::<String>().prop_map(Cell::Text),
            any::<Vec<u8>>().prop_map(Cell::Blob),
        ]) {
            let (rows, told) = through_sqlite(&cell).unwrap();
            prop_assert_eq!(rows, [cell.clone(), cell.clone()]);
            prop_assert_eq!(told, Some(cell));
        }
    }
}
