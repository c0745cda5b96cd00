//! Executing an experiment that continues the runs of another one.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::resume::{records, rules};
use super::{Made, Session, run_job};
use crate::attempt::Task;
use crate::continued::{ContinueTask, check, source};
use crate::declare::{Continues, Declared};
use crate::execute::{Continued, Filled, Job, Rules, Survey, survey, tell_left};
use crate::experiment::{Error, Experiment, Result};
use crate::isolate;
use crate::plan::{Crossing, IsolationError, Options, Order, Part, Plan, PlanError, Policy};
use crate::row::{Layout, RowWriter};
use crate::store::{
    Continuable, Continuing, Execution, Given, IfExists, InputRecord, Key, NewExperiment, Role,
    check_experiment,
};

/// A plan that can be executed, or told.
pub(super) struct Ready<X: Declared> {
    /// The name of the experiment that is continued.
    pub(super) name: String,
    pub(super) found: Continuable,
    pub(super) task: ContinueTask<X>,
    pub(super) layout: Layout,
    pub(super) options: Options,
    /// The runs that were continued with another config.
    pub(super) other: HashSet<u128>,
    order: Option<Vec<u64>>,
    crossing: Option<Crossing<X::State>>,
}

impl<X: Declared> Ready<X> {
    pub(super) fn rules(&self) -> Rules<'_> {
        let Self {
            found,
            task,
            layout,
            options,
            other,
            ..
        } = self;
        let rules = rules(Some(&found.known), &found.history, task, layout, options);
        rules.with_other(other.clone())
    }
}

/// Finds the runs, and checks that each input and each column fits.
pub(super) fn ready<X: Declared>(
    session: &Session,
    plan: Plan<X>,
    continues: &Continues,
) -> Result<Ready<X>> {
    let Plan {
        parts,
        order_by,
        options,
        error,
        prune,
        crossing,
        ..
    } = plan;
    if let Some(error) = error {
        return Err(error.into());
    }
    let experiment = X::declaration().name;
    let options = options.or(&session.defaults);
    let Ok([part]) = <[Part<X>; 1]>::try_from(parts) else {
        return Err(PlanError::OfRuns { experiment }.into());
    };
    if !part.points.of_runs() {
        return Err(PlanError::OfRuns { experiment }.into());
    }
    let name = options.name.as_deref().or(continues.experiment);
    let name = name.ok_or(PlanError::NoName { experiment })?.to_owned();
    check_experiment(&name)?;
    let mut layout = Layout::default();
    X::layout(&mut layout);
    let mut whole = layout.clone();
    X::reads(whole.reading());
    whole.check(experiment)?;
    let db = &session.store;
    db.reap()?;
    let found = db.continuable(&Key::Name(name.clone()), experiment)?;
    if found.rows.is_empty() {
        let continued = name;
        return Err(PlanError::NoRuns {
            experiment,
            continued,
        }
        .into());
    }
    let rows = check::<X>(db, &found, &layout, continues)?;
    let seed = options.root_seed_or_default();
    let mut task = ContinueTask::new(rows, part.config, part.points, seed);
    task.prune = prune;
    task.source = source(db, &found, continues)?;
    task.reads_sequences = continues.sequences;
    let order = order_by.map(|order_by| {
        let points = Arc::clone(&task.rows);
        let mut order = order_by(&[Part {
            config: Arc::clone(&task.config),
            points,
        }]);
        // A run that cannot be read has no key, and its turn at the end.
        let listed: HashSet<u64> = order.iter().copied().collect();
        order.extend((0..task.len()).filter(|i| !listed.contains(i)));
        order
    });
    let other = other(session, &found, &task, &layout)?;
    Ok(Ready {
        name,
        found,
        task,
        layout,
        options,
        other,
        order,
        crossing,
    })
}

