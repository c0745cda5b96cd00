use super::*;
use crate::value::from_value;

/// A file of this header and data.
fn npy(header: &str, data: &[u8]) -> Vec<u8> {
    let mut npy = b"\x93NUMPY\x01\x00".to_vec();
    npy.extend_from_slice(&(header.len() as u16).to_le_bytes());
    npy.extend_from_slice(header.as_bytes());
    npy.extend_from_slice(data);
    npy
}

fn of(dtype: &str, shape: &str, data: &[u8]) -> Result<Array, ArrayError> {
    Array::from_npy(npy(
        &format!("{{'descr': {dtype}, 'fortran_order': False, 'shape': {shape}, }}\n"),
        data,
    ))
}

#[test]
fn what_is_made_is_what_numpy_writes() {
    let array = Array::from_vec(vec![1_i64, 2, 3]);
    let npy = array.as_npy();
    let header =
        b"\x93NUMPY\x01\x00v\x00{'descr': '<i8', 'fortran_order': False, 'shape': (3,), }  ";
    assert!(npy.starts_with(header));
    assert_eq!((npy.len(), npy[127]), (128 + 24, b'\n'));
    assert_eq!(Array::from_npy(npy.to_vec()), Ok(array));
}

#[test]
fn fortran_order_is_undone() {
    // [[0, 1, 2], [3, 4, 5]]
    let array = Array::from_slice(&[2, 3], Order::Fortran, &[0_i16, 3, 1, 4, 2, 5]).unwrap();
    assert_eq!(array.to_vec::<i16>().unwrap(), [0, 1, 2, 3, 4, 5]);
    assert_eq!(
        array.to_vec::<f64>().unwrap(),
        [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    );
    let rows: Vec<Vec<u8>> = from_value(Value::Array(array.clone())).unwrap();
    assert_eq!(rows, [[0, 1, 2], [3, 4, 5]]);
    assert!(array.items().eq((0..6).map(Value::from)));
    let cube =
        Array::from_slice(&[2, 3, 4], Order::Fortran, &(0..24).collect::<Vec<i32>>()).unwrap();
    let item = |i: i32, j: i32, k: i32| i + 2 * j + 6 * k;
    let expected: Vec<i32> = (0..24).map(|n| item(n / 12, n / 4 % 3, n % 4)).collect();
    assert_eq!(cube.to_vec::<i32>().unwrap(), expected);
}

#[test]
fn items_are_values() {
    let items = |dtype, data: &[u8]| of(dtype, "(1,)", data).unwrap().items().collect::<Vec<_>>();
    assert_eq!(items("'|b1'", &[1]), [Value::Bool(true)]);
    assert_eq!(items("'>i4'", &[0xff, 0xff, 0xff, 0xfe]), [Value::Int(-2)]);
    assert_eq!(items("'<u8'", &[0xff; 8]), [Value::from(u64::MAX)]);
    assert_eq!(items("'<f2'", &[0, 0x38]), [Value::Float(0.5)]);
    assert_eq!(items("'<U2'", b"\xe9\0\0\0\0\0\0\0"), ["é".into()]);
    assert_eq!(items("'>U1'", b"\0\0\0a"), ["a".into()]);
    assert_eq!(items("'|S3'", b"a\0\0"), [Value::Bytes(b"a".to_vec())]);
    let complex = Value::Tuple(vec![Value::Float(1.0), Value::Float(-2.0)]);
    assert_eq!(
        items("'<c8'", &[0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]),
        [complex]
    );
    assert_eq!(
        items("'<M8[ms]'", &2_i64.to_le_bytes()),
        [Value::DateTime64(Some(2000))]
    );
    assert_eq!(items("'<M8[ns]'", &2_i64.to_le_bytes()), [Value::Int(2)]);
    assert_eq!(
        items("'<M8[s]'", &i64::MIN.to_le_bytes()),
        [Value::DateTime64(None)]
    );
    assert_eq!(items("'<m8[s]'", &5_i64.to_le_bytes()), [Value::Int(5)]);
    let record = Value::Map(vec![
        ("x".into(), 1.into()),
        ("y".into(), Value::List(vec![2.into(), 3.into()])),
    ]);
    assert_eq!(
        items(
            "[('x', '|u1'), ('', '|V1'), (('t', 'y'), '|i1', (2,))]",
            &[1, 9, 2, 3]
        ),
        [record]
    );
}

#[test]
fn conversions_change_no_item() {
    let array = Array::from_vec(vec![1_i64, 300]);
    assert_eq!(array.to_vec::<u16>().unwrap(), [1, 300]);
    assert_eq!(
        array.to_vec::<u8>().unwrap_err().to_string(),
        "item 1 of the array is no u8: 300"
    );
    assert_eq!(
        array.to_vec::<bool>().unwrap_err().to_string(),
        "expected items of type bool, found an array of `<i8`"
    );
    assert!(Array::from_vec(vec![0.1_f64]).to_vec::<f32>().is_err());
    assert!(Array::from_vec(vec![i64::MAX]).to_vec::<f64>().is_err());
    assert!(Array::from_vec(vec![0.5_f64]).to_vec::<i64>().is_err());
    assert!(Array::from_vec(vec![f64::NAN]).to_vec::<f32>().unwrap()[0].is_nan());
}

#[test]
fn types_have_the_text_of_numpy() {
    for dtype in [
        "|b1", "|i1", "<i8", ">i4", "|u1", "<f2", "<c16", "<U3", ">U3", "|S3", "|V4", "<M8[us]",
        "<m8[25s]", "<M8",
    ] {
        let array = of(&format!("'{dtype}'"), "(0,)", &[]).unwrap();
        assert_eq!(array.dtype().to_string(), dtype);
    }
    let record = "[('x', '<i4'), ('y', '<f8', (2, 3))]";
    let array = of(record, "(0, 3)", &[]).unwrap();
    assert_eq!(array.dtype().to_string(), record);
    assert_eq!(array.dtype().size(), 52);
    assert_eq!(array.to_nested(), Value::List(vec![]));
}

#[test]
fn what_is_no_array_is_refused() {
    let refused =
        |dtype: &str, shape: &str, data: &[u8]| of(dtype, shape, data).unwrap_err().to_string();
    assert_eq!(
        refused("'|O'", "(1,)", &[0; 8]),
        "NumPy arrays of type `|O` are not supported"
    );
    let short = "malformed NumPy array: it has fewer items than its shape says";
    assert_eq!(refused("'<i8'", "(2,)", &[0; 8]), short);
    assert_eq!(refused("'<i8'", "(2305843009213693952,)", &[0; 8]), short);
    let absurd = "malformed NumPy array: an absurd shape";
    assert_eq!(
        refused("'<i8'", "(4294967296, 4294967296, 4294967296)", &[]),
        absurd
    );
    assert_eq!(refused("'|S0'", "(1000000000000,)", &[]), absurd);
    assert_eq!(refused("'<i8'", "(1000000000000, 0)", &[]), absurd);
    assert_eq!(
        refused("[('x', '<i8', (4294967296, 4294967296))]", "(1,)", &[]),
        absurd
    );
    for members in [
        "('a', '<i4', (1099511627776, 0))",
        "('a', '|S0', (1099511627776,))",
        "('a', [('b', '|S0', (1048576,))], (1048576,))",
        "('a', [], (1099511627776,))",
        "('a', '|S0', (1048576,)), ('b', '|S0', (2,))",
    ] {
        assert_eq!(refused(&format!("[{members}]"), "(1,)", &[]), absurd);
    }
    let empty = format!("[('x', '|u1'), {}]", "('', '|S0'), ".repeat(3_000));
    assert_eq!(refused(&empty, "(1000,)", &[0; 1000]), absurd);
    assert!(of(&empty, "(100,)", &[0; 100]).is_ok());
    // Each item, as a map, has its own copy of the names.
    let named = format!("[('{}', '|u1')]", "x".repeat(60_000));
    assert_eq!(refused(&named, "(1000000,)", &[0; 1_000_000]), absurd);
    assert!(of(&named, "(1000,)", &[0; 1000]).is_ok());
    assert!(of("'<i8'", "(-1,)", &[]).is_err());
    assert!(of("'<i3'", "(1,)", &[0; 3]).is_err());
    assert!(of("'<i8'", &format!("({})", "1, ".repeat(65)), &[0; 8]).is_err());
    let good = npy(
        "{'descr': '<i8', 'fortran_order': False, 'shape': (1,), }\n",
        &[0; 8],
    );
    for len in 0..good.len() {
        assert!(Array::from_npy(good[..len].to_vec()).is_err(), "{len}");
    }
    // A header that says to be 4 GiB long.
    assert!(Array::from_npy(b"\x93NUMPY\x02\x00\xff\xff\xff\xff{}".to_vec()).is_err());
}

#[test]
fn items_may_have_parts_without_bytes() {
    let members =
        "[('x', '|u1'), ('none', '<i4', (2, 0)), ('', '|V0'), ('s', '|S0', (2,)), ('m', [])]";
    let item = Value::Map(vec![
        ("x".into(), 1.into()),
        ("none".into(), Value::List(vec![Value::List(vec![]); 2])),
        ("s".into(), Value::List(vec![Value::Bytes(vec![]); 2])),
        ("m".into(), Value::Map(vec![])),
    ]);
    let array = of(members, "(1,)", &[1]).unwrap();
    assert!(array.items().eq([item]));
    // As many values as there are bytes are no question.
    let members = "[('x', '|u1', (2,)), ('y', [('z', '|b1')], (1, 2))]";
    let array = of(members, "(1000000,)", &[1; 4_000_000]).unwrap();
    assert_eq!(array.len(), 1_000_000);
}

#[test]
fn an_array_without_dimensions_is_one_item() {
    let array = of("'<i8'", "()", &5_i64.to_le_bytes()).unwrap();
    assert_eq!((array.len(), array.shape()), (1, &[][..]));
    assert_eq!(array.to_vec::<i64>().unwrap(), [5]);
    assert_eq!(from_value::<u8>(Value::Array(array)).unwrap(), 5);
}
