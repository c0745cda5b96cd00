//! Nothing is read that is not a file of an experiment below the directory of the files.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use rusqlite::Connection;
use xp::DataStoreCause as Cause;
use xp::DataStoreError;
use xp::value::{StoreUrl, Value};

use super::*;

/// An experiment with one run.
struct Made {
    file: File,
    id: xp::Uuid,
    path: PathBuf,
}

impl Made {
    fn new() -> Self {
        let file = File::new();
        let made = file.session().execute(fits().n([1])).unwrap();
        let id = made.id_experiment;
        let run = made.runs().next().unwrap().unwrap();
        let path = file.file(run.fields.trace.url().unwrap());
        Self { file, id, path }
    }

    fn error(&self) -> DataStoreError {
        let loaded = self.file.session().load_as::<Fits>("fits").unwrap();
        let run = loaded.runs().next().unwrap().unwrap();
        run.fields.trace.load().unwrap_err()
    }
}

#[test]
fn a_missing_file_is_named_with_its_field_run_and_experiment() {
    let made = Made::new();
    fs::remove_file(&made.path).unwrap();
    let error = made.error();
    assert!(matches!(&error.cause, Cause::File(_)), "{error:?}");
    assert_eq!(error.experiment.as_deref(), Some("fits"));
    let path = made.path.canonicalize().unwrap_or(made.path.clone());
    let path = path.strip_prefix("/").unwrap().display().to_string();
    let told = error.to_string();
    assert!(
        told.contains(&path) && told.contains("to which `trace` of the run "),
        "{told}"
    );
    assert!(
        told.ends_with(" of `fits` refers, cannot be read"),
        "{told}"
    );
    // The other file is there.
    let loaded = made.file.session().load_as::<Fits>("fits").unwrap();
    let run = loaded.runs().next().unwrap().unwrap();
    assert_eq!(run.fields.model.load().unwrap(), &weights(1));
}

#[test]
fn a_changed_file_is_not_read() {
    for change in [0, 500, 8_000] {
        let made = Made::new();
        let mut content = fs::read(&made.path).unwrap();
        content[change] ^= 1;
        fs::write(&made.path, &content).unwrap();
        assert!(matches!(made.error().cause, Cause::Changed));
        fs::write(&made.path, &content[..change]).unwrap();
        assert!(matches!(made.error().cause, Cause::Changed));
    }
}

#[test]
fn a_link_is_not_followed() {
    let made = Made::new();
    let away = made.file.dir.path().join("away");
    fs::rename(&made.path, &away).unwrap();
    symlink(&away, &made.path).unwrap();
    assert!(matches!(made.error().cause, Cause::Link));

    let made = Made::new();
    let folder = made.path.parent().unwrap();
    let away = made.file.dir.path().join("away");
    fs::rename(folder, &away).unwrap();
    symlink(&away, folder).unwrap();
    assert!(matches!(made.error().cause, Cause::Link));
    // Nor is anything written there.
    let Err(xp::Error::RunsFailed(failed)) = made.file.session().resume(fits().n([2])) else {
        panic!("it fails")
    };
    let causes = failed.first.exception.causes.join(": ");
    assert!(
        causes.contains("the experiment's directory is a link"),
        "{causes}"
    );
    assert_eq!(names(&away).len(), 2);
}

#[test]
fn what_is_no_file_is_not_waited_for() {
    let made = Made::new();
    fs::remove_file(&made.path).unwrap();
    nix::unistd::mkfifo(&made.path, nix::sys::stat::Mode::S_IRWXU).unwrap();
    assert!(matches!(made.error().cause, Cause::Irregular));
    fs::remove_file(&made.path).unwrap();
    fs::create_dir(&made.path).unwrap();
    assert!(matches!(made.error().cause, Cause::Irregular));
}

#[test]
fn a_file_that_claims_to_be_huge_is_not_read() {
    let made = Made::new();
    let file = fs::File::create(&made.path).unwrap();
    file.set_len(1 << 40).unwrap();
    let cause = made.error().cause;
    assert!(matches!(cause, Cause::TooLarge { size } if size == 1 << 40));
}

#[test]
fn a_url_that_leads_elsewhere_is_refused_before_anything_is_read() {
    let made = Made::new();
    let (file, id) = (&made.file, made.id);
    let secret = file.dir.path().join("secret");
    let content = xp::datapak::encode(&Value::Map(vec![("value".into(), 1.into())])).unwrap();
    fs::write(&secret, content).unwrap();
    let name = "a".repeat(32);
    for url in [
        "file:///../secret".to_owned(),
        format!("file:///{id}/../../secret"),
        format!("file:///{}", secret.display()),
        format!("file://{}", secret.display()),
        format!("file:///{id}/{name}/../../../secret"),
        format!("file:///{}/{name}", id.simple()),
        "secret".to_owned(),
        String::new(),
    ] {
        let cell = Value::DataStore(StoreUrl::new(url.as_str()));
        let db = Connection::open(file.path()).unwrap();
        db.execute(
            "UPDATE experiment_fits SET trace = ?1",
            [xp::datapak::encode(&cell).unwrap()],
        )
        .unwrap();
        let error = made.error();
        assert!(matches!(error.cause, Cause::Outside), "{url}: {error:?}");
        assert_eq!(error.field.as_deref(), Some("trace"));
    }
}

#[test]
fn a_content_of_another_type_is_told() {
    let made = Made::new();
    let run = made.file.session().load("fits").unwrap().runs().next();
    let fields = run.unwrap().unwrap().fields;
    let other = fields
        .get::<DataStore<Vec<String>>>("trace")
        .unwrap()
        .unwrap();
    let error = other.load().unwrap_err();
    assert!(matches!(error.cause, Cause::Type(_)), "{error:?}");
    // Bytes of others, which have names that say nothing of the content.
    let name = "0".repeat(32);
    fs::write(made.path.with_file_name(&name), b"\x80\x04K\x01.").unwrap();
    let url = StoreUrl::new(format!("file:///{}/{name}", made.id));
    let db = Connection::open(made.file.path()).unwrap();
    let cell = xp::datapak::encode(&Value::DataStore(url)).unwrap();
    db.execute("UPDATE experiment_fits SET trace = ?1", [cell])
        .unwrap();
    assert!(matches!(made.error().cause, Cause::Malformed(_)));
}
