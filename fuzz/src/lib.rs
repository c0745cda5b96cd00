//! What the targets do with what they have read.

mod memory;

use std::collections::BTreeMap;
use std::fmt::Debug;

use xp_runtime::value::{Array, Frame, Value, from_value};

pub use self::memory::bounded;

/// Asks an array for all that it is only read for when it is asked for.
pub fn visit_array(array: &Array) {
    let _ = (
        array.dtype(),
        array.shape(),
        array.order(),
        array.is_empty(),
    );
    let _ = array.data().len();
    let _ = array.to_vec::<f64>();
    let _ = array.to_vec::<u8>();
    let items = array.items().take(1_000).count();
    assert_eq!(items, array.len().min(1_000));
    if array.len() < 10_000 {
        let _ = array.to_nested();
    }
}

/// Asks a frame for all that it is only read for when it is asked for.
pub fn visit_frame(frame: &Frame) {
    let names: Vec<_> = frame.fields().map(|field| format!("{field:?}")).collect();
    let _ = (frame.index(), frame.has_integer_labels());
    let _ = frame.series_column();
    let _ = frame.to_records::<BTreeMap<String, Value>>();
    if let Ok(columns) = frame.columns() {
        assert_eq!(columns.len(), names.len());
        for column in &columns {
            assert_eq!(column.len(), frame.rows());
            let _ = frame.column(&column.name);
            let nulls = column
                .iter()
                .enumerate()
                .filter(|(i, _)| column.is_null(*i));
            assert_eq!(nulls.count(), column.null_count());
            let _ = column.to_vec::<Option<f64>>();
            let _ = column.to_vec::<String>();
        }
    }
}

/// Asks a value and its parts for all that they are only read for when they are asked for.
pub fn visit(value: &Value) {
    match value {
        Value::List(items) | Value::Tuple(items) | Value::Set(items) => {
            items.iter().for_each(visit);
        }
        Value::Map(entries) | Value::KeyedBunch(entries) => {
            for (key, value) in entries {
                visit(key);
                visit(value);
            }
        }
        Value::Bunch(entries) => entries.iter().for_each(|(_, value)| visit(value)),
        Value::Array(array) => visit_array(array),
        Value::Frame(frame)
        | Value::Series(frame)
        | Value::Table(frame)
        | Value::Sequence(frame) => visit_frame(frame),
        Value::Archive(archive) => {
            let _ = archive.entries();
        }
        _ => {}
    }
}

/// Checks that a type is made of bytes as it is made of their value.
pub fn same<T: xp_runtime::__private::serde::de::DeserializeOwned + Debug + 'static>(
    bytes: &[u8],
    value: &Value,
) {
    let column = xp_runtime::value::ColumnType::SERIALIZED;
    let typed = column.decode::<T>(xp_runtime::value::Cell::Blob(bytes.to_vec()));
    let by_value = from_value::<T>(value.clone());
    assert_eq!(format!("{typed:?}"), format!("{by_value:?}"));
}
