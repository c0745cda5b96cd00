//! When files are written, what is in them, and when they go.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::{Half, Mixed, buffer, chunks_of, half, mixed};
use crate::datapak::{decode_sequence, encode_sequence};
use crate::identity::Inputs;
use crate::run::{Context, Run};
use crate::sequence::Sequence;
use crate::sequence::buffer::Buffer;
use crate::sequence::chunks::recover::Recovered;
use crate::sequence::chunks::{BYTES, ChunkDir, ROWS, files_of, recover, recover_files};
use crate::value::ColumnData;

fn only(dir: &std::path::Path) -> Recovered {
    let mut recovery = recover(dir);
    assert!(recovery.unreadable.is_empty(), "{:?}", recovery.unreadable);
    assert_eq!(recovery.sequences.len(), 1);
    recovery.sequences.remove(0)
}

#[test]
fn few_rows_touch_no_disk() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("deep").join("live");
    let mut few = buffer::<Half>("few", &path);
    (0..ROWS - 1).for_each(|i| few.append(&half(i)));
    assert!(!path.exists());
    assert!(recover(&path).sequences.is_empty());
    few.append(&half(ROWS - 1));
    assert_eq!(only(&path).rows, ROWS);
}

#[test]
fn what_is_recovered_is_what_would_have_been_stored() {
    let dir = tempfile::tempdir().unwrap();
    let mut rows = buffer::<Mixed>("mixed", dir.path());
    (0..2 * ROWS).for_each(|i| rows.append(&mixed(i)));
    let recovered = only(dir.path());
    assert_eq!(recovered.name, "mixed");
    assert_eq!(recovered.id_run, Uuid::max());
    let stored = rows.end().unwrap();
    let (stored, found) = (
        decode_sequence(&stored).unwrap(),
        decode_sequence(&recovered.datapak).unwrap(),
    );
    let (stored, rows_found) = (stored.columns().unwrap(), found.rows());
    let found = found.columns().unwrap();
    let names: Vec<_> = found.iter().map(|c| c.name.as_str()).collect();
    let expected = ["idx", "timestamp", "flag", "half", "maybe", "note", "z"];
    assert_eq!(names, expected);
    assert_eq!(rows_found, recovered.rows);
    // A row takes less than 64 bytes, and more than 16.
    assert!(recovered.rows > 2 * ROWS - BYTES / 16);
    for (stored, found) in stored.iter().zip(&found) {
        let items = stored.iter().take(recovered.rows);
        // NaN is not itself, but prints like it.
        assert!(
            items
                .zip(found.iter())
                .all(|(a, b)| format!("{a:?}") == format!("{b:?}")),
            "{}",
            found.name
        );
    }
}

#[test]
fn a_sequence_whose_last_row_ends_a_chunk_is_recovered_byte_for_byte() {
    let dir = tempfile::tempdir().unwrap();
    let mut rows = buffer::<Half>("halves", dir.path());
    (0..3 * ROWS).for_each(|i| rows.append(&half(i)));
    assert_eq!(only(dir.path()).datapak, rows.end().unwrap());
}

#[test]
fn long_texts_end_a_chunk() {
    let dir = tempfile::tempdir().unwrap();
    let mut rows = buffer::<Mixed>("texts", dir.path());
    let long = |len| Mixed {
        note: Some("x".repeat(len)),
        ..mixed(1)
    };
    rows.append(&long(BYTES / 2));
    assert!(recover(dir.path()).sequences.is_empty());
    rows.append(&long(BYTES / 2));
    assert_eq!(only(dir.path()).rows, 2);
    rows.append(&long(1));
    assert_eq!(only(dir.path()).rows, 2);
    rows.append(&long(3 * BYTES));
    assert_eq!(only(dir.path()).rows, 4);
    assert_eq!(only(dir.path()).datapak, rows.end().unwrap());
}

#[test]
fn rows_are_written_without_a_further_one_when_they_are_old() {
    let folder = tempfile::tempdir().unwrap();
    let dir = Arc::new(ChunkDir::new(folder.path()));
    let run = run_in(&dir, Uuid::max());
    let mut slow = Sequence::<Half>::declare_in(run.declared_sequences(), "slow").unwrap();
    slow.append(half(0));
    let written = |rows| {
        let start = std::time::Instant::now();
        while recover(dir.path())
            .sequences
            .first()
            .is_none_or(|found| found.rows < rows)
        {
            assert!(start.elapsed() < Duration::from_secs(20), "{rows}");
            std::thread::sleep(Duration::from_millis(10));
        }
    };
    written(1);
    slow.append(half(1));
    slow.append(half(2));
    written(3);
    // The thread ends with the last run, and comes with the next one.
    drop((slow, run));
    std::thread::sleep(Duration::from_millis(1_500));
    let next = run_in(&dir, Uuid::max());
    let mut slow = next.sequence::<Half>("slow").unwrap();
    (0..4).for_each(|i| slow.append(half(i)));
    written(4);
}

