//! A database from elsewhere: cells that claim more than they hold are refused, by name, and in little memory.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::error::Error;
use std::path::Path;
use std::process::Command;

use rusqlite::Connection;
use xp::datapak;
use xp::prelude::*;
use xp::value::{Array, Column, ColumnData, Frame, Value};

/// So many floats.
#[step]
fn floats(count: u64) -> Vec<f64> {
    (0..count).map(|i| i as f64).collect()
}

/// A run with a serialised field.
#[experiment]
fn values(#[param] count: u64) {
    #[field]
    let value: Vec<f64> = floats(count);
}

/// A complex value of DATAPAK, with bytes inside.
fn complex(kind: &str, payload: &[u8]) -> Vec<u8> {
    let mut pickle = b"\x80\x04}(".to_vec();
    for text in ["DATAPAK-0", kind, "value"] {
        pickle.extend_from_slice(&[0x8c, text.len() as u8]);
        pickle.extend_from_slice(text.as_bytes());
    }
    pickle.push(b'B');
    pickle.extend_from_slice(&(payload.len() as u32).to_le_bytes());
    pickle.extend_from_slice(payload);
    pickle.extend_from_slice(b"u.");
    pickle
}

fn array(npy: &[u8]) -> Vec<u8> {
    complex("numpy.ndarray-0", npy)
}

fn frame(arrow: &[u8]) -> Vec<u8> {
    complex("pandas.DataFrame-0", arrow)
}

/// An array of this type and shape, with these bytes.
fn npy(dtype: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': {dtype}, 'fortran_order': False, 'shape': {shape}}}\n");
    let mut npy = b"\x93NUMPY\x01\x00".to_vec();
    npy.extend_from_slice(&(header.len() as u16).to_le_bytes());
    npy.extend_from_slice(header.as_bytes());
    npy.extend_from_slice(data);
    npy
}

fn repeated(head: &[u8], middle: &[u8], count: usize, tail: &[u8]) -> Vec<u8> {
    [head, &middle.repeat(count), tail].concat()
}

/// Cells that are refused, and what the error says.
fn cells() -> Vec<(Vec<u8>, &'static str)> {
    let too_early = "the bytes end too early";
    let too_large = "the value would take far more memory than its bytes";
    let column = Column::new("x", ColumnData::Float(vec![1.0; 10_000]));
    let arrow = Frame::new(&[column]).unwrap().as_arrow_file().to_vec();
    let whole = npy("'<f8'", "(1000,)", &[0; 8_000]);
    let end = arrow.len() - 6;
    let mut footer = arrow.clone();
    footer[end - 4..end].copy_from_slice(&[0xff; 4]);
    let doubled = |level: u8| [0x94, b'0', b']', b'(', b'h', level, b'h', level, b'e'];
    let doubled: Vec<u8> = (0..100).flat_map(doubled).collect();
    vec![
        (
            repeated(
                b"\x80\x04",
                b"]",
                50_000,
                &[&b"a".repeat(49_999)[..], b"."].concat(),
            ),
            "values nest deeper than 500 levels",
        ),
        (
            repeated(b"\x80\x04N", b"\x85", 50_000, b"."),
            "values nest deeper than 500 levels",
        ),
        (repeated(b"\x80\x04]", &doubled, 1, b"."), too_large),
        (repeated(b"\x80\x04)", b"2\x86", 60, b"."), too_large),
        (b"\x80\x04B\xff\xff\xff\xffab.".to_vec(), too_early),
        (b"\x80\x04X\xff\xff\xff\xffab.".to_vec(), too_early),
        (b"\x80\x04\x8e\0\0\0\0\x01\0\0\0ab.".to_vec(), too_early),
        (b"\x80\x04\x95\0\0\0\0\x01\0\0\0N.".to_vec(), too_early),
        (
            b"\x80\x04cos\nsystem\n(\x8c\x02idtR.".to_vec(),
            "opcode 0x63 at offset 2 is not allowed",
        ),
        (
            array(&whole[..whole.len() - 1]),
            "it has fewer items than its shape says",
        ),
        (array(&whole[..40]), "it ends in its header"),
        (array(&whole[..8]), "it ends in its header"),
        (
            array(&npy("'<f8'", "(1099511627776, 1024)", &[0; 8])),
            "it has fewer items than its shape says",
        ),
        (
            array(&npy("[('a', '|S0', (1099511627776,))]", "(1,)", &[])),
            "an absurd shape",
        ),
        (
            frame(&arrow[..arrow.len() / 2]),
            "it does not begin and end with ARROW1",
        ),
        (
            frame(&[&arrow[..arrow.len() / 2], b"ARROW1"].concat()),
            "malformed Arrow file",
        ),
        (frame(&footer), "it has no footer"),
    ]
}

