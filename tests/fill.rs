//! Filling: fields that runs lack are computed of what the runs have, and nothing that a run has is
//! computed again.

#![allow(clippy::unwrap_used)]

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use serde::{Deserialize, Serialize};
use xp::prelude::*;
use xp::{Error, PointState};

type Test = Result<(), Box<dyn std::error::Error>>;

static MEASURED: AtomicU32 = AtomicU32::new(0);

const FLOATS: [f64; 7] = [
    f64::NAN,
    -0.0,
    f64::MIN_POSITIVE / 4.0,
    f64::INFINITY,
    0.1,
    f64::MAX,
    3.0,
];

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Counted {
    hits: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Loss {
    epoch: u32,
    value: f64,
}

/// A measurement that never comes out twice.
#[step]
fn measure(n: u32) -> f64 {
    let time = MEASURED.fetch_add(1, Ordering::SeqCst);
    match FLOATS.get(n as usize) {
        Some(float) => *float,
        None => f64::from(time),
    }
}

#[step]
fn count(n: u32) -> Counted {
    Counted {
        hits: MEASURED.fetch_add(1, Ordering::SeqCst).into(),
        note: n.is_multiple_of(2).then(|| "even".to_owned()),
    }
}

#[step]
fn train(losses: &mut Sequence<Loss>, n: u32) -> f32 {
    for epoch in 0..n {
        let value = f64::from(MEASURED.fetch_add(1, Ordering::SeqCst));
        losses.append(Loss { epoch, value });
    }
    1.1
}

#[step]
fn grow(best: &mut Vec<u32>) {
    best.push(MEASURED.fetch_add(1, Ordering::SeqCst));
}

#[step]
fn none(n: u32) -> Vec<u32> {
    vec![n]
}

mod measured {
    use super::*;

    #[experiment]
    pub(crate) fn bench(#[param] n: u32, #[sequence] losses: Sequence<Loss>) {
        #[field]
        let spent: f64 = measure(n);
        #[field(flatten, prefix = "of_")]
        let counted: Counted = count(n);
        #[field]
        let last: f32 = train(&mut losses, n);
        #[field]
        let mut found: Vec<u32> = none(n);
        grow(&mut found);
    }
}

mod derived {
    use super::*;

    #[step]
    fn bits(spent: f64) -> String {
        format!("{:x}", spent.to_bits())
    }

    #[step]
    fn rate(counted: Counted, spent: &f64) -> f64 {
        counted.hits as f64 / *spent
    }

    #[step]
    fn sum(losses: &Sequence<Loss>) -> Result<f64, xp::SequenceError> {
        Ok(losses.values()?.iter().map(|loss| loss.value).sum())
    }

    #[step]
    fn twice(sum: f64) -> f64 {
        2.0 * sum
    }

    #[step]
    fn show(found: &[u32]) -> String {
        format!("{found:?}")
    }

    #[step]
    fn join<T: std::fmt::Display>(shown: &str, last: T) -> String {
        format!("{shown} {last}")
    }

    #[experiment]
    pub(crate) fn bench(#[param] n: u32, #[sequence] losses: Sequence<Loss>) {
        #[field]
        let spent: f64 = measure(n);
        #[field]
        let bits: String = bits(spent);
        #[field(flatten, prefix = "of_")]
        let counted: Counted = count(n);
        #[field]
        let last: f32 = train(&mut losses, n);
        #[field]
        let sum: f64 = sum(&losses)?;
        #[field]
        let twice: f64 = twice(sum);
        #[field]
        let mut found: Vec<u32> = none(n);
        grow(&mut found);
        let shown = show(&found);
        #[field]
        let joined: String = join(&shown, last);
        #[field]
        let rate: f64 = rate(counted, &spent);
    }
}

#[test]
fn what_a_run_has_is_given_to_the_steps_and_not_computed_again() -> Test {
    let folder = tempfile::tempdir()?;
    let session = Session::open(folder.path().join("a.db"))?;
    session.resume(measured::bench().n(0..12))?;
    let sql = "SELECT n, spent, of_hits, of_note, losses, last, found FROM experiment_bench \
               ORDER BY n";
    let before = session.query(sql)?;
    let measured = MEASURED.load(Ordering::SeqCst);
    let filled = session.resume(derived::bench().n(0..12).fill())?;
    assert_eq!(MEASURED.load(Ordering::SeqCst), measured);
    assert_eq!(format!("{before:?}"), format!("{:?}", session.query(sql)?));
    assert_eq!((filled.runs().count(), filled.partial()), (12, 0));
    for run in filled.runs() {
        let fields = run?.fields;
        let bits = match fields.spent {
            spent if spent.is_nan() => f64::NAN.to_bits(),
            spent => spent.to_bits(),
        };
        assert_eq!(fields.bits, format!("{bits:x}"));
        let rate = fields.counted.hits as f64 / fields.spent;
        assert!(fields.rate == rate || rate.is_nan() && fields.rate.is_nan());
        assert_eq!(fields.counted.note.is_some(), fields.n % 2 == 0);
        let sum: f64 = fields.losses.values()?.iter().map(|loss| loss.value).sum();
        assert_eq!((fields.sum, fields.twice), (sum, 2.0 * sum));
        assert_eq!(fields.joined, format!("{:?} 1.1", fields.found));
    }
    // A run is what it would have been with all fields at once.
    let whole = session.plan(derived::bench().n(0..12))?;
    assert_eq!(whole.counts.complete, 12);
    Ok(())
}

mod truncated {
    use super::*;

    #[derive(Serialize, Deserialize)]
    pub(crate) struct Two {
        a: u32,
        b: u32,
    }

    #[derive(Serialize, Deserialize)]
    pub(crate) struct Three {
        a: u32,
        b: u32,
        c: u32,
    }

    macro_rules! made {
        ($module:ident, $ty:ident) => {
            pub(crate) mod $module {
                use super::*;

                #[step]
                fn made(n: u32) -> Box<$ty> {
                    super::all(n)
                }

                #[experiment]
                pub(crate) fn torn(#[param] n: u32) {
                    #[field(flatten)]
                    let all: Box<$ty> = made(n);
                }
            }
        };
    }

    pub(crate) fn all<T: serde::de::DeserializeOwned>(n: u32) -> Box<T> {
        Box::new(serde_json::from_value(serde_json::json!({ "a": n, "b": n, "c": n })).unwrap())
    }

    made!(two, Two);
    made!(three, Three);
}

#[test]
fn members_that_are_made_together_are_not_filled_one_by_one() -> Test {
    let session = Session::in_memory()?;
    session.resume(truncated::two::torn().n([1]))?;
    let report = session.plan(truncated::three::torn().n([1]).fill())?;
    assert_eq!(
        (
            report.counts.partial + report.counts.stale,
            report.counts.to_run
        ),
        (1, 0),
        "{report}"
    );
    let text = report.to_string();
    assert!(
        text.contains("cannot be filled; `.rerun(Rerun::new()."),
        "{text}"
    );
    Ok(())
}

/// Each value tells which versions of the steps made it.
macro_rules! versions {
    ($($module:ident: $load:literal $fit:literal $score:literal;)*) => {
        $(#[allow(dead_code, reason = "each version is asked for some of what is in it")]
        mod $module {
            use super::*;

            #[step]
            fn load(n: u32) -> String {
                format!("{n} load{}", $load)
            }

            #[step]
            fn fit(data: &str) -> String {
                format!("{data} fit{}", $fit)
            }

            #[step]
            fn score(model: &str) -> String {
                format!("{model} score{}", $score)
            }

            #[step]
            fn rank(model: &str) -> String {
                format!("{model} rank")
            }

            #[step]
            fn both(accuracy: &str, n: u32) -> String {
                format!("{n} both of {accuracy}")
            }

            pub(crate) mod less {
                use super::*;

                #[experiment]
                pub(crate) fn ranking(#[param] n: u32) {
                    let data = load(n);
                    let model = fit(&data);
                    #[field]
                    let accuracy: String = score(&model);
                }
            }

            pub(crate) mod more {
                use super::*;

                #[experiment]
                pub(crate) fn ranking(#[param] n: u32) {
                    let data = load(n);
                    let model = fit(&data);
                    #[field]
                    let accuracy: String = score(&model);
                    #[field]
                    let ndcg: String = rank(&model);
                }
            }

            pub(crate) mod chained {
                use super::*;

                #[experiment]
                pub(crate) fn ranking(#[param] n: u32) {
                    let data = load(n);
                    let model = fit(&data);
                    #[field]
                    let accuracy: String = score(&model);
                    #[field]
                    let both: String = both(&accuracy, n);
                }
            }
        })*
    };
}

versions! {
    v000: 0 0 0;
    v001: 0 0 1;
    v010: 0 1 0;
    v011: 0 1 1;
    v100: 1 0 0;
    v111: 1 1 1;
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
enum Ask {
    Nothing,
    Fill,
    Stale,
    StaleAndFill,
    Partial,
    PartialAndFill,
}

const ASKS: [Ask; 6] = [
    Ask::Nothing,
    Ask::Fill,
    Ask::Stale,
    Ask::StaleAndFill,
    Ask::Partial,
    Ask::PartialAndFill,
];

fn asked<P: xp::PlanOptions>(plan: P, ask: Ask) -> P {
    let rerun = Rerun::new();
    match ask {
        Ask::Nothing => plan,
        Ask::Fill => plan.fill(),
        Ask::Stale => plan.rerun(rerun.stale(true)),
        Ask::StaleAndFill => plan.rerun(rerun.stale(true)).fill(),
        Ask::Partial => plan.rerun(rerun.partial(true)),
        Ask::PartialAndFill => plan.rerun(rerun.partial(true)).fill(),
    }
}

/// The versions of the steps in a value that comes after the same model.
fn model(value: &str) -> &str {
    value.rsplit_once(' ').unwrap().0
}

/// Resumes a run of the first version with a field more, and gives how it stood, how many were run,
/// the reason, and the row.
macro_rules! resumed {
    ($module:ident::$which:ident, $ask:expr, $new:ident) => {{
        let session = Session::in_memory()?;
        session.resume(v000::less::ranking().n([7]))?;
        let plan = || asked($module::$which::ranking().n([7]), $ask);
        let report = session.plan(plan())?;
        let [group] = report.groups.as_slice() else {
            panic!("{report}")
        };
        session.resume(plan())?;
        let columns = session.query("SELECT * FROM pragma_table_info('experiment_ranking')")?;
        let has = columns
            .rows()
            .iter()
            .any(|row| row[1] == xp::Value::Text(stringify!($new).into()));
        let new = if has { stringify!($new) } else { "NULL" };
        let rows = session.query(&format!("SELECT accuracy, {new} FROM experiment_ranking"))?;
        let row = rows.rows()[0]
            .iter()
            .map(|value| value.to_string())
            .collect::<Vec<_>>();
        (
            group.state,
            report.counts.to_run,
            group.reason.clone(),
            row,
            session.plan(plan())?,
        )
    }};
}

#[test]
fn a_row_never_has_fields_of_two_versions_that_depend_on_one_step() -> Test {
    macro_rules! check {
        ($($module:ident: $blocks:expr, $stale:expr;)*) => {$(
            for ask in ASKS {
                let (state, ran, reason, row, after) = resumed!($module::more, ask, ndcg);
                let case = format!("{} {ask:?}: {reason}, {row:?}", stringify!($module));
                let is_filled = !row[1].is_empty() && row[1] != "NULL" && row[1] != "None";
                let (blocks, stale): (bool, bool) = ($blocks, $stale);
                let whole = match ask {
                    Ask::Nothing | Ask::Fill => false,
                    Ask::Stale | Ask::StaleAndFill => stale,
                    Ask::Partial | Ask::PartialAndFill => true,
                };
                let fills = matches!(ask, Ask::Fill | Ask::StaleAndFill) && !whole && !blocks;
                assert_eq!(ran == 1, whole || fills, "{case}");
                assert_eq!(is_filled, whole || fills, "{case}");
                if is_filled {
                    assert_eq!(model(&row[0]), model(&row[1]), "{case}");
                }
                let reruns = matches!(ask, Ask::Partial | Ask::PartialAndFill);
                if blocks && !whole {
                    assert_eq!(state, PointState::Stale, "{case}");
                    assert!(reason.contains("so it cannot be filled; `.rerun(Rerun::new().stale(true))` runs it whole"), "{case}");
                } else if whole && !reruns {
                    assert_eq!(state, PointState::Stale, "{case}");
                } else {
                    assert_eq!(state, PointState::Partial, "{case}");
                }
                // What was filled stays stale, and what was run whole is not.
                if fills {
                    assert_eq!(after.counts.stale == 1, stale, "{case}: {after}");
                    assert_eq!(after.counts.complete == 1, !stale, "{case}: {after}");
                } else if whole {
                    assert_eq!(after.counts.complete, 1, "{case}: {after}");
                }
            }
        )*};
    }
    check! {
        v000: false, false;
        v001: false, true;
        v010: true, true;
        v011: true, true;
        v100: true, true;
        v111: true, true;
    }
    Ok(())
}

#[test]
fn what_is_given_must_not_be_stale() -> Test {
    let (_, ran, _, row, _) = resumed!(v000::chained, Ask::Fill, both);
    assert_eq!((ran, row[1].as_str()), (1, "7 both of 7 load0 fit0 score0"));
    let (state, ran, reason, ..) = resumed!(v001::chained, Ask::Fill, both);
    assert_eq!((state, ran), (PointState::Stale, 0), "{reason}");
    assert_eq!(
        reason,
        "it lacks the field `both`, and the step `score` has changed since, so it cannot be filled; \
         `.rerun(Rerun::new().stale(true))` runs it whole"
    );
    let (_, ran, _, row, _) = resumed!(v001::chained, Ask::StaleAndFill, both);
    assert_eq!((ran, row[1].as_str()), (1, "7 both of 7 load0 fit0 score1"));
    Ok(())
}

#[test]
fn what_a_fill_leaves_is_told_before() -> Test {
    let (state, _, reason, ..) = resumed!(v001::more, Ask::Nothing, ndcg);
    assert_eq!(state, PointState::Partial);
    assert_eq!(
        reason,
        "it lacks the field `ndcg`; `.fill()` computes it, and leaves the others, though the step \
         `score` has changed since"
    );
    let (.., reason, _, after) = resumed!(v001::more, Ask::Fill, ndcg);
    assert_eq!(
        reason,
        "it lacks the field `ndcg`, and the step `score` has changed since"
    );
    let after = after.to_string();
    assert!(
        after.contains("1 stale  keep  the step `score` has changed since; `.rerun"),
        "{after}"
    );
    Ok(())
}

mod drawn {
    use super::*;

    #[step]
    fn draw(run: &mut Run, low: f64) -> Result<f64, xp::FieldError> {
        run.fields.insert("drawn", true)?;
        Ok(low + run.rng("draw").f64())
    }

    #[step]
    fn more(run: &Run, first: f64) -> f64 {
        first + run.rng("more").f64()
    }

    pub(crate) mod less {
        use super::*;

        #[experiment]
        pub(crate) fn draws(#[param] low: f64, run: &mut Run) {
            #[field]
            let first: f64 = draw(run, low)?;
        }
    }

    #[experiment]
    pub(crate) fn draws(#[param] low: f64, run: &mut Run) {
        #[field]
        let first: f64 = draw(run, low)?;
        #[field]
        let second: f64 = more(run, first);
    }
}

#[test]
fn random_numbers_are_those_of_the_whole_run() -> Test {
    let (filled, whole) = (Session::in_memory()?, Session::in_memory()?);
    filled.resume(drawn::less::draws().low([0.0, 1.0]))?;
    let one = filled.resume(drawn::draws().low([0.0, 1.0]).fill())?;
    let other = whole.resume(drawn::draws().low([0.0, 1.0]))?;
    let seconds = |experiment: &Experiment<drawn::Draws>| {
        let mut all: Vec<_> = experiment
            .runs()
            .map(|run| run.unwrap().fields.second)
            .collect();
        all.sort_by(f64::total_cmp);
        all
    };
    assert_eq!(seconds(&one), seconds(&other));
    let kept = filled.query("SELECT count(*) FROM experiment_draws WHERE drawn")?;
    assert_eq!(kept.rows()[0][0], xp::Value::Int(2));
    Ok(())
}

mod unreadable {
    use super::*;

    #[derive(Serialize, Deserialize)]
    pub(crate) struct Old {
        pub(crate) a: u32,
    }

    #[derive(Serialize, Deserialize)]
    pub(crate) struct New {
        pub(crate) b: String,
    }

    pub(crate) type Either = Vec<Old>;
    pub(crate) type Other = Vec<New>;

    pub(crate) fn from<T: serde::de::DeserializeOwned>(n: u32) -> T {
        serde_json::from_value(serde_json::json!([{ "a": n, "b": "b" }])).unwrap()
    }

    #[step]
    pub(crate) fn length<T>(of: &[T]) -> usize {
        of.len()
    }

    macro_rules! kinds {
        ($module:ident, $ty:ident, $($more:tt)*) => {
            pub(crate) mod $module {
                use super::*;

                #[step]
                fn made<T: serde::de::DeserializeOwned>(n: u32) -> T {
                    from(n)
                }

                #[experiment]
                pub(crate) fn kinds(#[param] n: u32) {
                    #[field]
                    let list: $ty = made(n);
                    $($more)*
                }
            }
        };
    }

    kinds!(old, Either,);
    kinds!(new, Other, #[field] let length: usize = length(&list););
}

#[test]
fn a_field_that_cannot_be_read_any_more_is_an_error_that_says_what_to_do() -> Test {
    let session = Session::in_memory()?;
    session.resume(unreadable::old::kinds().n([7]))?;
    let report = session.plan(unreadable::new::kinds().n([7]).fill())?;
    assert_eq!(report.counts.to_run, 1, "{report}");
    let filled = session.resume(unreadable::new::kinds().n([7]).fill());
    let Err(Error::RunsFailed(failed)) = filled else {
        panic!("what is there has no `b`: {:?}", filled.map(|_| ()));
    };
    let text = failed.first.exception.message.clone();
    assert_eq!(
        text,
        "the run has a `list` that cannot be read, on which a missing field depends; \
         `.rerun(Rerun::new().partial(true))` runs it whole"
    );
    assert!(
        failed.first.exception.step.is_none(),
        "{:?}",
        failed.first.exception
    );
    assert!(!failed.first.exception.causes.is_empty());
    let rerun = Rerun::new().partial(true);
    let again = session.resume(unreadable::new::kinds().n([7]).rerun(rerun))?;
    assert_eq!(again.runs().next().unwrap()?.fields.length, 1);
    Ok(())
}

mod switched {
    use super::*;

    #[step]
    fn plain(n: u32) -> u32 {
        n
    }

    #[step]
    fn with(plain: u32, by: u32) -> u32 {
        plain * by
    }

    pub(crate) mod less {
        use super::*;

        #[experiment]
        pub(crate) fn switched(
            #[config(identity = false)] by: u32,
            #[config(identity = false)] label: String,
            #[param] n: u32,
        ) {
            #[field]
            let plain: u32 = plain(n);
        }
    }

    #[experiment]
    pub(crate) fn switched(
        #[config(identity = false)] by: u32,
        #[config(identity = false)] label: String,
        #[param] n: u32,
    ) {
        #[field]
        let plain: u32 = plain(n);
        #[field]
        let product: u32 = with(plain, by);
    }
}

#[test]
fn a_row_is_filled_with_the_inputs_that_it_records() -> Test {
    let session = Session::in_memory()?;
    session.resume(switched::less::switched().by(2).label("a").n([1, 2]))?;
    // What no step needs that is run may differ.
    let filled = session.resume(switched::switched().by(2).label("b").n([1]).fill())?;
    assert_eq!(filled.runs().next().unwrap()?.fields.product, 2);
    let refused = session.resume(switched::switched().by(3).label("a").n([2]).fill());
    let Err(Error::RunsFailed(failed)) = refused else {
        panic!("the row says that `by` was 2");
    };
    assert_eq!(
        failed.first.exception.message,
        "a missing field depends on `by`, which is 2 in the run that is there, and is 3 now: it is \
         filled with 2 only; `.rerun(Rerun::new().partial(true))` runs it whole"
    );
    let filled = session.resume(switched::switched().by(2).label("a").n([2]).fill())?;
    assert_eq!((filled.runs().count(), filled.partial()), (2, 0));
    Ok(())
}

#[step]
fn data(n: u32) -> Vec<u32> {
    vec![n; 3]
}

#[step]
fn len(of: &[u32]) -> usize {
    of.len()
}

#[step]
fn next(of: usize) -> usize {
    of + 1
}

#[experiment]
fn shadowed(#[param] n: u32) {
    #[shared]
    let of: Vec<u32> = data(n);
    #[field]
    let of: usize = len(&of);
    #[field]
    let next: usize = next(of);
}

#[test]
fn a_field_may_shadow_what_it_is_made_of() -> Test {
    let runs = Session::in_memory()?.execute(shadowed().n([7]))?;
    let fields = runs.runs().next().unwrap()?.fields;
    assert_eq!((fields.of, fields.next), (3, 4));
    Ok(())
}

static HALVES: AtomicBool = AtomicBool::new(false);

mod halved {
    use super::*;

    #[step]
    fn plain(n: u32) -> u32 {
        n
    }

    #[step]
    fn half(of: u32) -> Result<f64, String> {
        match of.is_multiple_of(2) || HALVES.load(Ordering::Relaxed) {
            true => Ok(f64::from(of) / 2.0),
            false => Err(format!("{of} is odd")),
        }
    }

    pub(crate) mod less {
        use super::*;

        #[experiment]
        pub(crate) fn halved(#[param] n: u32) {
            #[field]
            let plain: u32 = plain(n);
        }
    }

    #[experiment]
    pub(crate) fn halved(#[param] n: u32) {
        #[field]
        let plain: u32 = plain(n);
        #[field]
        let half: f64 = half(plain)?;
    }
}

#[test]
fn a_fill_that_fails_leaves_the_run_as_it_was_and_is_among_the_failures() -> Test {
    let session = Session::in_memory()?;
    session.resume(halved::less::halved().n(1..=4))?;
    let fill = || halved::halved().n(1..=4).policy(Policy::KeepGoing).fill();
    let Err(Error::RunsFailed(failed)) = session.resume(fill()) else {
        panic!("1 and 3 are odd");
    };
    assert_eq!((failed.failed, failed.completed), (2, 2));
    assert_eq!(failed.first.exception.step.as_deref(), Some("half"));

    let untyped = session.load("halved")?;
    let mut plain = Vec::new();
    for run in untyped.runs() {
        plain.extend(run?.fields.get::<u32>("plain")?);
    }
    plain.sort_unstable();
    assert_eq!(plain, [1, 2, 3, 4]);
    let typed = session.load_as::<halved::Halved>("halved")?;
    assert_eq!((typed.runs().count(), typed.partial()), (2, 2));
    let failures: Vec<_> = typed.failures().collect::<Result<_, _>>()?;
    assert_eq!(failures.len(), 2);

    HALVES.store(true, Ordering::Relaxed);
    let filled = session.resume(fill())?;
    assert_eq!((filled.runs().count(), filled.partial()), (4, 0));
    assert_eq!(filled.failures().count(), 0);
    Ok(())
}