#[test]
fn rows_are_written_at_once_if_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let dir = Arc::new(ChunkDir::new(folder.path()));
    let run = run_in(&dir, Uuid::max());
    let mut few = run.sequence::<Half>("few").unwrap();
    few.append(half(0));
    dir.flush();
    assert_eq!(only(dir.path()).rows, 1);
    // Nothing waits, and nothing more is written.
    let size = || {
        std::fs::metadata(&files_of(dir.path(), Uuid::max(), 0)[0])
            .unwrap()
            .len()
    };
    let before = size();
    dir.flush();
    assert_eq!(size(), before);
    few.append(half(1));
    dir.flush();
    assert_eq!(only(dir.path()).rows, 2);
}

#[test]
fn the_files_of_an_attempt_are_told_from_those_of_the_one_before() {
    let folder = tempfile::tempdir().unwrap();
    let dir = Arc::new(ChunkDir::new(folder.path()));
    for first in [0, 1 << 32] {
        dir.number_from(first);
        let run = run_in(&dir, Uuid::max());
        run.sequence::<Half>("few").unwrap().append(half(0));
        dir.flush();
        // The files of the first one are removed at any time, and their names stay its own.
        if first == 0 {
            std::fs::remove_file(&files_of(dir.path(), Uuid::max(), 0)[0]).unwrap();
        }
    }
    assert_eq!(files_of(dir.path(), Uuid::max(), 1 << 32).len(), 1);
}

#[test]
fn a_temporary_directory_goes_with_its_last_run() {
    let dir = Arc::new(ChunkDir::temporary());
    let path = dir.path().to_owned();
    let run = run_in(&dir, Uuid::max());
    run.sequence::<Half>("few").unwrap().append(half(0));
    assert!(!path.exists());
    dir.flush();
    assert_eq!(only(&path).rows, 1);
    drop((run, dir));
    assert!(!path.exists());
}

fn run_in(dir: &Arc<ChunkDir>, id_run: Uuid) -> Run {
    let context = Context {
        chunks: Some(Arc::clone(dir)),
        ..Context::default()
    };
    Run::live(&Arc::new(context), id_run, Inputs::default().hash())
}

#[test]
fn the_files_of_a_run_are_those_of_its_sequences_until_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let dir = Arc::new(ChunkDir::new(folder.path().join("live")));
    let run = run_in(&dir, Uuid::from_u128(7));
    assert!(run.take_chunk_files().is_empty());

    let run = run_in(&dir, Uuid::from_u128(7));
    let mut declared = Sequence::<Half>::declare_in(run.declared_sequences(), "declared").unwrap();
    let mut named = run.sequence::<Half>("named").unwrap();
    let mut small = run.sequence::<Half>("small").unwrap();
    let mut other = run_in(&dir, Uuid::from_u128(8)).sequence("other").unwrap();
    small.append(half(0));
    for i in 0..ROWS {
        declared.append(half(i));
        named.append(half(i));
        other.append(half(i));
    }
    let seven = Uuid::from_u128(7);
    let found = recover_files(&files_of(dir.path(), seven, 0), seven).sequences;
    let names: Vec<_> = found.iter().map(|r| (r.name.as_str(), r.rows)).collect();
    assert_eq!(names, [("declared", ROWS), ("named", ROWS)]);
    assert_eq!(recover(dir.path()).sequences.len(), 3);

    let files = run.take_chunk_files();
    assert_eq!(files.len(), 2);
    assert!(
        files[0]
            .to_string_lossy()
            .contains(&run.id_run.simple().to_string())
    );
    // A handle that outlives its run makes no file.
    (0..ROWS).for_each(|i| small.append(half(i)));
    files
        .iter()
        .for_each(|file| std::fs::remove_file(file).unwrap());
    assert_eq!(only(dir.path()).name, "other");
    let left = files_of(dir.path(), Uuid::from_u128(8), 0);
    left.iter()
        .for_each(|file| std::fs::remove_file(file).unwrap());
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    assert_eq!(dir.take_warning(), None);
}

