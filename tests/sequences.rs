//! Sequences: declared and by name, long ones, and rows that cannot be kept.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use serde::{Deserialize, Serialize};
use xp::prelude::*;

type Test = Result<(), Box<dyn std::error::Error>>;
type BoxError = Box<dyn std::error::Error + Send + Sync>;

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum Phase {
    Warm,
    Hot,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Sample {
    value: f64,
    count: u64,
    phase: Phase,
    took: Duration,
    note: Option<String>,
    flag: bool,
}

fn sample(i: u64) -> Sample {
    Sample {
        value: i as f64 / 2.0,
        count: i,
        phase: if i.is_multiple_of(2) {
            Phase::Warm
        } else {
            Phase::Hot
        },
        took: Duration::from_millis(i),
        note: i.is_multiple_of(3).then(|| format!("é{i}")),
        flag: i > 1,
    }
}

#[step]
fn record(samples: &mut Sequence<Sample>, n: u64) {
    for i in 0..n {
        samples.append(sample(i));
    }
}

#[experiment]
fn recording(#[param] n: u64, #[sequence] samples: Sequence<Sample>) {
    record(&mut samples, n);
}

#[test]
fn a_declared_sequence_of_a_million_rows_is_read_back() -> Test {
    let folder = tempfile::tempdir()?;
    let session = Session::open(folder.path().join("x.db"))?;
    session.execute(recording().n([0, 7, 1_000_000]))?;
    let mut lengths = Vec::new();
    for run in session.load_as::<Recording>("recording")?.runs() {
        let fields = run?.fields;
        lengths.push(fields.samples.len() as u64);
        assert_eq!(lengths.last(), Some(&fields.n));
        if fields.n == 7 {
            let values = fields.samples.values()?;
            assert_eq!(values, (0..7).map(sample).collect::<Vec<_>>());
            let rows = fields.samples.rows()?;
            assert_eq!(
                rows.iter().map(|row| row.idx).collect::<Vec<_>>(),
                (0..7).collect::<Vec<_>>()
            );
            assert!(
                rows.windows(2)
                    .all(|two| two[0].timestamp <= two[1].timestamp)
            );
        }
    }
    lengths.sort_unstable();
    assert_eq!(lengths, [0, 7, 1_000_000]);
    Ok(())
}

#[derive(Serialize, Deserialize)]
struct Count {
    n: u64,
}

#[derive(Serialize, Deserialize)]
struct Nested {
    list: Vec<u32>,
}

#[derive(Serialize, Deserialize)]
struct Reserved {
    idx: u32,
}

fn failure(closure: impl Fn(&mut Run) -> Result<(), BoxError> + Sync) -> String {
    let session = Session::in_memory().unwrap();
    let error = session.run("x", closure).unwrap_err();
    let xp::Error::RunsFailed(failed) = error else {
        panic!("{error}")
    };
    failed.first.exception.to_string()
}

#[test]
fn a_row_that_cannot_be_kept_fails_its_run() {
    let exception = failure(|run| {
        let mut counts = run.sequence("counts")?;
        counts.append(Count { n: 1 });
        counts.append(Count { n: u64::MAX });
        counts.append(Count { n: 2 });
        Ok(())
    });
    assert!(
        exception.contains("row 1 of sequence `counts`"),
        "{exception}"
    );
    assert!(exception.contains("i64::MAX"), "{exception}");
}

#[test]
fn rows_are_flat_structs_of_one_type() {
    let exception = failure(|run| {
        run.sequence::<Nested>("nested")?;
        Ok(())
    });
    assert!(exception.contains("its member `list`"), "{exception}");
    let exception = failure(|run| {
        run.sequence::<Reserved>("reserved")?;
        Ok(())
    });
    assert!(
        exception.contains("a member `idx` of its own"),
        "{exception}"
    );
    let exception = failure(|run| {
        run.sequence::<f64>("number")?;
        Ok(())
    });
    assert!(exception.contains("it is no struct"), "{exception}");
    let exception = failure(|run| {
        run.sequence::<Count>("twice")?;
        run.sequence::<Sample>("twice")?;
        Ok(())
    });
    assert!(
        exception.contains("have the columns n, and not those of"),
        "{exception}"
    );
}

#[test]
fn a_panic_in_the_middle_of_a_row_fails_its_run() {
    #[derive(Deserialize)]
    struct Bomb(u32);

    impl Serialize for Bomb {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            assert!(self.0 < 1, "the second row explodes");
            serializer.serialize_u32(self.0)
        }
    }

    #[derive(Serialize, Deserialize)]
    struct Torn {
        a: u32,
        b: Bomb,
    }

    let exception = failure(|run| {
        let mut torn = run.sequence("torn")?;
        torn.append(Torn { a: 0, b: Bomb(0) });
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            torn.append(Torn { a: 1, b: Bomb(1) });
        }));
        assert!(caught.is_err());
        torn.append(Torn { a: 2, b: Bomb(0) });
        Ok(())
    });
    assert!(
        exception.contains("row 1 of sequence `torn`"),
        "{exception}"
    );
}

