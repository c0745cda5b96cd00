//! What a review found once: each of these lost runs, mixed them up, or gave a wrong value.

#![allow(clippy::unwrap_used)]

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use xp::prelude::*;

type Test = Result<(), Box<dyn std::error::Error>>;

#[step]
fn add(a: u64, b: u64) -> u64 {
    100 * a + b
}

#[experiment]
fn pairs(#[param] a: u64, #[param] b: u64) {
    #[field]
    let sum: u64 = add(a, b);
}

#[test]
fn pairs_keep_values_that_occur_in_several_of_them() -> Test {
    let plan = pairs().a([1, 1, 2, 2]).b([0, 1, 0, 1]).zip();
    let mut sums = Vec::new();
    for run in Session::in_memory()?.execute(plan)?.runs() {
        sums.push(run?.fields.sum);
    }
    sums.sort_unstable();
    assert_eq!(sums, [100, 101, 200, 201]);
    Ok(())
}

#[experiment]
fn rows(#[param] rowid: u64, #[param] seed: u64) {
    #[field]
    let oid: u64 = add(rowid, seed);
}

#[test]
fn a_column_may_be_called_rowid() -> Test {
    let session = Session::in_memory()?;
    let experiment = session.execute(rows().rowid([1, 2]).seed(0..2_000))?;
    assert_eq!(experiment.runs().count(), 4_000);
    assert_eq!(experiment.table().rows().len(), 4_000);
    Ok(())
}

#[derive(Clone, Serialize, Deserialize)]
struct Hidden {
    k: u64,
}

#[experiment]
fn clashing(#[param(skip, flatten)] hidden: Hidden, #[param] k: u64) {
    #[field]
    let sum: u64 = add(hidden.k, k);
}

#[test]
fn inputs_of_one_name_are_refused_also_if_one_has_no_column() -> Test {
    let plan = clashing()
        .hidden([Hidden { k: 1 }, Hidden { k: 2 }])
        .k([1, 2]);
    let error = Session::in_memory()?.execute(plan).unwrap_err().to_string();
    assert!(error.contains("`k` and `k` have one name"), "{error}");
    Ok(())
}

#[test]
fn two_handles_of_an_experiment_keep_each_others_fields() -> Test {
    let session = Session::in_memory()?;
    session.execute(pairs().a([1]).b([1]))?;
    let (mut one, mut other) = (session.load("pairs")?, session.load("pairs")?);
    one.fields.insert("x", &1)?;
    other.fields.insert("y", &2)?;
    assert_eq!(other.fields.to_string(), "{x: 1, y: 2}");
    assert_eq!(session.load("pairs")?.fields.to_string(), "{x: 1, y: 2}");
    Ok(())
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Sparse {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    list: Vec<u32>,
    #[serde(skip_serializing_if = "is_zero")]
    count: u32,
    nan: f64,
}

#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

#[step]
fn sparse(count: u32) -> Sparse {
    Sparse {
        list: vec![1; count as usize],
        count,
        nan: f64::NAN,
    }
}

#[experiment]
fn sparsely(#[param] n: u32) {
    #[field(flatten)]
    let sparse: Sparse = sparse(n);
}

#[test]
fn a_member_that_its_struct_leaves_out_is_its_default_again() -> Test {
    for run in Session::in_memory()?.execute(sparsely().n([0, 2]))?.runs() {
        let fields = run?.fields;
        assert_eq!(fields.sparse.count, fields.n);
        assert_eq!(fields.sparse.list.len(), fields.n as usize);
    }
    Ok(())
}

static RAN: AtomicU32 = AtomicU32::new(0);

#[step]
fn ran(i: u64) -> u64 {
    RAN.fetch_add(1, Ordering::Relaxed);
    i
}

#[experiment]
fn staged(#[param] i: u64) {
    #[field]
    let x: u64 = ran(i);
}

#[test]
fn a_name_that_is_taken_is_told_before_staged_runs() -> Test {
    let session = Session::in_memory()?;
    session.execute(staged().i([0]))?;
    let error = session
        .execute(staged().i([1, 2]).policy(Policy::Staged))
        .unwrap_err();
    assert!(
        matches!(
            error,
            xp::Error::Store(xp::StoreError::ExperimentExists { .. })
        ),
        "{error}"
    );
    assert_eq!(RAN.load(Ordering::Relaxed), 1);
    let plan = staged()
        .i([1, 2])
        .policy(Policy::Staged)
        .if_exists(IfExists::Replace);
    assert_eq!(session.execute(plan)?.runs().count(), 2);
    Ok(())
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

#[derive(Serialize, Deserialize)]
struct Loss {
    value: f64,
}

#[test]
fn a_field_and_a_sequence_do_not_share_a_name() -> Test {
    let session = Session::in_memory()?;
    let error = session.run("both", |run| -> Result<(), BoxError> {
        run.fields.insert("loss", vec![1])?;
        run.sequence::<Loss>("loss")?.append(Loss { value: 0.5 });
        Ok(())
    });
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("`loss` is a field and a sequence"),
        "{error}"
    );
    Ok(())
}

#[test]
fn a_handle_whose_run_has_ended_drops_no_row_in_silence() -> Test {
    let kept = std::sync::Mutex::new(None);
    Session::in_memory()?.run("kept", |run| -> Result<(), BoxError> {
        *kept.lock().unwrap() = Some(run.sequence::<Loss>("loss")?);
        Ok(())
    })?;
    let mut handle = kept.into_inner().unwrap().unwrap();
    let appended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        handle.append(Loss { value: 0.5 });
    }));
    assert!(appended.is_err());
    Ok(())
}

