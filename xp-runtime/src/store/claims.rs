//! Claims: which points a process has taken, so that several can share a sweep and no point is
//! accepted twice.
//!
//! A claim is a block of points. It ends with the last result of its points, or with its process;
//! what has no result then is interrupted, and free. Since a process may be taken for dead while it
//! is not (its lock file was removed, say), every result is accepted only if its claim is there.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, Transaction, params};
use uuid::Uuid;

use super::failure::Result;
use super::history::point;
use super::sql::{hex, text};
use super::sqlite::SqliteStore;
use super::{Answer, Claim, Claimant, Ended, Execution, Finished, Watch, process};
use crate::bunch::Bunch;
use crate::datapak;
use crate::exception::{Exception, Outcome};
use crate::sequence;

/// A claim that there is.
#[derive(Debug)]
pub(super) struct StoredClaim {
    claim: i64,
    experiment: i64,
    pub(super) execution: i64,
    process: i64,
    pub(super) points: Vec<u128>,
    pub(super) alive: bool,
}

/// A process that is in the file.
#[derive(Debug)]
struct Process {
    lock: String,
    host: String,
    pid: u32,
    started: i64,
    alive: bool,
}

impl SqliteStore {
    pub(super) fn claim_in(
        &self,
        tx: &Transaction<'_>,
        me: i64,
        who: &Claimant,
        watch: &mut Watch,
        points: &[u128],
        most: usize,
    ) -> Result<(Option<Claim>, Vec<Answer>)> {
        let mut taken = HashSet::new();
        for claim in self.claims_in(tx, who.key)? {
            if claim.alive {
                // What this very execution has taken is only asked for again if it is free.
                if claim.execution != who.execution {
                    taken.extend(claim.points);
                }
            } else {
                self.interrupt(tx, &claim)?;
            }
        }
        catch_up(tx, who, watch)?;
        let mut room = most;
        let answers: Vec<_> = points
            .iter()
            .map(|point| match point {
                point if taken.contains(point) => Answer::Taken,
                point if watch.done.contains(point) => Answer::Done,
                _ if room == 0 => Answer::Free,
                _ => {
                    room -= 1;
                    Answer::Granted
                }
            })
            .collect();
        let granted = points.iter().zip(&answers);
        let granted: Vec<u8> = granted
            .filter(|(_, answer)| **answer == Answer::Granted)
            .flat_map(|(point, _)| point.to_be_bytes())
            .collect();
        if granted.is_empty() {
            return Ok((None, answers));
        }
        tx.prepare_cached(
            "INSERT INTO xp_claim (experiment, execution, process, points) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![who.key, who.execution, me, granted])?;
        let claim = Claim {
            id: tx.last_insert_rowid(),
            points: (granted.len() / 16) as u32,
        };
        Ok((Some(claim), answers))
    }

    /// Takes out the runs whose claims are lost.
    pub(super) fn fence(&self, tx: &Transaction<'_>, runs: &mut Vec<Finished>) -> Result<()> {
        let mut held = HashMap::new();
        for claim in runs.iter().filter_map(|run| run.claim) {
            if held.contains_key(&claim.id) {
                continue;
            }
            let there = tx
                .prepare_cached("SELECT 1 FROM xp_claim WHERE claim = ?1")?
                .exists([claim.id])?;
            held.insert(claim.id, there);
        }
        if held.values().any(|held| !held) {
            runs.retain(|run| run.claim.is_none_or(|claim| held[&claim.id]));
        }
        Ok(())
    }

    /// Ends the claims all of whose points have a result.
    pub(super) fn settle(
        &self,
        tx: &Transaction<'_>,
        execution: &mut Execution,
        runs: &[Finished],
    ) -> Result<()> {
        for run in runs.iter().filter(|run| run.last) {
            let Some(claim) = run.claim else { continue };
            let left = execution.claims.entry(claim.id).or_insert(claim.points);
            *left = left.saturating_sub(1);
            if *left == 0 {
                execution.claims.remove(&claim.id);
                tx.prepare_cached("DELETE FROM xp_claim WHERE claim = ?1")?
                    .execute([claim.id])?;
            }
        }
        Ok(())
    }

    /// Interrupts what dead processes had taken, and forgets them. What they kept beside the
    /// database can be removed once that is committed.
    pub(super) fn reap_in(&self, tx: &Transaction<'_>) -> Result<Vec<String>> {
        let experiments = tx
            .prepare("SELECT DISTINCT experiment FROM xp_claim")?
            .query_map([], |row| row.get(0))?
            .collect::<rusqlite::Result<Vec<i64>>>()?;
        for experiment in experiments {
            for claim in self.claims_in(tx, experiment)? {
                if !claim.alive {
                    self.interrupt(tx, &claim)?;
                }
            }
        }
        let mut dead = Vec::new();
        for (number, process) in self.processes(tx)? {
            if !process.alive {
                tx.execute("DELETE FROM xp_process WHERE process = ?1", [number])?;
                dead.push(process.lock);
            }
        }
        Ok(dead)
    }

    /// Whether there is a process that is dead.
    pub(super) fn has_dead(&self, db: &Connection) -> Result<bool> {
        Ok(self.processes(db)?.values().any(|process| !process.alive))
    }

    /// All claims on points of an experiment.
    pub(super) fn claims_in(&self, db: &Connection, key: i64) -> Result<Vec<StoredClaim>> {
        let mut statement = db.prepare_cached(
            "SELECT claim, execution, process, points FROM xp_claim WHERE experiment = ?1",
        )?;
        let mut rows = statement.query([key])?;
        let mut claims = Vec::new();
        let me = self.member_if_any();
        let mut processes = None;
        while let Some(row) = rows.next()? {
            let (execution, process): (i64, i64) = (row.get(1)?, row.get(2)?);
            let alive = if self.is_active(execution) {
                true
            } else if me == Some(process) {
                false
            } else {
                if processes.is_none() {
                    processes = Some(self.processes(db)?);
                }
                (processes.as_ref())
                    .and_then(|processes| processes.get(&process))
                    .is_some_and(|process| process.alive)
            };
            let (points, _) = row.get_ref(3)?.as_blob()?.as_chunks::<16>();
            claims.push(StoredClaim {
                claim: row.get(0)?,
                experiment: key,
                execution,
                process,
                points: points.iter().map(|id| u128::from_be_bytes(*id)).collect(),
                alive,
            });
        }
        Ok(claims)
    }

    /// The points of which an execution has a result.
    pub(super) fn ended_in(&self, db: &Connection, execution: i64) -> Result<HashSet<u128>> {
        let mut statement =
            db.prepare_cached("SELECT id_run FROM xp_run WHERE execution = ?1 AND last")?;
        let mut rows = statement.query([execution])?;
        let mut ended = HashSet::new();
        while let Some(row) = rows.next()? {
            ended.extend(point(row.get_ref(0)?.as_str()?));
        }
        Ok(ended)
    }

    fn processes(&self, db: &Connection) -> Result<HashMap<i64, Process>> {
        let mut statement =
            db.prepare_cached("SELECT process, lock, host, pid, started FROM xp_process")?;
        let mut rows = statement.query([])?;
        let mut processes = HashMap::new();
        let me = self.member_if_any();
        while let Some(row) = rows.next()? {
            let number = row.get(0)?;
            let lock: String = row.get(1)?;
            let alive = me == Some(number) || process::is_alive(&self.beside, &lock);
            processes.insert(
                number,
                Process {
                    lock,
                    host: row.get(2)?,
                    pid: row.get(3)?,
                    started: row.get(4)?,
                    alive,
                },
            );
        }
        Ok(processes)
    }

    /// Records what a claim leaves without a result, and ends it.
    fn interrupt(&self, tx: &Transaction<'_>, claim: &StoredClaim) -> Result<()> {
        let ended = self.ended_in(tx, claim.execution)?;
        let process = self.processes(tx)?.remove(&claim.process);
        let message = match &process {
            Some(process) => format!(
                "its process ({} on {}) died before it ended",
                process.pid, process.host
            ),
            None => "its process died before it ended".to_owned(),
        };
        let mut reached = self.recovered(process.as_ref());
        for point in claim.points.iter().filter(|point| !ended.contains(point)) {
            let id_run = Uuid::from_u128(*point);
            tx.prepare_cached(
                "INSERT INTO xp_run (experiment, execution, id_run, outcome, started, elapsed) \
                     VALUES (?1, ?2, ?3, ?4, ?5, 0)",
            )?
            .execute(params![
                claim.experiment,
                claim.execution,
                text(&hex(id_run)),
                Outcome::Interrupted.as_str(),
                process.as_ref().map_or(0, |process| process.started),
            ])?;
            let ended = Ended {
                exception: Exception {
                    message: message.clone(),
                    ..Exception::default()
                },
                inputs: Bunch::new(),
                fields: reached.remove(&id_run).unwrap_or_default(),
            };
            super::insert::insert_exception(tx, tx.last_insert_rowid(), &ended)?;
        }
        tx.execute("DELETE FROM xp_claim WHERE claim = ?1", [claim.claim])?;
        Ok(())
    }

    /// The sequences of a dead process's runs, as far as they were written.
    fn recovered(&self, process: Option<&Process>) -> HashMap<Uuid, Bunch> {
        let mut reached = HashMap::<Uuid, Bunch>::new();
        let Some(process) = process else {
            return reached;
        };
        let directory = self.beside.join(&process.lock).with_extension("runs");
        for sequence in sequence::recover(&directory).sequences {
            // What was encoded can be decoded; a sequence that cannot is as good as lost.
            if let Ok(value) = datapak::decode(&sequence.datapak) {
                reached
                    .entry(sequence.id_run)
                    .or_default()
                    .set(sequence.name, value);
            }
        }
        reached
    }
}

/// Reads what others have ended since the last time.
fn catch_up(db: &Connection, who: &Claimant, watch: &mut Watch) -> Result<()> {
    let newest: i64 = db
        .prepare_cached("SELECT coalesce(max(seq), 0) FROM xp_run")?
        .query_row([], |row| row.get(0))?;
    if newest == watch.seen {
        return Ok(());
    }
    let mut statement = db.prepare_cached(
        "SELECT id_run, outcome FROM xp_run \
             WHERE seq > ?1 AND experiment = ?2 AND execution <> ?3 AND last ORDER BY seq",
    )?;
    let mut rows = statement.query(params![watch.seen, who.key, who.execution])?;
    while let Some(row) = rows.next()? {
        let outcome = Outcome::from_text(row.get_ref(1)?.as_str()?);
        let again = matches!(outcome, Some(Outcome::Interrupted | Outcome::Cancelled));
        let Some(point) = point(row.get_ref(0)?.as_str()?) else {
            continue;
        };
        if again {
            watch.done.remove(&point);
        } else {
            watch.done.insert(point);
        }
    }
    watch.seen = newest;
    Ok(())
}
