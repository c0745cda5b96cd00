// The tests call what plans would call.
#![allow(dead_code)]

use std::cell::RefCell;
use std::fmt::Debug;

use serde::{Deserialize, Serialize};
use xp_macros::{experiment, step};

use crate::scope::Watch;

use super::{Left, Unwatched, filling, recorded, scoped};
use crate::__private::Declared;
use crate::declare::Portion;
use crate::run::Run;
use crate::sequence::Sequence;
use crate::value::Cell;

thread_local! {
    static CALLS: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

fn called(step: &'static str) {
    CALLS.with_borrow_mut(|calls| calls.push(step));
}

struct Split {
    train: Vec<f64>,
    test: Vec<f64>,
}

struct Model<'a> {
    of: &'a [f64],
    rounds: u32,
}

#[derive(Serialize, Deserialize)]
struct Loss {
    round: u32,
    loss: f64,
}

#[derive(Serialize, Deserialize)]
struct Scores {
    best: f64,
    worst: f64,
}

#[step]
fn load(seed: u64) -> Result<Split, String> {
    called("load");
    Ok(Split {
        train: vec![seed as f64, 2.0],
        test: vec![3.0],
    })
}

#[step]
fn fit(split: &Split) -> Model<'_> {
    called("fit");
    Model {
        of: &split.train,
        rounds: 0,
    }
}

#[step]
fn train(model: &mut Model<'_>, losses: &mut Sequence<Loss>, rounds: u32) -> f64 {
    called("train");
    for round in 0..rounds {
        let loss = 1.0 / f64::from(round + 1);
        losses.append(Loss { round, loss });
    }
    model.rounds += rounds;
    f64::from(rounds)
}

#[step]
fn count(rows: &[f64]) -> usize {
    called("count");
    rows.len()
}

#[step]
fn score(model: &Model<'_>, split: &Split) -> Scores {
    called("score");
    let sum: f64 = model.of.iter().chain(&split.test).sum();
    Scores {
        best: sum,
        worst: f64::from(model.rounds),
    }
}

#[step]
fn draw(run: &mut Run, upto: f64) -> f64 {
    called("draw");
    run.rng("draw").f64() * upto
}

#[step]
fn round(x: &mut f64) {
    called("round");
    *x = x.round();
}

#[step]
fn keep<T: Clone>(of: &T) -> T {
    called("keep");
    of.clone()
}

#[step]
fn pair<T: Copy>(of: T) -> (T, u8) {
    called("pair");
    (of, 0)
}

#[step]
fn take_long(n: u64) {
    called("take_long");
    assert_eq!(n, 5);
}

#[step]
fn size<T: Debug>(of: T) -> usize {
    called("size");
    let _ = format!("{of:?}");
    size_of::<T>()
}

#[experiment]
fn iris(
    #[config(default = 3)] rounds: u32,
    #[param] mut seed: u64,
    #[sequence] losses: Sequence<Loss>,
    run: &mut Run,
) {
    #[shared]
    let split: Split = load(seed)?;
    #[field]
    let rows: usize = count(&split.train);
    let mut model = fit(&split);
    let spent: f64 = train(&mut model, &mut losses, rounds);
    #[field(flatten)]
    let scores: Scores = score(&model, &split);
    #[field]
    let mut noise: f64 = draw(run, spent);
    round(&mut noise);
    #[state]
    let kept: usize = keep(&rows);
    #[field]
    let same: usize = keep(&kept);
}

fn inputs() -> (IrisConfig, IrisParams) {
    (IrisConfig { rounds: 3 }, IrisParams { seed: 4 })
}

fn whole() -> Left {
    let (config, params) = inputs();
    let (left, result) = scoped::<Iris, _>(&Unwatched, |run, scope| {
        Iris::steps(&config, &params, run, scope)
    });
    assert_eq!(result.unwrap().kept, 2);
    left
}

/// The calls of a fill of the fields of these ordinals, and what it leaves; what it is given is what
/// a whole run has made.
fn filled(missing: &[usize]) -> (Vec<&'static str>, Left) {
    let (config, params) = inputs();
    let kept = recorded::<Iris>(&whole());
    CALLS.take();
    let mut all = Left::new();
    for portion in Iris::declaration().cover(missing) {
        let (left, result) = filling::<Iris, _>((&portion.fields, &kept), |run, scope| {
            Iris::fill(portion.slice, &config, &params, run, scope)
        });
        result.unwrap();
        all.extend(left);
    }
    (CALLS.take(), all)
}

fn names(left: &Left) -> Vec<&str> {
    left.iter().map(|(name, _)| name.as_str()).collect()
}

#[test]
fn fields_have_ordinals() {
    let fields = Iris::declaration().fields.iter();
    let fields: Vec<_> = fields.map(|info| (info.name, info.sequence)).collect();
    let of = |name| (name, false);
    assert_eq!(fields[0], ("losses", true));
    let rest = ["rows", "scores", "noise", "same"].map(of);
    assert_eq!(fields[1..], rest);
}

