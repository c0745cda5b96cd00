//! Grouping rows, and describing each group.

use std::cmp::Ordering;

use crate::datapak;
use crate::value::{Column, ColumnData, Value};

/// Groups rows by the columns `keys`, and gives mean and standard deviation of the columns `of`
/// as far as they hold numbers.
pub(super) fn group(columns: &[Column], keys: &[usize], of: &[usize]) -> Vec<Column> {
    let numbers: Vec<(&Column, Vec<Option<f64>>)> = of
        .iter()
        .filter_map(|i| Some((&columns[*i], numbers(&columns[*i])?)))
        .collect();
    let rows = columns.first().map_or(0, Column::len);
    let by = |i: &usize| columns[*i].iter().map(Key::of).collect();
    let by: Vec<Vec<Key>> = keys.iter().map(by).collect();
    let order = |a: &usize, b: &usize| {
        let each = by.iter().map(|key| key[*a].cmp(&key[*b]));
        each.fold(Ordering::Equal, Ordering::then)
    };
    let mut sorted: Vec<usize> = (0..rows).collect();
    sorted.sort_by(order);
    let groups: Vec<&[usize]> = sorted.chunk_by(|a, b| order(a, b).is_eq()).collect();

    let firsts: Vec<usize> = groups.iter().map(|group| group[0]).collect();
    let mut all: Vec<_> = keys.iter().map(|i| columns[*i].take(&firsts)).collect();
    let counts = groups.iter().map(|group| group.len().into());
    all.push(Column::of_values("count", counts));
    for (column, numbers) in numbers {
        let described = groups
            .iter()
            .map(|group| describe(group.iter().filter_map(|row| numbers[*row])));
        let (means, stds): (Vec<_>, Vec<_>) = described.unzip();
        for (what, numbers) in [("mean", means), ("std", stds)] {
            let name = format!("{} {what}", column.name);
            let numbers = numbers.into_iter().map(Value::from);
            all.push(Column::of_values(name, numbers));
        }
    }
    all
}

/// The items of a column that holds numbers and nulls only, and some number.
fn numbers(column: &Column) -> Option<Vec<Option<f64>>> {
    if !matches!(
        column.data,
        ColumnData::Bool(_)
            | ColumnData::Int(_)
            | ColumnData::UInt(_)
            | ColumnData::Float(_)
            | ColumnData::Value(_)
    ) {
        return None;
    }
    let number = |item: Value| match item {
        Value::Null => Some(None),
        item => number(&item).map(Some),
    };
    let numbers: Vec<_> = column.iter().map(number).collect::<Option<_>>()?;
    numbers.iter().any(Option::is_some).then_some(numbers)
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
        Value::Int(_) | Value::Float(_) => value.as_f64(),
        Value::Bool(b) => Some(f64::from(u8::from(*b))),
        _ => None,
    }
}

/// By what a row is grouped: equal for equal items only, and numbers in their order.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Null,
    Number(Number),
    /// As it is shown; and all of it, where not all is shown.
    Other(String, Vec<u8>),
}

/// A number as a float, and as an integer, which tells large ones apart.
#[derive(Clone, Copy)]
struct Number(f64, i128);

impl Key {
    fn of(item: Value) -> Self {
        match item {
            Value::Null => Self::Null,
            Value::Int(i) => Self::Number(Number(i as f64, i)),
            Value::Float(x) => Self::Number(Number(x, x as i128)),
            Value::Bool(b) => Self::Number(Number(f64::from(u8::from(b)), b.into())),
            Value::Text(text) => Self::Other(text, Vec::new()),
            item => Self::Other(item.to_string(), datapak::encode(&item).unwrap_or_default()),
        }
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        let floats = self.0.total_cmp(&other.0);
        floats.then(self.1.cmp(&other.1))
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Number {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_items_alone_are_grouped() {
        let large = 1_i128 << 53;
        for (items, groups) in [
            (
                vec![Value::Bytes(vec![1; 40]), Value::Bytes(vec![2; 40])],
                2,
            ),
            (vec![Value::Int(large), Value::Int(large + 1)], 2),
            (vec![Value::Int(large + 1), Value::Float(large as f64)], 2),
            (vec![Value::Int(3), Value::Float(3.0)], 1),
            (vec![Value::Float(f64::NAN), Value::Float(f64::NAN)], 1),
            (
                [vec![1, 2], vec![1, 3], vec![1, 2]]
                    .map(|list| Value::List(list.into_iter().map(Value::from).collect()))
                    .to_vec(),
                2,
            ),
        ] {
            let grouped = group(&[Column::of_values("k", items.clone())], &[0], &[]);
            assert_eq!(grouped[0].len(), groups, "{items:?}");
        }
    }

    #[test]
    fn groups_are_sorted_by_number_and_described() {
        let k = Column::of_values("k", [10, 9, 10].map(Value::from));
        let x = Column::of_values("x", [1.0, 5.0, 3.0].map(Value::from));
        let groups = group(&[k, x], &[0], &[1]);
        let names: Vec<_> = groups.iter().map(|column| &*column.name).collect();
        assert_eq!(names, ["k", "count", "x mean", "x std"]);
        let row = |i| groups.iter().map(|c| c.get(i).unwrap()).collect::<Vec<_>>();
        assert_eq!(row(0), [9.into(), 1.into(), 5.0.into(), Value::Null]);
        assert_eq!(
            row(1),
            [10.into(), 2.into(), 2.0.into(), 2.0_f64.sqrt().into()]
        );
    }
}
