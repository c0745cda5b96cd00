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

#[test]
fn arrays_of_ndarray_inside_of_others_are_read_as_they_were_written() {
    use ndarray::{Array1, array};

    let rows = || vec![array![1.0, 2.0], array![3.0]];
    let (_, read) = stored::<Vec<Array1<f64>>>(rows);
    assert_eq!(read, rows());
}

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

mod then {
    use xp::prelude::*;

    #[step]
    fn two(k: u8) -> Vec<f64> {
        vec![0.5; usize::from(k)]
    }

    #[step]
    fn words() -> Vec<String> {
        vec!["a".to_owned()]
    }

    #[experiment]
    pub(super) fn shape(#[param] k: u8) {
        #[field]
        let floats: Vec<f64> = two(k);
        #[field]
        let words: Vec<String> = words();
    }
}

mod now {
    use xp::prelude::*;

    #[step]
    fn words(k: u8) -> Vec<String> {
        vec![k.to_string()]
    }

    #[step]
    fn pair(k: u8) -> (u8, String) {
        (k, String::new())
    }

    #[experiment]
    pub(super) fn shape(#[param] k: u8) {
        #[field]
        let floats: Vec<String> = words(k);
        #[field]
        let words: (u8, String) = pair(k);
    }
}

#[test]
fn serialised_values_of_other_types_are_told_all_at_once() {
    let session = Session::in_memory().unwrap();
    session.execute(then::shape().k([1, 2])).unwrap();
    let other = session.execute(now::shape().k([1]).named("other"));
    assert_eq!(other.unwrap().runs().count(), 1);
    assert_eq!(
        session
            .load_as::<then::Shape>("shape")
            .unwrap()
            .runs()
            .count(),
        2
    );
    let Err(xp::Error::Misfit { misfits, .. }) = session.load_as::<now::Shape>("shape") else {
        panic!("two columns do not fit")
    };
    let told: Vec<_> = misfits
        .iter()
        .map(|of| (of.column.as_str(), of.expected.as_str()))
        .collect();
    let list = std::any::type_name::<Vec<String>>();
    let pair = std::any::type_name::<(u8, String)>();
    assert_eq!(
        told,
        [
            ("floats", format!("a `{list}`").as_str()),
            ("words", format!("a `{pair}`").as_str())
        ]
    );
    assert!(
        misfits
            .iter()
            .all(|of| of.found.contains("in the first run")),
        "{misfits:?}"
    );
}
