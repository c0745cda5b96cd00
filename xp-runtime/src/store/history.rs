//! What is known of an experiment before it is continued: what its executions declared, and how
//! each of its points stands.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

use super::failure::{Failure, Result};
use super::given::RUNS;
use super::literal::constant;
use super::name::quoted;
use super::sql::PICKLED_NONE;
use super::sqlite::SqliteStore;
use super::{Column, Key, Limits, Role, StoreError, StoredExperiment, schema};
use crate::exception::Outcome;
use crate::value::Cell;

/// An experiment that is there, and what its executions declared.
#[derive(Debug)]
pub(crate) struct Known {
    /// Its key in xp's tables.
    pub(crate) key: i64,
    pub(crate) id: Uuid,
    pub(crate) name: String,
    /// If it continues the runs of another experiment, the key of that one.
    pub(crate) original: Option<i64>,
    /// The name that is part of its points' identities.
    pub(crate) declared: String,
    pub(crate) table: String,
    /// How many completed runs its meta counts.
    pub(crate) completed: u64,
    /// The columns of its table.
    pub(crate) columns: Vec<Column>,
    /// The oldest first.
    pub(crate) executions: Vec<KnownExecution>,
    /// As the last execution that had it declared each input.
    pub(crate) inputs: Vec<InputRecord>,
}

/// What an execution declared.
#[derive(Debug)]
pub(crate) struct KnownExecution {
    pub(crate) execution: i64,
    /// Its columns, and for each a digest of the steps that compute it, if it is known.
    pub(crate) columns: HashMap<String, Option<String>>,
    /// Name and fingerprint of each step, in order.
    pub(crate) steps: Vec<(String, String)>,
    pub(crate) limits: Limits,
    /// A digest of the runs that its steps were given all at once.
    pub(crate) given: Option<Vec<u8>>,
}

/// An input as an execution declares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InputRecord {
    pub(crate) name: String,
    /// `config` or `param`; `runs` for the runs that steps are given all at once.
    pub(crate) role: String,
    /// Its default, as it is written.
    pub(crate) initial: Option<String>,
    /// The value that is left out of identities: as it is written, and in canonical form. Of runs,
    /// how many they are, and a digest.
    pub(crate) absent: Option<(String, Vec<u8>)>,
}

/// How a point stands that was attempted before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// How the last attempt ended.
    pub(crate) outcome: Outcome,
    /// The execution of the last attempt: its place in [`Known::executions`].
    pub(crate) last: u32,
    /// If it is completed, which executions computed its fields: a place in [`History::makers`].
    pub(crate) makers: Option<u32>,
}

/// How every point stands that was attempted before, by its `id_run`.
#[derive(Debug, Default)]
pub(crate) struct History {
    pub(crate) points: HashMap<u128, Standing, BuildHasherDefault<IdHasher>>,
    /// Sets of executions, by their places in [`Known::executions`].
    pub(crate) makers: Vec<Vec<u32>>,
    /// The last entry of the ledger.
    pub(crate) seen: i64,
    /// What live processes have taken.
    pub(crate) taken: HashSet<u128>,
    /// What dead processes had taken, as far as it is not recorded as interrupted yet.
    pub(crate) lost: HashSet<u128>,
}

impl History {
    fn record(&mut self, entry: &Entered) {
        let Entered {
            point,
            outcome,
            execution,
            filled,
            remade,
        } = *entry;
        if remade {
            self.points.remove(&point);
            return;
        }
        let place = self.points.entry(point);
        let makers = match &place {
            Entry::Occupied(before) => before.get().makers,
            Entry::Vacant(_) => None,
        };
        let makers = match (outcome, makers) {
            (Outcome::Completed, Some(makers)) if filled => {
                let mut set = self.makers[makers as usize].clone();
                if !set.contains(&execution) {
                    set.push(execution);
                }
                Some(makers_of(&mut self.makers, &set))
            }
            (Outcome::Completed, _) => Some(makers_of(&mut self.makers, &[execution])),
            (_, makers) => makers,
        };
        place.insert_entry(Standing {
            outcome,
            last: execution,
            makers,
        });
    }

    /// Records entries in their order.
    ///
    /// What is known of a point is anywhere in memory. All are looked up in a row first, so that the
    /// processor waits for them together.
    fn record_all(&mut self, entries: &mut Vec<Entered>) {
        let known = entries
            .iter()
            .filter(|of| self.points.contains_key(&of.point));
        std::hint::black_box(known.count());
        for entry in entries.drain(..) {
            self.record(&entry);
        }
    }
}

