//! Continuing an experiment whose declaration has changed since: new fields, changed steps, new
//! inputs, other defaults.

#![allow(clippy::unwrap_used)]

use std::sync::atomic::{AtomicU32, Ordering};

use xp::prelude::*;
use xp::{Error, PointState, Rerun};

type Test = Result<(), Box<dyn std::error::Error>>;

static FITS: AtomicU32 = AtomicU32::new(0);
static SCORES: AtomicU32 = AtomicU32::new(0);
static RANKS: AtomicU32 = AtomicU32::new(0);

/// As it was first.
mod first {
    use super::*;

    #[step]
    pub(crate) fn fit(k: u32) -> Vec<u32> {
        FITS.fetch_add(1, Ordering::SeqCst);
        (0..k).collect()
    }

    #[step]
    pub(crate) fn score(model: &[u32]) -> f64 {
        SCORES.fetch_add(1, Ordering::SeqCst);
        model.len() as f64
    }

    #[experiment]
    pub(crate) fn ranking(#[param] k: u32) {
        let model = fit(k);
        #[field]
        let accuracy: f64 = score(&model);
    }
}

/// With another field.
mod second {
    use super::first::{fit, score};
    use super::*;

    #[step]
    pub(crate) fn rank(model: &[u32]) -> f64 {
        RANKS.fetch_add(1, Ordering::SeqCst);
        10.0 * model.len() as f64
    }

    #[experiment]
    pub(crate) fn ranking(#[param] k: u32) {
        let model = fit(k);
        #[field]
        let accuracy: f64 = score(&model);
        #[field]
        let ndcg: f64 = rank(&model);
    }
}

/// With another body of a step.
mod third {
    use super::first::fit;
    use super::*;

    #[step]
    fn score(model: &[u32]) -> f64 {
        SCORES.fetch_add(1, Ordering::SeqCst);
        1.0 + model.len() as f64
    }

    #[experiment]
    pub(crate) fn ranking(#[param] k: u32) {
        let model = fit(k);
        #[field]
        let accuracy: f64 = score(&model);
    }
}

#[test]
fn a_new_field_makes_runs_partial_and_fill_computes_only_that() -> Test {
    let folder = tempfile::tempdir()?;
    let session = Session::open(folder.path().join("a.db"))?;
    let old = session.resume(first::ranking().k(1..=4))?;
    assert_eq!((old.runs().count(), old.partial()), (4, 0));
    let rows = session.query("SELECT id_run, k, accuracy FROM experiment_ranking ORDER BY k")?;

    // Only counted, and said.
    let report = session.plan(second::ranking().k(1..=5))?;
    assert_eq!((report.counts.partial, report.counts.missing), (4, 1));
    assert_eq!(report.counts.to_run, 1);
    assert_eq!(report.counts.stale, 0, "{report}");
    let text = report.to_string();
    assert!(
        text.contains("it lacks the field `ndcg`; `.fill()` computes it"),
        "{text}"
    );
    let kept = session.resume(second::ranking().k(1..=4))?;
    assert_eq!((kept.runs().count(), kept.partial()), (0, 4));
    let some = session.resume(second::ranking().k(1..=5))?;
    assert_eq!((some.runs().count(), some.partial()), (1, 4));
    assert_eq!(some.counts().unwrap().partial, 4);

    let before = [&FITS, &SCORES, &RANKS].map(|calls| calls.load(Ordering::SeqCst));
    let report = session.plan(second::ranking().k(1..=5).fill())?;
    assert_eq!(report.counts.to_run, 4);
    let filled = session.resume(second::ranking().k(1..=5).fill())?;
    let after = [&FITS, &SCORES, &RANKS].map(|calls| calls.load(Ordering::SeqCst));
    assert_eq!(after[0] - before[0], 4);
    assert_eq!(after[1], before[1], "what is there is not computed again");
    assert_eq!(after[2] - before[2], 4);
    assert_eq!((filled.runs().count(), filled.partial()), (5, 0));
    for run in filled.runs() {
        let run = run?;
        assert_eq!(run.fields.accuracy, f64::from(run.fields.k));
        assert_eq!(run.fields.ndcg, 10.0 * f64::from(run.fields.k));
    }
    let now = session
        .query("SELECT id_run, k, accuracy FROM experiment_ranking WHERE k < 5 ORDER BY k")?;
    assert_eq!(now.rows(), rows.rows());
    // The old declaration reads them, too.
    assert_eq!(
        session.load_as::<first::Ranking>("ranking")?.runs().count(),
        5
    );
    assert_eq!(session.plan(second::ranking().k(1..=5))?.counts.complete, 5);
    assert_eq!(session.plan(first::ranking().k(1..=5))?.counts.complete, 5);
    Ok(())
}

