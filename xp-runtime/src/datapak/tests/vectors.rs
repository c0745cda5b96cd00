//! Bytes as `mltraq` writes them (its serializer with CPython's C pickler, protocol 5), and what they mean.

use proptest::prelude::*;

use super::hex;
use crate::datapak::{DatapakError, decode, encode};
use crate::value::strategies::value;
use crate::value::{Array, MAX_DEPTH, StoreUrl, Value};

/// The value of a pickle of protocol 5 with this body, in a frame of its own.
fn body(text: &str) -> Result<Value, DatapakError> {
    let body = hex(&format!("{text} 2e"));
    let mut bytes = hex("8005 95");
    bytes.extend_from_slice(&(body.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&body);
    decode(&bytes)
}

fn ints(items: impl IntoIterator<Item = i64>) -> Vec<Value> {
    items.into_iter().map(Value::from).collect()
}

#[test]
fn scalars() {
    assert_eq!(decode(&hex("80054e2e")), Ok(Value::Null));
    assert_eq!(decode(&hex("8005882e")), Ok(true.into()));
    assert_eq!(decode(&hex("8005892e")), Ok(false.into()));
    assert_eq!(decode(&hex("80054b012e")), Ok(1.into()));
    assert_eq!(
        decode(&hex("8005 9504000000 00000000 4d2c01 2e")),
        Ok(300.into())
    );
    assert_eq!(body("4a70110100"), Ok(70000.into()));
    assert_eq!(body("4affffffff"), Ok((-1).into()));
    assert_eq!(body("8a05 0000008000"), Ok((1i64 << 31).into()));
    assert_eq!(body("8a09 000000000000008000"), Ok((1i128 << 63).into()));
    assert_eq!(body("8a00"), Ok(0.into()));
    assert_eq!(
        body("8a11 ffffffffffffffffffffffffffffffff ff"),
        Ok((-1).into())
    );
    assert_eq!(body("47 3ff8000000000000"), Ok(1.5.into()));
    assert_eq!(body("8c02c3a9 94"), Ok("é".into()));
    assert_eq!(body("43026162 94"), Ok(Value::Bytes(b"ab".to_vec())));
    assert_eq!(
        decode(&hex("8005950a00000000000000477ff80000000000002e")),
        Ok(f64::NAN.into())
    );
}

#[test]
fn containers() {
    assert_eq!(body("29"), Ok(Value::Tuple(vec![])));
    assert_eq!(body("4b01 85 94"), Ok(Value::Tuple(ints([1]))));
    assert_eq!(body("4b014b02 86 94"), Ok(Value::Tuple(ints([1, 2]))));
    assert_eq!(
        body("4b014b024b03 87 94"),
        Ok(Value::Tuple(ints([1, 2, 3])))
    );
    assert_eq!(
        body("28 4b014b024b034b04 74 94"),
        Ok(Value::Tuple(ints([1, 2, 3, 4])))
    );
    assert_eq!(body("5d94"), Ok(Value::List(vec![])));
    assert_eq!(body("5d94 4b07 61"), Ok(Value::List(ints([7]))));
    assert_eq!(body("5d94 28 4b014b02 65"), Ok(Value::List(ints([1, 2]))));
    assert_eq!(body("8f94"), Ok(Value::Set(vec![])));
    assert_eq!(body("8f94 28 4b01 90"), Ok(Value::Set(ints([1]))));
    assert_eq!(
        body("7d94 8c0161 94 4b01 73"),
        Ok(Value::Map(vec![("a".into(), 1.into())]))
    );
    let two = Value::Map(vec![("a".into(), 1.into()), (2.into(), Value::Null)]);
    assert_eq!(body("7d94 28 8c0161 94 4b01 4b02 4e 75"), Ok(two));
    assert_eq!(body("5d94 28 8c0178 94 6801 65"), Ok(vec!["x", "x"].into()));
}

#[test]
fn complex_values() {
    let bunch = "8005 95 3300000000000000 7d94 28 8c09 444154415041 4b2d30 94 8c0e 6d6c747261712e42756e63682d30 94
        8c05 76616c7565 94 7d94 8c01 61 94 4b01 73 75 2e";
    let bunch = decode(&hex(&bunch.replace('\n', " ")));
    assert_eq!(bunch, Ok(Value::Bunch(vec![("a".into(), 1.into())])));

    let dict = |kind: &str, value: Value| {
        let plain = Value::Map(vec![
            ("DATAPAK-_".into(), kind.into()),
            ("value".into(), value),
        ]);
        let mut bytes = encode(&plain).unwrap();
        let at = bytes
            .windows(9)
            .position(|window| window == b"DATAPAK-_")
            .unwrap();
        bytes[at + 8] = b'0';
        decode(&bytes)
    };
    let uuid = uuid::Uuid::from_u128(0x00112233445566778899aabbccddeeff);
    assert_eq!(
        dict("uuid.UUID-0", "00112233445566778899aabbccddeeff".into()),
        Ok(Value::Uuid(uuid))
    );
    assert_eq!(
        dict("numpy.datetime64-0", 5.into()),
        Ok(Value::DateTime64(Some(5)))
    );
    assert_eq!(
        dict("numpy.datetime64-0", i64::MIN.into()),
        Ok(Value::DateTime64(None))
    );
    let array = Array::from_vec(vec![1_u8]);
    let npy = Value::Bytes(array.as_npy().to_vec());
    assert_eq!(dict("numpy.ndarray-0", npy), Ok(Value::Array(array)));
    assert!(matches!(
        dict("numpy.ndarray-0", Value::Bytes(vec![1])),
        Err(DatapakError::Array(_))
    ));
    assert!(matches!(
        dict("pandas.DataFrame-0", Value::Bytes(vec![1])),
        Err(DatapakError::Frame(_))
    ));
    assert_eq!(
        dict("mltraq.DataStore-0", "file:///a/b".into()),
        Ok(Value::DataStore(StoreUrl::new("file:///a/b")))
    );
    assert_eq!(
        dict("some.Type-9", 1.into()),
        Err(DatapakError::UnknownKind {
            kind: "some.Type-9".into()
        })
    );
    assert!(matches!(
        dict("uuid.UUID-0", "0011".into()),
        Err(DatapakError::Payload { .. })
    ));
    assert!(matches!(
        dict("mltraq.Bunch-0", 1.into()),
        Err(DatapakError::Payload { .. })
    ));
    // A bunch with keys that are no texts is kept as it is.
    let odd = vec![(1.into(), 2.into())];
    let kept = dict("mltraq.Bunch-0", Value::Map(odd.clone())).unwrap();
    assert_eq!(kept, Value::KeyedBunch(odd));
    assert_eq!(decode(&encode(&kept).unwrap()), Ok(kept));
}

#[test]
fn texts_of_protocol_0() {
    assert_eq!(decode(b"I01\n."), Ok(true.into()));
    assert_eq!(decode(b"I00\n."), Ok(false.into()));
    assert_eq!(decode(b"I-7\n."), Ok((-7).into()));
    assert_eq!(
        decode(b"L12345678901234567890L\n."),
        Ok(12345678901234567890u64.into())
    );
    assert_eq!(decode(b"F1.5e3\n."), Ok(1500.0.into()));
    assert_eq!(decode(b"Finf\n."), Ok(f64::INFINITY.into()));
    assert_eq!(
        decode(b"Va\xe9\\u65e5\\U0001f600\\u005c\np0\n."),
        Ok("aé日😀\\".into())
    );
    assert_eq!(decode(b"S'it\\'s\\x41\\n'\n."), Ok("it'sA\n".into()));
    assert_eq!(decode(b"(lp0\nI1\naI2\nag0\n0."), Ok(vec![1, 2].into()));
    assert_eq!(decode(b"(I1\nI2\nl."), Ok(vec![1, 2].into()));
    assert_eq!(
        decode(b"(dp0\nVa\nI1\ns."),
        Ok(Value::Map(vec![("a".into(), 1.into())]))
    );
    assert_eq!(
        decode(b"(I1\nI2\nd."),
        Ok(Value::Map(vec![(1.into(), 2.into())]))
    );
}

#[test]
fn what_is_written_is_short_and_allowed() {
    assert_eq!(encode(&Value::Null).unwrap(), hex("80044e2e"));
    assert_eq!(encode(&300.into()).unwrap(), hex("80044d2c012e"));
    assert_eq!(
        encode(&(1i64 << 31).into()).unwrap(),
        hex("80048a0500000080002e")
    );
    assert_eq!(
        encode(&(-(1i64 << 31) - 1).into()).unwrap(),
        hex("80048a05ffffff7fff2e")
    );
    assert_eq!(
        encode(&(1i128 << 63).into()).unwrap(),
        hex("80048a090000000000000080002e")
    );
    assert_eq!(
        encode(&i128::MIN.into()).unwrap(),
        hex("80048a10000000000000000000000000000000802e")
    );
    assert_eq!(
        encode(&vec![1, 2].into()).unwrap(),
        hex("80045d284b014b02652e")
    );
    assert_eq!(
        encode(&Value::Set(ints([1]))).unwrap(),
        hex("80048f284b01902e")
    );
}

#[test]
fn integers_beyond_128_bits_are_kept() {
    let bytes = hex("8004 8a11 0000000000000000000000000000000001 2e");
    let value = decode(&bytes).unwrap();
    assert!(
        matches!(&value, Value::BigInt(x) if x.as_le_bytes().len() == 17),
        "{value:?}"
    );
    assert_eq!(encode(&value).unwrap(), bytes);
}

#[test]
fn what_python_could_not_read_is_not_written() {
    let map = |key: Value| Value::Map(vec![(key, 1.into())]);
    assert_eq!(
        encode(&map("DATAPAK-0".into())),
        Err(DatapakError::ReservedKey)
    );
    assert_eq!(
        encode(&Value::Bunch(vec![("DATAPAK-0".into(), 1.into())])),
        Err(DatapakError::ReservedKey)
    );
    let unhashable = |what| Err(DatapakError::Unhashable { what });
    assert_eq!(encode(&map(vec![1].into())), unhashable("a list"));
    assert_eq!(
        encode(&map(Value::Tuple(vec![vec![1].into()]))),
        unhashable("a list")
    );
    assert_eq!(
        encode(&Value::Set(vec![Value::Uuid(uuid::Uuid::nil())])),
        unhashable("a UUID")
    );
    let date = jiff::civil::date(2024, 1, 2).into();
    assert_eq!(
        encode(&Value::List(vec![date])),
        Err(DatapakError::Unsupported { what: "a date" })
    );
}

#[test]
fn depth_is_bounded_alike_in_both_directions() {
    let nested = |depth: usize| (0..depth).fold(Value::Null, |inner, _| Value::List(vec![inner]));
    let deepest = nested(MAX_DEPTH);
    assert_eq!(decode(&encode(&deepest).unwrap()), Ok(deepest));
    assert_eq!(encode(&nested(MAX_DEPTH + 1)), Err(DatapakError::TooDeep));
    let mut bytes = vec![0x80, 4];
    bytes.extend(std::iter::repeat_n(b']', 1_000_000));
    bytes.extend(std::iter::repeat_n(b'a', 999_999));
    bytes.push(b'.');
    assert_eq!(decode(&bytes), Err(DatapakError::TooDeep));
}

proptest! {
    #[test]
    fn values_come_back(value in value()) {
        let bytes = encode(&value).unwrap();
        prop_assert_eq!(decode(&bytes), Ok(value));
    }
}