/// The place of a set of executions. There are as many sets as there are executions, or a few more.
fn makers_of(makers: &mut Vec<Vec<u32>>, set: &[u32]) -> u32 {
    let place = makers.iter().rposition(|known| known == set);
    place.unwrap_or_else(|| {
        makers.push(set.to_vec());
        makers.len() - 1
    }) as u32
}

/// So many entries of the ledger are recorded at once.
const AT_ONCE: usize = 64;

/// An entry of the ledger.
#[derive(Clone, Copy, Debug)]
struct Entered {
    point: u128,
    outcome: Outcome,
    /// Its place in [`Known::executions`].
    execution: u32,
    filled: bool,
    /// Whether the experiment that is continued made the run again: its row is a new one.
    remade: bool,
}

/// The hash of an id that is a hash.
#[derive(Debug, Default)]
pub(crate) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u128(&mut self, id: u128) {
        // Version and variant stand in the middle; the ends are the hash's own bits.
        self.0 = (id >> 64) as u64 ^ (id as u64).rotate_left(32);
    }
}

impl SqliteStore {
    pub(super) fn known_in(&self, db: &Connection, name: &str) -> Result<Option<Known>> {
        let key = Key::Name(name.to_owned());
        let stored = match self.find_in(db, &key) {
            Err(Failure::Store(StoreError::ExperimentNotFound { .. })) => return Ok(None),
            other => other?,
        };
        let made: Option<(i64, String)> = if schema::has_table(db, "xp_experiment")? {
            db.query_row(
                "SELECT experiment, declared FROM xp_experiment WHERE id_experiment = ?1",
                [stored.id.simple().to_string()],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()?
        } else {
            None
        };
        let Some((key, declared)) = made else {
            return Err(Failure::Store(StoreError::NotMadeByXp {
                name: name.to_owned(),
                file: self.file.clone(),
            }));
        };
        let executions = executions(db, key)?;
        let inputs = inputs_in(db, key)?;
        Ok(Some(Known {
            key,
            original: None,
            id: stored.id,
            name: stored.name,
            declared,
            table: stored.table,
            completed: stored.completed,
            columns: stored.columns,
            executions,
            inputs,
        }))
    }

    pub(super) fn history_in(&self, db: &Connection, known: &Known) -> Result<History> {
        let places: HashMap<i64, u32> = (known.executions.iter().enumerate())
            .map(|(place, of)| (of.execution, place as u32))
            .collect();
        let mut history = History::default();
        let rows: i64 = db.query_row("SELECT coalesce(max(seq), 0) FROM xp_run", [], |row| {
            row.get(0)
        })?;
        history.seen = rows;
        // Nearly every point is completed; and there are no more than entries.
        let about = known.completed.min(rows.unsigned_abs());
        history
            .points
            .reserve(usize::try_from(about).unwrap_or_default());
        let mut statement = db.prepare(
            "SELECT id_run, outcome, execution, filled, experiment FROM xp_run \
                 WHERE (experiment = ?1 OR experiment = ?3) AND seq <= ?2 ORDER BY seq",
        )?;
        let mut rows = statement.query(params![known.key, history.seen, known.original])?;
        let mut last = (0, 0);
        let mut entries = Vec::with_capacity(AT_ONCE);
        while let Some(row) = rows.next()? {
            let execution: i64 = row.get(2)?;
            if execution != last.0 {
                // An execution that began since `known` was read counts as the newest that is known.
                let newest = known.executions.len().saturating_sub(1) as u32;
                last = (execution, places.get(&execution).copied().unwrap_or(newest));
            }
            let point = point(row.get_ref(0)?.as_str()?)
                .ok_or_else(|| self.unexpected(&known.name, "the id of a run", "32 hex digits"))?;
            let outcome = match row.get_ref(1)?.as_str()? {
                "completed" => Outcome::Completed,
                text => Outcome::from_text(text).ok_or_else(|| {
                    self.unexpected(&known.name, "an outcome", "one that this xp knows")
                })?,
            };
            let filled: bool = row.get(3)?;
            let is_original = row.get::<_, i64>(4)? != known.key;
            let remade = is_original && outcome == Outcome::Completed && !filled;
            if is_original && !remade {
                continue;
            }
            entries.push(Entered {
                point,
                outcome,
                execution: last.1,
                filled,
                remade,
            });
            if entries.len() == AT_ONCE {
                history.record_all(&mut entries);
            }
        }
        history.record_all(&mut entries);
        let mut ended = HashMap::new();
        for claim in self.claims_in(db, known.key, None)? {
            // A claim stands until all of its points have ended; those that have are not to be
            // waited for, and are not free if the process dies.
            let ended = match ended.entry(claim.execution) {
                Entry::Occupied(ended) => ended.into_mut(),
                Entry::Vacant(none) => none.insert(self.ended_in(db, claim.execution)?),
            };
            let points = claim.points.into_iter();
            let points = points.filter(|point| !ended.contains(point));
            if claim.alive {
                history.taken.extend(points);
            } else {
                history.lost.extend(points);
            }
        }
        Ok(history)
    }

    pub(super) fn lacking_in(
        &self,
        db: &Connection,
        of: &StoredExperiment,
        columns: &[Column],
    ) -> Result<HashSet<u128>> {
        // Read-only files may be of the first version, which could not have such runs.
        if columns.is_empty() || !schema::has_table(db, "xp_column")? {
            return Ok(HashSet::new());
        }
        let mut lack = db.prepare_cached(
            "SELECT 1 FROM xp_execution JOIN xp_experiment USING (experiment) \
                 WHERE id_experiment = ?1 AND NOT EXISTS (SELECT 1 FROM xp_column \
                     WHERE xp_column.execution = xp_execution.execution AND name = ?2)",
        )?;
        let id = of.id.simple().to_string();
        // An input that was added later has a value in all rows, if it has a default.
        let mut default = db.prepare_cached(
            "SELECT dflt_value FROM pragma_table_info(?1) \
                 WHERE name = ?2 AND dflt_value IS NOT NULL",
        )?;
        let missing = Some(Cell::Blob(PICKLED_NONE.to_vec()));
        let mut asked = Vec::new();
        let mut some = false;
        for column in columns {
            let default: Option<String> = default
                .query_row(params![of.table, column.name], |row| row.get(0))
                .optional()?;
            let is_given = default.is_some_and(|default| constant(&default) != missing);
            if column.role != Role::Input || !is_given {
                some |= lack.exists(params![id, column.name])?;
                asked.push(column);
            }
        }
        let Some(known) = some
            .then(|| self.known_in(db, &of.name))
            .transpose()?
            .flatten()
        else {
            return Ok(HashSet::new());
        };
        let history = self.history_in(db, &known)?;
        let lacks = |makers: &Vec<u32>| {
            let has = |column: &Column| {
                let made = |place: &u32| {
                    known.executions[*place as usize]
                        .columns
                        .contains_key(&column.name)
                };
                makers.iter().any(made)
            };
            !asked.iter().all(|column| has(column))
        };
        let lacks: Vec<_> = history.makers.iter().map(lacks).collect();
        let is_partial = |standing: &Standing| {
            let makers = standing
                .makers
                .and_then(|makers| lacks.get(makers as usize));
            makers.is_some_and(|lacks| *lacks)
        };
        let points = history.points.iter();
        Ok(points
            .filter(|(_, standing)| is_partial(standing))
            .map(|(point, _)| *point)
            .collect())
    }

    /// The ids of the completed runs.
    pub(super) fn ids_in(&self, db: &Connection, of: &StoredExperiment) -> Result<HashSet<u128>> {
        let mut ids = HashSet::new();
        if !schema::has_table(db, &of.table)? {
            return Ok(ids);
        }
        let mut statement = db.prepare(&format!(
            "SELECT id_run FROM {} WHERE id_experiment = ?1",
            quoted(&of.table)
        ))?;
        let mut rows = statement.query([of.id.simple().to_string()])?;
        while let Some(row) = rows.next()? {
            let digits = row.get_ref(0)?.as_str()?;
            let id = point(digits).or_else(|| Some(Uuid::try_parse(digits).ok()?.as_u128()));
            ids.insert(
                id.ok_or_else(|| self.unexpected(&of.name, "the id of a run", "32 hex digits"))?,
            );
        }
        Ok(ids)
    }

    pub(super) fn rows_of_in(
        &self,
        db: &Connection,
        of: &Known,
        points: &HashSet<u128>,
    ) -> Result<HashMap<u128, i64>> {
        let sql = format!(
            "SELECT id_run, _rowid_ FROM {} WHERE id_experiment = ?1",
            quoted(&of.table)
        );
        let mut statement = db.prepare(&sql)?;
        let mut rows = statement.query([of.id.simple().to_string()])?;
        let mut found = HashMap::new();
        while let Some(row) = rows.next()? {
            if let Some(point) = point(row.get_ref(0)?.as_str()?)
                && points.contains(&point)
            {
                found.insert(point, row.get(1)?);
            }
        }
        Ok(found)
    }
}

pub(super) fn executions(db: &Connection, key: i64) -> rusqlite::Result<Vec<KnownExecution>> {
    let mut executions = db
        .prepare(
            "SELECT execution, time_limit, cpu_limit, memory_limit FROM xp_execution \
                 WHERE experiment = ?1 ORDER BY execution",
        )?
        .query_map([key], |row| {
            Ok(KnownExecution {
                execution: row.get(0)?,
                columns: HashMap::new(),
                steps: Vec::new(),
                limits: Limits {
                    time: row.get(1)?,
                    cpu: row.get(2)?,
                    memory: row.get::<_, Option<i64>>(3)?.map(i64::unsigned_abs),
                },
                given: None,
            })
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let mut columns = db.prepare("SELECT name, made_by FROM xp_column WHERE execution = ?1")?;
    let mut steps =
        db.prepare("SELECT name, fingerprint FROM xp_step WHERE execution = ?1 ORDER BY position")?;
    let mut given =
        db.prepare("SELECT absent_form FROM xp_input WHERE execution = ?1 AND role = ?2")?;
    for of in &mut executions {
        of.given = given
            .query_row(params![of.execution, RUNS], |row| row.get(0))
            .optional()?
            .flatten();
        of.columns = columns
            .query_map([of.execution], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?;
        of.steps = steps
            .query_map([of.execution], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?;
    }
    Ok(executions)
}

/// The inputs of an experiment, as the last execution that had it declared each of them.
pub(super) fn inputs_in(db: &Connection, key: i64) -> Result<Vec<InputRecord>> {
    let mut inputs = Vec::<InputRecord>::new();
    let mut statement = db.prepare(
        "SELECT name, role, initial, absent, absent_form FROM xp_input \
             JOIN xp_execution USING (execution) WHERE experiment = ?1 \
             ORDER BY execution DESC, position",
    )?;
    let mut rows = statement.query([key])?;
    while let Some(row) = rows.next()? {
        let input = input(row)?;
        if !inputs.iter().any(|known| known.name == input.name) {
            inputs.push(input);
        }
    }
    Ok(inputs)
}

fn input(row: &Row<'_>) -> rusqlite::Result<InputRecord> {
    let absent: (Option<String>, Option<Vec<u8>>) = (row.get(3)?, row.get(4)?);
    Ok(InputRecord {
        name: row.get(0)?,
        role: row.get(1)?,
        initial: row.get(2)?,
        absent: absent.0.zip(absent.1),
    })
}

/// The point with this `id_run`.
pub(super) fn point(hex: &str) -> Option<u128> {
    let id = Uuid::try_parse(hex).ok().filter(|_| hex.len() == 32)?;
    Some(id.as_u128())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(history: &mut History, outcome: Outcome, execution: u32, filled: bool) {
        history.record(&Entered {
            point: 1,
            outcome,
            execution,
            filled,
            remade: false,
        });
    }

    #[test]
    fn the_last_attempt_counts_and_a_completed_run_stays_one() {
        let mut history = History::default();
        record(&mut history, Outcome::Failed, 0, false);
        record(&mut history, Outcome::Completed, 1, false);
        record(&mut history, Outcome::Failed, 2, false);
        let standing = history.points[&1];
        assert_eq!(standing.outcome, Outcome::Failed);
        assert_eq!(standing.last, 2);
        assert_eq!(
            standing
                .makers
                .map(|set| history.makers[set as usize].clone()),
            Some(vec![1])
        );
    }

    #[test]
    fn a_fill_adds_to_what_is_there_and_a_full_run_replaces_it() {
        let mut history = History::default();
        record(&mut history, Outcome::Completed, 0, false);
        record(&mut history, Outcome::Completed, 1, true);
        let makers = |history: &History| {
            let set = history.points[&1].makers;
            set.map(|set| history.makers[set as usize].clone())
        };
        assert_eq!(makers(&history), Some(vec![0, 1]));
        record(&mut history, Outcome::Completed, 2, false);
        assert_eq!(makers(&history), Some(vec![2]));
    }

    #[test]
    fn ids_are_read_from_their_digits() {
        let id = Uuid::new_v4();
        assert_eq!(point(&id.simple().to_string()), Some(id.as_u128()));
        for wrong in ["", "g0000000000000000000000000000000", "00"] {
            assert_eq!(point(wrong), None);
        }
    }
}
