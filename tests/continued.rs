//! Experiments that continue the runs of others: further fields for the rows that are there.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use serde::{Deserialize, Serialize};
use xp::prelude::*;
use xp::{PointState, Rerun, Value};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Loss {
    epoch: u32,
    value: f64,
}

#[step]
fn fit(losses: &mut Sequence<Loss>, k: usize, rate: f64) -> Result<f64, String> {
    if k == 13 {
        return Err("unlucky".to_owned());
    }
    for epoch in 0..3 {
        losses.append(Loss {
            epoch,
            value: rate / (k as f64) / f64::from(epoch + 1),
        });
    }
    Ok(1.0 - 1.0 / (k as f64 + 1.0))
}

#[experiment]
fn iris(#[config(default = 0.5)] rate: f64, #[param] k: usize, #[sequence] losses: Sequence<Loss>) {
    /// Share of the rows classified correctly.
    #[field]
    let accuracy: f64 = fit(&mut losses, k, rate)?;
    #[field]
    let label: Option<String> = label(k);
}

#[step]
fn label(k: usize) -> Option<String> {
    (k > 1).then(|| format!("k{k}"))
}

/// How often the steps below were called, and for which `k` they fail.
static GRADED: AtomicUsize = AtomicUsize::new(0);
static MEANS: AtomicUsize = AtomicUsize::new(0);
static FAILS: AtomicI64 = AtomicI64::new(-1);
/// The counts are the process's own: one test at a time.
static ALONE: std::sync::Mutex<()> = std::sync::Mutex::new(());

fn alone() -> std::sync::MutexGuard<'static, ()> {
    let guard = ALONE
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    GRADED.store(0, Ordering::Relaxed);
    MEANS.store(0, Ordering::Relaxed);
    FAILS.store(-1, Ordering::Relaxed);
    guard
}

#[step]
fn grade_of(accuracy: f64, k: usize, threshold: f64) -> Result<String, String> {
    GRADED.fetch_add(1, Ordering::Relaxed);
    if FAILS.load(Ordering::Relaxed) == k as i64 {
        return Err(format!("no grade for {k}"));
    }
    Ok(if accuracy >= threshold {
        "good"
    } else {
        "poor"
    }
    .to_owned())
}

#[step]
fn mean(runs: &Runs<Iris>) -> xp::Result<f64> {
    MEANS.fetch_add(1, Ordering::Relaxed);
    let mut sum = 0.0;
    for run in runs {
        sum += run?.fields.accuracy;
    }
    Ok(sum / runs.iter().count() as f64)
}

#[step]
fn total(losses: &Sequence<Loss>) -> Result<f64, xp::SequenceError> {
    Ok(losses.values()?.iter().map(|loss| loss.value).sum())
}

#[step]
fn above(accuracy: f64, mean: f64) -> f64 {
    accuracy - mean
}

#[step]
fn note(run: &mut Run, k: usize) -> Result<f64, xp::FieldError> {
    if k == 2 {
        run.fields.insert("remark", "two".to_owned())?;
    }
    run.artifact("grade.txt", format!("{k}"));
    Ok(run.rng("noise").f64())
}

/// Grades runs.
#[experiment(continues = iris)]
fn grade(
    /// What is good.
    #[config(default = 0.7)]
    threshold: f64,
    #[field] accuracy: f64,
    #[param] k: usize,
    #[field] label: Option<String>,
    #[sequence] losses: Sequence<Loss>,
    runs: &Runs<Iris>,
    run: &mut Run,
) {
    #[shared]
    let mean: f64 = mean(runs)?;
    /// The grade.
    #[field]
    let grade: String = grade_of(accuracy, k, threshold)?;
    #[field]
    let above: f64 = above(accuracy, mean);
    #[field]
    let total: f64 = total(&losses)?;
    #[field]
    let noise: f64 = note(run, k)?;
    #[state]
    let kept: Option<String> = label;
}

fn ints(session: &Session, sql: &str) -> Vec<i64> {
    let table = session.query(sql).unwrap();
    let rows = table.rows();
    rows.iter().map(|row| row[0].as_i64().unwrap()).collect()
}

