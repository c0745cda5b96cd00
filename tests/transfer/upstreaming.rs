//! Experiments that are added to a shared file.

use std::thread;
use std::time::Duration;

use rusqlite::Connection;
use xp::StoreError;
use xp::prelude::*;

use crate::{File, Roots, contents, int, part, roots};

#[test]
fn parts_from_several_machines_give_the_whole_and_twice_adds_nothing() {
    let shared = File::new();
    let session = shared.session();
    let parts: Vec<_> = [(false, 0..4), (true, 2..6), (false, 5..9)]
        .map(|(forgiving, n)| part(&Session::in_memory().unwrap(), forgiving, n))
        .into();
    let first = parts[0].upstream(&session).unwrap();
    assert_eq!((first.added, first.replaced, first.kept), (4, 0, 0));
    assert_eq!(first.id_experiment, parts[0].id_experiment);
    let second = parts[1].upstream(&session).unwrap(); // 3 had failed there
    assert_eq!((second.added, second.replaced, second.kept), (2, 1, 1));
    assert_eq!(second.id_experiment, first.id_experiment);
    let third = parts[2].upstream(&session).unwrap(); // 5 is complete there
    assert_eq!((third.added, third.replaced, third.kept), (3, 0, 1));
    let counts = session
        .plan(roots().forgiving(true).n(0..9))
        .unwrap()
        .counts;
    assert_eq!((counts.complete, counts.failed, counts.missing), (7, 2, 0));
    let whole = contents(&session, "roots");
    let rows = |table: &str| int(&session, &format!("SELECT count(*) FROM {table}"));
    let sizes = || ["xp_run", "xp_execution", "xp_step", "xp_exception"].map(rows);
    let before = sizes();
    for part in &parts {
        let again = part.upstream(&session).unwrap();
        assert_eq!((again.added, again.replaced), (0, 0));
    }
    assert_eq!(contents(&session, "roots"), whole);
    assert_eq!(sizes(), before);
    assert_eq!(part(&session, true, 0..9).runs().count(), 9);
}

#[test]
fn a_copy_that_has_grown_is_added_as_an_experiment_of_its_own() {
    let (local, shared) = (File::new(), File::new());
    let (here, there) = (local.session(), shared.session());
    let original = part(&here, true, 0..3);
    original.upstream(&there).unwrap();
    original.copy_to("roots, more").unwrap();
    let more = roots().forgiving(true).n(0..6).named("roots, more");
    let grown = here.resume(more).unwrap();
    assert_eq!((original.runs().count(), grown.runs().count()), (3, 6));

    let added = grown.upstream(&there).unwrap();
    assert_eq!((added.added, added.replaced, added.kept), (6, 0, 0));
    assert_eq!(added.id_experiment, grown.id_experiment);
    for (name, runs) in [("roots", 3), ("roots, more", 6)] {
        let experiment = there.load_as::<Roots>(name).unwrap();
        assert_eq!(experiment.runs().count(), runs, "{name}");
    }
    assert_eq!(
        contents(&there, "roots, more"),
        contents(&here, "roots, more")
    );

    // Both together have each point once.
    let merged = here.merge("all of them", [&original, &grown]).unwrap();
    assert_eq!(merged.runs().count(), 6);
}

#[test]
fn what_is_there_already_is_found_out_while_another_program_writes() {
    let (shared, local) = (File::new(), File::new());
    let made = part(&local.session(), false, 0..4);
    let session = shared.session();
    let hasty = session
        .clone()
        .with(Options::new().lock_timeout(Duration::ZERO));
    made.upstream(&session).unwrap();
    let writes = Connection::open(shared.path()).unwrap();
    writes.execute_batch("BEGIN IMMEDIATE").unwrap();
    // Also what is there itself, in the same session and in another one.
    let there = [
        session.load_as("roots").unwrap(),
        shared.session().load_as("roots").unwrap(),
    ];
    for experiment in [&made, &there[0], &there[1]] {
        let done = experiment.upstream(&hasty).unwrap();
        assert_eq!((done.added, done.replaced, done.kept), (0, 0, 4));
        assert_eq!(done.id_experiment, made.id_experiment);
    }
    // What is not there is not taken for it.
    let refused = |experiment: &Experiment<Roots>| experiment.upstream(&hasty).unwrap_err();
    let mut noted = local.session().load_as::<Roots>("roots").unwrap();
    noted.fields.insert("purpose", "a test").unwrap();
    assert!(matches!(
        refused(&noted),
        xp::Error::Store(StoreError::Locked { .. })
    ));
    let more = part(&local.session(), false, 0..5);
    assert!(matches!(
        refused(&more),
        xp::Error::Store(StoreError::Locked { .. })
    ));
    writes.execute_batch("ROLLBACK").unwrap();
    assert_eq!(more.upstream(&hasty).unwrap().added, 1);
    assert_eq!(
        session.load("roots").unwrap().fields.to_string(),
        "{purpose: a test}"
    );
}

