//! Values in files of their own beside the database.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[cfg(unix)]
mod confined;
mod fields;
#[cfg(unix)]
mod killed;
mod managed;
mod mltraq;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tempfile::TempDir;
use xp::prelude::*;
use xp::value::Array;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Model {
    weights: Vec<f64>,
    label: String,
}

fn array(n: u32) -> Array {
    Array::from_vec(vec![f64::from(n); 1_000])
}

fn weights(n: u32) -> Model {
    Model {
        weights: vec![f64::from(n), 0.5],
        label: format!("model {n}"),
    }
}

#[step]
fn trace(n: u32) -> DataStore<Array> {
    array(n).into()
}

#[step]
fn model(n: u32) -> DataStore<Model> {
    DataStore::new(weights(n))
}

#[experiment]
fn fits(#[param] n: u32) {
    #[field]
    let trace: DataStore<Array> = trace(n);
    #[field]
    let model: DataStore<Model> = model(n);
}

struct File {
    dir: TempDir,
}

impl File {
    fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("file.db")
    }

    fn session(&self) -> Session {
        Session::open(self.path()).unwrap()
    }

    fn store(&self) -> PathBuf {
        self.dir.path().join("mltraq.datastore")
    }

    /// The files of an experiment.
    fn files(&self, of: xp::Uuid) -> BTreeSet<String> {
        names(&self.store().join(of.to_string()))
    }

    /// The path of a file to which a stored value refers.
    fn file(&self, url: &xp::value::StoreUrl) -> PathBuf {
        self.store()
            .join(url.as_str().strip_prefix("file:///").unwrap())
    }
}

/// What is in a directory; nothing if there is none.
fn names(directory: &Path) -> BTreeSet<String> {
    let Ok(listed) = std::fs::read_dir(directory) else {
        return BTreeSet::new();
    };
    listed
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

/// The runs of an experiment, by `n`.
#[track_caller]
fn check(experiment: &Experiment<Fits>, expected: impl IntoIterator<Item = u32>) {
    let mut found = Vec::new();
    for run in experiment.runs() {
        let fields = run.unwrap().fields;
        let n = fields.n;
        assert_eq!(fields.trace.load().unwrap(), &array(n));
        assert_eq!(fields.model.into_inner().unwrap(), weights(n));
        found.push(n);
    }
    found.sort_unstable();
    assert_eq!(found, expected.into_iter().collect::<Vec<_>>());
}