/// All that is in the file about the experiment, but for the ledger.
fn contents(session: &Session, name: &str) -> String {
    let rows = session
        .query(&format!("select * from experiment_{name} order by id_run"))
        .unwrap();
    let meta = session
        .query("select hex(meta), hex(fields) from experiments")
        .unwrap();
    format!("{rows:?}{:?}", meta.rows())
}

#[test]
fn the_rows_that_are_there_get_further_fields() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("iris.db");
    let made = Session::open(&path)
        .unwrap()
        .execute(iris().k([1, 2, 3]))
        .unwrap();
    let ids: Vec<_> = made.runs().map(|run| run.unwrap().id_run).collect();

    let session = Session::open(&path).unwrap();
    let graded: Experiment<Grade> = session.execute(grade()).unwrap();
    assert_eq!(graded.id_experiment, made.id_experiment);
    assert_eq!((graded.name.as_str(), graded.partial()), ("iris", 0));
    let runs: Vec<Run<Grade>> = graded.runs().collect::<xp::Result<_>>().unwrap();
    assert_eq!(runs.iter().map(|run| run.id_run).collect::<Vec<_>>(), ids);
    let mean = (0.5 + 2.0 / 3.0 + 0.75) / 3.0;
    for run in &runs {
        let (fields, k) = (&run.fields, run.fields.k);
        assert_eq!(fields.threshold, 0.7);
        assert_eq!(fields.grade, if k == 3 { "good" } else { "poor" });
        assert!((fields.above - (fields.accuracy - mean)).abs() < 1e-12);
        let total: f64 = fields
            .losses
            .values()
            .unwrap()
            .iter()
            .map(|loss| loss.value)
            .sum();
        assert_eq!(fields.total, total);
        assert_eq!(run.state().unwrap().kept, fields.label);
        let artifact = graded.artifact(run.id_run, "grade.txt").unwrap();
        assert_eq!(artifact, Some(k.to_string().into_bytes()));
    }
    // The shared value was computed once, and each run has numbers of its own.
    assert_eq!(MEANS.load(Ordering::Relaxed), 1);
    assert_ne!(runs[0].fields.noise, runs[1].fields.noise);
    let remark = session
        .query("select k from experiment_iris where remark = 'two'")
        .unwrap();
    assert_eq!(remark.rows(), [vec![Value::Int(2)]]);

    // All is there for those who know nothing of `grade`.
    assert_eq!(session.load_as::<Iris>("iris").unwrap().runs().count(), 3);
    let untyped = session.load("iris").unwrap();
    for run in untyped.runs() {
        let fields = run.unwrap().fields;
        let good = fields.get::<usize>("k").unwrap() == Some(3);
        let grade = if good { "good" } else { "poor" };
        assert_eq!(fields.get("grade").unwrap(), Some(grade.to_owned()));
    }
    // And for those who load it later.
    let loaded = session.load_as::<Grade>("iris").unwrap();
    assert_eq!(loaded.runs().count(), 3);
    let steps = session
        .query("select name from xp_step join xp_execution using (execution) order by 1")
        .unwrap();
    assert!(
        steps
            .rows()
            .iter()
            .any(|row| row[0].as_str() == Some("grade_of"))
    );
}

