//! The sweep that is killed: short runs with fields of several kinds, some of which are skipped, and
//! some of which fail at the first attempt.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use uuid::Uuid;
use xp::prelude::*;

/// How many points it has.
pub(crate) const POINTS: u32 = 60;

/// The points that this process has attempted.
static ATTEMPTED: LazyLock<Mutex<HashSet<u32>>> = LazyLock::new(Mutex::default);

#[step]
fn square(x: u32) -> Result<u64, xp::BoxError> {
    std::thread::sleep(Duration::from_millis(1));
    if is_skipped(x) {
        return Err(xp::skip("there is nothing to compute").into());
    }
    if x % 13 == 7 && ATTEMPTED.lock().unwrap().insert(x) {
        return Err("the first attempt fails".into());
    }
    Ok(u64::from(x) * u64::from(x))
}

#[step]
fn noise(run: &mut Run) -> f64 {
    run.rng("noise").f64()
}

#[step]
fn curve(x: u32) -> Vec<f64> {
    (0..x % 7).map(f64::from).collect()
}

#[step]
fn text(x: u32) -> String {
    // Now and then a large one, which is inserted by itself.
    "é".repeat(if x % 10 == 3 { 3_000 } else { 3 })
}

#[experiment]
pub(crate) fn killed(#[param] x: u32, run: &mut Run) {
    #[field]
    let square: u64 = square(x)?;
    #[field]
    let noise: f64 = noise(run);
    #[field]
    let curve: Vec<f64> = curve(x);
    #[field]
    let text: String = text(x);
}

pub(crate) fn is_skipped(x: u32) -> bool {
    x % 11 == 5
}

/// The sweep as it is planned, in every process.
pub(crate) fn plan() -> xp::Plan<Killed> {
    killed().x(0..POINTS).jobs(2).retry(1).into_plan()
}

/// The cells of a run, to be compared.
pub(crate) type Cells = (u32, u64, f64, Vec<f64>, String);

pub(crate) fn cells(fields: KilledFields) -> Cells {
    let KilledFields {
        x,
        square,
        noise,
        curve,
        text,
    } = fields;
    (x, square, noise, curve, text)
}

/// The cells that a run must have, by its id.
pub(crate) static EXPECTED: LazyLock<HashMap<Uuid, Cells>> = LazyLock::new(|| {
    let session = Session::in_memory().unwrap();
    let experiment = session.execute(plan().policy(Policy::KeepGoing)).unwrap();
    let runs = experiment.runs().map(|run| run.unwrap());
    let expected: HashMap<_, _> = runs.map(|run| (run.id_run, cells(run.fields))).collect();
    let completed = (0..POINTS).filter(|x| !is_skipped(*x)).count();
    assert_eq!(expected.len(), completed);
    expected
});

/// A sweep on its way, in a directory of its own.
pub(crate) struct Sweep {
    dir: tempfile::TempDir,
    /// How many runs a transaction holds at most.
    pub(crate) group: usize,
}

impl Sweep {
    pub(crate) fn new(group: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { dir, group }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn db(&self) -> PathBuf {
        self.path("sweep.db")
    }

    /// A line for each run that counted.
    pub(crate) fn log(&self) -> PathBuf {
        self.path("counted.log")
    }
}