/// The error and all of its causes.
fn chain(error: xp::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

fn refuse(file: &Path) {
    let db = Connection::open(file).unwrap();
    for (cell, problem) in cells() {
        db.execute("UPDATE experiment_values SET value = ?1", [&cell])
            .unwrap();
        let session = Session::open(file).unwrap();
        let untyped = session.load("values").unwrap();
        let run = untyped.runs().next().unwrap();
        let of_value = chain(run.unwrap_err());
        assert!(of_value.contains(problem), "{of_value}, not {problem}");
        let typed = session.load_as::<Values>("values").unwrap();
        let run = typed.runs().next().unwrap();
        let of_vec = chain(run.unwrap_err());
        assert!(of_vec.contains(problem), "{of_vec}, not {problem}");
        let id: String = db
            .query_row("SELECT id_run FROM experiment_values", [], |row| row.get(0))
            .unwrap();
        for error in [of_value, of_vec] {
            let id = uuid::Uuid::try_parse(&id).unwrap().to_string();
            for name in ["`values`", "`value`", &id] {
                assert!(error.contains(name), "{error} does not name {name}");
            }
        }
    }
}

/// Where the file of the child process is.
const FILE: &str = "XP_TEST_HOSTILE_FILE";

#[test]
fn what_a_cell_claims_is_refused_before_it_takes_memory() {
    if let Some(file) = std::env::var_os(FILE) {
        // What asks for 4 GiB, or for a thousandth of a terabyte, aborts the process.
        #[cfg(target_os = "linux")]
        {
            use nix::sys::resource::{Resource, setrlimit};
            setrlimit(Resource::RLIMIT_AS, 512 << 20, 512 << 20).unwrap();
        }
        return refuse(Path::new(&file));
    }
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("xp.db");
    let session = Session::open(&file).unwrap();
    session.execute(values().count([3])).unwrap();
    drop(session);
    let child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "what_a_cell_claims_is_refused_before_it_takes_memory",
        ])
        .env(FILE, &file)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(
        child.status.success() && said.contains("1 passed"),
        "{said}{}",
        String::from_utf8_lossy(&child.stderr)
    );
}

#[test]
fn frames_that_end_too_early_are_refused_wherever_they_end() {
    let column = Column::new("x", ColumnData::Text(["a", "bc", "def"].iter().collect()));
    let arrow = Frame::new(&[column]).unwrap().as_arrow_file().to_vec();
    for len in 0..arrow.len() {
        assert!(datapak::decode(&frame(&arrow[..len])).is_err());
        // A file that is cut in its middle, and ends as one does.
        let footer = &arrow[arrow.len() - 300..];
        let cut = [&arrow[..len.min(arrow.len() - 301)], footer].concat();
        if let Ok(Value::Frame(cut)) = datapak::decode(&frame(&cut)) {
            assert!(cut.columns().is_err() || cut.as_arrow_file() == arrow);
        }
    }
}

#[test]
fn arrays_that_end_too_early_are_refused_wherever_they_end() {
    let npy = npy("'<f8'", "(100,)", &[0; 800]);
    assert!(Array::from_npy(npy.clone()).is_ok());
    for len in 0..npy.len() {
        assert!(datapak::decode(&array(&npy[..len])).is_err());
    }
}
