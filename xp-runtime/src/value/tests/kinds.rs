use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::value::{Array, ColumnType, Kind, Value, members_of};

fn required<T: DeserializeOwned + 'static>(kind: Kind) {
    assert_eq!(
        ColumnType::of::<T>(),
        ColumnType {
            kind,
            nullable: false
        },
        "{}",
        std::any::type_name::<T>()
    );
}

fn nullable<T: DeserializeOwned + 'static>(kind: Kind) {
    assert_eq!(
        ColumnType::of::<T>(),
        ColumnType {
            kind,
            nullable: true
        },
        "{}",
        std::any::type_name::<T>()
    );
}

#[derive(Deserialize)]
#[allow(dead_code)]
enum Units {
    A,
    B,
}

#[derive(Deserialize)]
#[allow(dead_code)]
enum Mixed {
    A,
    B(u8),
}

#[derive(Deserialize)]
#[serde(untagged)]
#[allow(dead_code)]
enum Untagged {
    A(u8),
    B(String),
}

#[derive(Deserialize)]
#[serde(tag = "t")]
#[allow(dead_code)]
enum Internal {
    A,
}

#[derive(Deserialize)]
#[serde(try_from = "u8")]
struct Small;

impl TryFrom<u8> for Small {
    type Error = String;

    fn try_from(_: u8) -> Result<Self, String> {
        Err("never".into())
    }
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct Wrapped<T>(T);

#[derive(Deserialize)]
#[allow(dead_code)]
struct Recursive(Option<Box<Recursive>>);

#[derive(Deserialize)]
struct Unit;

#[derive(Deserialize)]
#[allow(dead_code)]
struct Members {
    accuracy: f64,
    spent: Option<Duration>,
    mode: Option<Units>,
    #[serde(rename = "n")]
    count: NonZeroU32,
    #[serde(default)]
    small: Option<Small>,
    rest: Mixed,
    bytes: Vec<u8>,
    id: uuid::Uuid,
    #[serde(skip)]
    skipped: u8,
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct Flattened {
    #[serde(flatten)]
    members: Members,
}

#[test]
fn scalars_and_texts_are_native() {
    required::<bool>(Kind::Bool);
    required::<u8>(Kind::Int);
    required::<u64>(Kind::Int);
    required::<isize>(Kind::Int);
    required::<f32>(Kind::Float);
    required::<String>(Kind::Text);
    required::<char>(Kind::Text);
    required::<PathBuf>(Kind::Text);
    nullable::<Option<i8>>(Kind::Int);
    nullable::<Option<String>>(Kind::Text);
    required::<Box<f64>>(Kind::Float);
    required::<NonZeroU32>(Kind::Int);
}

#[test]
fn well_known_types_are_themselves() {
    required::<Vec<u8>>(Kind::Bytes);
    required::<Duration>(Kind::Duration);
    required::<uuid::Uuid>(Kind::Uuid);
    required::<jiff::Timestamp>(Kind::DateTime);
    required::<jiff::civil::DateTime>(Kind::DateTime);
    required::<SystemTime>(Kind::DateTime);
    required::<jiff::civil::Date>(Kind::Date);
    nullable::<Option<jiff::civil::Time>>(Kind::Time);
    nullable::<Option<Vec<u8>>>(Kind::Bytes);
    nullable::<Option<SystemTime>>(Kind::DateTime);
}

#[test]
fn other_types_are_what_they_ask_for() {
    required::<Units>(Kind::Text);
    nullable::<Option<Units>>(Kind::Text);
    required::<Small>(Kind::Int);
    required::<Wrapped<Wrapped<f64>>>(Kind::Float);
    nullable::<Wrapped<Option<Small>>>(Kind::Int);
    nullable::<Option<Wrapped<Units>>>(Kind::Text);
    required::<Wrapped<Duration>>(Kind::Duration);
    nullable::<Option<Box<str>>>(Kind::Text);
}

#[test]
fn the_rest_is_serialised() {
    required::<Mixed>(Kind::Serialized);
    required::<Option<Mixed>>(Kind::Serialized);
    required::<Untagged>(Kind::Serialized);
    required::<Internal>(Kind::Serialized);
    required::<Members>(Kind::Serialized);
    required::<Option<Members>>(Kind::Serialized);
    required::<Option<Option<u8>>>(Kind::Serialized);
    required::<Recursive>(Kind::Serialized);
    required::<Vec<f64>>(Kind::Serialized);
    required::<(u8, u8)>(Kind::Serialized);
    required::<()>(Kind::Serialized);
    required::<Unit>(Kind::Serialized);
    required::<i128>(Kind::Serialized);
    required::<Value>(Kind::Serialized);
    required::<std::collections::HashMap<String, u8>>(Kind::Serialized);
}

#[test]
fn aliases_are_no_members() {
    #[derive(Deserialize)]
    #[allow(dead_code)]
    struct Renamed {
        #[serde(alias = "a", alias = "z")]
        m: f64,
        #[serde(alias = "b", alias = "c")]
        n: Option<Units>,
        o: f64,
        #[serde(alias = "k")]
        p: Vec<u8>,
    }
    let names: Vec<&str> = members_of::<Renamed>()
        .unwrap()
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(names, ["m", "n", "o", "p"]);
}

#[test]
fn members_are_found_with_their_kinds() {
    let column = |kind, nullable| ColumnType { kind, nullable };
    let expected = vec![
        ("accuracy", column(Kind::Float, false)),
        ("spent", column(Kind::Duration, true)),
        ("mode", column(Kind::Text, true)),
        ("n", column(Kind::Int, false)),
        ("small", column(Kind::Int, true)),
        ("rest", column(Kind::Serialized, false)),
        ("bytes", column(Kind::Serialized, false)),
        ("id", column(Kind::Text, false)),
    ];
    assert_eq!(members_of::<Members>(), Some(expected.clone()));
    assert_eq!(members_of::<Wrapped<Members>>(), Some(expected));
    assert_eq!(members_of::<()>(), Some(vec![]));
    assert_eq!(members_of::<Unit>(), Some(vec![]));
    assert_eq!(members_of::<u8>(), None);
    assert_eq!(members_of::<Mixed>(), None);
    assert_eq!(members_of::<Flattened>(), None);
    assert_eq!(members_of::<Option<Members>>(), None);
}

#[test]
fn declared_types_give_their_kind() {
    for kind in [
        Kind::Bool,
        Kind::Int,
        Kind::Float,
        Kind::Text,
        Kind::DateTime,
        Kind::Date,
        Kind::Time,
    ] {
        assert_eq!(Kind::of_sql_type(kind.sql_type(), false), Some(kind));
    }
    assert_eq!(
        Kind::of_sql_type(Kind::Serialized.sql_type(), true),
        Some(Kind::Serialized)
    );
    assert_eq!(Kind::of_sql_type("timestamp", false), Some(Kind::DateTime));
    assert_eq!(Kind::of_sql_type("VARCHAR(20)", false), Some(Kind::Text));
    assert_eq!(Kind::of_sql_type("geometry", false), None);
}

#[test]
fn a_value_weighs_about_what_it_holds() {
    let bytes = || Value::Bytes(vec![0; 1_000]);
    assert_eq!(bytes().weight(), 1_000);
    let nested = Value::Bunch(vec![("x".to_owned(), Value::List(vec![bytes(), bytes()]))]);
    assert!((2_000..2_100).contains(&nested.weight()));
    let array = Value::Array(Array::from_vec(vec![0.5; 1_000]));
    assert_eq!(array.weight(), 8_000);
    assert!(Value::Null.weight() > 0);
}
