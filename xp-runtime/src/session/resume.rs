//! What must be known before an experiment is continued: whether it can be, and what is left to do.

use std::collections::HashMap;

use uuid::Uuid;

use crate::attempt::{Cover, Task};
use crate::declare::InputRole;
use crate::execute::{self, Continued, Filled, Recorded, RecordedCells, Rules, Survey};
use crate::experiment::{ChangedInputs, Error, Result};
use crate::plan::Options;
use crate::row::{Layout, Misfit};
use crate::store::{Column, History, InputRecord, Known, Role, Store, StoreError, kind_name};
use crate::value::Cell;

/// An experiment that is continued.
pub(super) struct Continuation {
    pub(super) known: Known,
    pub(super) history: History,
    pub(super) survey: Survey,
    /// By the place in [`History::makers`], the declared columns that are lacking.
    lacks: Vec<Vec<String>>,
}

impl Continuation {
    /// What there is to be continued; `None` if there is no such experiment.
    pub(super) fn find<T: Task>(
        store: &dyn Store,
        name: &str,
        declared: &str,
        task: &T,
        layout: &Layout,
        options: &Options,
    ) -> Result<Option<Self>> {
        let Some((known, history)) = find(store, name, declared, task, layout)? else {
            return Ok(None);
        };
        let rules = rules(Some(&known), &history, task, layout, options);
        let survey = execute::survey(task, &rules);
        let lacks = rules.into_lacks();
        Ok(Some(Self {
            known,
            history,
            survey,
            lacks,
        }))
    }

    /// Whether its table has all declared columns.
    pub(super) fn has_columns(&self, layout: &Layout) -> bool {
        let there = &self.known.columns;
        let has = |column: &Column| there.iter().any(|known| known.name == column.name);
        there.is_empty() || layout.columns().iter().all(has)
    }

    /// What a fill computes, by the point of the run.
    pub(super) fn lacking<T: Task>(
        &self,
        task: &T,
        layout: &Layout,
    ) -> impl Fn(u128) -> Filled + Sync + use<T> {
        let place = |name: &String| {
            let mut columns = layout.columns().iter();
            columns.position(|column| column.name == *name)
        };
        // One that was added later had no value.
        let recorded = |name: &str| {
            let mut there = self.known.columns.iter();
            let is_there = there.any(|column| column.name == name);
            is_there.then(|| place(&name.to_owned())).flatten()
        };
        let fill = |names: &Vec<String>| {
            let columns: Vec<_> = names.iter().filter_map(place).collect();
            let fields = layout.fields().iter().enumerate();
            let lacks = |range: &std::ops::Range<usize>| columns.iter().any(|c| range.contains(c));
            let missing: Vec<_> = fields
                .filter(|(_, field)| lacks(&field.columns))
                .map(|(ordinal, _)| ordinal)
                .collect();
            let Cover {
                portions,
                reads,
                takes,
            } = task.cover(&missing);
            let reads = reads
                .iter()
                .flat_map(|ordinal| layout.fields()[*ordinal].columns.clone());
            Filled {
                columns,
                portions,
                reads: reads.collect(),
                takes: takes.into_iter().filter_map(recorded).collect(),
            }
        };
        let sets: Vec<Filled> = self.lacks.iter().map(fill).collect();
        let fills = self.survey.rows.iter().filter(|(_, fill)| **fill);
        let set_of: HashMap<u128, u32> = fills
            .filter_map(|(point, _)| Some((*point, self.history.points.get(point)?.makers?)))
            .collect();
        move |point| {
            let set = set_of.get(&point).and_then(|set| sets.get(*set as usize));
            set.cloned().unwrap_or_default()
        }
    }

    /// Reads columns of the row of a run, which may be at another place by now.
    pub(super) fn recorded<'a>(
        &self,
        store: &'a dyn Store,
        layout: &'a Layout,
    ) -> impl Fn(Uuid, i64, &[usize]) -> RecordedCells + Sync + use<'a> {
        let table = self.known.table.clone();
        move |id_run, rowid, places| {
            let names = places
                .iter()
                .map(|place| layout.columns()[*place].name.as_str());
            let names: Vec<_> = names.collect();
            let cells = store.cells(&table, id_run, rowid, &names)?;
            Ok(places.iter().copied().zip(cells).collect())
        }
    }

    /// What the execution needs; all else is let go.
    pub(super) fn begin<'a>(
        mut self,
        store: &dyn Store,
        lacking: &'a (dyn Fn(u128) -> Filled + Sync),
        recorded: &'a Recorded<'a>,
    ) -> Result<Continued<'a>> {
        let asked = std::mem::take(&mut self.survey.rows);
        let rows = if asked.is_empty() {
            HashMap::new()
        } else {
            let found = store.rows_of(&self.known, &asked.keys().copied().collect())?;
            let found = found.into_iter();
            found
                .filter_map(|(point, rowid)| Some((point, (rowid, *asked.get(&point)?))))
                .collect()
        };
        Ok(Continued {
            survey: self.survey,
            seen: self.history.seen,
            rows,
            lacking,
            recorded,
        })
    }
}

