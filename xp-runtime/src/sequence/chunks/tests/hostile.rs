//! Files that are cut off, damaged, or made up.

use proptest::prelude::*;
use uuid::Uuid;

use super::mixed;
use crate::sequence::Buffer;
use crate::sequence::chunks::decode::{self, ChunkError};
use crate::sequence::chunks::encode;
use crate::sequence::chunks::tests::Mixed;
use crate::value::{Column, ColumnData};

/// A file with chunks of these lengths, where each of them ends, and its rows.
fn file(lengths: &[usize]) -> (Vec<u8>, Vec<(usize, usize)>, Vec<Column>) {
    let mut buffer = Buffer::of::<Mixed>("mixed").unwrap();
    let mut out = Vec::new();
    let (columns, times) = buffer.columns_and_times();
    encode::header(&mut out, Uuid::max(), "mixed", columns).unwrap();
    let mut ends = vec![(out.len(), times.len())];
    for len in lengths {
        let first = buffer.len();
        (first..first + len).for_each(|i| buffer.append(&mixed(i)));
        let (columns, times) = buffer.columns_and_times();
        encode::chunk(&mut out, columns, times, first).unwrap();
        ends.push((out.len(), buffer.len()));
    }
    (out, ends, buffer.columns_and_times().0.to_vec())
}

/// Whether these are the first rows of those.
fn is_prefix(found: &[Column], all: &[Column]) -> bool {
    found.len() == all.len()
        && found.iter().zip(all).all(|(found, all)| {
            found.name == all.name
                && found
                    .iter()
                    .zip(all.iter())
                    .all(|(a, b)| format!("{a:?}") == format!("{b:?}"))
        })
}

#[test]
fn a_file_that_ends_anywhere_has_the_rows_of_its_whole_chunks() {
    let (bytes, ends, all) = file(&[3, 1, 17, 8]);
    for len in 0..=bytes.len() {
        let whole = ends.iter().rev().find(|(end, _)| *end <= len);
        match (decode::rows(&bytes[..len]), whole) {
            (Ok(rows), Some((_, expected))) => {
                assert_eq!(rows.times.len(), *expected);
                assert!(rows.columns.iter().all(|c| c.len() == *expected));
                assert!(is_prefix(&rows.columns, &all));
            }
            (Err(ChunkError::NoHeader), None) => {}
            (found, _) => panic!("{len}: {found:?}"),
        }
    }
}

#[test]
fn a_chunk_that_stands_twice_or_elsewhere_ends_the_rows() {
    let (bytes, ends, _) = file(&[3, 3, 3]);
    let part = |i: usize| &bytes[ends[i].0..ends[i + 1].0];
    let header = &bytes[..ends[0].0];
    let twice = [header, part(0), part(0), part(1)].concat();
    assert_eq!(decode::rows(&twice).unwrap().times.len(), 3);
    let swapped = [header, part(1), part(0)].concat();
    assert_eq!(decode::rows(&swapped).unwrap().times.len(), 0);
}

proptest! {
    #[test]
    fn integers_of_any_size_are_read_back(
        columns in prop::collection::vec(
            prop_oneof![any::<i64>(), -70_000_i64..70_000, 0_i64..300],
            1..50,
        ),
        step in prop_oneof![Just(0_u64), 0_u64..300, 0_u64..100_000, any::<u64>()],
    ) {
        let rising: Vec<_> = (0..columns.len() as u64).map(|i| step.wrapping_mul(i) as i64).collect();
        let any = vec![Column::new("any", ColumnData::Int(columns))];
        let mut out = Vec::new();
        encode::header(&mut out, Uuid::max(), "x", &any).unwrap();
        encode::chunk(&mut out, &any, &rising, 0).unwrap();
        let rows = decode::rows(&out).unwrap();
        prop_assert_eq!(rows.columns, any);
        prop_assert_eq!(rows.times, rising);
    }

    #[test]
    fn a_damaged_file_has_some_of_the_first_rows_or_none(
        lengths in prop::collection::vec(1_usize..40, 0..5),
        flips in prop::collection::vec((any::<prop::sample::Index>(), 1_u8..), 1..4),
    ) {
        let (mut bytes, ends, all) = file(&lengths);
        let whole = bytes.clone();
        for (at, flip) in flips {
            bytes[at.index(whole.len())] ^= flip;
        }
        if let Ok(rows) = decode::rows(&bytes) {
            let intact = bytes.iter().zip(&whole).take_while(|(a, b)| a == b).count();
            let expected = ends.iter().rev().find(|(end, _)| *end <= intact);
            prop_assert_eq!(Some(rows.times.len()), expected.map(|(_, rows)| *rows));
            prop_assert!(is_prefix(&rows.columns, &all));
        }
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode::rows(&bytes);
        let (header, ..) = file(&[]);
        let rows = decode::rows(&[&header[..], &bytes].concat());
        prop_assert_eq!(rows.map(|rows| rows.times.len()).ok(), Some(0));
    }

    /// Also where the hash is that of the payload.
    #[test]
    fn any_payload_is_read_without_a_panic(
        payload in prop::collection::vec(any::<u8>(), 0..200),
        rows in prop_oneof![0_u32..20, Just(u32::MAX), any::<u32>()],
        columns in prop_oneof![0_u32..5, Just(u32::MAX)],
    ) {
        let block = |start: &[u8]| {
            let mut out = Vec::new();
            encode::block(&mut out, |out| {
                out.extend_from_slice(start);
                out.extend_from_slice(&payload);
                Ok(())
            }).unwrap();
            out
        };
        let (header, ..) = file(&[]);
        let chunk = block(&[&[0; 8][..], &rows.to_le_bytes()].concat());
        let read = decode::rows(&[&header[..], &chunk].concat()).unwrap();
        prop_assert!(read.columns.iter().all(|c| c.len() == read.times.len()));

        let mut made_up = header[..12].to_vec();
        let named = [&[0; 16][..], &1_u32.to_le_bytes(), b"x", &columns.to_le_bytes()].concat();
        made_up.extend(block(&named));
        made_up.extend(chunk);
        if let Ok(read) = decode::rows(&made_up) {
            let times = vec![i64::MAX; read.times.len()];
            // Nor is what is made of them a panic, whatever the times are.
            let _ = crate::datapak::encode_sequence(&crate::sequence::buffer::stored(
                read.columns.clone(),
                times,
            ));
        }
    }
}