#[test]
fn a_sweep_that_goes_on_is_added_again() {
    let shared = File::new();
    let local = Session::in_memory().unwrap();
    part(&local, false, 0..4)
        .upstream(&shared.session())
        .unwrap();
    let more = part(&local, true, 0..6);
    let done = more.upstream(&shared.session()).unwrap();
    assert_eq!((done.added, done.replaced, done.kept), (2, 2, 2));
    // Attempts at points that are replaced come later than others.
    let sorted = |session: &Session| {
        let mut all = contents(session, "roots");
        all.sort();
        all
    };
    assert_eq!(sorted(&shared.session()), sorted(&local));
}

#[test]
fn it_is_found_by_its_id_under_any_name_and_else_by_the_name_that_it_has() {
    let (shared, local, other) = (File::new(), File::new(), File::new());
    let session = shared.session();
    let names = || {
        let names = session
            .ls()
            .unwrap()
            .into_iter()
            .map(|of| (of.name, of.runs));
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    };
    let listed = |of: &[(&str, u64)]| -> Vec<_> {
        of.iter()
            .map(|(name, runs)| ((*name).to_owned(), *runs))
            .collect()
    };
    let mut made = part(&local.session(), true, 0..2);
    let first = made.upstream(&session).unwrap();
    // Renamed here, renamed there: it goes on, and each file keeps its name.
    made.rename("roots of today").unwrap();
    assert_eq!(made.upstream(&session).unwrap().kept, 2);
    let there = session.load_as::<Roots>("roots");
    there.unwrap().rename("all roots").unwrap();
    let plan = roots().forgiving(true).n(0..3).named("roots of today");
    let made = local.session().resume(plan).unwrap();
    let again = made.upstream(&session).unwrap();
    assert_eq!((again.added, again.id_experiment), (1, first.id_experiment));
    assert_eq!(made.name, "roots of today");
    assert_eq!(names(), listed(&[("all roots", 3)]));
    // Another part finds it by the name that it has there now.
    let mut other = part(&other.session(), true, 2..5);
    let apart = other.upstream(&session).unwrap();
    assert_eq!((apart.added, apart.id_experiment), (3, other.id_experiment));
    assert_eq!(names(), listed(&[("all roots", 3), ("roots", 3)]));
    session.delete("roots").unwrap();
    other.rename("all roots").unwrap();
    let joined = other.upstream(&session).unwrap();
    assert_eq!(
        (joined.added, joined.id_experiment),
        (2, first.id_experiment)
    );
    assert_eq!(names(), listed(&[("all roots", 5)]));
}

mod then {
    use xp::prelude::*;

    #[step]
    pub(crate) fn double(x: f64) -> f64 {
        2.0 * x
    }

    #[experiment]
    pub(crate) fn growing(#[param] x: f64) {
        #[field]
        let double: f64 = double(x);
    }
}

mod now {
    use super::then::double;
    use xp::prelude::*;

    #[step]
    fn triple(x: f64) -> f64 {
        3.0 * x
    }

    #[experiment]
    pub(crate) fn growing(#[param] x: f64) {
        #[field]
        let double: f64 = double(x);
        #[field]
        let triple: f64 = triple(x);
    }
}

#[test]
fn runs_that_lack_a_field_are_replaced_by_those_that_have_it() {
    let (shared, local) = (File::new(), Session::in_memory().unwrap());
    let old = local.resume(then::growing().x([1.0, 2.0])).unwrap();
    old.upstream(&shared.session()).unwrap();
    let new = local.resume(now::growing().x([1.0, 2.0]).fill()).unwrap();
    let done = new.upstream(&shared.session()).unwrap();
    assert_eq!((done.added, done.replaced), (0, 2));
    let session = shared.session();
    let there = session.load_as::<now::Growing>("growing").unwrap();
    assert_eq!((there.runs().count(), there.partial()), (2, 0));
    assert_eq!(int(&session, "SELECT count(*) FROM experiment_growing"), 2);
    assert_eq!(
        session
            .plan(now::growing().x([1.0, 2.0]))
            .unwrap()
            .counts
            .complete,
        2
    );
    // The old file does not take it back.
    let before = contents(&session, "growing");
    let other = Session::in_memory().unwrap();
    let old = other.resume(then::growing().x([1.0, 3.0])).unwrap();
    let done = old.upstream(&session).unwrap();
    assert_eq!((done.added, done.replaced, done.kept), (1, 0, 1));
    assert!(contents(&session, "growing").len() > before.len());
    assert_eq!(
        session
            .load_as::<now::Growing>("growing")
            .unwrap()
            .partial(),
        1
    );
}

