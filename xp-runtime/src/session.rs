//! Sessions: a file, and what can be done with the experiments in it.

mod continued;
mod report;
mod resume;
mod strangers;
mod transfer;

use std::collections::HashMap;
use std::fmt;
use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::attempt::{PlanTask, Task};
use crate::declare::Declared;
use crate::execute::{self, Counts, Job, Summary};
use crate::experiment::{Error, Failure, Result, RunsFailed, States};
use crate::experiment::{Experiment, Readable};
use crate::isolate::{self, Host};
use crate::monitor::Monitor;
use crate::plan::{IntoPlan, Options, Order, Plan, PlanError, Policy};
use crate::row::{Layout, LayoutError};
use crate::run::{FieldRegistry, Run};
use crate::signals::Handled;
use crate::store::{
    Execution, IfExists, Key, Listed, NewExperiment, Rows, SqliteStore, Store, check_experiment,
    default_name,
};
use crate::sweep::{BoxError, SweepTask, Swept};
use crate::table::Table;
use crate::value::ColumnType;

pub use self::report::{PlanReport, PlannedGroup, PlannedPoint};
use self::resume::Continuation;
pub use self::transfer::Upstreamed;

/// An open file of experiments. Clones share the file.
///
/// ```
///
/// let session = xp::Session::in_memory()?;
/// let experiment = session.sweep("squares", 0..4_u64, |x, _run| Ok::<_, String>(x * x))?;
/// let squares: Result<Vec<u64>, xp::Error> =
///     experiment.runs().map(|run| Ok(run?.fields.result)).collect();
/// assert_eq!(squares?.iter().sum::<u64>(), 14);
/// # Ok::<(), xp::Error>(())
/// ```
#[derive(Clone)]
pub struct Session {
    store: Arc<dyn Store>,
    defaults: Options,
}

