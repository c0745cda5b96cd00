//! Printing a table, its columns aligned.

use std::fmt;

use super::Table;
use crate::value::{Column, Value};

/// A cell is cut to so many characters.
const WIDEST: usize = 40;

pub(super) fn print(f: &mut fmt::Formatter<'_>, columns: &[Column], rows: usize) -> fmt::Result {
    if columns.is_empty() {
        return f.write_str("(no runs)");
    }
    let shown = rows.min(Table::PRINTED);
    let values: Vec<Vec<Value>> = (columns.iter())
        .map(|column| column.iter().take(shown).collect())
        .collect();
    let cells: Vec<Vec<String>> = (0..shown)
        .map(|row| values.iter().map(|column| cell(&column[row])).collect())
        .collect();
    let width = |i: usize| {
        let widest = cells
            .iter()
            .map(|row| row[i].chars().count())
            .max()
            .unwrap_or(0);
        widest.max(columns[i].name.chars().count())
    };
    let widths: Vec<_> = (0..columns.len()).map(width).collect();
    let is_number = |value: &Value| matches!(value, Value::Int(_) | Value::Float(_) | Value::Null);
    let numeric: Vec<_> = (values.iter())
        .map(|column| column.iter().all(is_number))
        .collect();
    let line = |cells: &[String]| {
        let mut text = String::new();
        for (i, cell) in cells.iter().enumerate() {
            let gap = if i == 0 { "" } else { "  " };
            let width = widths[i];
            if numeric[i] {
                text.push_str(&format!("{gap}{cell:>width$}"));
            } else {
                text.push_str(&format!("{gap}{cell:<width$}"));
            }
        }
        text.trim_end().to_owned()
    };
    let names: Vec<_> = columns.iter().map(|column| column.name.clone()).collect();
    f.write_str(&line(&names))?;
    for row in &cells {
        write!(f, "\n{}", line(row))?;
    }
    if rows > shown {
        write!(f, "\n... {} more", rows - shown)?;
    }
    Ok(())
}

fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => String::new(),
        Value::Float(x) => float(*x),
        Value::Bytes(bytes) => format!("({} bytes)", bytes.len()),
        other => other.to_string().replace(['\n', '\r', '\t'], " "),
    };
    if text.chars().count() <= WIDEST {
        return text;
    }
    let start: String = text.chars().take(WIDEST - 3).collect();
    format!("{start}...")
}

/// Six significant digits, without zeros at the end.
fn float(x: f64) -> String {
    if x == 0.0 || !x.is_finite() {
        return format!("{x}");
    }
    let exponent = x.abs().log10().floor();
    if !(-5.0..15.0).contains(&exponent) {
        return format!("{x:.5e}");
    }
    // Between -5 and 15, so the difference is small.
    let decimals = (5.0 - exponent).max(0.0) as usize;
    let text = format!("{x:.decimals$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_have_six_significant_digits() {
        for (x, text) in [
            (0.1 + 0.2, "0.3"),
            (1234.5678, "1234.57"),
            (1e6, "1000000"),
            (12_345_678.9, "12345679"),
            (1e-9, "1.00000e-9"),
            (f64::INFINITY, "inf"),
            (0.963_333_33, "0.963333"),
        ] {
            assert_eq!(float(x), text);
        }
    }

    #[test]
    fn a_table_is_aligned_and_cut() {
        let k = Column::of_values("k", (0..100).map(Value::from));
        let name = Column::of_values("name", (0..100).map(|i| format!("run {i}").into()));
        let text = Table::new(vec![k, name]).to_string();
        assert!(text.starts_with(" k  name\n 0  run 0\n"), "{text}");
        assert!(text.ends_with("... 40 more"));
    }
}