#[test]
fn a_run_that_failed_decides_no_columns_type() -> Test {
    let options = Options::new()
        .jobs(1)
        .order(Order::Grid)
        .policy(Policy::KeepGoing);
    let session = Session::in_memory()?.with(options);
    let result = session.sweep("typed", 0..3_u32, |i, run| -> Result<(), BoxError> {
        if *i == 0 {
            run.fields.insert("n", 1)?;
            return Err("after the insert".into());
        }
        run.fields.insert("n", format!("{i}"))?;
        Ok(())
    });
    let Err(xp::Error::RunsFailed(failed)) = result else {
        panic!("run 0 fails")
    };
    assert_eq!((failed.failed, failed.completed), (1, 2));
    Ok(())
}

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(
            std::thread::panicking(),
            "a drop that panics: this line is expected"
        );
    }
}

#[step]
fn bomb(_k: u64) -> Bomb {
    Bomb
}

#[step]
fn look(_bomb: &Bomb) -> u64 {
    1
}

#[experiment]
fn bombs(#[param] k: u64) {
    #[shared]
    let bomb: Bomb = bomb(k);
    #[field]
    let x: u64 = look(&bomb);
}

#[test]
fn a_shared_value_whose_drop_panics_costs_no_run() -> Test {
    let experiment = Session::in_memory()?.execute(bombs().k([1, 2, 3]).jobs(2))?;
    assert_eq!(experiment.runs().count(), 3);
    Ok(())
}

#[test]
fn a_pragma_behind_a_comment_is_no_query() -> Test {
    let session = Session::in_memory()?;
    for sql in [
        "/**/PRAGMA locking_mode=EXCLUSIVE",
        "-- x\n pragma user_version",
        ";PRAGMA page_size",
    ] {
        assert!(session.query(sql).is_err(), "{sql}");
    }
    assert!(session.query("/* the answer */ select 42").is_ok());
    Ok(())
}

#[test]
fn a_staged_run_that_succeeds_when_it_is_tried_again_is_no_failure() -> Test {
    let options = Options::new().policy(Policy::Staged).retry(2);
    let session = Session::in_memory()?.with(options);
    let tries = AtomicU32::new(0);
    let experiment = session.sweep("tried", 0..3_u32, |i, _| {
        match *i == 1 && tries.fetch_add(1, Ordering::Relaxed) == 0 {
            true => Err("the first time"),
            false => Ok(*i),
        }
    })?;
    assert_eq!(experiment.runs().count(), 3);
    Ok(())
}

#[test]
fn staged_runs_share_a_sweep_that_is_resumed() -> Test {
    let folder = tempfile::tempdir()?;
    let open = |options: Options| -> Result<Session, xp::Error> {
        let session = Session::open(folder.path().join("staged.db"))?;
        Ok(session.with(options.if_exists(IfExists::Resume).jobs(1)))
    };
    let staged = open(Options::new().policy(Policy::Staged))?;
    let other = open(Options::new())?;
    let begun = std::sync::Barrier::new(2);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let waiting = staged.sweep("shared", 0..4_u32, |i, _| {
                if *i == 2 {
                    begun.wait();
                    std::thread::sleep(std::time::Duration::from_millis(100));
                }
                Ok::<_, String>(*i)
            });
            waiting.unwrap();
        });
        begun.wait();
        other
            .sweep("shared", 0..4_u32, |i, _| Ok::<_, String>(*i))
            .unwrap();
    });
    assert_eq!(other.load("shared")?.runs().count(), 4);
    Ok(())
}

/// Has the name of the experiment in the file, so that its points are looked for there.
#[experiment(name = "halves")]
fn halved(#[param] a: u64, #[param] b: u64) {
    #[field]
    let sum: u64 = add(a, b);
}

