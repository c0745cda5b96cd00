//! A type is made of bytes as it would be made of their value.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::datapak::typed::decode_typed;
use crate::datapak::{DatapakError, decode, encode};
use crate::value::strategies::value;
use crate::value::{Cell, ColumnType, MAX_DEPTH, Value, from_value, to_value};

#[derive(Debug, Deserialize)]
#[allow(dead_code)]
struct Named {
    a: f64,
    b: Option<Vec<i32>>,
    #[serde(default)]
    c: IgnoredAny,
}

#[derive(Debug, Deserialize)]
#[allow(dead_code)]
enum Choice {
    Unit,
    New(Vec<f32>),
    Pair(u8, char),
    Members { x: i64, y: Option<Box<Choice>> },
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
#[allow(dead_code)]
enum Any {
    Float(f64),
    Floats(Vec<f64>),
    Map(BTreeMap<String, Any>),
    List(Vec<Any>),
    Text(String),
    Unit,
}

#[derive(Debug, Deserialize)]
#[allow(dead_code)]
struct Wrapped(Named);

/// What is made of the bytes, both ways.
fn both<T: DeserializeOwned + Debug>(bytes: &[u8]) -> [String; 2] {
    let typed = decode_typed::<T>(bytes);
    let by_value = decode(bytes).and_then(|value| Ok(from_value::<T>(value)?));
    [typed, by_value].map(|result| format!("{result:?}"))
}

fn check(bytes: &[u8]) {
    macro_rules! check {
        ($($type:ty,)*) => {$(
            let [typed, by_value] = both::<$type>(bytes);
            assert_eq!(typed, by_value, "{}", stringify!($type));
        )*};
    }
    check! {
        (), bool, i8, i64, i128, u8, u64, u128, f32, f64, char, String, Option<f64>, Option<String>,
        Vec<f64>, Vec<i64>, Vec<u8>, Vec<Option<f64>>, Vec<(f64, i64)>, Vec<Vec<u16>>, [f64; 3], (u8,), BTreeSet<i64>,
        BTreeMap<String, Vec<f64>>, BTreeMap<i16, Value>, BTreeMap<bool, u8>, BTreeMap<(i64, i64), u8>,
        Vec<Value>, Duration, Named, Vec<Named>, Wrapped, Choice, Vec<Choice>, Any, IgnoredAny, uuid::Uuid,
        as_bytes::Bytes,
    }
}

mod as_bytes {
    use serde::de::{Deserialize, Deserializer, Visitor};

    /// Bytes that are asked for as such.
    #[derive(Debug)]
    #[allow(dead_code)]
    pub(super) struct Bytes(Vec<u8>);

    impl<'de> Deserialize<'de> for Bytes {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct V;
            impl Visitor<'_> for V {
                type Value = Bytes;
                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("bytes")
                }
                fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Bytes, E> {
                    Ok(Bytes(bytes.to_vec()))
                }
            }
            deserializer.deserialize_bytes(V)
        }
    }
}

fn number() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<f64>().prop_map(Value::Float),
        (-300i64..300).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<i128>().prop_map(Value::Int),
        Just(Value::Null),
        Just(Value::Float(f64::NAN)),
    ]
}

/// Values that some of the types are made for, and some that nearly are.
fn fitting() -> impl Strategy<Value = Value> {
    let numbers = || vec(number(), 0..6).prop_map(Value::List);
    let named = (number(), numbers(), value())
        .prop_map(|(a, b, c)| Value::Map(vec![("a".into(), a), ("b".into(), b), ("c".into(), c)]));
    let variants = (0..4u8, number(), numbers()).prop_map(|(variant, x, items)| match variant {
        0 => "Unit".into(),
        1 => Value::Map(vec![("New".into(), items)]),
        2 => Value::Map(vec![("Pair".into(), Value::Tuple(vec![x, "é".into()]))]),
        _ => {
            let members = vec![("x".into(), x), ("y".into(), "Unit".into())];
            Value::Map(vec![("Members".into(), Value::Map(members))])
        }
    });
    let pairs = vec((number(), number()), 0..4).prop_map(|pairs| {
        let pairs = pairs.into_iter().map(|(a, b)| Value::Tuple(vec![a, b]));
        Value::List(pairs.collect())
    });
    let keyed = vec(("[0-9a-c]{0,2}|true", numbers()), 0..4).prop_map(|entries| {
        let entries = entries.into_iter().map(|(key, value)| (key.into(), value));
        Value::Map(entries.collect())
    });
    let (named, variants) = (named.boxed(), variants.boxed());
    prop_oneof![
        number(),
        numbers(),
        vec(numbers(), 0..4).prop_map(Value::List),
        vec(number(), 3).prop_map(Value::Tuple),
        vec(named.clone(), 0..3).prop_map(Value::List),
        named,
        vec(variants.clone(), 0..3).prop_map(Value::List),
        variants,
        pairs,
        keyed,
    ]
}