#[test]
fn a_changed_step_makes_runs_stale_and_they_are_kept_unless_asked() -> Test {
    let session = Session::in_memory()?;
    session.resume(first::ranking().k([1, 2]))?;
    let report = session.plan(third::ranking().k([1, 2, 3]))?;
    assert_eq!((report.counts.stale, report.counts.to_run), (2, 1));
    assert!(
        report
            .to_string()
            .contains("the step `score` has changed since"),
        "{report}"
    );
    assert_eq!(report.points()[0].state, PointState::Stale);
    let kept = session.resume(third::ranking().k([1, 2]))?;
    let accuracies = |experiment: &Experiment<third::Ranking>| -> Vec<f64> {
        let mut all: Vec<_> = experiment
            .runs()
            .map(|run| run.unwrap().fields.accuracy)
            .collect();
        all.sort_by(f64::total_cmp);
        all
    };
    assert_eq!(accuracies(&kept), [1.0, 2.0]);
    let rerun = Rerun::new().stale(true);
    let again = session.resume(third::ranking().k([1, 2]).rerun(rerun))?;
    assert_eq!(accuracies(&again), [2.0, 3.0]);
    let attempts = session.query("SELECT count(*) FROM xp_run")?;
    assert_eq!(attempts.rows()[0][0], xp::Value::Int(4));
    assert_eq!(session.plan(third::ranking().k([1, 2]))?.counts.complete, 2);
    Ok(())
}

#[step]
fn split(ratio: f64, k: u32) -> f64 {
    ratio * f64::from(k)
}

#[step]
fn whole(k: u32) -> f64 {
    0.3 * f64::from(k)
}

mod without {
    use super::*;
    #[experiment]
    pub(crate) fn splits(#[param] k: u32) {
        #[field]
        let part: f64 = whole(k);
    }
}

macro_rules! splits {
    ($module:ident, $($attribute:tt)*) => {
        mod $module {
            use super::*;
            #[experiment]
            pub(crate) fn splits(#[config($($attribute)*)] ratio: f64, #[param] k: u32) {
                #[field]
                let part: f64 = split(ratio, k);
            }
        }
    };
}

splits!(thirty, default = 0.3);
splits!(twenty, default = 0.2);
splits!(twenty_absent, default = 0.2, absent = 0.3);

mod required {
    use super::*;
    #[experiment]
    pub(crate) fn splits(#[config] ratio: f64, #[param] k: u32) {
        #[field]
        let part: f64 = split(ratio, k);
    }
}
splits!(defaulted, default = 0.3);
splits!(defaulted_whole, default = 0.3, absent = _);

#[test]
fn a_changed_default_is_refused_before_the_first_run_with_what_to_write() -> Test {
    let session = Session::in_memory()?;
    session.resume(without::splits().k([1, 2]))?;
    // An input that is added has had its default.
    let added = session.resume(thirty::splits().k([1, 2]))?;
    assert_eq!(added.counts().unwrap().to_run, 0);
    for run in added.runs() {
        assert_eq!(run?.fields.ratio, 0.3);
    }
    let added = session.resume(thirty::splits().k([2, 3]))?;
    // Another step makes the field now.
    assert_eq!(
        (added.counts().unwrap().stale, added.runs().count()),
        (1, 3)
    );

    for error in [
        session.resume(twenty::splits().k([1, 2])).unwrap_err(),
        session.plan(twenty::splits().k([1, 2])).unwrap_err(),
    ] {
        assert!(matches!(error, Error::ChangedInputs(_)), "{error}");
        let text = error.to_string();
        assert!(
            text.contains("#[config(default = 0.2, absent = 0.3)]"),
            "{text}"
        );
    }
    let report = session.plan(twenty_absent::splits().k([3]))?;
    assert_eq!(report.counts.missing, 1, "0.2 is another point");
    let report = session.plan(twenty_absent::splits().k([3]).ratio(0.3))?;
    assert_eq!(report.counts.complete, 1);
    Ok(())
}