impl Session {
    /// Opens a file, and makes it if it is missing. It is a SQLite database in MLtraq's layout.
    ///
    /// If another program holds the file's lock, this waits for up to a minute. How long the calls of
    /// the open session wait is an option: [`lock_timeout`](crate::PlanOptions::lock_timeout).
    ///
    /// # Errors
    ///
    /// The file is no database or cannot be opened, it is locked, or a newer xp wrote it. It is not
    /// changed then.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        isolate::end_unhooked_child();
        Ok(Self::with_store(SqliteStore::open(path.as_ref())?))
    }

    /// Opens a file that is there, only to read from it. SQLite's files `-wal` and `-shm` may stay beside
    /// it, empty, until it is opened to be written.
    ///
    /// # Errors
    ///
    /// As for [`open`](Self::open), and if the file is missing.
    pub fn open_read_only(path: impl AsRef<Path>) -> Result<Self> {
        isolate::end_unhooked_child();
        Ok(Self::with_store(SqliteStore::open_read_only(
            path.as_ref(),
        )?))
    }

    /// A session without a file: its experiments are gone with its last clone.
    ///
    /// # Errors
    ///
    /// There is no memory for it.
    pub fn in_memory() -> Result<Self> {
        isolate::end_unhooked_child();
        Ok(Self::with_store(SqliteStore::in_memory()?))
    }

    fn with_store(store: SqliteStore) -> Self {
        Self {
            store: Arc::new(store),
            defaults: Options::default(),
        }
    }

    /// This session with options for all that it executes; a plan's own options come first.
    ///
    /// [`durability`](crate::PlanOptions::durability) and
    /// [`lock_timeout`](crate::PlanOptions::lock_timeout) are also those of everything else that this
    /// session does with the file, and of the experiments that it returns.
    ///
    /// ```
    /// use xp::{Options, PlanOptions, Session};
    ///
    /// let session = Session::in_memory()?.with(Options::new().jobs(2).root_seed(7));
    /// # Ok::<(), xp::Error>(())
    /// ```
    #[must_use]
    pub fn with(self, defaults: Options) -> Self {
        let defaults = defaults.or(&self.defaults);
        Self {
            store: self.store.on(defaults.terms()),
            defaults,
        }
    }

    /// The path of the file, or `:memory:`.
    pub fn db(&self) -> &str {
        self.store.place()
    }

    /// Executes a plan: makes a new experiment and runs all of its points, in parallel. Each run
    /// is committed when it has ended; those that end within 50 ms are committed together.
    ///
    /// # Errors
    ///
    /// [`Error::Plan`], [`Error::Layout`], or an error of the store before the first run, such as
    /// an experiment of that name ([`StoreError::ExperimentExists`](crate::StoreError)).
    /// [`Error::RunsFailed`] if a run fails: by default no further run starts then, and what
    /// completed is kept (see [`Policy`]); of an experiment that continues another, nothing is kept
    /// by default.
    pub fn execute<P: IntoPlan>(&self, plan: P) -> Result<Experiment<P::Experiment>> {
        self.execute_plan(plan.into_plan())
    }

    /// Continues the experiment of the plan's name: runs what is missing, what was interrupted, and
    /// what failed; all of the plan, if there is no such experiment. What completed is kept as it is.
    /// Which points are run again is decided by [`PlanOptions::rerun`](crate::PlanOptions::rerun);
    /// what would be run is told by [`plan`](Self::plan).
    ///
    /// Several processes may resume the same sweep at the same time: each point is run by one of them,
    /// and all of them return when the sweep is done. If a process dies, the others run what it had
    /// taken.
    ///
    /// ```
    /// # use xp::prelude::*;
    /// # #[step] fn half(x: f64) -> f64 { x / 2.0 }
    /// # #[experiment] fn halves(#[param] x: f64) { #[field] let half: f64 = half(x); }
    /// # let folder = tempfile::tempdir()?;
    /// let session = Session::open(folder.path().join("halves.db"))?;
    /// session.resume(halves().x([1.0, 2.0]))?;
    /// // Later, in another process: one point is new.
    /// let experiment = session.resume(halves().x([1.0, 2.0, 3.0]))?;
    /// assert_eq!(experiment.runs().count(), 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Before the first run: [`Error::Plan`], [`Error::Layout`], [`Error::Misfit`] if a column is of
    /// another type now, [`Error::ChangedInputs`] if a default has changed, or an error of the store.
    /// [`Error::RunsFailed`] if runs fail: by default all points are attempted before.
    pub fn resume<P: IntoPlan>(&self, plan: P) -> Result<Experiment<P::Experiment>> {
        let mut plan = plan.into_plan();
        if !matches!(plan.options.if_exists, None | Some(IfExists::Resume)) {
            return Err(Error::Plan(PlanError::IfExists {
                experiment: P::Experiment::declaration().name,
                why: "`resume` goes on with what is there",
            }));
        }
        plan.options.if_exists = Some(IfExists::Resume);
        self.execute_plan(plan)
    }

    /// How the points of a plan stand in the file, and which of them [`resume`](Self::resume) would
    /// run. Nothing is run, and no experiment is made.
    ///
    /// ```
    /// # use xp::prelude::*;
    /// # #[step] fn half(x: f64) -> f64 { x / 2.0 }
    /// # #[experiment] fn halves(#[param] x: f64) { #[field] let half: f64 = half(x); }
    /// let session = Session::in_memory()?;
    /// session.resume(halves().x([1.0, 2.0]))?;
    /// let report = session.plan(halves().x([1.0, 2.0, 3.0]))?;
    /// assert_eq!(report.counts.complete, 2);
    /// assert_eq!(report.counts.to_run, 1);
    /// println!("{report}");
    /// for point in report.points() {
    ///     println!("{}: {}", point.params.x, point.reason);
    /// }
    /// # Ok::<(), xp::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`resume`](Self::resume), before the first run.
    pub fn plan<P: IntoPlan>(&self, plan: P) -> Result<PlanReport<P::Experiment>> {
        report::plan(self, plan.into_plan())
    }

    fn execute_plan<X: Declared>(&self, plan: Plan<X>) -> Result<Experiment<X>> {
        if let Some(continues) = X::continues() {
            return continued::execute(self, plan, &continues)
                .map_err(|error| error.of_continuing(X::declaration().name));
        }
        let crossing = plan.crossing;
        let (task, layout, options, order) = self.prepared(plan)?;
        let name = X::declaration().name;
        let host = isolate::host::<X>(crossing, options.limits)?;
        if host.is_some() {
            isolate::check_sent(name, &task)?;
        }
        let host = host.as_ref();
        let made = self.run_task(name, &task, &layout, &options, order, host)?;
        let made = self.check(made, &options)?;
        self.opened(made)
    }

    /// What a plan becomes when it is executed, and the order of its points if it has one.
    #[expect(clippy::type_complexity, reason = "it is taken apart at once")]
    fn prepared<X: Declared>(
        &self,
        plan: Plan<X>,
    ) -> Result<(PlanTask<X>, Layout, Options, Option<Vec<u64>>)> {
        let Plan {
            parts,
            order_by,
            options,
            error,
            prune,
            ..
        } = plan;
        if let Some(error) = error {
            return Err(error.into());
        }
        let declared = X::declaration();
        let options = options.or(&self.defaults);
        let mut layout = Layout::default();
        X::layout(&mut layout);
        if let Some(field) = &options.args_field {
            layout.reserve(field);
        }
        let layout = layout.check(declared.name)?;
        let order = order_by.map(|order_by| order_by(&parts));
        let task = PlanTask::<X>::new(parts, options.root_seed_or_default()).pruned(prune);
        // A filter may leave none of the points.
        if (0..task.len()).all(|i| task.point(i).is_none()) {
            return Err(Error::Plan(PlanError::Empty {
                experiment: declared.name,
                input: "what its filter leaves".to_owned(),
            }));
        }
        Ok((task, layout, options, order))
    }

    /// Executes a closure for every point of a list: the layer below the macros, for harnesses that
    /// bring their own structure. The closure may borrow from the caller.
    ///
    /// A point and a result are structs, a column a member; or one value each, in the columns
    /// `point` and `result`; or `()`.
    ///
    /// # Errors
    ///
    /// As for [`execute`](Self::execute).
    pub fn sweep<P, F, E, C>(
        &self,
        name: &str,
        points: impl IntoIterator<Item = P>,
        closure: C,
    ) -> Result<Experiment<Swept<P, F>>>
    where
        P: Serialize + DeserializeOwned + Send + Sync + 'static,
        F: Serialize + DeserializeOwned + Send + 'static,
        E: Into<BoxError>,
        C: Fn(&P, &mut Run) -> Result<F, E> + Sync,
    {
        let options = self.defaults.clone();
        isolate::refuse_limits(name, options.limits)?;
        let mut layout = Swept::<P, F>::layout();
        if let Some(field) = &options.args_field {
            layout.reserve(field);
        }
        let layout = layout.check(name)?;
        let points: Vec<P> = points.into_iter().collect();
        if points.is_empty() {
            return Err(Error::EmptySweep {
                experiment: name.to_owned(),
            });
        }
        let task = SweepTask::new(name, points, closure, options.root_seed_or_default());
        let made = self.run_task(name, &task, &layout, &options, None, None)?;
        let made = self.check(made, &options)?;
        self.opened(made)
    }

    /// Executes a closure once: an experiment with a single run, without params.
    ///
    /// ```
    /// let session = xp::Session::in_memory()?;
    /// session.run("example", |run| {
    ///     run.fields.insert("answer", 42)
    /// })?;
    /// assert_eq!(session.load("example")?.runs().count(), 1);
    /// # Ok::<(), xp::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`execute`](Self::execute).
    pub fn run<F, E, C>(&self, name: &str, closure: C) -> Result<Experiment<Swept<(), F>>>
    where
        F: Serialize + DeserializeOwned + Send + 'static,
        E: Into<BoxError>,
        C: Fn(&mut Run) -> Result<F, E> + Sync,
    {
        self.sweep(name, [()], |(), run| closure(run))
    }

    /// Executes a task. What others have to the end, or took while it was run here since this process
    /// passed for dead, is waited for, or run if they leave it.
    fn run_task<T: Task>(
        &self,
        declared: &str,
        task: &T,
        layout: &Layout,
        options: &Options,
        order: Option<Vec<u64>>,
        host: Option<&Host<T::State>>,
    ) -> Result<Made<T::State>> {
        let policy = options.policy_or_default();
        let mut made = self.run_once(declared, task, layout, options, order.clone(), host)?;
        let goes_on = |summary: &Summary<_>| policy == Policy::KeepGoing || summary.first.is_none();
        while made.summary.left_to_others > 0 && goes_on(&made.summary) {
            let again = Options {
                name: Some(made.name.clone()),
                if_exists: Some(IfExists::Resume),
                rerun: Some(options.rerun.unwrap_or_default().only_unended()),
                policy: Some(policy),
                ..options.clone()
            };
            let rest = self.run_once(declared, task, layout, &again, order.clone(), host)?;
            made.summary.add(rest.summary);
        }
        Ok(made)
    }

    fn run_once<T: Task>(
        &self,
        declared: &str,
        task: &T,
        layout: &Layout,
        options: &Options,
        order: Option<Vec<u64>>,
        host: Option<&Host<T::State>>,
    ) -> Result<Made<T::State>> {
        let id = Uuid::new_v4();
        let name = experiment_name(declared, id, options)?;
        let if_exists = options.if_exists.unwrap_or_default();
        if let Some(monitor) = &options.monitor {
            check_monitor(declared, monitor, layout)?;
        }
        let store = self.store.on(options.terms());
        let store = store.as_ref();
        let continued = match if_exists {
            IfExists::Resume => {
                store.reap()?;
                Continuation::find(store, &name, declared, task, layout, options)?
            }
            IfExists::Fail | IfExists::Replace => None,
        };
        let new = NewExperiment {
            id,
            name: name.clone(),
            declared: declared.to_owned(),
            root_seed: options.root_seed_or_default(),
            columns: layout.columns().to_vec(),
            initials: resume::initials(task, layout)?,
            makers: (0..layout.columns().len())
                .map(|column| task.maker(column))
                .collect(),
            steps: task.steps(),
            inputs: resume::records(task)?,
            limits: options.recorded_limits(),
            if_exists,
        };
        if let Some(continued) = &continued
            && continued.survey.len == 0
            && continued.has_columns(layout)
        {
            execute::tell_left(&name, &continued.survey, options.progress);
            let summary = Summary::default();
            return Ok(Made {
                id: continued.known.id,
                name,
                counts: Some(continued.survey.counts),
                continuing: None,
                summary,
            });
        }
        let counts = continued.as_ref().map(|continued| continued.survey.counts);
        let lacking = continued
            .as_ref()
            .map(|continued| continued.lacking(task, layout));
        let recorded = continued
            .as_ref()
            .map(|continued| continued.recorded(store, layout));
        let continued = match (continued, &lacking, &recorded) {
            (Some(continued), Some(lacking), Some(recorded)) => {
                Some(continued.begin(store, lacking, recorded)?)
            }
            _ => None,
        };
        let job = Job {
            store,
            execution: Execution::new(new),
            layout,
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
            args_field: options.args_field.as_deref(),
            continued,
        };
        let (id, summary) = run_job(task, job, host)?;
        Ok(Made {
            id,
            name,
            counts,
            continuing: None,
            summary,
        })
    }

    /// The exception of the first run that failed, as that of the experiment.
    fn check<S: Send + 'static>(&self, made: Made<S>, options: &Options) -> Result<Made<S>> {
        let Some(first) = &made.summary.first else {
            return Ok(made);
        };
        let staged = options.policy == Some(Policy::Staged);
        let experiment = if staged && options.if_exists != Some(IfExists::Resume) {
            None
        } else {
            let of = Experiment::open(&self.store, &Key::Id(made.id), HashMap::new())?;
            Some(match made.continuing {
                Some(declared) => of.continued_by(declared),
                None => of,
            })
        };
        Err(Error::RunsFailed(Box::new(RunsFailed {
            name: made.name.clone(),
            first: Failure {
                id_run: first.id_run,
                outcome: first.outcome,
                exception: first.ended.exception.clone(),
                inputs: first.ended.inputs.clone(),
                fields: first.ended.fields.clone(),
                attempt: first.attempt,
            },
            failed: made.summary.failed,
            completed: made.summary.completed,
            dropped: made.summary.dropped,
            skipped: made.summary.skipped,
            experiment,
            states: States::new(made.summary.states),
        })))
    }

    fn opened<X: Readable>(&self, made: Made<X::State>) -> Result<Experiment<X>> {
        let states = made.summary.states.into_iter();
        let states = states.map(|(id, state)| (id, Arc::new(state))).collect();
        let of = Experiment::open(&self.store, &Key::Id(made.id), states)?;
        Ok(of.counted(made.counts))
    }

    /// The experiments of the file, in the order in which they were made.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn ls(&self) -> Result<Listing> {
        Ok(Listing(self.store.list()?))
    }

    /// An experiment by its name, with runs whose fields are bunches.
    ///
    /// # Errors
    ///
    /// There is no such experiment, or it cannot be read.
    pub fn load(&self, name: &str) -> Result<Experiment> {
        self.load_as(name)
    }

    /// An experiment by its id, with runs whose fields are bunches.
    ///
    /// # Errors
    ///
    /// There is no such experiment, or it cannot be read.
    pub fn load_id(&self, id: Uuid) -> Result<Experiment> {
        self.store.reap()?;
        Experiment::open(&self.store, &Key::Id(id), HashMap::new())
    }

    /// An experiment by its name, with typed runs: `session.load_as::<Iris>("iris")`.
    ///
    /// # Errors
    ///
    /// There is no such experiment, or it cannot be read; or its columns are not those of the
    /// type: the error lists every one that does not fit, with what is expected and what is found.
    pub fn load_as<X: Readable>(&self, name: &str) -> Result<Experiment<X>> {
        self.store.reap()?;
        Experiment::open(&self.store, &Key::Name(name.to_owned()), HashMap::new())?.checked()
    }

    /// Deletes an experiment with all of its runs.
    ///
    /// # Errors
    ///
    /// There is no such experiment, or the file cannot be written.
    pub fn delete(&self, name: &str) -> Result<()> {
        Ok(self.store.delete(&Key::Name(name.to_owned()))?)
    }

    /// The answer to a statement of SQL that reads. What pragmas tell is asked for as
    /// `SELECT * FROM pragma_table_info('experiment_iris')`.
    ///
    /// # Errors
    ///
    /// SQLite does not know what is meant, or the statement writes or is a pragma.
    pub fn query(&self, sql: &str) -> Result<Table> {
        Ok(Table::of_query(self.store.query(sql)?))
    }
}