mod with_default {
    pub(crate) mod a {
        use xp::prelude::*;

        #[step]
        pub(crate) fn same(n: u32, m: u32) -> u32 {
            n * m
        }

        #[experiment]
        pub(crate) fn scaled(#[config(default = 2)] m: u32, #[param] n: u32) {
            #[field]
            let same: u32 = same(n, m);
        }
    }

    pub(crate) mod b {
        use super::a::same;
        use xp::prelude::*;

        #[experiment]
        pub(crate) fn scaled(#[config(default = 3)] m: u32, #[param] n: u32) {
            #[field]
            let same: u32 = same(n, m);
        }
    }
}

#[test]
fn what_is_something_else_is_refused_and_nothing_is_changed() {
    let shared = File::new();
    let session = shared.session();
    part(&Session::in_memory().unwrap(), true, 0..3)
        .upstream(&session)
        .unwrap();
    let before = contents(&session, "roots");
    let square = |x: &u64, _: &mut Run| Ok::<_, String>(x * x);
    let mut other = Session::in_memory()
        .unwrap()
        .sweep("squares", 0..2, square)
        .unwrap();
    other.rename("roots").unwrap();
    let refused = other.upstream(&session).unwrap_err();
    assert!(
        refused.to_string().ends_with(
            "is another one (made by `roots`) than the one that was to be added (made by \
             `squares`); rename one of them, or copy it there under another name"
        ),
        "{refused}"
    );
    let local = [(); 2].map(|()| Session::in_memory().unwrap());
    local[0]
        .resume(with_default::a::scaled().n([1]))
        .unwrap()
        .upstream(&session)
        .unwrap();
    let changed = local[1].resume(with_default::b::scaled().n([2])).unwrap();
    let refused = changed.upstream(&session).unwrap_err();
    assert!(matches!(
        refused,
        xp::Error::Store(StoreError::OtherDefaults { .. })
    ));
    assert!(
        refused
            .to_string()
            .contains("`m` is 2 where it is not given in one of them, and is 3"),
        "{refused}"
    );
    assert_eq!(contents(&session, "roots"), before);
    assert_eq!(int(&session, "SELECT count(*) FROM experiment_scaled"), 1);
}

#[test]
fn several_at_once_do_not_double_anything() {
    let shared = File::new();
    shared.session();
    let parts: Vec<_> = (0..4)
        .map(|i| part(&Session::in_memory().unwrap(), true, i..i + 10))
        .collect();
    thread::scope(|scope| {
        for part in &parts {
            for _ in 0..2 {
                scope.spawn(|| part.upstream(&shared.session()).unwrap());
            }
        }
    });
    let session = shared.session();
    assert_eq!(int(&session, "SELECT count(*) FROM experiment_roots"), 13);
    assert_eq!(
        int(
            &session,
            "SELECT count(DISTINCT id_run) FROM experiment_roots"
        ),
        13
    );
    assert_eq!(int(&session, "SELECT count(*) FROM xp_run"), 13);
}

#[test]
fn an_experiment_that_is_being_copied_into_can_be_executed_in_the_same_process() {
    let shared = File::new();
    let local = part(&Session::in_memory().unwrap(), true, 0..40);
    thread::scope(|scope| {
        scope.spawn(|| part(&shared.session(), true, 20..60));
        scope.spawn(|| {
            for _ in 0..5 {
                local.upstream(&shared.session()).unwrap();
            }
        });
    });
    local.upstream(&shared.session()).unwrap();
    let session = shared.session();
    assert_eq!(int(&session, "SELECT count(*) FROM experiment_roots"), 60);
    assert_eq!(
        int(
            &session,
            "SELECT count(DISTINCT id_run) FROM experiment_roots"
        ),
        60
    );
}

#[test]
fn two_stores_in_memory_can_be_copied_into_each_other_at_once() {
    let sessions = [(); 2].map(|()| Session::in_memory().unwrap());
    let made = sessions
        .each_ref()
        .map(|session| part(session, true, 0..50));
    thread::scope(|scope| {
        for i in 0..20 {
            let (made, sessions) = (&made, &sessions);
            scope.spawn(move || {
                made[0]
                    .copy_into(&sessions[1], &format!("copy {i}"))
                    .unwrap()
            });
            scope.spawn(move || {
                made[1]
                    .copy_into(&sessions[0], &format!("copy {i}"))
                    .unwrap()
            });
        }
    });
    assert_eq!(sessions[0].ls().unwrap().len(), 21);
}
