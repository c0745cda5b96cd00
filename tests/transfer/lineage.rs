//! Which execution computed a field is known also of points that several files have.

use xp::prelude::*;
use xp::{Rerun, Value};

use crate::File;

mod first {
    use xp::prelude::*;

    #[step]
    pub(crate) fn count(k: i64) -> i64 {
        k
    }

    #[experiment]
    pub(crate) fn counts(#[param] k: i64) {
        #[field]
        let x: i64 = count(k);
    }
}

/// With another field.
mod more {
    use super::first::count;
    use xp::prelude::*;

    #[step]
    pub(crate) fn double(k: i64) -> i64 {
        2 * k
    }

    #[experiment]
    pub(crate) fn counts(#[param] k: i64) {
        #[field]
        let x: i64 = count(k);
        #[field]
        let y: i64 = double(k);
    }
}

/// With another body of a step.
mod changed {
    use xp::prelude::*;

    #[step]
    pub(crate) fn count(k: i64) -> i64 {
        100 + k
    }

    #[experiment]
    pub(crate) fn counts(#[param] k: i64) {
        #[field]
        let x: i64 = count(k);
    }

    pub(crate) mod more {
        use super::count;
        use crate::lineage::more::double;
        use xp::prelude::*;

        #[experiment]
        pub(crate) fn counts(#[param] k: i64) {
            #[field]
            let x: i64 = count(k);
            #[field]
            let y: i64 = double(k);
        }
    }
}

/// A file with a point, and another one that has the same attempt at it: run again there, its step
/// changed; and filled in the first file.
fn parts() -> (Session, File) {
    let (local, shared) = (Session::in_memory().unwrap(), File::new());
    let made = local.resume(first::counts().k([1])).unwrap();
    made.upstream(&shared.session()).unwrap();
    let stale = Rerun::new().stale(true);
    let again = changed::counts().k([1]).rerun(stale);
    assert_eq!(shared.session().resume(again).unwrap().runs().count(), 1);
    let filled = local.resume(more::counts().k([1]).fill()).unwrap();
    assert_eq!(filled.partial(), 0);
    (local, shared)
}

/// The row is that of the first file, and is known to be.
#[track_caller]
fn check(session: &Session, name: &str) {
    let runs = session.load_as::<more::Counts>(name).unwrap().runs();
    let rows: Vec<_> = runs
        .map(|run| run.unwrap().fields)
        .map(|run| (run.k, run.x, run.y))
        .collect();
    assert_eq!(rows, [(1, 1, 2)]);
    let counts = session.plan(more::counts().k([1]).named(name)).unwrap();
    let counts = counts.counts;
    assert_eq!((counts.complete, counts.stale), (1, 0));
    let now = session.plan(changed::more::counts().k([1]).named(name));
    assert_eq!(now.unwrap().counts.stale, 1);
    // What was attempted otherwise stays known.
    let attempts = format!(
        "SELECT count(*), count(DISTINCT started), count(DISTINCT execution) \
         FROM xp_run JOIN xp_experiment USING (experiment) \
         JOIN experiments USING (id_experiment) WHERE name = '{name}'"
    );
    let attempts = session.query(&attempts).unwrap();
    assert_eq!(attempts.rows()[0], [3, 3, 3].map(Value::Int));
}

#[test]
fn of_a_replaced_point_it_is_that_of_the_row() {
    let (local, shared) = parts();
    let session = shared.session();
    let made = local.load("counts").unwrap();
    for replaced in [1, 0] {
        let done = made.upstream(&session).unwrap();
        assert_eq!((done.added, done.replaced), (0, replaced));
        check(&session, "counts");
    }
}

#[test]
fn of_a_merged_point_it_is_that_of_the_row() {
    let (local, shared) = parts();
    let session = shared.session();
    let filled = local.load("counts").unwrap();
    let again = session.load("counts").unwrap();
    session.merge("one", [&filled, &again]).unwrap();
    check(&session, "one");
    session.merge("other", [&again, &filled]).unwrap();
    check(&session, "other");
}
