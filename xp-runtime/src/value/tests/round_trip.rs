use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::time::Duration;

use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::value::strategies::value;
use crate::value::{MAX_DEPTH, Value, from_value, to_value};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Shape {
    Dot,
    Circle(f32),
    Line(i8, u16),
    Box { width: u64, name: Option<String> },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Meters(f64);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Unit;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Everything {
    flag: bool,
    ints: (i8, i16, i32, i64, i128),
    naturals: (u8, u16, u32, u64),
    letter: char,
    shapes: Vec<Shape>,
    meters: Meters,
    unit: Unit,
    nothing: (),
    maybe: Option<Box<Everything>>,
    by_number: BTreeMap<i32, String>,
    by_pair: BTreeMap<(u8, char), Shape>,
    by_list: BTreeMap<Vec<u8>, bool>,
    spent: Duration,
    id: uuid::Uuid,
    day: jiff::civil::Date,
}

fn round_trip<T: Serialize + DeserializeOwned + PartialEq + Debug>(x: &T) {
    let value = to_value(x).unwrap();
    assert_eq!(&from_value::<T>(value).unwrap(), x);
}

fn everything() -> Everything {
    Everything {
        flag: true,
        ints: (i8::MIN, i16::MIN, i32::MIN, i64::MIN, i128::MIN),
        naturals: (u8::MAX, u16::MAX, u32::MAX, u64::MAX),
        letter: 'é',
        shapes: vec![
            Shape::Dot,
            Shape::Circle(0.1),
            Shape::Line(-1, 2),
            Shape::Box {
                width: 3,
                name: Some("x".into()),
            },
            Shape::Box {
                width: 3,
                name: None,
            },
        ],
        meters: Meters(1.5),
        unit: Unit,
        nothing: (),
        maybe: None,
        by_number: BTreeMap::from([(-1, "a".into()), (7, "b".into())]),
        by_pair: BTreeMap::from([((1, 'a'), Shape::Dot)]),
        by_list: BTreeMap::from([(vec![1, 2], true)]),
        spent: Duration::new(5, 7),
        id: uuid::Uuid::from_u128(1 << 100),
        day: jiff::civil::date(2024, 2, 29),
    }
}

#[test]
fn structs_and_enums_come_back() {
    let inner = everything();
    round_trip(&Everything {
        maybe: Some(Box::new(inner.clone())),
        ..inner
    });
}

#[test]
fn shapes_are_externally_tagged() {
    assert_eq!(to_value(&Shape::Dot).unwrap(), "Dot".into());
    let circle = Value::Map(vec![("Circle".into(), 0.5.into())]);
    assert_eq!(to_value(&Shape::Circle(0.5)).unwrap(), circle);
    let line = Value::Map(vec![(
        "Line".into(),
        Value::Tuple(vec![1.into(), 2.into()]),
    )]);
    assert_eq!(to_value(&Shape::Line(1, 2)).unwrap(), line);
}

#[test]
fn keys_of_maps_keep_their_type() {
    let value = to_value(&BTreeMap::from([(1u8, "a")])).unwrap();
    assert_eq!(value, Value::Map(vec![(1.into(), "a".into())]));
    let as_text = Value::Map(vec![("1".into(), "a".into())]);
    let map: HashMap<u8, String> = from_value(as_text).unwrap();
    assert_eq!(map[&1], "a");
}

#[test]
fn integers_go_where_they_fit() {
    assert_eq!(from_value::<f32>(Value::Int(3)).unwrap(), 3.0);
    assert_eq!(
        from_value::<u128>(Value::Int(i128::MAX)).unwrap(),
        i128::MAX as u128
    );
    assert!(from_value::<u128>(Value::Int(-1)).is_err());
    let huge = to_value(&u128::MAX).unwrap();
    assert_eq!(huge.to_string(), u128::MAX.to_string());
    assert_eq!(from_value::<u128>(huge).unwrap(), u128::MAX);
    assert!(from_value::<u8>(Value::Float(3.0)).is_err());
}

#[test]
fn containers_are_interchangeable() {
    let items = vec![Value::from(1), Value::from(2)];
    for value in [
        Value::List(items.clone()),
        Value::Tuple(items.clone()),
        Value::Set(items),
    ] {
        assert_eq!(from_value::<Vec<u8>>(value.clone()).unwrap(), [1, 2]);
        assert_eq!(from_value::<(i64, u8)>(value).unwrap(), (1, 2));
    }
    assert_eq!(
        from_value::<Vec<u8>>(Value::Bytes(vec![1, 2])).unwrap(),
        [1, 2]
    );
    let box_ = Value::Bunch(vec![(
        "Box".into(),
        Value::List(vec![1.into(), Value::Null]),
    )]);
    assert_eq!(
        from_value::<Shape>(box_).unwrap(),
        Shape::Box {
            width: 1,
            name: None
        }
    );
}

#[test]
fn errors_say_where_and_what() {
    #[derive(Debug, Deserialize)]
    struct Outer {
        #[allow(dead_code)]
        a: BTreeMap<String, Vec<u8>>,
    }
    let value = to_value(&BTreeMap::from([(
        "a",
        BTreeMap::from([("b", [1, 2, 3, 300])]),
    )]))
    .unwrap();
    let error = from_value::<Outer>(value).unwrap_err();
    assert_eq!(error.to_string(), "in `a.b[3]`: expected u8, found 300");
    assert_eq!(error.path(), "a.b[3]");

    let error = from_value::<(u8, bool)>(Value::List(vec![1.into(), 2.into()])).unwrap_err();
    assert_eq!(
        error.to_string(),
        "in `[1]`: expected a boolean, found an integer"
    );
    let error = from_value::<(u8,)>(Value::List(vec![1.into(), 2.into()])).unwrap_err();
    assert_eq!(error.to_string(), "expected 1 elements, found 2");
    let error = from_value::<Shape>("Dott".into()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "unknown variant `Dott`, expected one of `Dot`, `Circle`, `Line`, `Box`"
    );
    let error = from_value::<Shape>("Circle".into()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "expected a variant with a value, found the variant `Circle` alone"
    );

    let error = from_value::<Vec<(String, u8)>>(to_value(&vec![("k", u128::MAX)]).unwrap());
    assert_eq!(error.unwrap_err().path(), "[0][1]");
}

#[test]
fn a_recursive_type_is_stopped_before_the_stack_is() {
    #[derive(Serialize)]
    struct Link(u8, Option<Box<Link>>);
    let chain = |len: usize| (0..len).fold(None, |next, _| Some(Box::new(Link(0, next))));
    assert!(to_value(&chain(MAX_DEPTH)).is_ok());
    let error = to_value(&chain(MAX_DEPTH + 1)).unwrap_err();
    assert!(error.message().contains("deeper than"), "{error}");
}

#[test]
fn values_are_shown_for_people() {
    let text = |value: Value| value.to_string();
    assert_eq!(text("a b".into()), "a b");
    assert_eq!(text(0.3.into()), "0.3");
    assert_eq!(text(5.into()), "5");
    assert_eq!(text(Value::Null), "None");
    assert_eq!(text(vec!["a"].into()), "[\"a\"]");
    assert_eq!(text(Value::Tuple(vec![1.into()])), "(1,)");
    assert_eq!(text(Value::Map(vec![(1.into(), true.into())])), "{1: true}");
    assert_eq!(
        text(Value::Bunch(vec![("a".into(), "b".into())])),
        "Bunch(a=\"b\")"
    );
    assert_eq!(text(Value::Set(vec![])), "set()");
    assert_eq!(text(Value::Bytes(b"a\0".to_vec())), "b\"a\\x00\"");
    assert_eq!(text(Value::Bytes(vec![0; 99])), "<99 bytes>");
    assert_eq!(text(Value::DateTime64(Some(0))), "1970-01-01T00:00:00");
    assert_eq!(
        format!("{:>5}|{:<4}|", Value::from(5), Value::from("x")),
        "    5|x   |"
    );
}

proptest! {
    #[test]
    fn a_value_is_its_own_value(value in value()) {
        prop_assert_eq!(to_value(&value).unwrap(), value);
    }

    #[test]
    fn floats_come_back(x in any::<f64>(), y in any::<f32>()) {
        prop_assert_eq!(from_value::<f64>(to_value(&x).unwrap()).unwrap().to_bits(), x.to_bits());
        prop_assert_eq!(from_value::<f32>(to_value(&y).unwrap()).unwrap().to_bits(), y.to_bits());
    }

    #[test]
    fn maps_and_tuples_come_back(map in any::<HashMap<i64, (String, Option<u16>)>>(), list in any::<Vec<(char, bool)>>()) {
        round_trip(&map);
        round_trip(&list);
    }

    #[test]
    fn any_value_is_read_or_refused(value in value()) {
        let _ = from_value::<Everything>(value.clone());
        let _ = from_value::<Vec<Shape>>(value.clone());
        let _ = from_value::<BTreeMap<u8, Option<Duration>>>(value.clone());
        prop_assert_eq!(from_value::<Value>(value.clone()).unwrap(), value);
    }
}