/// The runs that were continued with another config than this one.
fn other<X: Declared>(
    session: &Session,
    found: &Continuable,
    task: &ContinueTask<X>,
    layout: &Layout,
) -> Result<HashSet<u128>> {
    let columns = layout.columns();
    let is_there = |name: &String| {
        found.own.contains(name) && found.stored.columns.iter().any(|there| there.name == *name)
    };
    let baselines = task.baselines().map_err(Box::new)?;
    let counts = |name: &String| {
        let of = baselines.iter().find(|baseline| baseline.name == *name);
        of.is_some_and(|of| of.identity)
    };
    let configs = columns.iter().filter(|column| column.role == Role::Input);
    let names: Vec<_> = configs
        .map(|column| &column.name)
        .filter(|name| counts(name) && is_there(name))
        .collect();
    let first = (0..task.len()).find_map(|i| task.point(i).filter(|point| point.params.is_ok()));
    let (Some(first), false) = (first, names.is_empty()) else {
        return Ok(HashSet::new());
    };
    let mut row = RowWriter::new(layout);
    task.record(&first, &mut row).map_err(Box::new)?;
    let cells = row
        .reached()
        .into_iter()
        .map(|(i, cell)| (columns[i].name.clone(), cell));
    let cells: Vec<_> = cells.filter(|(name, _)| names.contains(&name)).collect();
    Ok(session.store.differing(&found.stored, &cells)?)
}

/// Executes a plan: all runs, or those that lack something if it is resumed.
pub(super) fn execute<X: Declared>(
    session: &Session,
    mut plan: Plan<X>,
    continues: &Continues,
) -> Result<Experiment<X>> {
    if !matches!(plan.options.if_exists, None | Some(IfExists::Resume)) {
        return Err(Error::Plan(PlanError::IfExists {
            experiment: X::declaration().name,
            why: "it continues the runs that are there",
        }));
    }
    plan.options = plan.options.or(&session.defaults);
    let resumes = plan.options.if_exists == Some(IfExists::Resume);
    let policy = match (plan.options.policy, resumes) {
        (Some(policy), _) => policy,
        (None, true) => Policy::KeepGoing,
        (None, false) => Policy::Staged,
    };
    plan.options.policy = Some(policy);
    let options = plan.options.clone();
    let mut made = execute_once(session, plan.clone(), continues)?;
    let goes_on = |made: &Made<_>| policy == Policy::KeepGoing || made.summary.first.is_none();
    // Runs that were made again meanwhile, or that others have continued.
    while made.summary.left_to_others > 0 && goes_on(&made) {
        plan.options.if_exists = Some(IfExists::Resume);
        plan.options.rerun = Some(options.rerun.unwrap_or_default().only_unended());
        let rest = execute_once(session, plan.clone(), continues)?;
        made.summary.add(rest.summary);
    }
    let made = session.check(made, &options)?;
    session.opened(made)
}

