#![allow(dead_code)]

use serde::{Deserialize, Serialize};
use xp_macros::experiment;

use crate::__private::{Baseline, Declared, InputRole, Recorded};
use crate::identity::encode;

#[derive(Clone, Copy, Serialize, Deserialize)]
enum Map {
    Tree,
    Sized(u8),
}

#[derive(Clone, Serialize, Deserialize)]
struct Tuning {
    rate: f64,
    map: Map,
    limit: Option<u32>,
}

impl Tuning {
    fn of(rate: f64) -> Self {
        Self {
            rate,
            map: Map::Tree,
            limit: None,
        }
    }
}

#[derive(Clone)]
struct Kernel(u8);

#[experiment]
fn all(
    #[config(default = 0.3)] ratio: f64,
    #[param] k: usize,
    #[param(default = 5, absent = 2)] depth: i64,
    #[config(default = "a\"b", absent = _)] name: String,
    #[param(default = Map::Tree)] map: Map,
    #[param(default = Some(Map::Tree))] maybe: Option<Map>,
    #[config(default = None)] limit: Option<u32>,
    #[config(default = Map::Sized(3), identity = false)] sized: Map,
    #[param(flatten, default = Tuning::of(1.0), absent = Tuning::of(0.5))] tuning: Tuning,
    #[param(default = Kernel(7), key = |k: &Kernel| format!("kernel {}", k.0))] kernel: Kernel,
    #[param(values = [1, 2])] seed: u64,
    #[config(absent = f64::INFINITY)] bound: f64,
    #[config(default = 'x', skip)] letter: char,
) {
}

fn baselines() -> Vec<Baseline> {
    All::baselines(&All::absents()).unwrap()
}

fn find(name: &str) -> Baseline {
    let mut all = baselines().into_iter();
    all.find(|baseline| baseline.name == name).unwrap()
}

fn recorded<T: Serialize>(value: &T, text: &str) -> Option<Recorded> {
    let mut form = Vec::new();
    encode(value, &mut form).unwrap();
    Some(Recorded {
        form,
        text: text.to_owned(),
    })
}

#[test]
fn there_is_one_for_each_input_and_each_flattened_member() {
    let all = baselines();
    let names: Vec<_> = all.iter().map(|baseline| baseline.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "ratio", "k", "depth", "name", "map", "maybe", "limit", "sized", "rate", "map",
            "limit", "kernel", "seed", "bound", "letter"
        ]
    );
    let ratio = Baseline {
        name: "ratio".to_owned(),
        role: InputRole::Config,
        identity: true,
        default: recorded(&0.3, "0.3"),
        absent: recorded(&0.3, "0.3"),
    };
    assert_eq!(all[0], ratio);
    assert!(!find("sized").identity);
    assert_eq!(find("rate").role, InputRole::Param);
}

#[test]
fn the_absent_value_is_the_effective_one() {
    for name in ["k", "seed"] {
        assert_eq!((find(name).default, find(name).absent), (None, None));
    }
    assert_eq!(find("depth").default, recorded(&5, "5"));
    assert_eq!(find("depth").absent, recorded(&2, "2"));
    assert_eq!(find("name").default, recorded(&"a\"b", r#""a\"b""#));
    assert_eq!(find("name").absent, None);
    assert_eq!(find("bound").default, None);
    assert_eq!(
        find("bound").absent,
        recorded(&f64::INFINITY, "f64::INFINITY")
    );
    assert_eq!(find("rate").default, recorded(&1.0, "1.0"));
    assert_eq!(find("rate").absent, recorded(&0.5, "0.5"));
}

#[test]
fn values_are_shown_as_they_are_written_where_that_is_simple() {
    let texts: Vec<_> = baselines()
        .into_iter()
        .filter_map(|baseline| Some((baseline.name, baseline.default?.text)))
        .collect();
    let texts: Vec<_> = texts
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    assert_eq!(
        texts[3..],
        [
            ("map", "Map::Tree"),
            ("maybe", "Some(Map::Tree)"),
            ("limit", "None"),
            ("sized", "{\"Sized\": 3}"),
            ("rate", "1.0"),
            ("map", "Tree"),
            ("limit", "None"),
            ("kernel", "\"kernel 7\""),
            ("letter", "'x'"),
        ]
    );
    assert_eq!(
        find("limit").default.map(|recorded| recorded.form),
        Some(vec![])
    );
    assert_eq!(
        find("kernel").default,
        recorded(&"kernel 7", "\"kernel 7\"")
    );
}
