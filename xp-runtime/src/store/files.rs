//! The files beside the database to which values refer, as far as the database decides about them:
//! which are needed, and which are to go.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Transaction;
use uuid::Uuid;

use super::Key;
use super::failure::Result;
use super::name::{quoted, table_name};
use super::schema;
use super::sql::{hex, text};
use super::sqlite::SqliteStore;
use super::write::columns_of;
use crate::failpoint;
use crate::stored::{Alone, DIRECTORY, FileName, StoreWriter, is_shared, left_behind, references};
use crate::value::origin::Holder;

/// How long it is waited for others that write to the database: it is not urgent.
const PATIENCE: Duration = Duration::from_millis(500);

impl SqliteStore {
    /// The directory of the files of all experiments. It is the same one by whatever name the
    /// database was opened, and wherever the process goes.
    pub(super) fn directory_of_files(&self) -> Option<PathBuf> {
        if self.in_memory {
            return None;
        }
        Some(self.beside.parent()?.join(DIRECTORY))
    }

    pub(super) fn holder(&self, experiment: &str) -> Option<Arc<Holder>> {
        let directory = self.directory_of_files()?;
        let experiment = experiment.to_owned();
        Some(Arc::new(Holder {
            directory,
            experiment,
        }))
    }

    pub(super) fn writer_of(&self, of: Uuid, experiment: &str) -> Option<Arc<StoreWriter>> {
        if self.read_only {
            return None;
        }
        let holder = self.holder(experiment)?;
        let beside = self.beside.clone();
        Some(Arc::new(StoreWriter::new(holder, beside, of)))
    }

    /// Notes, before an experiment is deleted, that its files are to be looked at: not in the
    /// transaction, for which those who look wait.
    pub(super) fn note_files(&self, key: &Key) {
        let named = self.read("find an experiment", |db| self.named(db, key));
        let Ok((id, _)) = named else { return };
        let Ok(of) = Uuid::try_parse(&id) else { return };
        let folder = self.directory_of_files().map(|all| folder(&all, of));
        if folder.is_some_and(|folder| folder.exists()) {
            // If it cannot be noted, the files stay, and are in nobody's way.
            let _ = Alone::note(&self.beside, of);
        }
    }

    /// Removes what nothing refers to of experiments whose files were in use, or which were deleted.
    pub(super) fn tidy_all(&self) {
        if self.in_memory || self.read_only {
            return;
        }
        for owner in left_behind(&self.beside) {
            if let Some(alone) = Alone::of(&self.beside, owner) {
                self.tidy(alone);
            }
        }
    }

    /// What fails here is tried again by the next one: what is left is in nobody's way.
    pub(super) fn tidy(&self, alone: Alone) {
        let Some(directory) = self.directory_of_files() else {
            return;
        };
        let folder = folder(&directory, alone.owner());
        failpoint::hit("tidy.begun");
        // While nobody else commits: what is copied here meanwhile has its files before its rows.
        let hasty = self.patient_for(PATIENCE);
        let tidied = hasty.change("look for files that are not needed", |tx| {
            // A newer xp may know of further references.
            self.check_schema(tx)?;
            let needed = needed(tx, alone.owner())?;
            let removed = match needed {
                _ if is_shared(&folder) => Ok(()),
                Some(needed) => remove_others(&folder, needed, alone.owner()),
                None => fs::remove_dir_all(&folder).or_else(none_is_fine),
            };
            if removed.is_ok() {
                // It stays if there are others in it.
                let _ = fs::remove_dir(&folder);
                let _ = fs::remove_dir(&directory);
            }
            Ok(removed)
        });
        if matches!(tidied, Ok(Ok(()))) {
            alone.end();
        }
    }
}

fn none_is_fine(error: io::Error) -> io::Result<()> {
    match error.kind() {
        io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    }
}

fn folder(directory: &Path, owner: Uuid) -> PathBuf {
    directory.join(owner.hyphenated().to_string())
}

/// The files to which something in the database refers; `None` if there is no such experiment.
fn needed(tx: &Transaction<'_>, of: Uuid) -> Result<Option<HashSet<FileName>>> {
    let id = hex(of);
    let mut statement =
        tx.prepare("SELECT name, fields FROM experiments WHERE id_experiment = ?1")?;
    let found = statement.query_map([text(&id)], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let Some((name, fields)) = found
        .collect::<rusqlite::Result<Vec<(String, Vec<u8>)>>>()?
        .pop()
    else {
        return Ok(None);
    };
    let mut needed: HashSet<_> = references(&fields, of).collect();
    let table = table_name(&name);
    let mut from = vec![(table.clone(), columns_of(tx, &table)?, String::new())];
    if schema::has_table(tx, "xp_exception")? {
        let of_these = "AND seq IN (SELECT seq FROM xp_run JOIN xp_experiment USING (experiment) \
                        WHERE id_experiment = ?2 OR id_experiment GLOB ?2 || '+*')";
        let columns = vec!["inputs".to_owned(), "fields".to_owned()];
        from.push(("xp_exception".to_owned(), columns, of_these.to_owned()));
    }
    let prefix = format!("file:///{}/", of.hyphenated());
    for (table, columns, condition) in from {
        for column in columns {
            let (column, table) = (quoted(&column), quoted(&table));
            let mut statement = tx.prepare(&format!(
                "SELECT {column} FROM {table} \
                 WHERE typeof({column}) = 'blob' AND instr({column}, ?1) > 0 {condition}"
            ))?;
            let mut rows = match statement.parameter_count() {
                1 => statement.query((prefix.as_bytes(),))?,
                _ => statement.query((prefix.as_bytes(), text(&id)))?,
            };
            while let Some(row) = rows.next()? {
                needed.extend(references(row.get_ref(0)?.as_bytes()?, of));
            }
        }
    }
    Ok(Some(needed))
}

/// Removes files that xp wrote and that are not needed: neither by the database, nor by a file that
/// is.
fn remove_others(folder: &Path, mut needed: HashSet<FileName>, owner: Uuid) -> io::Result<()> {
    let listed = match fs::read_dir(folder) {
        Ok(listed) => listed,
        Err(error) => return none_is_fine(error),
    };
    let (mut files, mut parts) = (Vec::new(), Vec::new());
    for entry in listed {
        let path = entry?.path();
        match path.file_name().and_then(|name| name.to_str()) {
            Some(name) if name.ends_with(".part") => parts.push(path),
            Some(name) => files.extend(
                FileName::parse(name)
                    .filter(|name| name.is_digest())
                    .map(|name| (name, path)),
            ),
            None => {}
        }
    }
    let is_needless = |needed: &HashSet<_>| files.iter().any(|(name, _)| !needed.contains(name));
    if is_needless(&needed) {
        let mut left: Vec<_> = needed
            .iter()
            .copied()
            .filter(|name| name.refers())
            .collect();
        while let Some(name) = left.pop() {
            let content = match fs::read(folder.join(name.to_string())) {
                Ok(content) => content,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            for inner in references(&content, owner) {
                if needed.insert(inner) && inner.refers() {
                    left.push(inner);
                }
            }
        }
    }
    for (name, path) in files {
        if !needed.contains(&name) {
            fs::remove_file(path)?;
        }
    }
    parts.into_iter().try_for_each(fs::remove_file)
}
