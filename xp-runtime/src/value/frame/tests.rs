use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index as At;

use super::*;
use crate::value::strategies::columns;

fn floats(name: &str, items: &[f64]) -> Column {
    Column::new(name, ColumnData::Float(items.to_vec()))
}

#[test]
fn the_bounds_of_a_file_are_arrow_s() {
    let frame = Frame::new(&[floats("x", &[1.0])]).unwrap();
    let bytes = frame.as_arrow_file();
    assert!(bytes.starts_with(b"ARROW1\0\0\xff\xff\xff\xff") && bytes.ends_with(b"ARROW1"));
}

#[test]
fn short_columns_end_in_nulls() {
    let mut short = Column::new("short", ColumnData::Text(["a", "b"].iter().collect()));
    short.validity = Some(Bitmap::filled(false, 1));
    let idx = Column::new("idx", ColumnData::Int(vec![0, 1, 2]));
    let read = Frame::new(&[idx, short]).unwrap().columns().unwrap();
    let items: Vec<Value> = read[1].iter().collect();
    assert_eq!(items, [Value::Null, "b".into(), Value::Null]);
    assert_eq!(read[1].null_count(), 2);
    assert_eq!(read[0].validity, None);
}

#[test]
fn nan_is_not_null() {
    let mut column = floats("x", &[f64::NAN]);
    column.push_null();
    let frame = Frame::new(&[column]).unwrap();
    let column = frame.column("x").unwrap().unwrap();
    assert_eq!(column.get(0), Some(Value::Float(f64::NAN)));
    assert_eq!(column.get(1), Some(Value::Null));
    // Where a float is asked for, both are NaN.
    assert!(frame.to_vec::<f64>("x").unwrap().iter().all(|x| x.is_nan()));
    let maybe = frame.to_vec::<Option<f64>>("x").unwrap();
    assert!(maybe[0].is_some_and(f64::is_nan) && maybe[1].is_none());
}

#[test]
fn dictionaries_are_written_out() {
    let mut texts = Column::new("", ColumnData::Text(["u", "v"].iter().collect()));
    texts.validity = Some([true, true].into_iter().collect());
    let mut column = Column::new(
        "c",
        ColumnData::Dictionary(vec![1, 0, 9, 1], std::sync::Arc::new(texts)),
    );
    column.validity = Some([true, true, true, false].into_iter().collect());
    let items: Vec<Value> = column.iter().collect();
    assert_eq!(items, ["v".into(), "u".into(), Value::Null, Value::Null]);
    let frame = Frame::new(&[column]).unwrap();
    assert!(frame.column("c").unwrap().unwrap().iter().eq(items));
}

#[test]
fn a_series_has_the_index_that_mltraq_needs() {
    let series = Frame::series(floats("loss", &[0.5])).unwrap();
    assert!(series.has_integer_labels());
    assert_eq!(
        series.index(),
        Index::Range {
            start: 0,
            stop: 1,
            step: 1
        }
    );
    assert_eq!(
        series.series_column().unwrap().to_vec::<f64>().unwrap(),
        [0.5]
    );
    let items: Vec<f64> = crate::value::from_value(Value::Series(series)).unwrap();
    assert_eq!(items, [0.5]);
}

#[test]
fn a_frame_is_rows_or_columns() {
    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Row {
        k: u8,
        x: f32,
        note: Option<String>,
    }
    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Columns {
        k: Vec<u8>,
        x: Vec<f64>,
    }
    let frame = Frame::new(&[
        Column::new("k", ColumnData::Int(vec![1, 2])),
        floats("x", &[0.5, 1.5]),
        Column::new("note", ColumnData::Text(["a"].iter().collect())),
    ])
    .unwrap();
    let rows: Vec<Row> = frame.to_records().unwrap();
    let row = |k, x, note: Option<&str>| Row {
        k,
        x,
        note: note.map(str::to_owned),
    };
    assert_eq!(rows, [row(1, 0.5, Some("a")), row(2, 1.5, None)]);
    let value = Value::Table(frame);
    assert_eq!(
        crate::value::from_value::<Vec<Row>>(value.clone()).unwrap(),
        rows
    );
    let columns: Columns = crate::value::from_value(value).unwrap();
    assert_eq!(
        columns,
        Columns {
            k: vec![1, 2],
            x: vec![0.5, 1.5]
        }
    );
}

