//! Experiments and runs that come together.

use std::collections::HashSet;

use xp::StoreError;
use xp::prelude::*;

use crate::{File, Roots, contents, int, part, roots};

fn ns(runs: impl Iterator<Item = xp::Result<Run<Roots>>>) -> Vec<i64> {
    let mut ns: Vec<_> = runs.map(|run| run.unwrap().fields.n).collect();
    ns.sort_unstable();
    ns
}

#[test]
fn the_union_of_runs_has_each_once_and_the_right_one() {
    let (file, other) = (File::new(), File::new());
    let a = part(&file.session(), true, 0..6);
    let b = part(&other.session(), true, 4..9);
    let c = part(&Session::in_memory().unwrap(), true, [0, 20]);
    assert_eq!(
        ns(a.runs() | b.runs() | c.runs()),
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 20]
    );
    for run in a.runs() | b.runs() {
        let run = run.unwrap();
        let right = run.fields.n >= 4;
        let from = if right { &b } else { &a };
        assert_eq!(run.id_experiment, from.id_experiment);
    }
    assert_eq!((a.runs() | a.runs()).count(), 6);
    other.session().delete("roots").unwrap();
    // It is told, and not taken for an end.
    assert!((a.runs() | b.runs()).any(|run| run.is_err()));
}

