//! Arbitrary values, for property tests.

use proptest::collection::vec;
use proptest::prelude::*;

use super::Value;

/// Scalars that may be keys of a map.
fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i128>().prop_map(Value::Int),
        any::<i64>().prop_map(Value::from),
        (-300i64..300).prop_map(Value::from),
        any::<f64>().prop_map(Value::Float),
        Just(Value::Float(f64::NAN)),
        ".{0,8}".prop_map(Value::Text),
        vec(any::<u8>(), 0..300).prop_map(Value::Bytes),
    ]
}

fn key() -> impl Strategy<Value = Value> {
    prop_oneof![4 => scalar(), 1 => vec(scalar(), 0..5).prop_map(Value::Tuple)]
}

/// Values that DATAPAK holds.
pub(crate) fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        4 => scalar(),
        1 => any::<u128>().prop_map(|x| Value::Uuid(uuid::Uuid::from_u128(x))),
        1 => (i64::MIN + 1..=i64::MAX).prop_map(|x| Value::DateTime64(Some(x))),
        1 => Just(Value::DateTime64(None)),
        1 => vec(any::<u8>(), 0..9).prop_map(|bytes| packed("numpy.ndarray-0", Value::Bytes(bytes))),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::List),
            vec(inner.clone(), 0..6).prop_map(Value::Tuple),
            vec(key(), 0..6).prop_map(Value::Set),
            vec((key(), inner.clone()), 0..6).prop_map(Value::Map),
            vec((".{0,4}", inner.clone()), 0..6).prop_map(Value::Bunch),
            inner.prop_map(|value| packed("mltraq.Sequence-0", value)),
        ]
    })
}

fn packed(kind: &str, payload: Value) -> Value {
    Value::Packed {
        kind: kind.into(),
        payload: Box::new(payload),
    }
}
