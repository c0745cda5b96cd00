use crate::datapak::{DatapakError, decode, decode_sequence, encode, encode_sequence};
use crate::value::{Column, ColumnData, Frame, Temporal, Texts, Value};

/// Columns of the types that sequences have, with and without nulls.
pub(super) fn columns(rows: usize) -> Vec<Column> {
    let n = rows as i64;
    let mut maybe = Column::new("maybe", ColumnData::Float(vec![]));
    let mut name = Column::new("name", ColumnData::Text(Texts::new()));
    for i in 0..rows {
        if i % 3 == 1 {
            maybe.push_null();
        } else if let ColumnData::Float(items) = &mut maybe.data {
            items.push(i as f64 / 2.0);
            if let Some(validity) = &mut maybe.validity {
                validity.push(true);
            }
        }
        if i == 8 {
            name.push_null();
        } else if let ColumnData::Text(items) = &mut name.data {
            items.push(&"é".repeat(i % 5));
            if let Some(validity) = &mut name.validity {
                validity.push(true);
            }
        }
    }
    let times = (0..n).map(|i| i * 1_000_000_007).collect();
    vec![
        Column::new("idx", ColumnData::Int((0..n).collect())),
        Column::new(
            "timestamp",
            ColumnData::Temporal(Temporal::TIMESTAMP, times),
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
    ]
}

#[test]
fn sequences_come_back() {
    for rows in [0, 9] {
        let columns = columns(rows);
        let bytes = encode_sequence(&columns);
        let frame = Frame::new(&columns).unwrap();
        assert_eq!(encode(&Value::Sequence(frame.clone())).unwrap(), bytes);
        assert_eq!(decode(&bytes), Ok(Value::Sequence(frame.clone())));
        assert_eq!(decode_sequence(&bytes), Ok(frame));
    }
    assert!(matches!(
        decode_sequence(&encode(&Value::Null).unwrap()),
        Err(DatapakError::Payload { .. })
    ));
}
