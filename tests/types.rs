//! Which Rust type becomes which value: the table in the documentation of the crate.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde::{Deserialize, Serialize};
use xp::prelude::*;
use xp::value::{Array, Column, ColumnData, Frame, Value};

fn frame() -> Frame {
    Frame::new(&[Column::new("x", ColumnData::Float(vec![0.5]))]).unwrap()
}

/// The value that a field of this type is, and the field as it is read again.
fn stored<T>(make: fn() -> T) -> (Value, T)
where
    T: Serialize + for<'de> Deserialize<'de> + Send + 'static,
{
    let session = Session::in_memory().unwrap();
    let experiment = session
        .run("one", move |_| Ok::<_, String>(make()))
        .unwrap();
    let typed = experiment.runs().next().unwrap().unwrap().fields.result;
    let untyped = session.load("one").unwrap().runs().next().unwrap().unwrap();
    (untyped.fields.value("result").unwrap().clone(), typed)
}

#[test]
fn arrays_and_frames_are_values_of_their_own() {
    let array = || Array::from_vec(vec![1_u8, 2]);
    assert_eq!(stored(array), (Value::Array(array()), array()));
    assert_eq!(
        stored(|| Some(Array::from_vec(vec![1_u8]))).1,
        Some(Array::from_vec(vec![1_u8]))
    );
    assert_eq!(stored(frame), (Value::Frame(frame()), frame()));
    // Inside of others, too.
    let (value, pair) = stored(|| (Array::from_vec(vec![true]), 1));
    let array = Array::from_vec(vec![true]);
    assert_eq!(
        value,
        Value::Tuple(vec![Value::Array(array.clone()), 1.into()])
    );
    assert_eq!(pair, (array, 1));
}

#[cfg(feature = "ndarray")]
#[test]
fn arrays_of_ndarray_are_arrays() {
    use ndarray::{Array2, ArrayD, array};

    let (value, read) = stored::<Array2<f64>>(|| array![[1.0, 2.0], [3.0, 4.0]]);
    assert_eq!(read, array![[1.0, 2.0], [3.0, 4.0]]);
    let Value::Array(array) = value else {
        panic!("{value:?}")
    };
    assert_eq!(
        (array.dtype().to_string(), array.shape()),
        ("<f8".into(), &[2, 2][..])
    );
    let (value, read) = stored::<Option<ArrayD<i32>>>(|| None);
    assert_eq!((value, read), (Value::Null, None));
}

#[cfg(feature = "arrow")]
#[test]
fn record_batches_are_tables() {
    use std::sync::Arc;
    use xp::value::ArrowTable;

    fn batch() -> ArrowTable {
        let loss = Arc::new(arrow_array::Float64Array::from(vec![0.5, 0.25]));
        ArrowTable(arrow_array::RecordBatch::try_from_iter([("loss", loss as _)]).unwrap())
    }
    let (value, read) = stored(batch);
    assert!(
        matches!(value, Value::Table(frame) if frame.to_vec::<f64>("loss").unwrap() == [0.5, 0.25])
    );
    assert_eq!(read, batch());
}
