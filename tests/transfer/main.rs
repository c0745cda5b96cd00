//! Experiments that are copied, merged, and added to shared files.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod args;
mod copying;
mod inputs;
mod killed;
mod lineage;
mod meeting;
mod merging;
mod python;
mod upstreaming;

use std::path::PathBuf;

use tempfile::TempDir;
use xp::prelude::*;
use xp::{Table, Value};

/// Fails for odd numbers unless it is forgiving.
#[step]
fn root(run: &mut Run, n: i64, forgiving: bool) -> Result<f64, String> {
    run.artifact("log", format!("{n}"));
    if n == 4 {
        run.fields
            .insert("note", vec!["four".to_owned()])
            .map_err(|error| error.to_string())?;
    }
    if n % 2 == 1 && !forgiving {
        return Err(format!("{n} is odd"));
    }
    Ok((n as f64).sqrt())
}

#[experiment]
fn roots(#[config(identity = false)] forgiving: bool, #[param] n: i64, run: &mut Run) {
    #[field]
    let root: f64 = root(run, n, forgiving)?;
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
}

/// Executes a part of the sweep, whatever fails.
fn part(session: &Session, forgiving: bool, n: impl IntoIterator<Item = i64>) -> Experiment<Roots> {
    let n: Vec<_> = n.into_iter().collect();
    match session.resume(roots().forgiving(forgiving).n(n)) {
        Ok(experiment) => experiment,
        Err(xp::Error::RunsFailed(failed)) => failed.typed().unwrap().unwrap(),
        Err(other) => panic!("{other:?}"),
    }
}

fn int(session: &Session, sql: &str) -> i128 {
    match session.query(sql).unwrap().rows()[0][0] {
        Value::Int(int) => int,
        ref other => panic!("{other}"),
    }
}

/// All that the file has, but for numbers and ids that another file has otherwise.
fn contents(session: &Session, name: &str) -> Vec<String> {
    let table = |sql: &str| {
        let table: Table = session.query(sql).unwrap();
        table
            .rows()
            .iter()
            .map(|row| format!("{row:?}"))
            .collect::<Vec<_>>()
    };
    let of = format!("xp_experiment JOIN experiments USING (id_experiment) WHERE name = '{name}'");
    let executions = format!("SELECT execution FROM xp_execution JOIN {of}").replace(
        "xp_execution JOIN xp_experiment",
        "xp_execution JOIN xp_experiment USING (experiment)",
    );
    let mut all = table(&format!("SELECT declared, fields FROM {of}"));
    for sql in [
        "SELECT id_run, outcome, started, elapsed, attempt, last, filled, user, system, memory, step, \
            message, location, backtrace, causes, inputs, fields FROM xp_run \
            LEFT JOIN xp_exception USING (seq) WHERE execution IN (EXECUTIONS) ORDER BY seq",
        "SELECT root_seed, started, ended, time_limit FROM xp_execution \
            WHERE execution IN (EXECUTIONS) ORDER BY execution",
        "SELECT name, made_by FROM xp_column WHERE execution IN (EXECUTIONS) ORDER BY execution, name",
        "SELECT position, name, role, initial, absent, absent_form FROM xp_input \
            WHERE execution IN (EXECUTIONS) ORDER BY execution, position",
        "SELECT position, name, module, file, line, version, doc, source, exact, fingerprint \
            FROM xp_step WHERE execution IN (EXECUTIONS) ORDER BY execution, position",
    ] {
        all.extend(table(&sql.replace("EXECUTIONS", &executions)));
    }
    let experiment = session.load(name).unwrap();
    for run in experiment.runs() {
        let run = run.unwrap();
        let log = experiment.artifact(run.id_run, "log").unwrap();
        all.push(format!("{} {} {log:?}", run.id_run, run.fields));
    }
    all
}