fn execute_once<X: Declared>(
    session: &Session,
    plan: Plan<X>,
    continues: &Continues,
) -> Result<Made<X::State>> {
    let ready = ready(session, plan, continues)?;
    let declaration = X::declaration();
    let resumes = ready.options.if_exists == Some(IfExists::Resume);
    let host = isolate::host::<X>(ready.crossing, ready.options.limits)?;
    if host.is_some() {
        refuse_reads(declaration.name, &ready.task)?;
        isolate::check_sent(declaration.name, &ready.task)?;
    }
    let (wanted, lacks) = if resumes {
        let rules = ready.rules();
        (survey(&ready.task, &rules), rules.into_lacks())
    } else {
        (Survey::of_all(ready.task.len()), Vec::new())
    };
    let counts = resumes.then_some(wanted.counts);
    let Ready {
        name,
        found,
        task,
        layout,
        options,
        order,
        ..
    } = ready;
    let made = Made {
        id: found.stored.id,
        name,
        counts,
        continuing: Some(declaration.name),
        summary: Default::default(),
    };
    if wanted.len == 0 {
        tell_left(&made.name, &wanted, options.progress);
        return Ok(made);
    }
    let rows = found.rows.iter().map(|(id, rowid)| {
        let fills = wanted.rows.get(id).copied().unwrap_or_default();
        (*id, (*rowid, fills))
    });
    let rows: HashMap<_, _> = rows.collect();
    let lacking = |point: u128| {
        let makers = found.history.points.get(&point).and_then(|of| of.makers);
        let names = makers.and_then(|makers| lacks.get(makers as usize));
        let columns = layout.columns().iter().enumerate();
        let is_lacking = |name: &String| names.is_some_and(|names| names.contains(name));
        Filled {
            columns: columns
                .filter(|(_, column)| is_lacking(&column.name))
                .map(|(place, _)| place)
                .collect(),
            ..Filled::default()
        }
    };
    let store = session.store.on(options.terms());
    let job = Job {
        store: store.as_ref(),
        execution: execution(&found, &task, &layout, &options, &made.name)?,
        layout: &layout,
        policy: options.policy_or_default(),
        jobs: options.jobs_or_default(),
        order,
        shuffled: options.order.unwrap_or_default() == Order::Shuffled,
        progress: options.progress,
        group: options.group,
        attempts: options.retry.unwrap_or_default().saturating_add(1),
        signals: options.signals == Some(true),
        monitor: options.monitor.clone(),
        on_run: options.on_run.as_ref(),
        // Its inputs are those of the runs that it continues.
        args_field: None,
        continued: Some(Continued {
            survey: wanted,
            seen: found.history.seen,
            rows,
            lacking: &lacking,
            // The whole body runs, which is given nothing of the row.
            recorded: &|_, _, _| Ok(Vec::new()),
        }),
    };
    let (_, summary) = run_job(&task, job, host.as_ref())?;
    Ok(Made { summary, ..made })
}

/// Refuses to send a run to another process that is given more of the file than its own row.
fn refuse_reads<X: Declared>(
    experiment: &'static str,
    task: &ContinueTask<X>,
) -> Result<(), PlanError> {
    let what = match (&task.source, task.reads_sequences) {
        (Some(_), _) => "all runs",
        (None, true) => "sequences",
        (None, false) => return Ok(()),
    };
    Err(Box::new(IsolationError::Reads { experiment, what }).into())
}

/// The inputs as the execution records them, with the runs that its steps are given.
fn inputs<X: Declared>(task: &ContinueTask<X>) -> Result<Vec<InputRecord>> {
    let mut inputs = records(task)?;
    inputs.extend(task.given().map(Given::record));
    Ok(inputs)
}

/// What is recorded of the execution.
fn execution<X: Declared>(
    found: &Continuable,
    task: &ContinueTask<X>,
    layout: &Layout,
    options: &Options,
    name: &str,
) -> Result<Execution> {
    let columns = layout.columns();
    let new = NewExperiment {
        id: found.stored.id,
        name: name.to_owned(),
        declared: X::declaration().name.to_owned(),
        root_seed: options.root_seed_or_default(),
        columns: columns.to_vec(),
        initials: vec![None; columns.len()],
        makers: (0..columns.len())
            .map(|column| task.maker(column))
            .collect(),
        steps: task.steps(),
        inputs: inputs(task)?,
        limits: options.recorded_limits(),
        if_exists: options.if_exists.unwrap_or_default(),
    };
    let there = found.stored.columns.iter().cloned();
    let (own, foreign): (Vec<_>, _) = there.partition(|there| found.own.contains(&there.name));
    let is_declared = |name: &str| columns.iter().any(|column| column.name == name);
    Ok(Execution {
        extra: (own.into_iter())
            .filter(|own| !is_declared(&own.name))
            .collect(),
        continuing: Some(Continuing::new(foreign, found.history.seen)),
        ..Execution::new(new)
    })
}