#[test]
fn an_execution_that_fails_leaves_the_runs_as_they_were() {
    let _alone = alone();
    let session = Session::in_memory().unwrap();
    session.execute(iris().k([1, 2, 3, 4])).unwrap();
    let before = contents(&session, "iris");
    let ledger = |session: &Session| ints(session, "select count(*) from xp_run");
    FAILS.store(3, Ordering::Relaxed);
    let Err(xp::Error::RunsFailed(failed)) = session.execute(grade().jobs(1)) else {
        panic!("3 fails")
    };
    assert_eq!(failed.first.exception.message, "no grade for 3");
    assert_eq!(failed.first.exception.step.as_deref(), Some("grade_of"));
    assert_eq!(failed.first.inputs.get::<u64>("k").unwrap(), Some(3));
    assert!(failed.experiment.is_none());
    assert_eq!(contents(&session, "iris"), before);
    assert_eq!(ledger(&session), [4]);
    assert_eq!(session.load("iris").unwrap().failures().count(), 0);
    let report = session.plan(iris().k([1, 2, 3, 4])).unwrap();
    assert_eq!(report.counts.complete, 4);

    FAILS.store(-1, Ordering::Relaxed);
    session.execute(grade()).unwrap();
    // Another one replaces the fields, or leaves them as they were.
    FAILS.store(3, Ordering::Relaxed);
    let graded = contents(&session, "iris");
    assert!(session.execute(grade().threshold(0.1)).is_err());
    assert_eq!(contents(&session, "iris"), graded);
    FAILS.store(-1, Ordering::Relaxed);
    let again = session.execute(grade().threshold(0.1)).unwrap();
    for run in again.runs() {
        let run = run.unwrap();
        assert_eq!(
            (run.fields.grade.as_str(), run.fields.threshold),
            ("good", 0.1)
        );
    }
}

#[test]
fn resume_continues_what_lacks_the_fields() {
    let _alone = alone();
    let session = Session::in_memory().unwrap();
    session.execute(iris().k([1, 2])).unwrap();
    session.resume(grade()).unwrap();
    assert_eq!(GRADED.load(Ordering::Relaxed), 2);
    session.resume(iris().k([1, 2, 3])).unwrap();

    // The mean is that of all runs, and there is one more now.
    let report = session.plan(grade()).unwrap();
    assert_eq!(
        (
            report.counts.stale,
            report.counts.missing,
            report.counts.to_run
        ),
        (2, 1, 1)
    );
    let told = report.to_string();
    assert!(
        told.contains("2 stale    keep  it was computed of other runs than there are now"),
        "{told}"
    );
    let points = report.points();
    let missing: Vec<_> = points
        .iter()
        .filter(|p| p.state == PointState::Missing)
        .collect();
    assert_eq!((missing.len(), missing[0].params.k), (1, 3));
    assert_eq!(session.load_as::<Grade>("iris").unwrap().partial(), 1);

    let graded = session.resume(grade()).unwrap();
    assert_eq!(GRADED.load(Ordering::Relaxed), 3);
    assert_eq!((graded.runs().count(), graded.partial()), (3, 0));
    session.resume(grade()).unwrap();
    assert_eq!(GRADED.load(Ordering::Relaxed), 3);
    let again = || grade().rerun(Rerun::new().stale(true));
    session.resume(again()).unwrap();
    assert_eq!(GRADED.load(Ordering::Relaxed), 5);
    let means = |run: xp::Result<Run<Grade>>| {
        let fields = run.unwrap().fields;
        fields.accuracy - fields.above
    };
    let means: Vec<f64> = graded.runs().map(means).collect();
    assert!(
        means.iter().all(|mean| (mean - means[0]).abs() < 1e-9),
        "{means:?}"
    );
    assert_eq!(session.plan(grade()).unwrap().counts.complete, 3);
    session.resume(again()).unwrap();
    assert_eq!(GRADED.load(Ordering::Relaxed), 5);

    // What was computed with another config is told, and left.
    let report = session.plan(grade().threshold(0.2)).unwrap();
    assert_eq!((report.counts.stale, report.counts.to_run), (3, 0));
    assert!(report.to_string().contains("another config"), "{report}");
    session
        .resume(grade().threshold(0.2).rerun(Rerun::new().stale(true)))
        .unwrap();
    assert_eq!(GRADED.load(Ordering::Relaxed), 8);
}

