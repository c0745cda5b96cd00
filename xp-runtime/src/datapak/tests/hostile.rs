//! Bytes from elsewhere: they are refused, and never more.

use std::io::Write;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::frames::columns;
use super::hex;
use crate::datapak::{DatapakError, decode, decode_sequence, encode, encode_sequence};
use crate::value::Value;
use crate::value::strategies::value;

fn malformed(bytes: &[u8]) {
    assert!(
        matches!(decode(bytes), Err(DatapakError::Malformed { .. })),
        "{:?}",
        decode(bytes)
    );
}

#[test]
fn forbidden_opcodes_are_refused() {
    // GLOBAL, STACK_GLOBAL, REDUCE, BINPUT, LONG4, persistent ids.
    for text in [
        "63 6f730a",
        "8c016f 8c0173 93",
        "4e 29 52",
        "4e 7100",
        "8b01000000 01",
        "50 310a",
        "4e51",
    ] {
        let bytes = hex(&format!("8004 {text} 2e"));
        assert!(
            matches!(decode(&bytes), Err(DatapakError::Opcode { .. })),
            "{text}: {:?}",
            decode(&bytes)
        );
    }
    assert!(matches!(
        decode(&hex("80048f91 2e")),
        Err(DatapakError::Opcode { .. } | DatapakError::Unsupported { .. })
    ));
}

#[test]
fn opcodes_are_checked_before_any_is_executed() {
    // The first opcode is malformed, but the last one counts; and what is made of the others is never made.
    let mut bytes = b"\x80\x04a".to_vec();
    bytes.resize(1 << 20, b']');
    bytes.extend_from_slice(b"cos\nsystem\n(\x8c\x02idtR.");
    assert_eq!(
        decode(&bytes),
        Err(DatapakError::Opcode {
            opcode: b'c',
            at: 1 << 20
        })
    );
    const ALLOWED: &[u8] =
        b"\x80\x95.N\x88\x89IJKML\x8aFGV\x8cX\x8dSTUCB\x8e\x96]ael)t\x85\x86\x87}ds\
        u\x8f\x90\x91(021ghjpr\x94";
    for opcode in 0..=u8::MAX {
        let refused = matches!(
            decode(&[b'N', opcode]),
            Err(DatapakError::Opcode { at: 1, .. })
        );
        assert_eq!(refused, !ALLOWED.contains(&opcode), "0x{opcode:02x}");
    }
}

#[test]
fn what_is_large_is_refused_or_read() {
    let repeated = |head: &[u8], middle: &[u8], tail: &[u8]| {
        let mut bytes = head.to_vec();
        (0..100_000).for_each(|_| bytes.extend_from_slice(middle));
        bytes.extend_from_slice(tail);
        bytes
    };
    let cases = [
        repeated(b"", b"]", b"."),
        repeated(b"]", b"(", b"."),
        repeated(b"", b"(l", b"."),
        repeated(b"", b"]0", b"N."),
        repeated(b"", b"(1", b"N."),
        repeated(b"N", b"2", b"."),
        repeated(b"N", b"\x94", b"."),
        repeated(b"Nr\xff\xff\xff\xff", b"\x94", b"."),
        repeated(b"](", b"(N", b"e."),
        repeated(b"]", b"(Ne", b"."),
        repeated(b"", b"\x95\0\0\0\0\0\0\0\0", b"N."),
    ];
    for bytes in cases {
        match decode(&bytes) {
            Ok(Value::Null) | Err(DatapakError::Malformed { .. }) => {}
            Ok(Value::List(items)) => assert!(items.len() <= 100_000),
            other => panic!("{other:?}"),
        }
    }
    for (open, close) in [(&b"]"[..], &b"a"[..]), (b"", b"\x85"), (b"(", b"t")] {
        let mut bytes = b"\x80\x04".to_vec();
        (0..50_000).for_each(|_| bytes.extend_from_slice(open));
        bytes.push(b'N');
        (0..50_000).for_each(|_| bytes.extend_from_slice(close));
        bytes.push(b'.');
        assert_eq!(decode(&bytes), Err(DatapakError::TooDeep));
    }
}

#[test]
fn nonsense_is_malformed() {
    malformed(b".");
    malformed(b"\x80\x06N.");
    malformed(b"(.");
    malformed(b"N(0.a.");
    malformed(b"Na.");
    malformed(b"NNa.");
    malformed(b"}(Nu.");
    malformed(b"h\x00.");
    malformed(b"t.");
    malformed(b"(\x85.");
    malformed(b"X\x01\0\0\0\xff.");
    malformed(b"N.N");
    malformed(b"I1x\n.");
}

#[test]
fn lengths_are_bounded_by_the_input() {
    for bytes in [
        &b"\x8e\xff\xff\xff\xff\xff\xff\xff\xff."[..],
        b"B\xff\xff\xff\xff.",
        b"\x95\xff\xff\xff\xff\0\0\0\0N.",
    ] {
        assert!(matches!(decode(bytes), Err(DatapakError::Truncated { .. })));
    }
}

