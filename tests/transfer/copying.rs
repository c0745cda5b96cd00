//! Copies, and what can be done with an experiment where it is.

use xp::StoreError;
use xp::prelude::*;

use crate::{File, Roots, contents, int, part, roots};

#[test]
fn a_copy_has_all_that_is_known_and_an_id_of_its_own() {
    let (file, other) = (File::new(), File::new());
    let (session, elsewhere) = (file.session(), other.session());
    let mut original = part(&session, false, 0..7);
    original.fields.insert("purpose", "a test").unwrap();
    let before = contents(&session, "roots");
    let here = original.copy_to("roots, again").unwrap();
    let there = original.copy_into(&elsewhere, "roots").unwrap();
    assert_eq!(contents(&session, "roots, again"), before);
    assert_eq!(contents(&elsewhere, "roots"), before);
    assert_eq!(contents(&session, "roots"), before);
    let ids = [&original, &here, &there].map(|of| of.id_experiment);
    assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2]);
    assert_eq!((here.runs().count(), here.failures().count()), (4, 3));
    for run in there.runs() {
        assert_eq!(run.unwrap().id_experiment, there.id_experiment);
    }

    // The copy is continued as the original is.
    let plan = || roots().forgiving(true).n(0..8);
    let report = elsewhere.plan(plan()).unwrap();
    assert_eq!(report.counts, session.plan(plan()).unwrap().counts);
    assert_eq!((report.counts.complete, report.counts.to_run), (4, 4));
    assert_eq!(elsewhere.resume(plan()).unwrap().runs().count(), 8);
    assert_eq!(
        session
            .load_as::<Roots>("roots, again")
            .unwrap()
            .runs()
            .count(),
        4
    );
}

#[test]
fn copies_go_in_and_out_of_memory_and_keep_the_states() {
    let memory = Session::in_memory().unwrap();
    let file = File::new();
    let square = |x: &u64, _: &mut Run| Ok::<_, String>(x * x);
    let made = memory.sweep("squares", 0..5, square).unwrap();
    let copy = made.copy_into(&file.session(), "squares").unwrap();
    let back = copy.copy_into(&memory, "again").unwrap();
    let values = |experiment: &Experiment<_>| -> Vec<(u64, u64)> {
        let runs = experiment
            .runs()
            .map(|run: xp::Result<Run<xp::Swept<u64, u64>>>| {
                let fields = run.unwrap().fields;
                (fields.point, fields.result)
            });
        runs.collect()
    };
    assert_eq!(values(&back), values(&made));
}

#[test]
fn a_session_and_the_same_with_options_are_one_file() {
    let session = Session::in_memory().unwrap();
    let made = part(&session, true, 0..3);
    let patient = session.with(Options::new().lock_timeout(std::time::Duration::from_secs(1)));
    let copy = made.copy_into(&patient, "copy").unwrap();
    assert_eq!(copy.runs().count(), 3);
    assert_eq!(
        patient
            .merge("both", [&made, &copy])
            .unwrap()
            .runs()
            .count(),
        3
    );
}

mod more {
    use xp::prelude::*;

    use super::roots;

    #[step]
    fn square(root: f64) -> f64 {
        root * root
    }

    #[experiment(continues = roots)]
    pub(crate) fn squares(#[field] root: f64) {
        #[field]
        let square: f64 = square(root);
    }
}

#[test]
fn what_continues_an_experiment_goes_with_it() {
    let (file, shared) = (File::new(), File::new());
    let session = file.session();
    part(&session, true, 0..4)
        .upstream(&shared.session())
        .unwrap();
    session.resume(more::squares().named("roots")).unwrap();
    part(&session, true, 4..6);
    let roots = session.load("roots").unwrap();

    let copy = roots.copy_to("copy").unwrap();
    let plan = || more::squares().named("copy");
    let counts = session.plan(plan()).unwrap().counts;
    assert_eq!((counts.complete, counts.to_run), (4, 2));
    assert_eq!(session.resume(plan()).unwrap().runs().count(), 6);
    assert_eq!(copy.runs().count(), 6);

    // The runs that were there get the field that they lack.
    let done = roots.upstream(&shared.session()).unwrap();
    assert_eq!((done.added, done.replaced, done.kept), (2, 4, 0));
    let again = roots.upstream(&shared.session()).unwrap();
    assert_eq!((again.added, again.replaced, again.kept), (0, 0, 6));
    let there = shared.session();
    let counts = there.plan(more::squares().named("roots")).unwrap().counts;
    assert_eq!((counts.complete, counts.to_run), (4, 2));
    assert_eq!(
        there
            .resume(more::squares().named("roots"))
            .unwrap()
            .runs()
            .count(),
        6
    );
    assert_eq!(int(&there, "SELECT count(square) FROM experiment_roots"), 6);
}