#[test]
fn a_default_that_is_added_to_an_input_is_refused_with_what_to_write() -> Test {
    let session = Session::in_memory()?;
    session.resume(required::splits().ratio(0.3).k([1, 2]))?;
    let error = session.resume(defaulted::splits().k([1, 2])).unwrap_err();
    assert!(matches!(error, Error::ChangedInputs(_)), "{error}");
    let text = error.to_string();
    assert!(
        text.contains("#[config(default = 0.3, absent = _)]"),
        "{text}"
    );
    let resumed = session.resume(defaulted_whole::splits().k([1, 2]))?;
    assert_eq!(resumed.counts().unwrap().complete, 2);
    Ok(())
}

mod typed {
    use super::*;
    #[step]
    fn text(k: u32) -> String {
        k.to_string()
    }
    #[experiment]
    pub(crate) fn ranking(#[param] k: u32) {
        #[field]
        let accuracy: String = text(k);
    }
}

#[test]
fn a_column_of_another_type_is_refused_before_the_first_run() -> Test {
    let session = Session::in_memory()?;
    session.resume(first::ranking().k([1]))?;
    let error = session.resume(typed::ranking().k([1, 2])).unwrap_err();
    assert!(matches!(error, Error::Misfit { .. }), "{error}");
    assert!(error.to_string().contains("accuracy"), "{error}");
    let runs = session.query("SELECT count(*) FROM xp_run")?;
    assert_eq!(runs.rows()[0][0], xp::Value::Int(1));
    Ok(())
}

/// With another input that has no default, and then with another name for the first.
mod renamed {
    use super::first::{fit, score};
    use super::*;

    #[step]
    fn scaled(model: &[u32], scale: f64) -> f64 {
        scale * score(model)
    }

    pub(crate) mod added {
        use super::*;

        #[experiment]
        pub(crate) fn ranking(#[param] k: u32, #[config] scale: f64) {
            let model = fit(k);
            #[field]
            let accuracy: f64 = scaled(&model, scale);
        }
    }

    #[experiment]
    pub(crate) fn ranking(#[param] size: u32) {
        let model = fit(size);
        #[field]
        let accuracy: f64 = score(&model);
    }

    pub(crate) mod dropped {
        use super::*;

        #[step]
        fn one() -> f64 {
            1.0
        }

        #[experiment]
        pub(crate) fn ranking() {
            #[field]
            let accuracy: f64 = one();
        }
    }
}

#[test]
fn a_plan_says_why_no_run_of_the_file_is_one_of_its_points() -> Test {
    let session = Session::in_memory()?;
    session.resume(first::ranking().k([1, 2]))?;

    let report = session.plan(renamed::added::ranking().k([1, 2]).scale(1.0))?;
    assert_eq!(report.counts.missing, 2);
    let hint = "2 runs of the file have no input `scale`: give it a default to go on with them";
    assert_eq!(report.hints, [hint]);
    assert!(report.to_string().ends_with(hint), "{report}");

    let report = session.plan(renamed::ranking().size([1, 2]))?;
    let hint = "2 runs of the file have an input `k` and no input `size`: if it is the same one, call \
                it `k` to go on with them";
    assert_eq!(report.hints, [hint]);

    let report = session.plan(renamed::dropped::ranking())?;
    let hint = "2 runs of the file have an input `k` that is not declared any more: declare it again \
                to go on with them";
    assert_eq!(report.hints, [hint]);

    // Nothing is said where all is as it was, nor where a default stands for what they lack.
    assert_eq!(session.plan(first::ranking().k([1, 2, 3]))?.hints, [""; 0]);
    session.resume(renamed::added::ranking().k([1]).scale(1.0))?;
    let report = session.plan(renamed::added::ranking().k([1, 2]).scale(1.0))?;
    assert_eq!(report.hints.len(), 1, "{report}");
    Ok(())
}