#[test]
fn parts_of_a_sweep_are_one_sweep_again() {
    let (file, other) = (File::new(), File::new());
    let (session, elsewhere) = (file.session(), other.session());
    let a = part(&session, false, 0..6); // 1, 3 and 5 fail
    let b = part(&elsewhere, true, 3..9);
    let all = session.merge("all", [&a, &b]).unwrap();
    assert_eq!(ns(all.runs()), [0, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(all.failures().count(), 1);
    let report = session
        .plan(roots().forgiving(true).n(0..10).named("all"))
        .unwrap();
    let counts = report.counts;
    assert_eq!((counts.complete, counts.failed, counts.missing), (8, 1, 1));
    // The attempts that failed are known all the same, and what they kept.
    assert_eq!(
        int(
            &session,
            "SELECT count(*) FROM xp_run JOIN xp_experiment USING (experiment) \
        JOIN experiments USING (id_experiment) WHERE name = 'all' AND outcome = 'failed'"
        ),
        3
    );
    for failure in all.failures() {
        assert!(
            all.artifact(failure.unwrap().id_run, "log")
                .unwrap()
                .is_some()
        );
    }
    // The other way round it is the same.
    let turned = elsewhere.merge("all", [&b, &a]).unwrap();
    assert_eq!(ns(turned.runs()), ns(all.runs()));
    let done = session
        .resume(roots().forgiving(true).n(0..10).named("all"))
        .unwrap();
    assert_eq!(done.runs().count(), 10);
    assert_eq!((a.runs().count(), b.runs().count()), (3, 6));
}

#[test]
fn of_equal_runs_the_last_counts() {
    let file = File::new();
    let session = file.session();
    let a = part(&session, true, 0..4);
    let other = Session::in_memory().unwrap();
    let b = part(&other, true, 2..6);
    let merged = session.merge("merged", [&a, &b, &a]).unwrap();
    let started = |session: &Session, experiment: &str| -> HashSet<String> {
        let sql = format!(
            "SELECT id_run, started FROM xp_run JOIN xp_experiment USING (experiment) \
            JOIN experiments USING (id_experiment) WHERE name = '{experiment}'"
        );
        let table = session.query(&sql).unwrap();
        table.rows().iter().map(|row| format!("{row:?}")).collect()
    };
    assert_eq!(merged.runs().count(), 6);
    // Attempts at the same point in two files are two.
    assert_eq!(started(&session, "merged").len(), 8);
    let known = started(&session, "merged");
    assert!(started(&session, "roots").is_subset(&known));
    let sql = "SELECT count(*) FROM xp_execution JOIN xp_experiment USING (experiment) \
        JOIN experiments USING (id_experiment) WHERE name = 'merged'";
    assert_eq!(int(&session, sql), 2);
}

mod other {
    use xp::prelude::*;

    #[step]
    fn halve(k: f64) -> Vec<f64> {
        vec![k / 2.0]
    }

    #[experiment]
    pub(crate) fn halves(#[param] k: f64) {
        #[field]
        let half: Vec<f64> = halve(k);
    }
}

#[test]
fn experiments_of_different_kinds_have_the_columns_of_both() {
    let file = File::new();
    let session = file.session();
    let a = part(&session, true, 0..5);
    let b = session.execute(other::halves().k([1.0, 2.0])).unwrap();
    let both = session.merge("both", [&a.untyped(), &b.untyped()]).unwrap();
    assert_eq!(both.runs().count(), 7);
    for run in both.runs() {
        let fields = run.unwrap().fields;
        let is = |name: &str| fields.value(name) != Some(&xp::Value::Null);
        assert_eq!(is("root"), !is("half"), "{fields}");
        assert_eq!(
            is("note"),
            fields.get::<Option<i64>>("n").unwrap() == Some(Some(4))
        );
    }
    // The first one's plans continue it; its own runs are all that are typed.
    let plan = roots().forgiving(true).n(0..6).named("both");
    assert_eq!(session.plan(plan.clone()).unwrap().counts.complete, 5);
    let typed = session.resume(plan).unwrap();
    assert_eq!((typed.runs().count(), typed.partial()), (6, 2));
    let refused = session
        .plan(other::halves().k([1.0]).named("both"))
        .unwrap_err();
    assert!(matches!(
        refused,
        xp::Error::Store(StoreError::OtherExperiment { .. })
    ));
}

mod of_all {
    use super::{Roots, roots};
    use xp::prelude::*;

    #[step]
    fn largest(runs: &Runs<Roots>) -> xp::Result<f64> {
        runs.iter()
            .try_fold(0.0, |largest, run| Ok(f64::max(largest, run?.fields.root)))
    }

    #[experiment(continues = roots)]
    pub(crate) fn largest_roots(runs: &Runs<Roots>) {
        #[field]
        let largest: f64 = largest(runs)?;
    }
}

#[test]
fn what_was_computed_of_all_runs_is_kept_as_it_was_computed() {
    let sessions = [(); 2].map(|()| Session::in_memory().unwrap());
    for (session, n) in sessions.iter().zip([[1, 4], [9, 16]]) {
        part(session, true, n);
        session.execute(of_all::largest_roots()).unwrap();
    }
    let parts = sessions
        .each_ref()
        .map(|session| session.load("roots").unwrap());
    let session = &sessions[0];
    session.merge("all", &parts).unwrap();
    let largest = || {
        let experiment = session.load_as::<of_all::LargestRoots>("all").unwrap();
        let runs = experiment.runs().map(|run| run.unwrap().fields.largest);
        let mut all: Vec<f64> = runs.collect();
        all.sort_by(f64::total_cmp);
        all
    };
    assert_eq!(largest(), [2.0, 2.0, 4.0, 4.0]);
    let plan = || of_all::largest_roots().named("all");
    assert_eq!(session.plan(plan()).unwrap().counts.stale, 4);
    session.resume(plan()).unwrap();
    assert_eq!(largest(), [2.0, 2.0, 4.0, 4.0]);
    let anew = plan().rerun(xp::Rerun::new().stale(true));
    session.resume(anew).unwrap();
    assert_eq!(largest(), [4.0; 4]);
    // So it is of what is added to a shared file.
    let shared = Session::in_memory().unwrap();
    for part in &parts {
        part.upstream(&shared).unwrap();
    }
    let counts = shared.plan(of_all::largest_roots()).unwrap().counts;
    assert_eq!((counts.stale, counts.complete), (4, 0));
}

#[test]
fn columns_that_clash_are_told_all_at_once_and_nothing_is_made() {
    let session = Session::in_memory().unwrap();
    let a = session.run("a", |run| -> Result<(), xp::FieldError> {
        run.fields.insert("x", 1)?;
        run.fields.insert("y", "text".to_owned())?;
        run.fields.insert("z", 0.5)
    });
    let b = session.run("b", |run| -> Result<(), xp::FieldError> {
        run.fields.insert("x", 1.0)?;
        run.fields.insert("y", vec![1])?;
        run.fields.insert("Z", 0.5)
    });
    let refused = session.merge("c", [&a.unwrap(), &b.unwrap()]).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "`c` in `:memory:` cannot hold the runs of all these experiments: `x` holds int in `a`, and \
         float in `b`; `y` holds text in `a`, and serialized in `b`; `z` holds float in `a`, and \
         `Z`, by case in `b`; rename the field in one of them"
    );
    assert_eq!(session.ls().unwrap().len(), 2);

    // Of several files, each is told by its file.
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let open = |name: &str| Session::open(path(name)).unwrap();
    let a = open("a.db").run("same", |run| run.fields.insert("x", 1));
    let b = open("b.db").run("same", |run| run.fields.insert("x", 0.5));
    let (a, b) = (a.unwrap(), b.unwrap());
    let refused = session.merge("c", [&a, &b]).unwrap_err().to_string();
    let [one, two] = ["a.db", "b.db"].map(|name| path(name).display().to_string());
    let clash = format!("`x` holds int in `same` of `{one}`, and float in `same` of `{two}`");
    assert!(refused.contains(&clash), "{refused}");

    let none: [&Experiment; 0] = [];
    assert!(matches!(
        session.merge("c", none),
        Err(xp::Error::NothingToMerge { .. })
    ));
}

#[test]
fn fields_of_experiments_come_together() {
    let session = Session::in_memory().unwrap();
    let made = ["a", "b"].map(|name| {
        let mut experiment = session
            .run(name, |_| Ok::<_, String>(()))
            .unwrap()
            .untyped();
        experiment.fields.insert("from", name).unwrap();
        experiment.fields.insert(name, &true).unwrap();
        experiment
    });
    let merged = session.merge("c", &made).unwrap();
    assert_eq!(merged.fields.to_string(), "{from: b, a: true, b: true}");
    assert_eq!(merged.runs().count(), 2);
}

#[test]
fn failures_alone_can_be_copied_too() {
    let (file, session) = (File::new(), Session::in_memory().unwrap());
    let failed = part(&session, false, [1, 3]);
    let copy = failed.copy_into(&file.session(), "roots").unwrap();
    assert_eq!((copy.runs().count(), copy.failures().count()), (0, 2));
    assert_eq!(
        contents(&file.session(), "roots"),
        contents(&session, "roots")
    );
    assert_eq!(part(&file.session(), true, [1, 3]).runs().count(), 2);
}