#[test]
fn what_fails_is_kept_apart_and_is_attempted_again() {
    let _alone = alone();
    let session = Session::in_memory().unwrap();
    let _ = session.resume(iris().k([1, 2, 13]));
    FAILS.store(2, Ordering::Relaxed);
    let Err(xp::Error::RunsFailed(failed)) = session.resume(grade()) else {
        panic!("2 fails")
    };
    assert_eq!((failed.failed, failed.completed), (1, 1));
    let kept = failed.experiment.as_ref().unwrap();
    assert_eq!(kept.failures().count(), 1);
    let typed = failed.typed::<Grade>().unwrap().unwrap();
    assert_eq!((typed.runs().count(), typed.partial()), (1, 1));
    // The original has its own failure, and no other one.
    let original = session.load_as::<Iris>("iris").unwrap();
    let failures: Vec<_> = original
        .failures()
        .map(|f| f.unwrap().exception.message)
        .collect();
    assert_eq!(failures, ["unlucky"]);
    let report = session.plan(iris().k([1, 2, 13])).unwrap();
    assert_eq!((report.counts.complete, report.counts.failed), (2, 1));
    FAILS.store(-1, Ordering::Relaxed);
    let graded = session.resume(grade()).unwrap();
    assert_eq!((graded.runs().count(), graded.failures().count()), (2, 0));
}

/// The experiment as it is later, with a step that is another one.
mod later {
    use super::Loss;
    use xp::prelude::*;

    #[step]
    pub(super) fn fit(_losses: &mut Sequence<Loss>, k: usize, rate: f64) -> f64 {
        k as f64 * rate
    }

    #[step]
    pub(super) fn size(k: usize) -> u64 {
        k as u64 * 2
    }

    #[experiment]
    pub(super) fn iris(
        #[config(default = 0.5)] rate: f64,
        #[param] k: usize,
        #[sequence] losses: Sequence<Loss>,
    ) {
        #[field]
        let accuracy: f64 = fit(&mut losses, k, rate);
        #[field]
        let label: Option<String> = super::label(k);
        #[field]
        let size: u64 = size(k);
    }
}

#[test]
fn a_run_that_is_made_again_lacks_the_fields_again() {
    let _alone = alone();
    let session = Session::in_memory().unwrap();
    session.execute(iris().k([1, 2])).unwrap();
    session.execute(grade()).unwrap();

    // A fill gives the row a further field, and leaves the others.
    let filled = session.resume(later::iris().k([1, 2]).fill()).unwrap();
    assert_eq!(filled.runs().count(), 2);
    assert_eq!(session.plan(grade()).unwrap().counts.complete, 2);
    let both =
        session.query("select count(*) from experiment_iris where grade is not null and size > 0");
    assert_eq!(both.unwrap().rows(), [vec![Value::Int(2)]]);

    session
        .resume(later::iris().k([2]).rerun(Rerun::new().stale(true)))
        .unwrap();
    let report = session.plan(grade()).unwrap();
    // What the other one was given has changed, too.
    assert_eq!((report.counts.stale, report.counts.missing), (1, 1));
    assert_eq!(session.load_as::<Grade>("iris").unwrap().partial(), 1);
    assert_eq!(
        session
            .load_as::<later::Iris>("iris")
            .unwrap()
            .runs()
            .count(),
        2
    );
    let graded = session.resume(grade()).unwrap();
    let accuracies: Vec<f64> = graded
        .runs()
        .map(|run| run.unwrap().fields.accuracy)
        .collect();
    assert!(accuracies.contains(&1.0), "{accuracies:?}");
}

#[test]
fn runs_are_filtered_and_ordered_and_not_zipped() {
    let _alone = alone();
    let session = Session::in_memory().unwrap();
    session.execute(iris().k([1, 2, 3, 4])).unwrap();
    let plan = grade()
        .filter(|run| run.accuracy > 0.7)
        .order_by_key(|run| run.k)
        .jobs(1);
    let graded = session.execute(plan).unwrap();
    assert_eq!((graded.runs().count(), graded.partial()), (2, 2));
    let error = session.execute(grade().zip()).unwrap_err().to_string();
    assert!(error.contains("can be filtered and ordered"), "{error}");
    let error = session
        .execute(xp::union([grade(), grade()]))
        .unwrap_err()
        .to_string();
    assert!(error.contains("can be filtered and ordered"), "{error}");
}

#[step]
fn nothing() -> f64 {
    0.0
}