#[test]
fn handles_of_one_name_extend_one_sequence_from_any_thread() -> Test {
    let session = Session::in_memory()?;
    session.run("threads", |run| -> Result<(), BoxError> {
        std::thread::scope(|scope| -> Result<(), BoxError> {
            for _ in 0..4 {
                let mut counts = run.sequence("counts")?;
                scope.spawn(move || (0..100).for_each(|n| counts.append(Count { n })));
            }
            Ok(())
        })?;
        assert_eq!(run.sequence::<Count>("counts")?.len(), 400);
        Ok(())
    })?;
    let run = session.load("threads")?.runs().next().unwrap()?;
    assert!(run.fields.value("counts").is_some());
    Ok(())
}

#[cfg(unix)]
mod synced {
    use std::os::unix::process::ExitStatusExt as _;
    use std::path::Path;
    use std::process::{Command, ExitStatus};

    use super::*;

    const FILE: &str = "XP_TEST_SYNCED_FILE";
    const SURVIVES: &str = "XP_TEST_SURVIVES";

    #[test]
    #[ignore = "a part of another test, in a process of its own"]
    fn records_rows() {
        let durability = match std::env::var(SURVIVES).unwrap().as_str() {
            "power" => Durability::PowerLoss,
            _ => Durability::Process,
        };
        let session = Session::open(std::env::var(FILE).unwrap()).unwrap();
        let plan = recording().n([30_000]).durability(durability);
        session.resume(plan).unwrap();
    }

    /// Is killed behind the second chunk that has been waited for.
    fn record(file: &Path, survives: &str) -> ExitStatus {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "synced::records_rows", "--ignored"])
            .env(FILE, file)
            .env(SURVIVES, survives)
            .env("XP_FAILPOINT", "chunk.synced:2")
            .output()
            .unwrap()
            .status
    }

    #[test]
    fn chunks_are_waited_for_if_a_power_cut_is_to_be_survived() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.db");
        assert_eq!(record(&file, "power").signal(), Some(9));
        // Whoever executes next records what the dead process has left.
        let session = Session::open(&file).unwrap();
        let experiment = session.resume(recording().n([1])).unwrap();
        let failures: Vec<_> = experiment.failures().map(Result::unwrap).collect();
        let [interrupted] = failures.as_slice() else {
            panic!("{failures:?}");
        };
        let rows = interrupted.fields.sequence::<Sample>("samples").unwrap();
        let values = rows.unwrap().values().unwrap();
        assert!(values.len() > 1);
        assert_eq!(
            values,
            (0..values.len() as u64).map(sample).collect::<Vec<_>>()
        );
        assert!(record(&file, "process").success());
    }
}
