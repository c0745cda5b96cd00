//! Files that come and go with their experiments.

use xp::{IfExists, StoreError};

use super::*;

#[test]
fn files_go_with_the_experiment_that_is_deleted() {
    let file = File::new();
    let session = file.session();
    let one = session.execute(fits().n([1])).unwrap();
    let two = session.execute(fits().named("two").n([1, 2])).unwrap();
    let id = two.id_experiment;
    session.delete("fits").unwrap();
    assert_eq!(file.files(one.id_experiment).len(), 0);
    check(&session.load_as("two").unwrap(), [1, 2]);
    two.delete().unwrap();
    assert_eq!(file.files(id).len(), 0);
    assert!(!file.store().exists());
    drop((one, session));
    assert_eq!(names(file.dir.path()), ["file.db".to_owned()].into());
}

#[test]
fn files_go_with_the_experiment_that_is_replaced_after_the_commit() {
    let file = File::new();
    let session = file.session();
    let old = session.execute(fits().n([1, 2])).unwrap();
    // Nothing is replaced by what fails before its first commit.
    let error = session.execute(fits().n([3])).unwrap_err();
    assert!(matches!(
        error,
        xp::Error::Store(StoreError::ExperimentExists { .. })
    ));
    check(&session.load_as("fits").unwrap(), [1, 2]);
    let new = fits().n([3]).if_exists(IfExists::Replace);
    let new = session.execute(new).unwrap();
    check(&new, [3]);
    assert_eq!(file.files(old.id_experiment).len(), 0);
    assert_eq!(file.files(new.id_experiment).len(), 2);
}

#[test]
fn copies_have_files_of_their_own() {
    let (file, other) = (File::new(), File::new());
    let (session, elsewhere) = (file.session(), other.session());
    let made = session.execute(fits().n([1, 2])).unwrap();
    let beside = made.copy_to("beside").unwrap();
    let away = made.copy_into(&elsewhere, "away").unwrap();
    let merged = elsewhere.merge("merged", [&made, &away]).unwrap();
    drop(made);
    session.delete("fits").unwrap();
    check(&beside, [1, 2]);
    check(&away, [1, 2]);
    check(&merged, [1, 2]);
    assert_eq!(file.files(beside.id_experiment).len(), 4);
    assert_eq!(other.files(away.id_experiment).len(), 4);
}

#[test]
fn two_databases_in_one_directory_that_have_one_experiment_keep_its_files() {
    let file = File::new();
    let part = file.session();
    let all = Session::open(file.dir.path().join("all.db")).unwrap();
    let made = part.execute(fits().n([1, 2])).unwrap();
    made.upstream(&all).unwrap();
    drop(made);
    part.delete("fits").unwrap();
    check(&all.load_as("fits").unwrap(), [1, 2]);
    // Nor does the other one remove what it does not need: it cannot know of all that do.
    all.delete("fits").unwrap();
    part.execute(fits().named("other").n([3])).unwrap();
    check(&part.load_as("other").unwrap(), [3]);
}

#[test]
fn a_copy_of_nested_stores_is_verified_like_the_original() {
    #[step]
    fn nested(n: u32) -> DataStore<DataStore<Model>> {
        DataStore::new(model(n))
    }

    #[experiment]
    fn nests(#[param] n: u32) {
        #[field]
        let nested: DataStore<DataStore<Model>> = nested(n);
    }

    let (file, other) = (File::new(), File::new());
    let made = file.session().execute(nests().n([1])).unwrap();
    let copied = made.copy_into(&other.session(), "copied").unwrap();
    made.delete().unwrap();
    for run in copied.runs() {
        let nested = run.unwrap().fields.nested;
        assert_eq!(nested.load().unwrap().load().unwrap(), &weights(1));
    }
    assert_eq!(other.files(copied.id_experiment).len(), 2);
}