#[experiment(continues = iris)]
fn wrong(
    #[config(default = 1)] rate: u32,
    #[field] accuracy: String,
    #[field] absent: u8,
    #[param] label: String,
    #[param] none: Option<u8>,
    #[sequence] curve: Sequence<Loss>,
) {
    #[field]
    let losses: f64 = nothing();
}

#[test]
fn all_that_does_not_fit_is_told_before_the_first_run() {
    let _alone = alone();
    let session = Session::in_memory().unwrap();
    session.execute(iris().k([1, 2])).unwrap();
    let before = contents(&session, "iris");
    let Err(xp::Error::Misfit { misfits, .. }) = session.execute(wrong()) else {
        panic!("it does not fit")
    };
    let told: Vec<_> = misfits
        .iter()
        .map(|m| format!("{}: {} / {}", m.column, m.expected, m.found))
        .collect();
    assert_eq!(
        told,
        [
            "accuracy: text / float (FLOAT)",
            "absent: int / no such column",
            "curve: serialized / no such column",
            "rate: no column yet, since `wrong` makes it: give it another name / a column of the experiment, float (FLOAT)",
            "losses: no column yet, since `wrong` makes it: give it another name / a column of the experiment, serialized \
             (BLOB)",
        ]
    );
    assert_eq!(contents(&session, "iris"), before);
    let error = session.plan(wrong()).unwrap_err().to_string();
    assert!(
        error.contains("`absent` should be int, and is no such column"),
        "{error}"
    );
}

#[experiment(continues)]
fn stranger(#[param] label: String, runs: &Runs) {
    #[field]
    let count: u64 = count(runs, &label)?;
}

#[step]
fn count(runs: &Runs, label: &str) -> xp::Result<u64> {
    let mut count = 0;
    for run in runs {
        count += u64::from(run?.fields.get::<String>("label")?.as_deref() != Some(label));
    }
    Ok(count)
}

#[test]
fn a_value_that_some_runs_lack_is_told() {
    let _alone = alone();
    let session = Session::in_memory().unwrap();
    session.execute(iris().k([1, 2, 3])).unwrap();
    let error = session
        .execute(stranger().named("iris"))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("`label` should be text, and is missing in 1 of 3 runs"),
        "{error}"
    );
    let Err(error) = session.execute(stranger().named("nowhere")) else {
        panic!()
    };
    assert!(error.to_string().contains("nowhere"), "{error}");
    session.execute(iris().k([2, 3]).named("others")).unwrap();
    let counted = session.execute(stranger().named("others")).unwrap();
    for run in counted.runs() {
        assert_eq!(run.unwrap().fields.count, 1);
    }
}

#[test]
fn an_experiment_without_runs_has_nothing_to_continue() {
    let _alone = alone();
    let session = Session::in_memory().unwrap();
    let _ = session.resume(iris().k([13]));
    let error = session.execute(grade()).unwrap_err().to_string();
    assert_eq!(
        error,
        "`grade` has nothing to continue: `iris` has no completed run"
    );
}

#[test]
fn an_experiment_takes_what_continues_it_with_it() {
    let _alone = alone();
    let session = Session::in_memory().unwrap();
    session.execute(iris().k([1, 2])).unwrap();
    session.resume(grade()).unwrap();
    session.delete("iris").unwrap();
    for table in [
        "xp_run",
        "xp_execution",
        "xp_experiment",
        "xp_column",
        "xp_step",
        "xp_artifact",
    ] {
        assert_eq!(
            ints(&session, &format!("select count(*) from {table}")),
            [0],
            "{table}"
        );
    }
}

#[experiment(continues = grade)]
fn rank(#[field] grade: String, #[field] total: f64) {
    #[shared]
    let weight: f64 = weight(&grade)?;
    #[field]
    let rank: f64 = above(total, weight);
}

static WEIGHTS: AtomicUsize = AtomicUsize::new(0);

#[step]
fn weight(grade: &str) -> Result<f64, String> {
    WEIGHTS.fetch_add(1, Ordering::Relaxed);
    Ok(if grade == "good" { 1.0 } else { 0.0 })
}

