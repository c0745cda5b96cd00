use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::value::{Value, from_members, to_members};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Measurement {
    ops: u64,
    spent: Duration,
    pause: Option<Duration>,
    laps: Vec<Duration>,
    label: Option<String>,
}

fn measurement() -> Measurement {
    Measurement {
        ops: 3,
        spent: Duration::from_millis(1500),
        pause: Some(Duration::from_millis(250)),
        laps: vec![Duration::from_secs(1)],
        label: None,
    }
}

fn owned<T: Serialize>(v: &T) -> Vec<(String, Value)> {
    to_members(v)
        .unwrap()
        .into_iter()
        .map(|(name, value)| (name.into_owned(), value))
        .collect()
}

#[test]
fn members_are_in_order_and_durations_are_seconds() {
    let members = owned(&measurement());
    let lap = Value::Map(vec![("secs".into(), 1.into()), ("nanos".into(), 0.into())]);
    let expected = [
        ("ops".into(), 3.into()),
        ("spent".into(), 1.5.into()),
        ("pause".into(), 0.25.into()),
        ("laps".into(), vec![lap].into()),
        ("label".into(), Value::Null),
    ];
    assert_eq!(members, expected);
    assert_eq!(from_members::<Measurement>(members).unwrap(), measurement());
}

#[test]
fn a_missing_option_is_none_and_the_order_is_free() {
    let mut members = owned(&measurement());
    members.retain(|(name, _)| name != "label" && name != "pause");
    members.reverse();
    assert_eq!(
        from_members::<Measurement>(members).unwrap(),
        Measurement {
            pause: None,
            ..measurement()
        }
    );
}

#[test]
fn errors_name_the_member() {
    let mut members = owned(&measurement());
    members[0].1 = (-1).into();
    let error = from_members::<Measurement>(members.clone()).unwrap_err();
    assert_eq!(error.to_string(), "in `ops`: expected u64, found -1");
    members.remove(0);
    let error = from_members::<Measurement>(members.clone()).unwrap_err();
    assert_eq!(error.to_string(), "missing field `ops`");
    members[0].1 = (-0.5).into();
    let error = from_members::<Measurement>(members).unwrap_err();
    assert_eq!(
        error.to_string(),
        "in `spent`: expected a duration in seconds, found -0.5"
    );
}

#[test]
fn maps_units_and_newtypes_have_members_too() {
    #[derive(Serialize)]
    struct Outer(Measurement);
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Unit;
    assert_eq!(owned(&Outer(measurement())), owned(&measurement()));
    assert_eq!(
        owned(&BTreeMap::from([("b", 1), ("a", 2)]))[0],
        ("a".into(), 2.into())
    );
    assert_eq!(owned(&()), []);
    assert_eq!(owned(&Unit), []);
    assert_eq!(from_members::<Unit>(vec![]).unwrap(), Unit);
    from_members::<()>(vec![]).unwrap();
}

#[test]
fn what_has_no_members_is_refused_by_its_shape() {
    #[derive(Serialize)]
    enum Choice {
        One,
    }
    #[derive(Serialize)]
    struct Pair(u8, u8);
    let message = |error: crate::value::ValueError| error.to_string();
    assert_eq!(
        message(to_members(&1).unwrap_err()),
        "expected a struct, found an integer"
    );
    assert_eq!(
        message(to_members(&[1][..]).unwrap_err()),
        "expected a struct, found a sequence"
    );
    assert_eq!(
        message(to_members(&Some(1)).unwrap_err()),
        "expected a struct, found an option"
    );
    assert_eq!(
        message(to_members(&Choice::One).unwrap_err()),
        "expected a struct, found the enum Choice"
    );
    assert_eq!(
        message(to_members(&Pair(1, 2)).unwrap_err()),
        "expected a struct, found the tuple struct Pair"
    );
}
