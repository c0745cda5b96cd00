//! The bytes of the format, as the module's text has them.

use uuid::Uuid;

use crate::sequence::chunks::{decode, encode};
use crate::value::{Bitmap, Column, ColumnData};

#[test]
fn a_file_has_these_bytes() {
    let text = ColumnData::Text(["", "é", "ab"].iter().collect());
    let columns = [
        Column::new("n", ColumnData::Int(vec![1, -2, 3])),
        Column::new(
            "b",
            ColumnData::Bool([true, false, true].into_iter().collect()),
        ),
        Column {
            validity: Some([false, true, true].into_iter().collect()),
            ..Column::new("t", text)
        },
        Column {
            validity: Some(Bitmap::filled(true, 3)),
            ..Column::new("f", ColumnData::Float(vec![0.0, 1.0, 2.0]))
        },
    ];
    let times = [10, 20, 30];
    let id = Uuid::from_u128(0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10);
    let mut out = Vec::new();
    encode::header(&mut out, id, "s", &columns).unwrap();
    let end_of_header = out.len();
    encode::chunk(&mut out, &columns, &times[..2], 0).unwrap();
    let end_of_first = out.len();
    encode::chunk(&mut out, &columns, &times, 2).unwrap();

    let mut header = (1..=16).collect::<Vec<u8>>();
    header.extend(b"\x01\0\0\0s\x04\0\0\0");
    header.extend(b"\x01\x01\0\0\0n\x03\x01\0\0\0b\x04\x01\0\0\0t\x02\x01\0\0\0f");
    let block = |payload: &[u8]| {
        let hash = blake3::hash(payload);
        let len = (payload.len() as u32).to_le_bytes();
        [&len, &hash.as_bytes()[..16], payload].concat()
    };
    let expected = [b"xp-rows\0\x01\0\0\0".to_vec(), block(&header)].concat();
    assert_eq!(out[..end_of_header], expected);

    let words = |words: &[u64]| {
        words
            .iter()
            .flat_map(|w| w.to_le_bytes())
            .collect::<Vec<_>>()
    };
    let first = [
        &words(&[0])[..],
        b"\x02\0\0\0",
        &words(&[10]),
        b"\x01\x0a",
        b"\0",
        &words(&[1]),
        b"\x08",
        &words(&[(-3_i64) as u64]),
        b"\0\x01",
        b"\x01\x02",
        b"\0\0\0\0\x02\0\0\0\xc3\xa9",
        b"\0",
        &words(&[0, 1.0_f64.to_bits()]),
    ]
    .concat();
    assert_eq!(out[end_of_header..end_of_first], block(&first));
    let second = [
        &words(&[2])[..],
        b"\x01\0\0\0",
        &words(&[30]),
        b"\x01",
        b"\0",
        &words(&[3]),
        b"\x01",
        b"\0\x01",
        b"\0",
        b"\x02\0\0\0ab",
        b"\0",
        &words(&[2.0_f64.to_bits()]),
    ]
    .concat();
    assert_eq!(out[end_of_first..], block(&second));

    let rows = decode::rows(&out).unwrap();
    assert_eq!((rows.id_run, rows.name.as_str()), (id, "s"));
    assert_eq!(rows.times, times);
    assert_eq!(rows.columns[..3], columns[..3]);
    assert_eq!(rows.columns[3].data, columns[3].data);
    assert_eq!(rows.columns[3].validity, None);
}