/// The name under which an experiment is kept.
fn experiment_name(name: &str, id: Uuid, options: &Options) -> Result<String> {
    let name = options.name.as_deref().unwrap_or(name);
    let name = if name.is_empty() {
        default_name(id)
    } else {
        name.to_owned()
    };
    check_experiment(&name)?;
    Ok(name)
}

/// What `run_task` made.
struct Made<S> {
    id: Uuid,
    name: String,
    /// How the points stood before, if the experiment was there.
    counts: Option<Counts>,
    /// The declared name, if it continued the runs of another experiment.
    continuing: Option<&'static str>,
    summary: Summary<S>,
}

/// Executes, with signals handled if that is asked for.
fn run_job<T: Task>(
    task: &T,
    job: Job<'_>,
    host: Option<&Host<T::State>>,
) -> Result<(Uuid, Summary<T::State>)> {
    let handled = (job.signals.then(Handled::begin).transpose()).map_err(|source| {
        let source = Box::new(source);
        Error::Signals { source }
    })?;
    if let Some(host) = host {
        host.begin()
            .map_err(|error| PlanError::from(Box::new(error)))?;
    }
    let executed = execute::execute(task, job, host);
    if let Some(handled) = handled {
        handled.exit_if_asked(SqliteStore::close_all);
    }
    Ok(executed?)
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("db", &self.db())
            .finish_non_exhaustive()
    }
}