#[test]
fn what_was_added_is_continued_too_and_shared_values_are_per_value() {
    let _alone = alone();
    let session = Session::in_memory().unwrap();
    session.execute(iris().k(1..9)).unwrap();
    session.execute(grade()).unwrap();
    let ranked = session.execute(rank()).unwrap();
    assert_eq!((ranked.runs().count(), ranked.name.as_str()), (8, "iris"));
    assert_eq!(WEIGHTS.load(Ordering::Relaxed), 2);
}

#[test]
fn a_run_inserts_nothing_that_is_there() {
    #[step]
    fn insert(run: &mut Run) -> Result<u8, xp::FieldError> {
        run.fields.insert("accuracy", 1.0)?;
        Ok(1)
    }
    #[experiment(continues = iris)]
    fn thief(run: &mut Run) {
        #[field]
        let taken: u8 = insert(run)?;
    }
    let _alone = alone();
    let session = Session::in_memory().unwrap();
    session.execute(iris().k([1])).unwrap();
    let Err(xp::Error::RunsFailed(failed)) = session.execute(thief()) else {
        panic!()
    };
    assert!(
        failed.to_string().contains("`accuracy` is declared"),
        "{failed}"
    );
}

/// The variables by which a process learns what to do; the last one is xp's own.
const DB: &str = "XP_TEST_DB";
const HOW: &str = "XP_TEST_HOW";
const FAILPOINT: &str = "XP_FAILPOINT";

#[test]
#[ignore = "a part of other tests, in a process of its own"]
fn continues_the_file() {
    let session = Session::open(std::env::var_os(DB).unwrap()).unwrap();
    let session = session.with(xp::Options::new().group(1));
    let done = match std::env::var(HOW).as_deref() {
        Ok("execute") => session.execute(grade()),
        _ => session.resume(grade()),
    };
    assert_eq!(done.unwrap().partial(), 0);
}

/// Continues the file in a process, and says whether it was killed.
fn killed(db: &std::path::Path, how: &str, failpoint: Option<&str>) -> bool {
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "continues_the_file", "--ignored"])
        .env(DB, db)
        .env(HOW, how)
        .envs(failpoint.map(|failpoint| (FAILPOINT, failpoint)))
        .output()
        .unwrap();
    !output.status.success()
}

#[test]
fn a_kill_leaves_the_runs_that_are_continued_in_peace() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("iris.db");
    let session = Session::open(&path).unwrap();
    let ks = || iris().k([1, 2, 3, 4, 5]);
    session.execute(ks()).unwrap();
    let before = contents(&session, "iris");
    for failpoint in ["commit.begun:1", "commit.ledger:1", "commit.ready:1"] {
        assert!(killed(&path, "execute", Some(failpoint)), "{failpoint}");
        assert_eq!(contents(&session, "iris"), before, "{failpoint}");
        assert_eq!(ints(&session, "select count(*) from xp_run"), [5]);
    }
    for failpoint in ["claim.committed:1", "commit.ledger:2", "commit.committed:3"] {
        assert!(killed(&path, "resume", Some(failpoint)), "{failpoint}");
        assert_eq!(session.load("iris").unwrap().failures().count(), 0);
        let report = session.plan(ks()).unwrap();
        assert_eq!((report.counts.complete, report.counts.to_run), (5, 0));
        let left = session.plan(grade()).unwrap().counts;
        assert!(left.to_run > 0, "{failpoint}: {left:?}");
        if failpoint == "claim.committed:1" {
            assert!(left.interrupted > 0, "{left:?}");
        }
    }
    assert!(!killed(&path, "resume", None));
    assert_eq!(session.load_as::<Grade>("iris").unwrap().runs().count(), 5);
    assert_eq!(session.plan(grade()).unwrap().counts.complete, 5);
    assert_eq!(session.plan(ks()).unwrap().counts.complete, 5);
}

#[step]
fn tagged(accuracy: f64, tag: &str) -> String {
    format!("{tag}{accuracy}")
}

#[experiment(continues = iris)]
fn tags(#[config] tag: String, #[field] accuracy: f64) {
    #[field]
    let tagged: String = tagged(accuracy, &tag);
}