/// The experiment of that name, if it can be continued, and how its points stand.
pub(super) fn find<T: Task>(
    store: &dyn Store,
    name: &str,
    declared: &str,
    task: &T,
    layout: &Layout,
) -> Result<Option<(Known, History)>> {
    let Some(known) = store.known(name)? else {
        return Ok(None);
    };
    if known.declared != declared {
        return Err(Error::Store(StoreError::OtherExperiment {
            name: known.name,
            file: store.place().to_owned(),
            declared: declared.to_owned(),
            found: known.declared,
        }));
    }
    check_columns(&known, layout)?;
    check_inputs(&known, &records(task)?)?;
    let history = store.history(&known)?;
    Ok(Some((known, history)))
}

pub(super) fn rules<'a, T: Task>(
    known: Option<&'a Known>,
    history: &'a History,
    task: &T,
    layout: &Layout,
    options: &Options,
) -> Rules<'a> {
    let rerun = options.rerun.unwrap_or_default();
    let fill = options.fill.unwrap_or_default();
    Rules::new(
        known,
        history,
        task,
        layout,
        (rerun, fill, options.recorded_limits()),
    )
}

/// A column keeps its type as long as there are runs.
fn check_columns(known: &Known, layout: &Layout) -> Result<()> {
    let misfits: Vec<_> = layout
        .columns()
        .iter()
        .filter_map(|column| {
            let there = known.columns.iter();
            let found = there.into_iter().find(|there| there.name == column.name)?;
            (found.ty.kind != column.ty.kind).then(|| Misfit {
                column: column.name.clone(),
                expected: kind_name(column.ty.kind).to_owned(),
                found: kind_name(found.ty.kind).to_owned(),
            })
        })
        .collect();
    if misfits.is_empty() {
        return Ok(());
    }
    Err(Error::Misfit {
        experiment: known.name.clone(),
        misfits,
    })
}

/// The inputs as an execution records them.
pub(super) fn records<T: Task>(task: &T) -> Result<Vec<InputRecord>> {
    let baselines = task.baselines().map_err(Box::new)?.into_iter();
    let records = baselines.map(|baseline| InputRecord {
        name: baseline.name,
        role: match baseline.role {
            InputRole::Config => "config",
            InputRole::Param | InputRole::Read => "param",
        }
        .to_owned(),
        initial: baseline.default.map(|default| default.text),
        absent: (baseline.absent.filter(|_| baseline.identity))
            .map(|absent| (absent.text, absent.form)),
    });
    Ok(records.collect())
}

/// For each column what runs have there that were made before it was declared.
pub(super) fn initials<T: Task>(task: &T, layout: &Layout) -> Result<Vec<Option<Cell>>> {
    let baselines = task.baselines().map_err(Box::new)?;
    let initial = |column: &Column| {
        let of = (column.role == Role::Input)
            .then(|| baselines.iter().find(|of| of.name == column.name))??;
        let absent = of.absent.as_ref().or(of.default.as_ref())?;
        column.ty.encode_value(&absent.value).ok()
    };
    Ok(layout.columns().iter().map(initial).collect())
}

/// Refuses what would give runs that are there another meaning.
fn check_inputs(known: &Known, today: &[InputRecord]) -> Result<()> {
    let mut changes = Vec::new();
    for now in today {
        let Some(then) = known.inputs.iter().find(|then| then.name == now.name) else {
            continue;
        };
        let form = |record: &InputRecord| record.absent.as_ref().map(|(_, form)| form.clone());
        if form(then) == form(now) {
            continue;
        }
        let InputRecord { name, role, .. } = now;
        let initial = now.initial.as_deref().unwrap_or("..");
        changes.push(match (&then.absent, &now.absent) {
            (Some((old, _)), _) => format!(
                "`{name}` was {old} where it was not given; write \
                 `#[{role}(default = {initial}, absent = {old})]`"
            ),
            (None, _) => format!(
                "`{name}` had no default, and is part of every point; write \
                 `#[{role}(default = {initial}, absent = _)]`"
            ),
        });
    }
    if changes.is_empty() {
        return Ok(());
    }
    Err(Error::ChangedInputs(Box::new(ChangedInputs {
        experiment: known.name.clone(),
        changes,
    })))
}