#[test]
fn sharing_does_not_explode() {
    // A list that holds the one before twice, 100 times over: 2^100 elements.
    let mut bytes = b"\x80\x04]".to_vec();
    for _ in 0..100 {
        bytes.extend_from_slice(b"\x940](h");
        bytes.push((bytes.iter().filter(|b| **b == 0x94).count() - 1) as u8);
        bytes.push(b'h');
        bytes.push(bytes[bytes.len() - 2]);
        bytes.push(b'e');
    }
    bytes.push(b'.');
    assert_eq!(decode(&bytes), Err(DatapakError::TooLarge));
    // The same with tuples in half a kilobyte, which as values would take tens of megabytes.
    let mut bytes = b"\x80\x04)".to_vec();
    (0..20).for_each(|_| bytes.extend_from_slice(b"2\x86"));
    bytes.push(b'.');
    assert_eq!(decode(&bytes), Err(DatapakError::TooLarge));
    // A text of 64 KiB, 100,000 times.
    let mut bytes = b"\x80\x04X\0\0\x01\0".to_vec();
    bytes.extend(std::iter::repeat_n(b'x', 1 << 16));
    bytes.extend_from_slice(b"\x940](");
    bytes.extend(b"h\0".iter().copied().cycle().take(200_000));
    bytes.extend_from_slice(b"e.");
    assert_eq!(decode(&bytes), Err(DatapakError::TooLarge));
}

#[test]
fn containers_have_no_room_to_spare() {
    // A vector that grows has room for four, which for many tuples of one is four times what they were counted as.
    let Ok(Value::List(items)) = decode(b"\x80\x04](N\x85N\x85N\x85N\x85N\x85e.") else {
        panic!("no list");
    };
    assert_eq!((items.len(), items.capacity()), (5, 5));
    for item in items {
        let Value::Tuple(item) = item else {
            panic!("no tuple");
        };
        assert_eq!((item.len(), item.capacity()), (1, 1));
    }
}

#[test]
fn compressed_pickles_are_limited_by_what_is_stored() {
    let zlib = |pickle: &[u8]| {
        let level = flate2::Compression::default();
        let mut encoder = flate2::write::ZlibEncoder::new(b"C01".to_vec(), level);
        encoder.write_all(pickle).unwrap();
        encoder.finish().unwrap()
    };
    // Each takes 4 MB when it is decompressed, and would take hundreds when it is read.
    const MANY: usize = 4_000_000;
    for (head, op, tail) in [("", b']', "."), ("N", b'2', "."), ("N(", b'N', "t.")] {
        let mut pickle = head.as_bytes().to_vec();
        pickle.resize(MANY, op);
        pickle.extend_from_slice(tail.as_bytes());
        let stored = zlib(&pickle);
        assert!(stored.len() < 50_000, "{}", stored.len());
        assert_eq!(decode(&stored), Err(DatapakError::TooLarge), "{op}");
    }
    // A list of a million numbers is no question.
    let mut pickle = b"](".to_vec();
    (0..1_000_000).for_each(|_| pickle.extend_from_slice(b"G\0\0\0\0\0\0\0\0"));
    pickle.extend_from_slice(b"e.");
    let Ok(Value::List(floats)) = decode(&zlib(&pickle)) else {
        panic!("no list");
    };
    assert_eq!(floats.len(), 1_000_000);
}

#[test]
fn cycles_are_too_deep() {
    assert_eq!(decode(b"\x80\x04]\x94h\x00a."), Err(DatapakError::TooDeep));
    assert_eq!(decode(b"\x80\x04}\x94Nh\x00s."), Err(DatapakError::TooDeep));
}

/// Bytes with some of them replaced.
fn mutate(bytes: &mut [u8], changes: &[(Index, u8)]) {
    for (index, byte) in changes {
        if !bytes.is_empty() {
            let at = index.index(bytes.len());
            bytes[at] = *byte;
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..200)) {
        let _ = decode(&bytes);
    }

    #[test]
    fn any_opcodes_are_read_or_refused(
        ops in vec(proptest::sample::select(&b"\x80\x05.N\x88\x89K\x01]ael)t\x85\x86\x87}dsu\x8f\x90(012\x94h\x00h\x01I1\nVx\ng0\np1\n"[..]), 0..60)
    ) {
        let mut bytes = ops;
        bytes.push(b'.');
        let _ = decode(&bytes);
    }

    #[test]
    fn mutated_pickles_are_read_or_refused(value in value(), changes in vec((any::<Index>(), any::<u8>()), 1..4)) {
        let mut bytes = encode(&value).unwrap();
        mutate(&mut bytes, &changes);
        let _ = decode(&bytes);
        let _ = decode(&bytes[..bytes.len() / 2]);
    }

    #[test]
    fn mutated_frames_are_read_or_refused(
        rows in 0usize..20,
        changes in vec((any::<Index>(), prop_oneof![any::<u8>(), 0u8..9, Just(0xff)]), 1..6),
    ) {
        let mut bytes = encode_sequence(&columns(rows));
        mutate(&mut bytes, &changes);
        let _ = decode_sequence(&bytes).map(|frame| frame.columns());
    }
}
