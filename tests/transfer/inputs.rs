//! Inputs that are newer than some of the runs: those have the value that an input has where it is
//! not given.

use xp::prelude::*;

use crate::{File, int};

#[step]
fn plain(x: i64) -> i64 {
    x
}

#[step]
fn weighted(x: i64, y: Vec<f64>, n: i64) -> i64 {
    x * n * y.len() as i64
}

mod then {
    use super::plain;
    use xp::prelude::*;

    #[experiment]
    pub(crate) fn weights(#[param] x: i64) {
        #[field]
        let sum: i64 = plain(x);
    }
}

mod now {
    use super::weighted;
    use xp::prelude::*;

    #[experiment]
    pub(crate) fn weights(
        #[param] x: i64,
        #[param(default = vec![0.5])] y: Vec<f64>,
        #[config(default = 1)] n: i64,
        #[config(default = None)] label: Option<i64>,
        #[config(default = 7, identity = false)] level: i64,
        #[config(default = "it's\0a text".to_owned())] tag: String,
    ) {
        let _ = label;
        let _ = level;
        let _ = tag;
        #[field]
        let sum: i64 = weighted(x, y, n);
    }
}

fn memory() -> Session {
    Session::in_memory().unwrap()
}

type Inputs = (i64, Vec<f64>, i64, Option<i64>, i64, String);

/// Each run's x, and what it has of the newer inputs.
#[track_caller]
fn inputs(session: &Session, name: &str) -> Vec<Inputs> {
    let experiment = session.load_as::<now::Weights>(name).unwrap();
    assert_eq!(experiment.partial(), 0);
    let runs = experiment.runs().map(|run| {
        let run = run.unwrap().fields;
        (run.x, run.y, run.n, run.label, run.level, run.tag)
    });
    let mut all: Vec<_> = runs.collect();
    all.sort_by_key(|run| run.0);
    all
}

fn given(x: i64) -> Inputs {
    (x, vec![0.5], 1, None, 7, "it's\0a text".to_owned())
}

#[test]
fn runs_without_them_have_their_values_in_what_is_merged() {
    let (resumed, fresh, older) = (memory(), memory(), memory());
    resumed.resume(then::weights().x([1])).unwrap();
    let resumed = resumed.resume(now::weights().x([1, 2])).unwrap().untyped();
    let fresh = fresh.resume(now::weights().x([4])).unwrap().untyped();
    let old = older.resume(then::weights().x([2, 3])).unwrap().untyped();
    let target = memory();
    for (name, parts) in [
        ("old last", [&resumed, &old]),
        ("old first", [&old, &resumed]),
    ] {
        target.merge(name, parts).unwrap();
        assert_eq!(inputs(&target, name), [given(1), given(2), given(3)]);
        let plan = now::weights().x([1, 2, 3]).named(name);
        let counts = target.plan(plan).unwrap().counts;
        assert_eq!((counts.to_run, counts.missing), (0, 0));
    }
    for (name, parts) in [
        ("fresh last", [&old, &fresh]),
        ("fresh first", [&fresh, &old]),
    ] {
        target.merge(name, parts).unwrap();
        assert_eq!(inputs(&target, name), [given(2), given(3), given(4)]);
    }
    target.merge("all", [&old, &fresh, &resumed]).unwrap();
    assert_eq!(inputs(&target, "all"), [1, 2, 3, 4].map(given));
}

#[test]
fn rows_that_are_there_get_their_values_from_runs_that_are_added() {
    let shared = File::new();
    let session = shared.session();
    let local = [memory(), memory(), memory()];
    let old = local[0].resume(then::weights().x([1, 2])).unwrap();
    old.upstream(&session).unwrap();
    let new = local[1].resume(now::weights().x([3])).unwrap();
    new.upstream(&session).unwrap();
    assert_eq!(inputs(&session, "weights"), [1, 2, 3].map(given));
    // So do those that come later.
    let old = local[2].resume(then::weights().x([2, 4])).unwrap();
    old.upstream(&session).unwrap();
    assert_eq!(inputs(&session, "weights"), [1, 2, 3, 4].map(given));
    let counts = session.plan(now::weights().x(1..=4)).unwrap().counts;
    assert_eq!(counts.to_run, 0);
    assert_eq!(int(&session, "SELECT count(*) FROM experiment_weights"), 4);
}

mod nullable {
    use super::weighted;
    use xp::prelude::*;

    #[step]
    fn given(y: Option<Vec<f64>>) -> Vec<f64> {
        y.unwrap_or_default()
    }

    #[experiment]
    pub(crate) fn weights(#[param] x: i64, #[param(default = None)] y: Option<Vec<f64>>) {
        let given: Vec<f64> = given(y);
        #[field]
        let sum: i64 = weighted(x, given, 1);
    }
}

#[test]
fn a_default_that_is_none_is_a_default() {
    let session = memory();
    session.resume(then::weights().x([2, 3])).unwrap();
    let plan = || nullable::weights().x([2]).y([None, Some(vec![1.0])]);
    session.resume(plan()).unwrap();
    let read = session.load_as::<nullable::Weights>("weights").unwrap();
    assert_eq!((read.runs().count(), read.partial()), (3, 0));
    let target = memory();
    target.merge("both", [&read]).unwrap();
    let read = target.load_as::<nullable::Weights>("both").unwrap();
    assert_eq!((read.runs().count(), read.partial()), (3, 0));
}

mod required {
    use super::weighted;
    use xp::prelude::*;

    #[experiment]
    pub(crate) fn weights(#[param] x: i64, #[param] y: Vec<f64>) {
        #[field]
        let sum: i64 = weighted(x, y, 1);
    }
}

#[test]
fn runs_that_lack_an_input_without_a_default_are_left_out_where_it_is_read() {
    let (older, target) = (memory(), memory());
    let old = older.resume(then::weights().x([2, 3])).unwrap().untyped();
    let new = memory();
    let new = new
        .resume(required::weights().x([1]).y([vec![1.0]]))
        .unwrap();
    target.merge("both", [&new.untyped(), &old]).unwrap();
    let read = target.load_as::<required::Weights>("both").unwrap();
    assert_eq!((read.runs().count(), read.partial()), (1, 2));
    for run in read.runs() {
        assert_eq!(run.unwrap().fields.y, [1.0]);
    }
    // As they are where it is added by a resume.
    older
        .resume(required::weights().x([1]).y([vec![1.0]]))
        .unwrap();
    let read = older.load_as::<required::Weights>("weights").unwrap();
    assert_eq!((read.runs().count(), read.partial()), (1, 2));
    for run in read.runs() {
        assert_eq!(run.unwrap().fields.y, [1.0]);
    }
}
