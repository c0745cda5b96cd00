//! Arrays as nested lists, and back.

use super::{Array, Element};
use crate::value::{Value, ValueError};

impl Array {
    /// The array as nested lists; one item alone if it has no dimensions.
    pub fn to_nested(&self) -> Value {
        self.nested(self.shape(), &mut 0)
    }

    /// The part of the array whose dimensions these are, from the next item on.
    pub(in crate::value) fn nested(&self, shape: &[usize], next: &mut usize) -> Value {
        match shape.split_first() {
            Some((len, inner)) => {
                Value::List((0..*len).map(|_| self.nested(inner, next)).collect())
            }
            None => {
                *next += 1;
                self.item(*next - 1)
            }
        }
    }

    /// The array of nested lists of one shape, whose items are bools, or integers of 64 bits, or floats and integers.
    ///
    /// # Errors
    ///
    /// Lists of different shapes, and other items.
    pub fn from_nested(value: &Value) -> Result<Self, ValueError> {
        let mut shape = Vec::new();
        let mut first = value;
        while let Value::List(items) | Value::Tuple(items) = first {
            shape.push(items.len());
            match items.first() {
                Some(item) => first = item,
                None => break,
            }
        }
        let mut items = Vec::new();
        flatten(value, &shape, &mut items)?;
        fn all<'a, T>(items: &[&'a Value], of: fn(&'a Value) -> Option<T>) -> Option<Vec<T>> {
            items.iter().map(|item| of(item)).collect()
        }
        fn make<T: Element>(shape: &[usize], items: Vec<T>) -> Result<Array, ValueError> {
            Ok(Array::from_shape_vec(shape, items)?)
        }
        if items.is_empty() {
            make::<f64>(&shape, Vec::new())
        } else if let Some(bools) = all(&items, Value::as_bool) {
            make(&shape, bools)
        } else if let Some(ints) = all(&items, Value::as_i64) {
            make(&shape, ints)
        } else if let Some(floats) = all(&items, Value::as_f64) {
            make(&shape, floats)
        } else {
            let other = items.iter().find(|item| item.as_f64().is_none());
            let found = other.map_or("other items", |item| item.describe());
            Err(ValueError::expected(
                "an array of numbers or of bools",
                found,
            ))
        }
    }
}

fn flatten<'a>(
    value: &'a Value,
    shape: &[usize],
    items: &mut Vec<&'a Value>,
) -> Result<(), ValueError> {
    match (value, shape.split_first()) {
        (Value::List(parts) | Value::Tuple(parts), Some((len, inner))) if parts.len() == *len => {
            (parts.iter().enumerate())
                .try_for_each(|(i, part)| flatten(part, inner, items).map_err(|e| e.in_element(i)))
        }
        (Value::List(_) | Value::Tuple(_), _) | (_, Some(_)) => Err(ValueError::expected(
            "nested lists of one shape",
            "lists of several",
        )),
        (item, None) => {
            items.push(item);
            Ok(())
        }
    }
}
