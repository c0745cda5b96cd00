use crate::datapak::{
    Bitmap, Column, ColumnData, DatapakError, Frame, Item, Texts, decode, decode_sequence, encode,
    encode_sequence, from_arrow_file, sequence_from_value, sequence_to_value, to_arrow_file,
};
use crate::value::Value;

/// A frame of every type of column, with and without nulls.
pub(super) fn frame(rows: usize) -> Frame {
    let n = rows as i64;
    let mut maybe = Column::new("maybe", ColumnData::Float(vec![]));
    let mut name = Column::new("name", ColumnData::Text(Texts::new()));
    for i in 0..rows {
        maybe
            .push(if i % 3 == 1 {
                Item::Null
            } else {
                Item::Float(i as f64 / 2.0)
            })
            .unwrap();
        let text = "é".repeat(i % 5);
        name.push(if i == 8 {
            Item::Null
        } else {
            Item::Text(&text)
        })
        .unwrap();
    }
    Frame {
        columns: vec![
            Column::new("idx", ColumnData::Int((0..n).collect())),
            Column::new(
                "timestamp",
                ColumnData::Timestamp((0..n).map(|i| i * 1_000_000_007).collect()),
            ),
            Column::new(
                "even",
                ColumnData::Bool((0..n).map(|i| i % 2 == 0).collect()),
            ),
            Column::new(
                "täxt",
                ColumnData::Text((0..n).map(|i| i.to_string()).collect()),
            ),
            maybe,
            name,
        ],
    }
}

#[test]
fn frames_come_back() {
    for rows in [0, 1, 7, 8, 9, 64, 1000] {
        let frame = frame(rows);
        assert_eq!(from_arrow_file(&to_arrow_file(&frame)), Ok(frame));
    }
    assert_eq!(
        from_arrow_file(&to_arrow_file(&Frame::default())),
        Ok(Frame::default())
    );
}

#[test]
fn the_bounds_of_a_file_are_arrow_s() {
    let bytes = to_arrow_file(&frame(3));
    assert!(bytes.starts_with(b"ARROW1\0\0\xff\xff\xff\xff") && bytes.ends_with(b"ARROW1"));
}

#[test]
fn sequences_come_back() {
    for rows in [0, 9] {
        let frame = frame(rows);
        let bytes = encode_sequence(&frame);
        assert_eq!(encode(&sequence_to_value(&frame)).unwrap(), bytes);
        assert_eq!(
            sequence_from_value(&decode(&bytes).unwrap()),
            Ok(frame.clone())
        );
        assert_eq!(decode_sequence(&bytes), Ok(frame));
    }
    assert!(matches!(
        decode_sequence(&encode(&Value::Null).unwrap()),
        Err(DatapakError::Payload { .. })
    ));
    assert!(matches!(
        sequence_from_value(&Value::Null),
        Err(DatapakError::Payload { .. })
    ));
}

#[test]
fn short_columns_end_in_nulls() {
    let mut short = Column::new("short", ColumnData::Text(["a", "b"].iter().collect()));
    short.validity = Some(Bitmap::filled(false, 1));
    let columns = vec![Column::new("idx", ColumnData::Int(vec![0, 1, 2])), short];
    let read = from_arrow_file(&to_arrow_file(&Frame { columns })).unwrap();
    let items: Vec<Item<'_>> = read.columns[1].iter().collect();
    assert_eq!(items, [Item::Null, Item::Text("b"), Item::Null]);
    assert_eq!(read.columns[1].null_count(), 2);
    assert_eq!(read.columns[0].validity, None);
}

#[test]
fn nan_is_not_null() {
    let columns = vec![Column::new("x", ColumnData::Float(vec![f64::NAN]))];
    let read = from_arrow_file(&to_arrow_file(&Frame { columns })).unwrap();
    assert!(matches!(read.columns[0].get(0), Some(Item::Float(x)) if x.is_nan()));
}

#[test]
fn items_of_another_type_are_refused() {
    let mut column = Column::new("x", ColumnData::Int(vec![]));
    let error = column.push(Item::Text("a")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the column `x` holds integers, not texts"
    );
    assert_eq!(column.len(), 0);
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
