//! Processes that die, and files that cannot grow.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use uuid::Uuid;

use super::{Half, half};
use crate::datapak::decode_sequence;
use crate::identity::Inputs;
use crate::run::{Context, Run};
use crate::sequence::chunks::recover::Recovered;
use crate::sequence::chunks::{ChunkDir, ROWS, recover};
use crate::sequence::{Buffer, Sequence};
use crate::value::ColumnData;

const DIR: &str = "XP_TEST_CHUNK_DIR";
const PAUSE: &str = "XP_TEST_CHUNK_PAUSE";
/// How long the slow sequence waits at least between its rows.
const SELDOM: Duration = Duration::from_millis(100);

fn spawn(test: &str, dir: &Path, pause: Duration) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--ignored", "--nocapture"])
        .arg(format!("sequence::chunks::tests::process::{test}"))
        .env(DIR, dir)
        .env(PAUSE, pause.as_micros().to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Appends rows until it is killed. After each burst it says how many rows there are.
#[test]
#[ignore = "a child process of other tests"]
fn writer() {
    let Ok(dir) = std::env::var(DIR) else { return };
    let pause = Duration::from_micros(std::env::var(PAUSE).unwrap().parse().unwrap());
    let context = Context {
        chunks: Some(Arc::new(ChunkDir::new(dir))),
        ..Context::default()
    };
    let run = Run::live(&Arc::new(context), Uuid::max(), Inputs::default().hash());
    let mut fast = Sequence::<Half>::declare_in(run.chunks_of_sequences(), "fast").unwrap();
    let mut slow = run.sequence::<Half>("slow").unwrap();
    let mut last = std::time::Instant::now();
    loop {
        for _ in 0..200 {
            fast.append(half(fast.len()));
        }
        if last.elapsed() > SELDOM {
            slow.append(half(slow.len()));
            last = std::time::Instant::now();
        }
        eprintln!("{} {}", fast.len(), slow.len());
        std::thread::sleep(pause);
    }
}

/// Kills a writer after so long, and gives the rows that it had said and those that are found.
fn kill(pause: Duration, after: Duration) -> ([usize; 2], [usize; 2]) {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("live");
    let mut child = spawn("writer", &dir, pause);
    let mut stderr = child.stderr.take().unwrap();
    let mut said = [0; 1];
    stderr.read_exact(&mut said).unwrap();
    let mut said = said.to_vec();
    let reader = std::thread::spawn(move || {
        stderr.read_to_end(&mut said).unwrap();
        String::from_utf8(said).unwrap()
    });
    std::thread::sleep(after);
    child.kill().unwrap();
    child.wait().unwrap();
    let said = reader.join().unwrap();
    let whole = &said[..said.rfind('\n').unwrap()];
    let (_, last) = whole.rsplit_once('\n').unwrap_or(("", whole));
    let said: Vec<usize> = last.split(' ').map(|n| n.parse().unwrap()).collect();

    let recovery = recover(&dir);
    assert!(recovery.unreadable.is_empty(), "{:?}", recovery.unreadable);
    let rows = |name| {
        let of = |r: &&Recovered| r.name == name;
        recovery.sequences.iter().find(of).map_or(0, checked)
    };
    ([said[0], said[1]], [rows("fast"), rows("slow")])
}

/// How many rows there are, each as it was appended.
fn checked(recovered: &Recovered) -> usize {
    let frame = decode_sequence(&recovered.datapak).unwrap();
    let columns = frame.columns().unwrap();
    let [idx, timestamp, halves] = &columns[..] else {
        panic!("{} columns", columns.len())
    };
    let (ColumnData::Int(idx), ColumnData::Temporal(_, times), ColumnData::Float(halves)) =
        (&idx.data, &timestamp.data, &halves.data)
    else {
        panic!("other types")
    };
    for (i, (idx, found)) in idx.iter().zip(halves).enumerate() {
        assert_eq!((*idx, *found), (i as i64, half(i).half));
    }
    assert!(times.is_sorted());
    assert_eq!(recovered.id_run, Uuid::max());
    assert_eq!([idx.len(), times.len(), halves.len()], [recovered.rows; 3]);
    recovered.rows
}

#[test]
fn after_a_kill_all_rows_but_the_last_chunk_are_there() {
    for millis in [700, 1_450, 2_300] {
        let (said, found) = kill(Duration::from_millis(2), Duration::from_millis(millis));
        assert!(found[0] + ROWS > said[0], "{found:?} of {said:?}");
        // No more than eleven of them come within a second.
        assert!(found[1] + 11 >= said[1], "{found:?} of {said:?}");
        assert!(millis < 2_000 || found[1] > 0, "{found:?} of {said:?}");
    }
}

#[test]
fn a_kill_in_the_middle_of_a_write_loses_no_more() {
    for i in 0..16 {
        let (said, found) = kill(Duration::ZERO, Duration::from_millis(20 + 7 * i));
        assert!(found[0] + ROWS > said[0], "{found:?} of {said:?}");
    }
}

/// Appends rows while no file may become larger than a few chunks.
#[test]
#[ignore = "a child process of another test"]
fn limited() {
    use nix::sys::resource::{Resource, setrlimit};
    let Ok(dir) = std::env::var(DIR) else { return };
    // Without a handler the signal ends the process.
    let signalled = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(signal_hook::consts::SIGXFSZ, signalled).unwrap();
    setrlimit(Resource::RLIMIT_FSIZE, 300 << 10, 300 << 10).unwrap();
    let dir = Arc::new(ChunkDir::new(dir));
    let mut rows = Buffer::of::<Half>("halves")
        .unwrap()
        .flushed(Some(super::chunks_of(&dir, Uuid::max())));
    (0..10 * ROWS).for_each(|i| rows.append(&half(i)));
    let stored = decode_sequence(&rows.end().unwrap()).unwrap();
    eprintln!("{} rows", stored.rows());
    eprintln!("{}", dir.take_warning().unwrap());
    assert_eq!(dir.take_warning(), None);
}

#[test]
fn where_a_file_cannot_grow_the_run_goes_on_and_what_is_written_stays() {
    let folder = tempfile::tempdir().unwrap();
    let child = spawn("limited", folder.path(), Duration::ZERO);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(said.contains(&format!("{} rows", 10 * ROWS)), "{said}");
    assert!(said.contains("rows of the sequence `halves`"), "{said}");
    // A chunk has 8 bytes for each value, and at most as many for each time.
    let recovery = recover(folder.path());
    let rows = checked(&recovery.sequences[0]);
    assert!((2 * ROWS..=4 * ROWS).contains(&rows), "{rows}");
}