/// The experiments of a file: a slice, which prints as a table.
#[derive(Clone, Debug)]
pub struct Listing(Vec<Listed>);

impl Deref for Listing {
    type Target = [Listed];

    fn deref(&self) -> &[Listed] {
        &self.0
    }
}

impl IntoIterator for Listing {
    type Item = Listed;
    type IntoIter = std::vec::IntoIter<Listed>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl fmt::Display for Listing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = ["id_experiment", "name", "table_name", "runs"];
        let rows = self.iter().map(|listed| {
            vec![
                listed.id_experiment.to_string().into(),
                listed.name.clone().into(),
                listed.table_name.clone().into(),
                crate::Value::Int(listed.runs.into()),
            ]
        });
        Table::of_query(Rows {
            columns: columns.map(str::to_owned).to_vec(),
            rows: rows.collect(),
        })
        .fmt(f)
    }
}

/// Whether the sequence of a monitor can have its name.
fn check_monitor(experiment: &str, monitor: &Monitor, layout: &Layout) -> Result<()> {
    let name = monitor.field_name();
    let registry = FieldRegistry::new(layout.columns(), &[]);
    registry
        .check(name, ColumnType::SERIALIZED)
        .map_err(|error| {
            Error::Layout(LayoutError {
                experiment: experiment.to_owned(),
                reasons: vec![format!(
                    "the monitor cannot record in `{name}`: {error}; `.field(..)` of the monitor \
                     gives its sequence another name"
                )],
            })
        })
}