#[test]
fn files_of_runs_that_were_not_committed_go_at_the_end() {
    #[step]
    fn odd(n: u32) -> Result<u32, String> {
        if n.is_multiple_of(2) {
            Err("even".to_owned())
        } else {
            Ok(n)
        }
    }

    #[experiment]
    fn odds(#[param] n: u32) {
        #[field]
        let trace: DataStore<Array> = trace(n);
        #[field]
        let odd: u32 = odd(n)?;
    }

    let file = File::new();
    let session = file.session();
    // All or nothing: it is nothing.
    let staged = odds().n([1, 3, 4]).policy(Policy::Staged).jobs(1);
    session.execute(staged).unwrap_err();
    assert!(!file.store().exists(), "{:?}", names(&file.store()));
    // A failed run keeps what it had come to with its exception, whether or not it is tried again.
    let plan = odds().n([1, 3, 4]).policy(Policy::KeepGoing).retry(2);
    session.execute(plan).unwrap_err();
    let id = session.load("odds").unwrap().id_experiment;
    assert_eq!(file.files(id).len(), 3);
}

#[test]
fn files_of_rows_that_are_replaced_go_at_the_end() {
    mod then {
        use super::super::*;

        #[step]
        fn make(n: u32) -> DataStore<Vec<u32>> {
            vec![n, 1].into()
        }

        #[experiment]
        pub(super) fn versions(#[param] n: u32) {
            #[field]
            let made: DataStore<Vec<u32>> = make(n);
        }
    }

    #[step]
    fn make(n: u32) -> DataStore<Vec<u32>> {
        vec![n, 2].into()
    }

    #[experiment]
    fn versions(#[param] n: u32) {
        #[field]
        let made: DataStore<Vec<u32>> = make(n);
    }

    let file = File::new();
    let session = file.session();
    let made = session.resume(then::versions().n([1, 2])).unwrap();
    let plan = versions().n([1, 2]);
    let plan = plan.rerun(Rerun::new().stale(true));
    let again = session.resume(plan).unwrap();
    assert_eq!(again.id_experiment, made.id_experiment);
    assert_eq!(file.files(made.id_experiment).len(), 2);
    for run in again.runs() {
        let fields = run.unwrap().fields;
        assert_eq!(fields.made.load().unwrap(), &[fields.n, 2]);
    }
}

#[test]
fn two_sessions_that_write_the_same_content_at_once_share_a_file() {
    #[step]
    fn same(_n: u32) -> DataStore<Vec<u64>> {
        vec![7; 50_000].into()
    }

    #[experiment]
    fn sames(#[param] n: u32) {
        #[field]
        let same: DataStore<Vec<u64>> = same(n);
    }

    let file = File::new();
    let path = file.path();
    std::thread::scope(|scope| {
        let resume = || {
            let session = Session::open(&path).unwrap();
            session.resume(sames().n(0..40).jobs(2)).unwrap();
        };
        let others: Vec<_> = (0..2).map(|_| scope.spawn(resume)).collect();
        others.into_iter().for_each(|other| other.join().unwrap());
    });
    let made = file.session().load_as::<Sames>("sames").unwrap();
    assert_eq!(made.runs().count(), 40);
    for run in made.runs() {
        assert_eq!(run.unwrap().fields.same.load().unwrap().len(), 50_000);
    }
    assert_eq!(file.files(made.id_experiment).len(), 1);
}

#[test]
fn the_files_are_beside_the_database_by_whatever_path_it_is_opened() {
    let file = File::new();
    let link = File::new();
    #[cfg(unix)]
    std::os::unix::fs::symlink(file.path(), link.path()).unwrap();
    #[cfg(not(unix))]
    return;
    drop(file.session());
    link.session().execute(fits().n([1])).unwrap();
    assert!(file.store().exists() && !link.store().exists());
    check(&file.session().load_as("fits").unwrap(), [1]);
}

#[cfg(unix)]
#[test]
fn a_file_that_cannot_be_written_is_named() {
    let file = File::new();
    std::fs::write(file.store(), "in the way").unwrap();
    let Err(xp::Error::RunsFailed(failed)) = file.session().execute(fits().n([1])) else {
        panic!("it fails")
    };
    let told = failed.first.exception.to_string();
    let causes = failed.first.exception.causes.join(": ");
    assert!(told.contains("`trace` cannot be kept"), "{told}");
    let path = format!("{}/", file.store().canonicalize().unwrap().display());
    assert!(causes.contains(&path), "{causes}");
}