proptest! {
    #[test]
    fn any_value_is_read_alike(value in value()) {
        check(&encode(&value).unwrap());
    }

    #[test]
    fn values_that_nearly_fit_are_read_alike(value in fitting()) {
        check(&encode(&value).unwrap());
    }
}

/// A list as CPython writes it: memoized, a thousand elements at a time, in frames that end anywhere.
fn in_batches(items: &[Value], frame: usize) -> Vec<u8> {
    let mut bytes = b"\x80\x05\x95\0\0\0\0\0\0\0\0]\x94".to_vec();
    for (i, item) in items.iter().enumerate() {
        if i % 1000 == 0 {
            bytes.push(b'(');
        }
        let item = encode(item).unwrap();
        bytes.extend_from_slice(&item[2..item.len() - 1]);
        if (i + 1) % frame == 0 {
            bytes.extend_from_slice(b"\x95\0\0\0\0\0\0\0\0");
        }
        if (i + 1) % 1000 == 0 || i + 1 == items.len() {
            bytes.push(b'e');
        }
    }
    bytes.push(b'.');
    bytes
}

#[test]
fn lists_come_in_batches_and_frames() {
    let floats: Vec<f64> = (0..4_321).map(|i| f64::from(i) / 8.0).collect();
    let items: Vec<_> = floats.iter().map(|x| Value::from(*x)).collect();
    for frame in [1, 700, 999, 1000, 9999] {
        let bytes = in_batches(&items, frame);
        assert_eq!(decode_typed::<Vec<f64>>(&bytes).unwrap(), floats);
        assert_eq!(decode(&bytes).unwrap(), Value::List(items.clone()));
    }
    // Numbers of all lengths, between what is none.
    let ints = (0..2_500).map(|i| Value::Int((1 << (i % 127)) * if i % 2 == 0 { 1 } else { -1 }));
    let others = [
        Value::Null,
        true.into(),
        "text".into(),
        Value::List(vec![0.5.into()]),
    ];
    let mixed: Vec<_> = (ints.clone()).chain(others).chain(ints.clone()).collect();
    assert_eq!(
        decode(&in_batches(&mixed, 800)),
        Ok(Value::List(mixed.clone()))
    );
    let ints: Vec<_> = ints.collect();
    let expected: Vec<_> = ints
        .iter()
        .cloned()
        .map(|x| from_value::<i128>(x).unwrap())
        .collect();
    assert_eq!(
        decode_typed::<Vec<i128>>(&in_batches(&ints, 90)).unwrap(),
        expected
    );
}

#[test]
fn paths_lead_to_what_is_wrong() {
    let bytes = encode(&Value::List(vec![1.into(), "x".into()])).unwrap();
    let error = decode_typed::<Vec<f64>>(&bytes).unwrap_err();
    assert_eq!(error.to_string(), "in `[1]`: expected f64, found a text");
}

#[test]
fn types_are_no_deeper_than_values() {
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Nested(Vec<Nested>);
    let nested = |depth: usize| {
        let mut bytes = b"\x80\x04".to_vec();
        bytes.resize(bytes.len() + depth, b']');
        bytes.resize(bytes.len() + depth - 1, b'a');
        bytes.push(b'.');
        bytes
    };
    assert!(decode_typed::<Nested>(&nested(MAX_DEPTH)).is_ok());
    for depth in [MAX_DEPTH + 1, 50_000] {
        let error = decode_typed::<Nested>(&nested(depth)).unwrap_err();
        assert_eq!(error, DatapakError::TooDeep);
    }
}

/// The bytes that are written for a list, and those of its value.
fn written<T: serde::Serialize + 'static>(list: &T) -> [Cell; 2] {
    let by_value = encode(&to_value(list).unwrap()).unwrap();
    [
        ColumnType::SERIALIZED.encode(list).unwrap(),
        Cell::Blob(by_value),
    ]
}

proptest! {
    #[test]
    fn lists_of_plain_items_are_written_as_their_values(
        floats in vec(any::<f64>(), 0..9), ints in vec(any::<i64>(), 0..9), texts in vec(".*", 0..9)
    ) {
        for [list, value] in [written(&floats), written(&ints), written(&texts)] {
            prop_assert_eq!(list, value);
        }
    }
}
