//! Which runs the steps of a continuing experiment were given all at once.

use std::collections::{HashMap, HashSet};

use rusqlite::Connection;

use super::continued::{key_of, ledger_of};
use super::failure::Result;
use super::history::point;
use super::sqlite::SqliteStore;
use super::{InputRecord, StoredExperiment, schema};

/// The name, and the role, under which an execution records the runs that its steps were given.
pub(super) const RUNS: &str = "runs";

/// A set of runs: two that have one digest hold the same runs, each as it was last computed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Given {
    pub(crate) runs: usize,
    pub(crate) digest: [u8; 32],
}

impl Given {
    /// Of runs, each with the moment at which it was last computed, where that is known.
    fn of(mut runs: Vec<(u128, i64)>) -> Self {
        runs.sort_unstable();
        let mut hasher = blake3::Hasher::new_derive_key("xp 2026 the runs that steps were given");
        for (id, computed) in &runs {
            hasher.update(&id.to_be_bytes());
            hasher.update(&computed.to_be_bytes());
        }
        Self {
            runs: runs.len(),
            digest: hasher.finalize().into(),
        }
    }

    /// How an execution records it among its inputs.
    pub(crate) fn record(&self) -> InputRecord {
        InputRecord {
            name: RUNS.to_owned(),
            role: RUNS.to_owned(),
            initial: None,
            absent: Some((self.runs.to_string(), self.digest.to_vec())),
        }
    }
}

impl SqliteStore {
    /// The completed runs of an experiment without some of them. `declared` is the continuing
    /// experiment whose fields are read of them, if it is one.
    pub(super) fn given_in(
        &self,
        db: &Connection,
        of: &StoredExperiment,
        declared: Option<&str>,
        without: &HashSet<u128>,
    ) -> Result<Given> {
        let mut computed = HashMap::<u128, i64>::new();
        if schema::has_table(db, "xp_run")? {
            let mut statement = db.prepare(
                // A run that lacks a field is none of them: filling it changes nothing that they had.
                "SELECT id_run, max(started) FROM xp_run \
                     WHERE experiment = ?1 AND outcome = 'completed' AND filled = 0 \
                     GROUP BY id_run",
            )?;
            for ledger in std::iter::once(None).chain(declared.map(Some)) {
                let Some(key) = key_of(db, &ledger_of(of.id, ledger))? else {
                    continue;
                };
                let mut rows = statement.query([key])?;
                while let Some(row) = rows.next()? {
                    let Some(id) = point(row.get_ref(0)?.as_str()?) else {
                        continue;
                    };
                    let started = row.get(1)?;
                    let last = computed.entry(id).or_insert(started);
                    *last = started.max(*last);
                }
            }
        }
        let mut runs = self.ids_in(db, of)?;
        runs.retain(|id| !without.contains(id));
        let computed = |id: u128| (id, computed.get(&id).copied().unwrap_or_default());
        let runs = runs.into_iter().map(computed).collect();
        Ok(Given::of(runs))
    }
}
