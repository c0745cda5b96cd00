//! The test vectors of the specification.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use uuid::Uuid;

use super::super::{Encoded, IdentityScheme, Inputs, encode};
use super::{form, hex};

#[derive(Serialize)]
struct Member {
    k: u8,
    a: Option<bool>,
    name: &'static str,
}

#[derive(Serialize)]
enum Shape {
    Dot,
    Disc(f64),
    Box(u8, u8),
    Named { r: u8 },
}

#[track_caller]
fn assert_form<T: Serialize + ?Sized>(value: &T, expected: &str) {
    assert_eq!(hex(&form(value)), expected.replace(' ', ""));
}

#[test]
fn encodings() {
    assert_form(&(), "00");
    assert_form(&false, "01");
    assert_form(&true, "02");
    assert_form(&0, "03 00");
    assert_form(&3, "03 01 03");
    assert_form(&256, "03 02 0100");
    assert_form(&u128::MAX, "03 10 ffffffffffffffffffffffffffffffff");
    assert_form(&-1, "04 01 01");
    assert_form(&i128::MIN, "04 10 80000000000000000000000000000000");
    assert_form(&0.0, "05 0000000000000000");
    assert_form(&1.5_f32, "05 3ff8000000000000");
    assert_form(&-f64::NAN, "05 7ff8000000000000");
    assert_form("k", "06 01 01 6b");
    assert_form(&'é', "06 01 02 c3a9");
    assert_form("", "06 00");
    assert_form(&[1, 0], "08 03 01 01 03 00 ff");
    assert_form(&(Some(1), None::<u8>), "08 03 01 01 00 ff");
    assert_form(
        &BTreeMap::from([("b", Some(1)), ("aa", None)]),
        "09 06 01 01 62 03 01 01 06 01 02 6161 00 ff",
    );
    assert_form(
        &Member {
            k: 3,
            a: None,
            name: "x",
        },
        "09 06 01 01 6b 03 01 03 06 01 04 6e616d65 06 01 01 78 ff",
    );
    assert_form(&Shape::Dot, "0a 01 03 446f74");
    assert_form(&Shape::Disc(2.0), "0b 01 04 44697363 05 4000000000000000");
    assert_form(&Shape::Box(1, 2), "0b 01 03 426f78 08 03 01 01 03 01 02 ff");
    assert_form(
        &Shape::Named { r: 1 },
        "0b 01 05 4e616d6564 09 06 01 01 72 03 01 01 ff",
    );
}

#[test]
fn none_alone_writes_nothing() {
    assert_eq!(encode(&None::<u8>, &mut Vec::new()), Ok(Encoded::Absent));
}

#[test]
fn types_with_a_text_form_are_texts() {
    let id = Uuid::from_u128(0x1234);
    assert_eq!(form(&id), form(&id.to_string()));
    let time = jiff::Timestamp::UNIX_EPOCH;
    assert_eq!(form(&time), form(&time.to_string()));
    assert_eq!(form(&std::path::Path::new("a/b")), form("a/b"));
    // What serde makes of a `Duration` is a struct.
    assert_eq!(
        form(&Duration::from_millis(1500)),
        form(&BTreeMap::from([("secs", 1), ("nanos", 500_000_000)]))
    );
}

#[test]
fn bytes_are_no_text_and_no_sequence() {
    struct Bytes;
    impl Serialize for Bytes {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_bytes(&[1, 0])
        }
    }
    assert_form(&Bytes, "07 01 02 0100");
}

#[test]
fn a_text_of_any_length_written_through_display_is_that_text() {
    for length in [0, 1, 255, 256, 70_000] {
        let text = "x".repeat(length);
        struct Shown<'a>(&'a str);
        impl Serialize for Shown<'_> {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self.0)
            }
        }
        assert_eq!(form(&(1, Shown(&text))), form(&(1, &text)));
    }
}

#[test]
fn a_failing_serialize_leaves_everything_as_it_was() {
    #[derive(Serialize)]
    struct Half {
        first: u8,
        #[serde(serialize_with = "fail")]
        second: u8,
    }
    fn fail<S: serde::Serializer>(_: &u8, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("no such luck"))
    }
    let half = Half {
        first: 1,
        second: 2,
    };

    let mut out = vec![7];
    assert_eq!(
        encode(&half, &mut out).unwrap_err().to_string(),
        "no such luck"
    );
    assert_eq!(out, [7]);

    let mut inputs = Inputs::default();
    inputs.push("k", &1).unwrap();
    let before = inputs.hash();
    inputs.push("half", &half).unwrap_err();
    inputs.push_unless("half", &half, &1).unwrap_err();
    inputs.push_unless("half", &1, &half).unwrap_err();
    inputs.push_members(&half).unwrap_err();
    inputs.push_members_unless(&half, &()).unwrap_err();
    inputs
        .push_members_unless(&BTreeMap::from([("k", 1)]), &half)
        .unwrap_err();
    inputs.push_members(&[1]).unwrap_err();
    inputs.push_members(&()).unwrap_err();
    inputs.push_members(&Shape::Named { r: 1 }).unwrap_err();
    inputs.push_members(&BTreeMap::from([(1, 2)])).unwrap_err();
    assert_eq!(inputs.hash(), before);
}

#[test]
fn hashes() {
    let mut inputs = Inputs::default();
    assert_eq!(
        hex(inputs.hash().as_bytes()),
        "bb66977455e97f607e401579bd28012d023965965f50201267dfb8b403928756"
    );
    inputs.push("k", &3).unwrap();
    inputs.push("test_ratio", &0.3).unwrap();
    inputs.push("seed", &0).unwrap();
    let hash = inputs.hash();
    assert_eq!(
        hex(hash.as_bytes()),
        "3f7ef3c5896cb60dbb0fa87f61b41169b7f666cfffa6f7033e7e59fa8b46662d"
    );

    let plain = IdentityScheme::new("iris", &[("load", 1)], 123).identity(&hash);
    assert_eq!(
        plain.to_string(),
        "8109f7e4a088e8ef55298b2578999117bb56cbba21b80f4da0c9b8d068cc8895"
    );
    assert_eq!(
        plain.id_run().to_string(),
        "8109f7e4-a088-88ef-9529-8b2578999117"
    );
    let versions = [("load", 2), ("fit", 1), ("score", 3)];
    let other = IdentityScheme::new("iris", &versions, 7).identity(&hash);
    assert_eq!(
        other.to_string(),
        "d5d73755abbee676d2329090ed8f3dbfbdf962e40e3c2eedc5da8a3c38624d28"
    );
}
