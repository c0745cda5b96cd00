use std::fmt::Debug;
use std::time::{Duration, SystemTime};

use jiff::civil::date;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::datapak::encode;
use crate::value::{Cell, ColumnType, Kind, Value};

/// The cell that a value becomes; it must come back from it.
fn cell<T: Serialize + DeserializeOwned + PartialEq + Debug + 'static>(x: T) -> Cell {
    let column = ColumnType::of::<T>();
    let cell = column.encode(&x).unwrap();
    assert_eq!(column.decode::<T>(cell.clone()).unwrap(), x);
    // What a reader without the type sees is written back as it was.
    let value = column.decode_value(cell.clone()).unwrap();
    assert_eq!(column.encode_value(&value).unwrap(), cell);
    cell
}

fn text(x: &str) -> Cell {
    Cell::Text(x.into())
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Mode {
    Fast,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Timeout(Duration);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Ratio(f64);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Point {
    x: f64,
    y: Option<u8>,
}

#[test]
fn natives() {
    assert_eq!(cell(true), Cell::Int(1));
    assert_eq!(cell(7u8), Cell::Int(7));
    assert_eq!(cell(-7i64), Cell::Int(-7));
    assert_eq!(cell(7usize), Cell::Int(7));
    assert_eq!(cell(0.5f64), Cell::Real(0.5));
    assert_eq!(cell(0.1f32), Cell::Real(0.1f32.into()));
    assert_eq!(cell(f64::INFINITY), Cell::Real(f64::INFINITY));
    assert_eq!(cell("é".to_owned()), text("é"));
    assert_eq!(cell('é'), text("é"));
    assert_eq!(cell(vec![0u8, 255]), Cell::Blob(vec![0, 255]));
    assert_eq!(cell(Mode::Fast), text("Fast"));
    assert_eq!(cell(Some(3u16)), Cell::Int(3));
    assert_eq!(cell(None::<u16>), Cell::Null);
    assert_eq!(cell(None::<String>), Cell::Null);
    assert_eq!(cell(Ratio(0.5)), Cell::Real(0.5));
}

#[test]
fn well_known_types() {
    let uuid = uuid::Uuid::from_u128(0x6ba7b811_9dad_11d1_80b4_00c04fd430c8);
    assert_eq!(cell(uuid), text("6ba7b8119dad11d180b400c04fd430c8"));
    assert_eq!(cell(Some(uuid)), text("6ba7b8119dad11d180b400c04fd430c8"));
    assert_eq!(cell(None::<uuid::Uuid>), Cell::Null);
    let datetime = date(2024, 1, 2).at(3, 4, 5, 678_000);
    assert_eq!(cell(datetime), text("2024-01-02 03:04:05.000678"));
    assert_eq!(
        cell(jiff::tz::Offset::UTC.to_timestamp(datetime).unwrap()),
        text("2024-01-02 03:04:05.000678")
    );
    assert_eq!(cell(date(33, 2, 28)), text("0033-02-28"));
    assert_eq!(
        cell(jiff::civil::time(23, 59, 58, 123_456_000)),
        text("23:59:58.123456")
    );
    assert_eq!(
        cell(SystemTime::UNIX_EPOCH),
        text("1970-01-01 00:00:00.000000")
    );
    assert_eq!(cell(Duration::from_millis(1500)), Cell::Real(1.5));
    assert_eq!(
        cell(Duration::new(86_400, 1)),
        Cell::Real(86_400.000_000_001)
    );
    assert_eq!(cell(Some(Timeout(Duration::from_secs(2)))), Cell::Real(2.0));
}

#[test]
fn times_are_cut_towards_the_past() {
    let before = SystemTime::UNIX_EPOCH - Duration::from_nanos(1);
    let cell = ColumnType::of::<SystemTime>().encode(&before).unwrap();
    assert_eq!(cell, text("1969-12-31 23:59:59.999999"));
}

#[test]
fn other_spellings_of_times_are_read() {
    let column = ColumnType::of::<jiff::civil::DateTime>();
    for spelling in [
        "2024-01-02T03:04:05",
        "2024-01-02 03:04:05.0",
        "2024-01-02 03:04:05+00:00",
    ] {
        let datetime: jiff::civil::DateTime = column.decode(text(spelling)).unwrap();
        assert_eq!(datetime, date(2024, 1, 2).at(3, 4, 5, 0), "{spelling}");
    }
}

#[test]
fn everything_else_is_serialised() {
    let point = Point { x: 1.0, y: None };
    let value = Value::Map(vec![("x".into(), 1.0.into()), ("y".into(), Value::Null)]);
    assert_eq!(cell(point), Cell::Blob(encode(&value).unwrap()));
    assert_eq!(cell(None::<Point>), Cell::Blob(b"\x80\x04N.".to_vec()));
    assert_eq!(cell(()), Cell::Blob(b"\x80\x04N.".to_vec()));
    cell(vec![0.5, 1.5]);
    cell((1u8, "x".to_owned()));
    cell(Some(Some(1u8)));
    let kept = Value::Bunch(vec![("id".into(), Value::Uuid(uuid::Uuid::nil()))]);
    assert_eq!(cell(kept.clone()), Cell::Blob(encode(&kept).unwrap()));
}

#[test]
fn nan_is_null_and_comes_back() {
    let column = ColumnType::of::<f64>();
    assert_eq!(column.encode(&f64::NAN).unwrap(), Cell::Null);
    assert!(column.decode::<f64>(Cell::Null).unwrap().is_nan());
    let column = ColumnType::of::<Ratio>();
    assert_eq!(column.encode(&Ratio(f64::NAN)).unwrap(), Cell::Null);
    assert!(column.decode::<Ratio>(Cell::Null).unwrap().0.is_nan());
    let column = ColumnType::of::<f32>();
    assert!(
        column
            .decode::<f32>(column.encode(&f32::NAN).unwrap())
            .unwrap()
            .is_nan()
    );
    let column = ColumnType::of::<Option<f64>>();
    assert_eq!(column.encode(&Some(f64::NAN)).unwrap(), Cell::Null);
    assert_eq!(column.decode::<Option<f64>>(Cell::Null).unwrap(), None);
}

#[test]
fn what_does_not_fit_is_refused() {
    let error = ColumnType::of::<u64>().encode(&u64::MAX).unwrap_err();
    let expected = "the integer 18446744073709551615 does not fit a column of integers, which ends at 9223372036854775807";
    assert_eq!(error.to_string(), expected);
    let error = ColumnType::required(Kind::Int)
        .encode_value(&"x".into())
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "expected a value of kind Int, found a text"
    );
    let error = ColumnType::required(Kind::Int)
        .encode(&None::<u8>)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "expected a value of kind Int, found nothing"
    );
    let error = ColumnType::of::<u8>()
        .decode::<u8>(Cell::Int(300))
        .unwrap_err();
    assert_eq!(error.to_string(), "expected u8, found 300");
    assert!(ColumnType::of::<u8>().decode::<u8>(Cell::Null).is_err());
    assert!(
        ColumnType::of::<String>()
            .decode::<String>(Cell::Null)
            .is_err()
    );
    assert!(
        ColumnType::of::<bool>()
            .decode::<bool>(Cell::Int(2))
            .is_err()
    );
    assert!(
        ColumnType::of::<Duration>()
            .decode::<Duration>(Cell::Real(-1.0))
            .is_err()
    );
    assert!(ColumnType::SERIALIZED.decode::<u8>(Cell::Null).is_err());
}

#[test]
fn a_column_may_be_of_another_kind_than_the_type() {
    // A file may have serialised what a program now declares as native.
    let cell = ColumnType::SERIALIZED.encode(&7u32).unwrap();
    assert_eq!(cell, Cell::Blob(b"\x80\x04K\x07.".to_vec()));
    assert_eq!(ColumnType::SERIALIZED.decode::<u32>(cell).unwrap(), 7);
    let id = uuid::Uuid::from_u128(7);
    let cell = ColumnType::SERIALIZED.encode(&id).unwrap();
    assert_eq!(
        ColumnType::SERIALIZED.decode::<uuid::Uuid>(cell).unwrap(),
        id
    );
    // The declared type of durations and UUIDs is that of floats and texts.
    let float = ColumnType::required(Kind::Float);
    assert_eq!(
        float.decode::<Duration>(Cell::Real(1.5)).unwrap(),
        Duration::from_millis(1500)
    );
    let column = ColumnType::required(Kind::Text);
    assert_eq!(
        column
            .decode::<uuid::Uuid>(text(&id.simple().to_string()))
            .unwrap(),
        id
    );
    assert_eq!(
        column.decode_value(Cell::Blob(vec![1])).unwrap(),
        Value::Bytes(vec![1])
    );
}