#[test]
fn any_text_is_a_config_and_another_one_makes_runs_stale() {
    let _alone = alone();
    let session = Session::in_memory().unwrap();
    session.execute(iris().k([1, 2])).unwrap();
    let tag = "a\0'b?\"";
    session.execute(tags().tag(tag)).unwrap();
    assert_eq!(session.plan(tags().tag(tag)).unwrap().counts.complete, 2);
    assert_eq!(session.plan(tags().tag("a")).unwrap().counts.stale, 2);
}

#[test]
fn what_was_computed_of_parts_is_stale_in_the_whole() {
    let _alone = alone();
    let session = Session::in_memory().unwrap();
    for (name, ks) in [("a", [1, 2]), ("b", [3, 4])] {
        session.execute(iris().k(ks).named(name)).unwrap();
        session.execute(grade().named(name)).unwrap();
        let copy = session.load_as::<Iris>(name).unwrap();
        copy.copy_into(&session, &format!("copy of {name}"))
            .unwrap();
        let copy = format!("copy of {name}");
        assert_eq!(
            session.plan(grade().named(copy)).unwrap().counts.complete,
            2
        );
    }
    let parts = ["a", "b"].map(|name| session.load_as::<Iris>(name).unwrap());
    session.merge("whole", &parts).unwrap();
    let counts = session.plan(grade().named("whole")).unwrap().counts;
    assert_eq!((counts.stale, counts.complete), (4, 0));
    assert_eq!(session.plan(grade().named("a")).unwrap().counts.complete, 2);
}

#[test]
fn the_failures_are_there_also_if_nothing_else_is() {
    let _alone = alone();
    let session = Session::in_memory().unwrap();
    session.execute(iris().k([2])).unwrap();
    let error = session.load_as::<Grade>("iris").unwrap_err();
    assert!(matches!(error, xp::Error::Misfit { .. }), "{error}");
    FAILS.store(2, Ordering::Relaxed);
    let error = session.resume(grade()).unwrap_err();
    FAILS.store(-1, Ordering::Relaxed);
    let xp::Error::RunsFailed(failed) = error else {
        panic!("{error}")
    };
    let typed = failed.typed::<Grade>().unwrap().unwrap();
    let loaded = session.load_as::<Grade>("iris").unwrap();
    for graded in [typed, loaded] {
        assert_eq!((graded.runs().count(), graded.partial()), (0, 1));
        let failures: Vec<_> = graded.failures().map(Result::unwrap).collect();
        assert_eq!(failures.len(), 1);
        assert_eq!(failures[0].exception.message, "no grade for 2");
    }
    assert_eq!(session.load("iris").unwrap().failures().count(), 0);
    session.resume(grade()).unwrap();
    assert_eq!(session.load_as::<Grade>("iris").unwrap().runs().count(), 1);
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let _alone = alone();
    let session = Session::in_memory().unwrap();
    session.execute(iris().k([1, 2])).unwrap();
    let replace = || grade().if_exists(IfExists::Replace);
    let errors = [
        session.execute(replace()).unwrap_err(),
        session.resume(replace()).unwrap_err(),
        session
            .resume(iris().k([1]).if_exists(IfExists::Fail))
            .unwrap_err(),
    ];
    let continues =
        "the plan of `grade` has `.if_exists(..)`, and it continues the runs that are there";
    let resumes = "`resume` goes on with what is there: leave it out";
    for (error, says) in errors.iter().zip([continues, resumes, resumes]) {
        assert!(error.to_string().contains(says), "{error}");
    }
    assert_eq!(session.load("iris").unwrap().runs().count(), 2);

    session.execute(tags().tag("a")).unwrap();
    let error = session.execute(tagging().tag("b")).unwrap_err().to_string();
    assert!(error.contains("a column that `tags` made"), "{error}");
    assert!(error.contains("give it another name"), "{error}");
}

#[experiment(continues = iris)]
fn tagging(#[config] tag: String, #[field] accuracy: f64) {
    #[field]
    let twice: String = tagged(accuracy, &tag);
}