#[test]
fn what_is_wrong_with_a_column_names_it() {
    let frame = Frame::new(&[Column::new("k", ColumnData::Int(vec![1, 300]))]).unwrap();
    assert_eq!(
        frame.to_vec::<u8>("k").unwrap_err().to_string(),
        "in `k[1]`: expected u8, found 300"
    );
    assert_eq!(
        frame.to_vec::<u8>("x").unwrap_err().to_string(),
        "the frame has no column `x`"
    );
}

#[test]
fn bitmaps_are_packed_from_the_lowest_bit() {
    let bits: Bitmap = (0..19).map(|i| i % 3 == 0).collect();
    assert_eq!((bits.len(), bits.count_ones()), (19, 7));
    assert_eq!(bits.as_bytes(), [0b0100_1001, 0b1001_0010, 0b0000_0100]);
    for start in 0..9 {
        let mut long = Bitmap::filled(true, start);
        long.append(&bits);
        assert!(long.iter().eq((0..start).map(|_| true).chain(bits.iter())));
        assert_eq!(long.get(start + 19), None);
    }
    assert_eq!(Bitmap::filled(true, 3).as_bytes(), [0b111]);
}

/// One column of each type.
fn every_type() -> Vec<Column> {
    let texts = Column::new("t", ColumnData::Text(["a", "", "é"].iter().collect()));
    let items = Column::new("item", ColumnData::Int(vec![1, 2, 3, 4]));
    vec![
        Column::new("n", ColumnData::Null(3)),
        Column::new(
            "b",
            ColumnData::Bool([true, false, true].into_iter().collect()),
        ),
        floats("f", &[0.5, 1.5, 2.5]),
        Column::new(
            "ts",
            ColumnData::Temporal(Temporal::TIMESTAMP, vec![1, 2, 3]),
        ),
        Column::new("l", ColumnData::List(Lists::new([2, 0, 2], items).unwrap())),
        Column::new(
            "s",
            ColumnData::Struct(Structs::new(3, vec![texts.clone()]).unwrap()),
        ),
        texts,
    ]
}

#[test]
fn each_byte_of_a_file_may_be_wrong() {
    let file = Frame::new(&every_type()).unwrap();
    let bytes = file.as_arrow_file();
    for at in 0..bytes.len() {
        for byte in [0, 1, 4, 0x7f, 0x80, 0xff] {
            let mut bytes = bytes.to_vec();
            bytes[at] = byte;
            if let Ok(frame) = Frame::from_arrow_file(bytes) {
                let _ = frame
                    .columns()
                    .map(|columns| columns.iter().for_each(|c| drop(c.iter().next())));
            }
        }
        assert!(Frame::from_arrow_file(bytes[..at].to_vec()).is_err());
    }
}

proptest! {
    #[test]
    fn columns_come_back(columns in columns()) {
        let frame = Frame::new(&columns).unwrap();
        let read = frame.columns().unwrap();
        for (column, read) in columns.iter().zip(&read) {
            prop_assert_eq!(&column.name, &read.name);
            prop_assert_eq!(column.data.data_type(), read.data.data_type());
            prop_assert_eq!(column.iter().collect::<Vec<_>>(), read.iter().collect::<Vec<_>>());
        }
        prop_assert_eq!(columns.len(), read.len());
        // What is read is written like what was read, and any column can be read alone.
        prop_assert_eq!(&Frame::new(&read).unwrap(), &frame);
        for (i, field) in frame.fields().enumerate() {
            prop_assert_eq!(&field.data_type, &read[i].data.data_type());
            let alone = frame.0.columns(|j| i == j).unwrap();
            prop_assert_eq!(
                alone[0].iter().collect::<Vec<_>>(),
                read[i].iter().collect::<Vec<_>>()
            );
        }
    }

    #[test]
    fn mutated_files_are_read_or_refused(
        columns in columns(),
        changes in vec((any::<At>(), prop_oneof![any::<u8>(), 0u8..9, Just(0xff)]), 1..6),
    ) {
        let mut bytes = Frame::new(&columns).unwrap().as_arrow_file().to_vec();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(frame) = Frame::from_arrow_file(bytes) {
            let _ = frame.columns();
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..200)) {
        let _ = Frame::from_arrow_file(bytes);
    }
}

#[test]
fn a_column_of_nulls_has_nothing_but_nulls() {
    let column = Column::new("n", ColumnData::Null(3));
    assert_eq!(column.null_count(), 3);
    let nulls = [0, 1, 2, 3].map(|i| column.is_null(i));
    assert_eq!(nulls, [true, true, true, false]);
}