#[test]
fn only_the_steps_run_on_which_the_missing_fields_depend() {
    let (calls, left) = filled(&[1]);
    assert_eq!(calls, ["load", "count"]);
    assert_eq!(names(&left), ["rows"]);
    let (calls, left) = filled(&[0]);
    assert_eq!(calls, ["load", "fit", "train"]);
    assert_eq!(names(&left), ["losses"]);
    let (calls, left) = filled(&[2]);
    assert_eq!(calls, ["load", "fit", "train", "score"]);
    assert_eq!(names(&left), ["best", "worst"]);
    let (calls, left) = filled(&[3]);
    assert_eq!(calls, ["load", "fit", "train", "draw", "round"]);
    assert_eq!(names(&left), ["noise"]);
    // The count of the rows is known.
    let (calls, left) = filled(&[4]);
    assert_eq!(calls, ["keep", "keep"]);
    assert_eq!(names(&left), ["same"]);
    let (calls, left) = filled(&[1, 4]);
    assert_eq!(calls, ["load", "count", "keep", "keep"]);
    assert_eq!(names(&left), ["rows", "same"]);
    let (calls, _) = filled(&[1, 3]);
    let both = ["load", "count", "fit", "train", "draw", "round"];
    assert_eq!(calls, both);
    assert_eq!(filled(&[0, 1, 2, 3, 4]), (vec![], vec![]));
}

#[test]
fn whatever_is_missing_a_fill_makes_what_the_whole_body_makes() {
    let whole = whole();
    for missing in 1_u32..31 {
        let missing: Vec<_> = (0..5)
            .filter(|ordinal| missing & (1 << ordinal) != 0)
            .collect();
        let (calls, left) = filled(&missing);
        let mut once: Vec<_> = calls.iter().filter(|call| **call != "keep").collect();
        once.sort_unstable();
        let len = once.len();
        once.dedup();
        assert_eq!(once.len(), len, "{missing:?}: {calls:?}");
        let columns = ["losses", "rows", "best", "worst", "noise", "same"];
        let wanted = columns
            .iter()
            .enumerate()
            .filter(|(column, _)| missing.contains(&[0, 1, 2, 2, 3, 4][*column]));
        let mut there = names(&left);
        there.sort_unstable();
        let mut wanted: Vec<_> = wanted.map(|(_, name)| *name).collect();
        wanted.sort_unstable();
        assert_eq!(there, wanted, "{missing:?}");
        // The rows of a sequence have the time at which they were made.
        for cell in left.iter().filter(|(name, _)| name != "losses") {
            assert!(whole.contains(cell), "{missing:?}: {cell:?}");
        }
    }
}

#[test]
fn a_field_is_reached_when_it_is_made() {
    #[step]
    fn fail(x: usize) -> Result<f64, String> {
        Err(format!("{x}"))
    }

    #[experiment]
    fn failing(#[param] n: usize) {
        #[field]
        let first: usize = keep(&n);
        #[field]
        let mut late: usize = keep(&n);
        #[field]
        let last: f64 = fail(first)?;
    }

    struct Told(RefCell<Vec<(usize, Cell)>>);

    impl Watch for Told {
        fn reached(&self, column: usize, cell: &Cell) {
            self.0.borrow_mut().push((column, cell.clone()));
        }
    }

    let told = Told(RefCell::default());
    let (left, result) = scoped::<Failing, _>(&told, |run, scope| {
        Failing::steps(&FailingConfig {}, &FailingParams { n: 7 }, run, scope)
    });
    assert!(result.is_err());
    assert_eq!(left, [("first".to_owned(), Cell::Int(7))]);
    assert_eq!(told.0.into_inner(), [(1, Cell::Int(7))]);
}

#[test]
fn a_name_has_the_type_that_other_statements_give_it() {
    #[experiment]
    fn typed(#[param] k: u8) {
        let n = 5;
        let (same, _) = pair(n);
        take_long(n);
        #[field]
        let bytes: usize = size(n);
        #[field]
        let of_same: usize = size(same);
        #[field]
        let other: u8 = keep(&k);
    }

    for field in [0, 1] {
        let portions = Typed::declaration().cover(&[field]);
        let [Portion { slice, fields }] = portions.as_slice() else {
            panic!("{portions:?}");
        };
        let (left, result) = filling::<Typed, _>((fields, &[]), |run, scope| {
            Typed::fill(*slice, &TypedConfig {}, &TypedParams { k: 1 }, run, scope)
        });
        result.unwrap();
        assert_eq!(left[0].1, Cell::Int(8), "{left:?}");
        assert_eq!(left.len(), 1);
    }
}