#[test]
fn a_name_that_is_taken_is_refused_and_nothing_is_changed() {
    let file = File::new();
    let session = file.session();
    let roots = part(&session, true, 0..3);
    let before = contents(&session, "roots");
    let refused = roots.copy_to("roots").unwrap_err();
    assert!(
        matches!(refused, xp::Error::Store(StoreError::NameTaken { .. })),
        "{refused}"
    );
    let refused = roots.copy_to("Roots!").unwrap_err();
    assert!(
        matches!(refused, xp::Error::Store(StoreError::TableClash { .. })),
        "{refused}"
    );
    assert!(roots.copy_to("").is_err());
    assert_eq!(session.ls().unwrap().len(), 1);
    assert_eq!(contents(&session, "roots"), before);
    let read_only = Session::open_read_only(file.path()).unwrap();
    let refused = roots.copy_into(&read_only, "copy").unwrap_err();
    assert!(
        matches!(refused, xp::Error::Store(StoreError::ReadOnly { .. })),
        "{refused}"
    );
    assert_eq!(
        read_only
            .load("roots")
            .unwrap()
            .copy_into(&session, "copy")
            .unwrap()
            .runs()
            .count(),
        3
    );
}

#[test]
fn what_was_deserialised_is_in_no_file() {
    let session = Session::in_memory().unwrap();
    let square = |x: &u64, _: &mut Run| Ok::<_, String>(x * x);
    let json = serde_json::to_string(&session.sweep("squares", 0..5, square).unwrap().untyped());
    let experiment: Experiment = serde_json::from_str(&json.unwrap()).unwrap();
    let refused = experiment.copy_to("copy").unwrap_err();
    assert!(matches!(refused, xp::Error::NoDatabase { .. }), "{refused}");
    // Its runs are runs all the same.
    let both = experiment.runs() | session.load("squares").unwrap().runs();
    assert_eq!(both.count(), 5);
}

#[test]
fn a_renamed_experiment_is_another_one_for_the_file_and_the_same_for_its_plan() {
    let file = File::new();
    let session = file.session();
    let mut experiment = part(&session, true, 0..3);
    let before = contents(&session, "roots");
    let id = experiment.id_experiment;
    experiment.copy_to("taken").unwrap();
    assert!(experiment.rename("taken").is_err());
    experiment.rename("Roots of old").unwrap();
    assert_eq!(
        (experiment.name.as_str(), experiment.id_experiment),
        ("Roots of old", id)
    );
    assert_eq!(contents(&session, "Roots of old"), before);
    assert_eq!(
        int(&session, "SELECT count(*) FROM experiment_roots_of_old"),
        3
    );
    assert!(session.load("roots").is_err());
    let plan = roots().forgiving(true).n(0..4).named("Roots of old");
    assert_eq!(session.resume(plan).unwrap().runs().count(), 4);
    // The name is free, and one that has the same table is, too.
    experiment.rename("ROOTS of old").unwrap();
    assert_eq!(part(&session, true, 0..3).runs().count(), 3);
    experiment.delete().unwrap();
    assert_eq!(session.ls().unwrap().len(), 2);
    assert_eq!(
        int(
            &session,
            "SELECT count(*) FROM sqlite_master WHERE name GLOB 'experiment_*'"
        ),
        2
    );
}

#[test]
fn reloading_sees_what_others_have_written() {
    let file = File::new();
    let (session, other) = (file.session(), file.session());
    part(&session, true, 0..3);
    let mut experiment = session.load("roots").unwrap();
    part(&other, true, 3..6);
    other
        .load("roots")
        .unwrap()
        .fields
        .insert("done", &true)
        .unwrap();
    let noted = |experiment: &Experiment| {
        let runs = experiment.runs().filter(|run| {
            let fields = &run.as_ref().unwrap().fields;
            fields
                .value("note")
                .is_some_and(|note| *note != xp::Value::Null)
        });
        runs.count()
    };
    assert_eq!(noted(&experiment), 0);
    experiment.reload().unwrap();
    assert_eq!((experiment.runs().count(), noted(&experiment)), (6, 1));
    assert_eq!(experiment.fields.get::<bool>("done").unwrap(), Some(true));
    other.delete("roots").unwrap();
    assert!(experiment.reload().is_err());
    assert_eq!(experiment.name, "roots");
}

#[test]
fn a_file_that_a_newer_xp_has_changed_meanwhile_is_refused() {
    let file = File::new();
    let session = file.session();
    let mut made = part(&session, true, 0..4);
    let other = part(&Session::in_memory().unwrap(), true, 0..6);
    let newer = rusqlite::Connection::open(file.path()).unwrap();
    newer
        .execute("UPDATE xp_schema SET version = 1000", [])
        .unwrap();
    let refused = [
        made.rename("squares").unwrap_err(),
        made.copy_to("squares").unwrap_err(),
        other.copy_into(&session, "squares").unwrap_err(),
        other.upstream(&session).unwrap_err(),
        session.merge("squares", [&made, &other]).unwrap_err(),
    ];
    for error in refused {
        let is_newer =
            |error: &StoreError| matches!(error, StoreError::NewerSchema { found: 1000, .. });
        assert!(
            matches!(&error, xp::Error::Store(store) if is_newer(store)),
            "{error:?}"
        );
    }
    assert_eq!(session.ls().unwrap().len(), 1);
}