#[test]
fn a_file_of_the_first_version_is_read_without_being_changed() -> Test {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("old.db");
    std::fs::copy("tests/data/schema-1.db", &path)?;
    let before = std::fs::read(&path)?;
    let session = Session::open_read_only(&path)?;
    let halves = session.load("halves")?;
    assert_eq!((halves.runs().count(), halves.failures().count()), (7, 1));
    let report = session.plan(halved().a([1, 2]).b([3]))?;
    assert_eq!((report.counts.missing, report.counts.points), (2, 2));
    drop((halves, session));
    assert_eq!(std::fs::read(&path)?, before);
    Ok(())
}

#[derive(Serialize, Deserialize)]
struct Less {
    a: u32,
}

#[derive(Serialize, Deserialize)]
struct More {
    a: u32,
    b: u32,
}

/// A file that two sessions resume, run after run in the order of the points.
fn two_sessions(folder: &tempfile::TempDir) -> Result<[Session; 2], xp::Error> {
    let options = Options::new()
        .if_exists(IfExists::Resume)
        .order(Order::Grid)
        .jobs(1);
    let open = || Session::open(folder.path().join("two.db"));
    Ok([open()?.with(options.clone()), open()?.with(options)])
}

#[test]
fn a_column_that_another_process_adds_meanwhile_stays_known() -> Test {
    let folder = tempfile::tempdir()?;
    let [old, new] = two_sessions(&folder)?;
    let new = new.with(Options::new().rerun(Rerun::new().partial(true)));
    let again = || {
        new.sweep("grows", [0_u32], |i, _| {
            Ok::<_, String>(More { a: *i, b: 7 })
        })
    };
    old.sweep("grows", [0_u32], |i, _| Ok::<_, String>(Less { a: *i }))?;
    old.sweep("grows", 0..2_u32, |i, _| {
        again().map_err(|error| error.to_string())?;
        Ok::<_, String>(Less { a: *i })
    })?;
    let more = new.load_as::<xp::Swept<u32, More>>("grows")?;
    assert_eq!((more.runs().count(), more.partial()), (1, 1));
    assert_eq!(more.runs().next().unwrap()?.fields.result.b, 7);
    Ok(())
}

#[test]
fn a_field_is_not_of_two_types_if_two_processes_insert_it() -> Test {
    let folder = tempfile::tempdir()?;
    let [one, other] = two_sessions(&folder)?;
    let insert = || other.sweep("noted", [9_u32], |_, run| run.fields.insert("note", 9));
    let executed = one.sweep("noted", 0..2_u32, |i, run| {
        insert().map_err(|error| error.to_string())?;
        let inserted = match i {
            0 => run.fields.insert("note", "text".to_owned()),
            _ => run.fields.insert("other", "text".to_owned()),
        };
        inserted.map_err(|error| error.to_string())
    });
    let error = executed.map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("`note` holds int"), "{error}");
    let noted = one.load("noted")?;
    let failure = noted.failures().next().unwrap()?;
    assert_eq!(failure.inputs.get::<u32>("point")?, Some(0));
    let runs: Result<Vec<_>, _> = noted.runs().collect();
    assert_eq!(runs?.len(), 2);
    Ok(())
}

/// The file that a step vacuums, once.
static MOVED: Mutex<Option<String>> = Mutex::new(None);

mod moved {
    use super::*;

    #[step]
    fn double(n: u32) -> u32 {
        2 * n
    }

    #[step]
    fn add(double: u32, n: u32) -> Result<u32, rusqlite::Error> {
        let file = MOVED.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(file) = file {
            rusqlite::Connection::open(file)?.execute_batch("VACUUM")?;
        }
        Ok(double + n)
    }

    pub(crate) mod less {
        use super::*;

        #[experiment]
        pub(crate) fn moved(#[param] n: u32) {
            #[field]
            let double: u32 = double(n);
        }
    }

    #[experiment]
    pub(crate) fn moved(#[param] n: u32) {
        #[field]
        let double: u32 = double(n);
        #[field]
        let sum: u32 = add(double, n)?;
    }
}

#[test]
fn a_fill_finds_its_rows_after_a_vacuum() -> Test {
    let folder = tempfile::tempdir()?;
    let [session, other] = two_sessions(&folder)?;
    other.resume(moved::less::moved().n(0..9))?;
    let db = rusqlite::Connection::open(other.db())?;
    db.execute_batch("DELETE FROM experiment_moved WHERE n < 3")?;
    *MOVED.lock().unwrap() = Some(other.db().to_owned());
    let filled = session.resume(moved::moved().n(3..9).fill())?;
    assert!(MOVED.lock().unwrap().is_none());
    let mut runs = filled.runs();
    assert!(runs.all(|run| run.is_ok_and(|run| run.fields.sum == 3 * run.fields.n)));
    assert_eq!(filled.runs().count(), 6);
    Ok(())
}
