//! What a transfer is to do: found out and checked before anything is written.

use std::cell::OnceCell;
use std::collections::HashSet;
use std::path::PathBuf;

use super::columns::unite;
use super::points::Winners;
use super::{Destination, ExecutionRecord, Head, Moved, Result, Snapshot, Standings, TableColumn};
use crate::store::{InputRecord, Key, Store, StoreError};
use crate::value::Value;

/// A source that is being read.
pub(super) struct Opened<'a> {
    pub(super) from: &'a dyn Snapshot,
    pub(super) head: Head,
    /// The file's path, for messages.
    file: &'a str,
    /// Where its store files are.
    pub(super) directory: Option<PathBuf>,
    standings: OnceCell<Standings>,
}

impl<'a> Opened<'a> {
    pub(super) fn new(from: &'a dyn Snapshot, head: Head, store: &'a dyn Store) -> Self {
        Self {
            from,
            head,
            file: store.place(),
            directory: store.store_directory(),
            standings: OnceCell::new(),
        }
    }

    /// Read once: it stays as it is.
    fn standings(&self) -> Result<&Standings> {
        if let Some(known) = self.standings.get() {
            return Ok(known);
        }
        let read = self.from.standings(&self.head)?;
        Ok(self.standings.get_or_init(|| read))
    }
}

/// See the module's text.
pub(super) struct Plan {
    /// The experiment that is added to; `None` if one is made.
    pub(super) there: Option<Head>,
    /// The name that is part of the points' identities.
    pub(super) declared: Option<String>,
    /// The columns of all that comes together; `None` if there is no table.
    pub(super) columns: Option<Vec<TableColumn>>,
    /// The meta that the new one is made of.
    pub(super) meta: Value,
    /// `None` for a copy, which has all of it.
    pub(super) winners: Option<Winners>,
}

impl Plan {
    pub(super) fn make(
        target: &dyn Snapshot,
        file: &str,
        sources: &[&Opened<'_>],
        destination: &Destination,
    ) -> Result<Self> {
        let first = &sources[0].head;
        let (there, name) = match destination {
            Destination::New { name, .. } => (None, name.as_str()),
            Destination::Shared => (there(target, file, first)?, first.name.as_str()),
        };
        let name = there.as_ref().map_or(name, |head| &head.name).to_owned();
        let mut heads: Vec<&Head> = there.iter().collect();
        heads.extend(sources.iter().map(|source| &source.head));
        let mut files: Vec<_> = there.iter().map(|_| file).collect();
        files.extend(sources.iter().map(|source| source.file));
        let columns = unite(&heads, &files).map_err(|clashes| StoreError::ColumnClash {
            name,
            file: file.to_owned(),
            clashes,
        })?;
        let declared = heads.iter().find_map(|head| head.declared());
        let declared = declared.map(str::to_owned);
        check_inputs(&heads, declared.as_deref(), file)?;
        let meta = heads[0].meta.clone();
        let has_table = heads.iter().any(|head| head.table.is_some());
        // Who has a point need not be asked of a copy.
        let winners = match (heads.as_slice(), destination) {
            ([_], Destination::New { .. }) => None,
            _ => Some(winners(target, there.as_ref(), sources, &columns)?),
        };
        Ok(Self {
            there,
            declared,
            columns: has_table.then_some(columns),
            meta,
            winners,
        })
    }

    /// What became of the points, if all is there already that the sources have.
    pub(super) fn if_done(&self, sources: &[&Opened<'_>]) -> Option<Moved> {
        let (there, winners) = (self.there.as_ref()?, self.winners.as_ref()?);
        let moved = winners.moved();
        let has_all = |source: &&Opened<'_>| {
            has_executions(there, &source.head) && there.has_fields_of(&source.head)
        };
        let is_done = moved.added == 0 && moved.replaced == 0 && sources.iter().all(has_all);
        is_done.then_some(Moved {
            id: there.id,
            ..moved
        })
    }
}

/// The experiment to which one belongs, if it is there: by its id, or else by its name.
fn there(target: &dyn Snapshot, file: &str, head: &Head) -> Result<Option<Head>> {
    if let Some(there) = target.head(&Key::Id(head.id))? {
        return Ok(Some(there));
    }
    let Some(there) = target.head(&Key::Name(head.name.clone()))? else {
        return Ok(None);
    };
    if head.declared().is_some() && head.declared() == there.declared() {
        return Ok(Some(there));
    }
    let made_by = |head: &Head| match head.declared() {
        Some(declared) => format!("made by `{declared}`"),
        None => "not made by xp".to_owned(),
    };
    Err(StoreError::AnotherExperiment {
        name: head.name.clone(),
        file: file.to_owned(),
        found: made_by(&there),
        declared: made_by(head),
    })
}

fn winners(
    target: &dyn Snapshot,
    there: Option<&Head>,
    sources: &[&Opened<'_>],
    columns: &[TableColumn],
) -> Result<Winners> {
    let inputs: HashSet<&str> = (columns.iter())
        .filter(|column| column.listing.as_ref().is_some_and(|of| of.input))
        .map(|column| column.name.as_str())
        .collect();
    let mut winners = match there {
        Some(there) => {
            let claimed = target.claimed(there)?;
            Winners::against(&target.standings(there)?, claimed, &inputs)
        }
        None => Winners::new(),
    };
    for source in sources {
        winners.join(source.standings()?, &inputs);
    }
    Ok(winners)
}

/// Whether one of them knows all executions of the other, and that they have ended.
fn has_executions(there: &Head, head: &Head) -> bool {
    let known: Vec<&ExecutionRecord> = executions(there).collect();
    let is_known = |of: &ExecutionRecord| {
        let mut known = known.iter();
        known.any(|there| {
            *there == of && (there.number.ended.is_some() || of.number.ended.is_none())
        })
    };
    executions(head).all(is_known)
}

fn executions(head: &Head) -> impl Iterator<Item = &ExecutionRecord> {
    head.ledgers.iter().flat_map(|ledger| &ledger.executions)
}

/// Refuses inputs whose absent values differ: equal points would have different ids.
fn check_inputs(heads: &[&Head], declared: Option<&str>, file: &str) -> Result<()> {
    let mut known: Vec<&InputRecord> = Vec::new();
    let mut changes = Vec::new();
    let own = heads.iter().filter(|head| head.declared() == declared);
    for now in own.flat_map(|head| &head.inputs) {
        let Some(then) = known.iter().find(|then| then.name == now.name) else {
            known.push(now);
            continue;
        };
        let form = |record: &InputRecord| record.absent.as_ref().map(|(_, form)| form.clone());
        if form(then) != form(now) {
            let text = |record: &InputRecord| match &record.absent {
                Some((text, _)) => format!("is {text}"),
                None => "has no value".to_owned(),
            };
            let change = format!(
                "`{}` {} where it is not given in one of them, and {} in another",
                now.name,
                text(then),
                text(now)
            );
            if !changes.contains(&change) {
                changes.push(change);
            }
        }
    }
    if changes.is_empty() {
        return Ok(());
    }
    Err(StoreError::OtherDefaults {
        name: declared.unwrap_or_default().to_owned(),
        file: file.to_owned(),
        changes,
    })
}
