//! Grouping rows, and describing each group.

use std::cmp::Ordering;

use crate::value::Value;

/// Groups rows by the columns `keys`, and gives mean and standard deviation of the columns `of`
/// as far as they hold numbers.
pub(super) fn group(
    columns: &[String],
    rows: &[Vec<Value>],
    keys: &[usize],
    of: &[usize],
) -> (Vec<String>, Vec<Vec<Value>>) {
    let of: Vec<_> = of
        .iter()
        .copied()
        .filter(|i| {
            rows.iter()
                .all(|row| number(&row[*i]).is_some() || row[*i] == Value::Null)
        })
        .filter(|i| rows.iter().any(|row| number(&row[*i]).is_some()))
        .collect();
    let mut sorted: Vec<&Vec<Value>> = rows.iter().collect();
    let order = |a: &&Vec<Value>, b: &&Vec<Value>| {
        keys.iter()
            .map(|i| compare(&a[*i], &b[*i]))
            .find(|o| o.is_ne())
            .unwrap_or(Ordering::Equal)
    };
    sorted.sort_by(order);

    let mut names: Vec<String> = keys.iter().map(|i| columns[*i].clone()).collect();
    names.push("count".to_owned());
    for i in &of {
        names.push(format!("{} mean", columns[*i]));
        names.push(format!("{} std", columns[*i]));
    }
    let groups = sorted.chunk_by(|a, b| order(a, b).is_eq()).map(|group| {
        let mut row: Vec<Value> = keys.iter().map(|i| group[0][*i].clone()).collect();
        row.push(Value::Int(group.len() as i128));
        for i in &of {
            let (mean, std) = describe(group.iter().filter_map(|row| number(&row[*i])));
            row.push(mean.map_or(Value::Null, Value::Float));
            row.push(std.map_or(Value::Null, Value::Float));
        }
        row
    });
    (names, groups.collect())
}

/// Mean and sample standard deviation, by Welford's method.
fn describe(values: impl Iterator<Item = f64>) -> (Option<f64>, Option<f64>) {
    let (mut n, mut mean, mut squares) = (0.0, 0.0, 0.0);
    for value in values {
        n += 1.0;
        let distance = value - mean;
        mean += distance / n;
        squares += distance * (value - mean);
    }
    (
        (n > 0.0).then_some(mean),
        (n > 1.0).then(|| (squares / (n - 1.0)).sqrt()),
    )
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(_) | Value::Float(_) | Value::Bool(_) => value.as_f64(),
        _ => None,
    }
}

fn compare(a: &Value, b: &Value) -> Ordering {
    let rank = |value: &Value| match value {
        Value::Null => 0,
        Value::Int(_) | Value::Float(_) | Value::Bool(_) => 1,
        _ => 2,
    };
    match (number(a), number(b)) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        _ => rank(a)
            .cmp(&rank(b))
            .then_with(|| a.to_string().cmp(&b.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_sorted_by_number_and_described() {
        let row = |k: i128, x: f64| vec![Value::Int(k), Value::Float(x)];
        let rows = [row(10, 1.0), row(9, 5.0), row(10, 3.0)];
        let columns = ["k".to_owned(), "x".to_owned()];
        let (names, groups) = group(&columns, &rows, &[0], &[1]);
        assert_eq!(names, ["k", "count", "x mean", "x std"]);
        let int = |i| Value::Int(i);
        assert_eq!(groups[0], [int(9), int(1), Value::Float(5.0), Value::Null]);
        assert_eq!(
            groups[1],
            [
                int(10),
                int(2),
                Value::Float(2.0),
                Value::Float(2.0_f64.sqrt())
            ]
        );
    }
}