#[test]
fn a_later_attempt_replaces_the_rows_of_an_earlier_one() {
    let folder = tempfile::tempdir().unwrap();
    let dir = Arc::new(ChunkDir::new(folder.path()));
    for chunks in [3, 1] {
        let mut rows = Buffer::of::<Half>("again")
            .unwrap()
            .flushed(&chunks_of(&dir, Uuid::max()));
        (0..chunks * ROWS).for_each(|i| rows.append(&half(i)));
    }
    assert_eq!(only(folder.path()).rows, ROWS);
}

#[test]
fn an_error_is_told_once_and_the_rows_stay() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let dir = Arc::new(ChunkDir::new(file.join("live")));
    for name in ["first", "second"] {
        let mut rows = Buffer::of::<Half>(name)
            .unwrap()
            .flushed(&chunks_of(&dir, Uuid::max()));
        (0..3 * ROWS).for_each(|i| rows.append(&half(i)));
        let frame = decode_sequence(&rows.end().unwrap()).unwrap();
        assert_eq!(frame.rows(), 3 * ROWS);
    }
    let warning = dir.take_warning().unwrap();
    assert!(warning.contains("`first`"), "{warning}");
    assert!(warning.contains("file"), "{warning}");
    assert_eq!(dir.take_warning(), None);
}

#[test]
fn files_that_are_none_of_ours_are_left_out_and_damaged_ones_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut rows = buffer::<Half>("good", folder.path());
    (0..ROWS).for_each(|i| rows.append(&half(i)));
    let good = std::fs::read_dir(folder.path()).unwrap().next().unwrap();
    let good = std::fs::read(good.unwrap().path()).unwrap();
    let write = |id: u128, content: &[u8]| -> PathBuf {
        let name = format!("{}-9.rows", Uuid::from_u128(id).simple());
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    };
    std::fs::write(folder.path().join("lock"), "x").unwrap();
    std::fs::write(folder.path().join("x-1.rows"), "x").unwrap();
    // Killed before its header was written.
    write(1, b"");
    write(2, &good[..40]);
    let mut newer = good.clone();
    newer[8] = 2;
    let told = [
        write(3, b"something else"),
        write(4, &newer),
        // That of another run.
        write(5, &good),
    ];
    let mut recovery = recover(folder.path());
    assert_eq!(recovery.sequences.len(), 1);
    recovery.unreadable.sort_by(|a, b| a.path.cmp(&b.path));
    let paths: Vec<_> = recovery.unreadable.iter().map(|u| &u.path).collect();
    assert_eq!(paths, told.iter().collect::<Vec<_>>());
    let reasons: Vec<_> = recovery
        .unreadable
        .iter()
        .map(|u| u.source.to_string())
        .collect();
    assert_eq!(reasons[0], "it is no file of rows");
    assert!(reasons[1].contains("version 2"), "{}", reasons[1]);
    assert_eq!(reasons[2], "its header is damaged");
}

#[test]
fn times_are_recovered_as_wall_clock_time() {
    let folder = tempfile::tempdir().unwrap();
    let mut rows = buffer::<Half>("times", folder.path());
    (0..ROWS).for_each(|i| rows.append(&half(i)));
    let frame = decode_sequence(&only(folder.path()).datapak).unwrap();
    assert_eq!(
        encode_sequence(&frame.columns().unwrap()),
        rows.end().unwrap()
    );
    let times = frame.column("timestamp").unwrap().unwrap().data;
    let ColumnData::Temporal(_, times) = times else {
        panic!("{times:?}")
    };
    let now = jiff::tz::TimeZone::system().to_datetime(jiff::Timestamp::now());
    let now = jiff::tz::Offset::UTC.to_timestamp(now).unwrap();
    let ago = now.as_microsecond() - times[0];
    assert!((0..60_000_000).contains(&ago), "{ago}");
}

#[test]
fn rows_that_are_waited_for_are_written_as_others_are() {
    let folder = tempfile::tempdir().unwrap();
    let live = folder.path().join("beside").join("live");
    let dir = Arc::new(ChunkDir::new(live).synced(true));
    let run = run_in(&dir, Uuid::max());
    let mut few = run.sequence::<Half>("few").unwrap();
    few.append(half(0));
    dir.flush();
    assert_eq!(only(dir.path()).rows, 1);
}
