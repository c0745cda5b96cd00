#![allow(dead_code)]

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use xp_macros::experiment;

use crate::__private::Declared;
use crate::attempt::{PlanTask, Task};
use crate::declare::{InputError, Point};
use crate::plan::Part;

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

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Tuning {
    rate: f32,
    pause: Duration,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    limit: Option<u32>,
}

#[experiment]
fn sent(
    #[config(skip)] all: Everything,
    #[param] k: usize,
    #[config(identity = false)] log: PathBuf,
    #[param(flatten)] tuning: Tuning,
    #[param(skip, identity = false)] by_name: HashMap<i64, (String, Option<u16>)>,
    #[config] exact: f64,
) {
}

fn task<X: Declared>() -> PlanTask<X> {
    PlanTask::new(Vec::<Part<X>>::new(), 0)
}

fn there_and_back(config: SentConfig, params: SentParams) -> (SentConfig, SentParams) {
    let point = Point {
        config: Arc::new(config),
        params,
    };
    let values = task::<Sent>().send(&point).unwrap();
    assert_eq!(values.len(), 6);
    Sent::receive(values).unwrap()
}

#[test]
fn a_receiver_has_the_point_that_was_sent() {
    let make = || {
        let config = SentConfig {
            all: Everything {
                maybe: Some(Box::new(everything())),
                ..everything()
            },
            log: "a/b c".into(),
            exact: -0.0,
        };
        let params = SentParams {
            k: usize::MAX,
            tuning: Tuning {
                rate: 0.1,
                pause: Duration::from_nanos(3),
                limit: None,
            },
            by_name: HashMap::from([(-3, ("x".into(), None))]),
        };
        (config, params)
    };
    let (config, params) = make();
    let (config, params) = there_and_back(config, params);
    assert_eq!(format!("{config:?}"), format!("{:?}", make().0));
    assert_eq!(format!("{params:?}"), format!("{:?}", make().1));
}

#[test]
fn what_is_missing_or_of_another_type_is_told() {
    let error = |values| Sent::receive(values).unwrap_err();
    let InputError { input, source } = error(vec![]);
    assert_eq!(input, "all");
    assert!(source.to_string().contains("did not arrive"), "{source}");
    assert_eq!(error(vec![3.into()]).input, "all");
}

#[test]
fn an_input_with_a_key_cannot_be_sent() {
    #[derive(Clone)]
    struct Kernel(u8);

    #[experiment]
    fn keyed(#[param] k: u8, #[param(key = |k: &Kernel| k.0.to_string())] kernel: Kernel) {}

    let point = Point {
        config: Arc::new(KeyedConfig {}),
        params: KeyedParams {
            k: 1,
            kernel: Kernel(2),
        },
    };
    let InputError { input, source } = task::<Keyed>().send(&point).unwrap_err();
    assert_eq!(input, "kernel");
    assert_eq!(
        source.to_string(),
        "a run in another process cannot be given it: its type has a `key` instead of serde"
    );
}

proptest! {
    #[test]
    fn numbers_and_texts_arrive(
        exact in any::<f64>(),
        rate in any::<f32>(),
        k in any::<usize>(),
        by_name in any::<HashMap<i64, (String, Option<u16>)>>(),
        seconds in any::<u32>(),
        limit in any::<Option<u32>>(),
    ) {
        let config = SentConfig { all: everything(), log: PathBuf::new(), exact };
        let pause = Duration::from_secs(seconds.into());
        let tuning = Tuning { rate, pause, limit };
        let params = SentParams { k, tuning: tuning.clone(), by_name: by_name.clone() };
        let (config, params) = there_and_back(config, params);
        prop_assert_eq!(config.exact.to_bits(), exact.to_bits());
        prop_assert_eq!(params.tuning.rate.to_bits(), rate.to_bits());
        prop_assert_eq!(params.tuning.pause, pause);
        prop_assert_eq!(params.tuning.limit, limit);
        prop_assert_eq!((params.k, params.by_name), (k, by_name));
    }
}
