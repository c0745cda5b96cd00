//! Computational experiments: declare the inputs and the steps, run the grid in parallel, keep
//! every run in a SQLite file.
//!
//! This page is a tour. Each stop is a program that is compiled and run with the tests.
//!
//! # Steps and experiments
//!
//! A [step](macro@step) is a function. An [experiment](macro@experiment) is a function whose
//! parameters are inputs and whose statements call steps.
//!
//! ```
//! use xp::prelude::*;
//!
//! /// The sum of the first `n` powers.
//! #[step]
//! fn sum(n: u64, power: u32) -> u64 {
//!     (1..=n).map(|i| i.pow(power)).sum()
//! }
//!
//! #[step]
//! fn digits(number: u64) -> usize {
//!     number.to_string().len()
//! }
//!
//! /// How sums of powers grow.
//! #[experiment]
//! fn powers(#[config(default = 2)] power: u32, #[param] n: u64) {
//!     #[field]
//!     let sum: u64 = sum(n, power);
//!     #[field]
//!     let digits: usize = digits(sum);
//! }
//!
//! let session = Session::in_memory()?;
//! let experiment = session.execute(powers().n([10, 100, 1_000]))?;
//! for run in experiment.runs() {
//!     let run: Run<Powers> = run?;
//!     assert_eq!(run.fields.digits, run.fields.sum.to_string().len());
//! }
//! // A step is still a function, to be tested as one.
//! assert_eq!(sum(3, 2), 14);
//! # Ok::<(), xp::Error>(())
//! ```
//!
//! `#[experiment]` replaces the function `powers` by one without parameters, which makes a plan
//! with a setter for each input, and leaves types named after it: `Powers`, for `Experiment<Powers>`
//! and `Run<Powers>`, and `PowersParams`, `PowersFields` and so on. In a program,
//! [`Session::open`]`("powers.db")` keeps the runs in a file.
//!
//! # Inputs
//!
//! A `#[config]` has one value per execution, a `#[param]` varies. Any type with serde will do. The
//! [documentation of the macro](macro@experiment) lists all keys.
//!
//! ```
//! use std::time::Duration;
//!
//! use serde::{Deserialize, Serialize};
//! use xp::prelude::*;
//!
//! #[derive(Clone, Copy, Debug, Serialize, Deserialize)]
//! enum Map {
//!     Tree,
//!     Hash,
//! }
//!
//! #[derive(Serialize, Deserialize)]
//! struct Measurement {
//!     operations: u64,
//!     spent: Duration,
//! }
//!
//! #[step]
//! fn measure(map: Map, threads: u32) -> Measurement {
//!     // ..
//! #   let _ = map;
//!     Measurement { operations: 1_000 * u64::from(threads), spent: Duration::from_millis(2) }
//! }
//!
//! #[experiment]
//! fn maps(
//!     /// Recorded, and no part of what makes two points the same.
//!     #[config(default = "host".to_owned(), identity = false)]
//!     host: String,
//!     /// All of them, unless the plan says otherwise.
//!     #[param(values = [Map::Tree, Map::Hash])]
//!     map: Map,
//!     #[param]
//!     threads: u32,
//! ) {
//!     /// A column for each member: `operations`, `spent` (in seconds).
//!     #[field(flatten)]
//!     let measurement: Measurement = measure(map, threads);
//! }
//!
//! let session = Session::in_memory()?;
//! session.execute(maps().threads([1, 2, 4]))?;
//! let table = session.query("select map, threads, operations / spent as rate from experiment_maps")?;
//! assert_eq!(table.rows().len(), 6);
//! # Ok::<(), xp::Error>(())
//! ```
//!
//! # Points
//!
//! A plan has the product of what its params are given, made only when it is needed.
//!
//! ```
//! # use xp::prelude::*;
//! # #[step] fn area(a: u32, b: u32) -> u32 { a * b }
//! # #[experiment] fn areas(#[param] a: u32, #[param] b: u32) { #[field] let area: u32 = area(a, b); }
//! # let session = Session::in_memory()?;
//! # let count = |experiment: Experiment<Areas>| experiment.runs().count();
//! # let replace = || IfExists::Replace;
//! let plan = areas().a(0..10).b(0..10).filter(|p| p.a < p.b);
//! assert_eq!(count(session.execute(plan)?), 45);
//!
//! let pairs = areas().a([1, 2, 3]).b([10, 20, 30]).zip();
//! assert_eq!(count(session.execute(pairs.if_exists(replace()))?), 3);
//!
//! let listed = areas().points([AreasParams { a: 1, b: 2 }, AreasParams { a: 5, b: 5 }]);
//! assert_eq!(count(session.execute(listed.if_exists(replace()))?), 2);
//!
//! let union = xp::union([areas().a([1]).b(0..100), areas().a(0..100).b([1])]);
//! assert_eq!(count(session.execute(union.if_exists(replace()))?), 199);
//!
//! // From a file, say: names and values that are not known before the program runs.
//! let mut plan = areas().any();
//! for (name, values) in [("a", vec![1, 2]), ("b", vec![3])] {
//!     plan.set(name, values)?;
//! }
//! assert_eq!(count(session.execute(plan.if_exists(replace()))?), 2);
//! # Ok::<(), xp::Error>(())
//! ```
//!
//! Two points with the same inputs are one point, with one [identity] and one
//! [`id_run`](Run::id_run), wherever it runs.
//!
//! # Vars, shared values, states and fields
//!
//! A `let` without a mark is a var: it is dropped when its run's steps end, and never leaves its
//! thread. `#[shared]` values are computed once for all runs that have the inputs in common on which
//! they depend, `#[state]` stays in memory after the execution, `#[field]` is recorded.
//!
//! ```
//! use xp::prelude::*;
//!
//! struct Graph(Vec<u32>);
//!
//! #[step]
//! fn load(seed: u64) -> Result<Graph, String> {
//!     // .. takes an hour
//! #   let _ = seed;
//!     Ok(Graph(vec![3, 1, 2]))
//! }
//!
//! #[step]
//! fn order(graph: &Graph, ascending: bool) -> Vec<u32> {
//!     let mut order = graph.0.clone();
//!     order.sort_by_key(|x| if ascending { *x } else { u32::MAX - x });
//!     order
//! }
//!
//! #[step]
//! fn first(order: &[u32]) -> Option<u32> {
//!     order.first().copied()
//! }
//!
//! #[experiment]
//! fn sorted(#[param] seed: u64, #[param] ascending: bool) {
//!     #[shared]
//!     let graph: Graph = load(seed)?;
//!     #[state]
//!     let order: Vec<u32> = order(&graph, ascending);
//!     #[field]
//!     let first: Option<u32> = first(&order);
//! }
//!
//! let experiment = Session::in_memory()?.execute(sorted().seed([1, 2]).ascending([true, false]))?;
//! for run in experiment.runs() {
//!     let run = run?;
//!     assert_eq!(run.state().and_then(|state| state.order.first().copied()), run.fields.first);
//! }
//! # Ok::<(), xp::Error>(())
//! ```
//!
//! # The run itself
//!
//! A step that takes `run: &mut Run` draws random numbers that depend on the run's inputs only,
//! records fields that nobody could declare, series of rows, and artifacts.
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use xp::prelude::*;
//!
//! #[derive(Serialize, Deserialize)]
//! struct Loss {
//!     epoch: u32,
//!     value: f64,
//! }
//!
//! #[step]
//! fn train(run: &mut Run, losses: &mut Sequence<Loss>, epochs: u32) -> Result<f64, xp::FieldError> {
//!     let mut rng = run.rng("weights");
//!     let mut value = 1.0;
//!     for epoch in 0..epochs {
//!         value *= rng.f64();
//!         losses.append(Loss { epoch, value });
//!     }
//!     run.fields.insert("device", "cpu".to_owned())?;
//!     run.artifact("model.bin", vec![0, 1, 2]);
//!     Ok(value)
//! }
//!
//! #[experiment]
//! fn training(#[param] epochs: u32, #[sequence] losses: Sequence<Loss>, run: &mut Run) {
//!     #[field]
//!     let last: f64 = train(run, &mut losses, epochs)?;
//! }
//!
//! let experiment = Session::in_memory()?.execute(training().epochs([10]))?;
//! for run in experiment.runs() {
//!     let run = run?;
//!     let losses = run.fields.losses.values()?;
//!     assert_eq!(losses.last().map(|loss| loss.value), Some(run.fields.last));
//!     assert!(experiment.artifact(run.id_run, "model.bin")?.is_some());
//! }
//!
//! // In a unit test of the step:
//! let mut losses = Sequence::detached()?;
//! train(&mut Run::detached(7), &mut losses, 3)?;
//! assert_eq!(losses.len(), 3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Errors
//!
//! A step returns a `Result` with any error. The error, or a panic, is the exception of its run;
//! [`skip`] says that there is nothing to compute, which is no failure. What an exception means for
//! the other runs is the [`Policy`].
//!
//! ```
//! use xp::prelude::*;
//!
//! #[step]
//! fn invert(x: i32) -> Result<f64, Box<dyn std::error::Error + Send + Sync>> {
//!     match x {
//!         0 => Err("division by zero".into()),
//!         x if x < 0 => Err(xp::skip("negative").into()),
//!         x => Ok(1.0 / f64::from(x)),
//!     }
//! }
//!
//! #[experiment]
//! fn inverse(#[param] x: i32) {
//!     #[field]
//!     let y: f64 = invert(x)?;
//! }
//!
//! let session = Session::in_memory()?;
//! let result = session.execute(inverse().x(-2..3).policy(Policy::KeepGoing));
//! let Err(xp::Error::RunsFailed(failed)) = result else { panic!("x = 0 fails") };
//! assert_eq!(failed.first.to_string(), "failed {x: 0}: step `invert`: division by zero");
//! assert_eq!(failed.completed, 2);
//! assert_eq!(session.load("inverse")?.failures().count(), 3);
//! # Ok::<(), xp::Error>(())
//! ```
//!
//! # The file
//!
//! [`Session::open`] opens a SQLite database in the layout of the Python package MLtraq: a table
//! `experiment_<name>` for each experiment, with a row for each run that completed. A column's type
//! follows from the Rust type alone:
//!
//! | Rust | column |
//! |---|---|
//! | `bool` | BOOLEAN |
//! | integers but 128-bit ones (up to `i64::MAX`) | BIGINT |
//! | `f32`, `f64` (NaN is NULL) | FLOAT |
//! | `String`, `char`, paths, enums of unit variants | TEXT |
//! | `Duration` | FLOAT, in seconds |
//! | `Vec<u8>` | TEXT, as a blob |
//! | [`Uuid`] | TEXT, 32 hex digits |
//! | timestamps and dates of `jiff`, `SystemTime` | DATETIME (UTC), DATE, TIME |
//! | `Option` of one of these | the same, or NULL |
//! | arrays of `ndarray` of numbers or bools (feature `ndarray`), [`Array`](value::Array) | BLOB: `numpy.ndarray` |
//! | [`Frame`](value::Frame) | BLOB: `pandas.DataFrame` |
//! | `xp::value::ArrowTable`, which is a `RecordBatch` with serde (feature `arrow`) | BLOB: `pyarrow.Table` |
//! | [`Sequence`] | BLOB: MLtraq's `Sequence` |
//! | [`DataStore<T>`](DataStore), [`ArchiveStore`] | BLOB: the URL of a file beside the database |
//! | [`Archive`](value::Archive) | BLOB: TAR, MLtraq's `Archive` |
//! | everything else with serde | BLOB: DATAPAK, MLtraq's pickle without code |
//!
//! Inside another type, such as `Vec<Array1<f64>>`, an array of `ndarray` is what serde makes of it; a
//! `Vec` of [`Array`](value::Array) is a list of `numpy.ndarray`.
//!
//! What else is known stands in tables with the prefix `xp_`: every attempt of a run with its outcome
//! and its times (`xp_run`; the one with the largest `seq` is the last one), exceptions
//! (`xp_exception`), the source of the steps (`xp_step`).
//!
//! ```
//! # use xp::prelude::*;
//! # #[step] fn half(x: f64) -> f64 { x / 2.0 }
//! # #[experiment] fn halves(#[param] x: f64) { #[field] let half: f64 = half(x); }
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("halves.db");
//! # Session::open(&path)?.execute(halves().x([1.0, 2.0]))?;
//! let session = Session::open(&path)?;
//! println!("{}", session.ls()?);
//! let typed = session.load_as::<Halves>("halves")?; // or an error with every column that does not fit
//! let untyped = session.load("halves")?; // fields by name
//! assert_eq!(typed.runs().count(), untyped.runs().count());
//! let last = "select max(seq) from xp_run group by experiment, id_run";
//! let outcomes = format!("select outcome, count(*) from xp_run where seq in ({last}) group by outcome");
//! println!("{}", session.query(&outcomes)?);
//! session.delete("halves")?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Large values
//!
//! A field of type [`DataStore<T>`](DataStore) stands in a file of its own, beside the database: worth
//! it for arrays, models and traces of more than some 100 KB. Loading an experiment does not read it;
//! [`load`](DataStore::load) does, and verifies that it is what was written.
//!
//! ```
//! use xp::prelude::*;
//! use xp::value::Array;
//!
//! #[step]
//! fn simulate(n: usize) -> DataStore<Array> {
//!     Array::from_vec(vec![0.5; n]).into()
//! }
//!
//! /// A step, too, asks for the value.
//! #[step]
//! fn length(trace: &DataStore<Array>) -> Result<usize, xp::DataStoreError> {
//!     Ok(trace.load()?.len())
//! }
//!
//! #[experiment]
//! fn simulation(#[param] n: usize) {
//!     #[field]
//!     let trace: DataStore<Array> = simulate(n);
//!     #[field]
//!     let length: usize = length(&trace)?;
//! }
//!
//! # let folder = tempfile::tempdir()?;
//! let session = Session::open(folder.path().join("simulation.db"))?;
//! session.execute(simulation().n([1_000, 100_000]))?;
//! for run in session.load_as::<Simulation>("simulation")?.runs() {
//!     let fields = run?.fields;
//!     assert_eq!(fields.trace.load()?.len(), fields.length);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The files are in `mltraq.datastore`, in the directory of the database, and MLtraq reads them from
//! there. They are on the disk before the row is committed that refers to them, equal values of an
//! experiment share one, and they go when the experiment is deleted. An [`ArchiveStore`] is such a file
//! that holds files.
//!
//! # Resuming
//!
//! [`Session::resume`] continues the experiment of the plan's name, or makes it, and runs only what
//! is missing: after a crash the rest, after a change of the grid the new points, of a finished sweep
//! nothing. What completed is kept as it is. [`Session::plan`] tells beforehand how many points stand
//! how and which of them would run, and runs nothing.
//!
//! ```
//! use xp::prelude::*;
//!
//! #[step]
//! fn solve(n: u32, budget: u32) -> Result<u32, String> {
//!     if n > budget { Err(format!("{n} is too large")) } else { Ok(n * n) }
//! }
//!
//! #[experiment]
//! fn solving(
//!     /// Where a point runs is no part of what it is.
//!     #[config(identity = false)] budget: u32,
//!     #[param] n: u32,
//! ) {
//!     #[field]
//!     let solution: u32 = solve(n, budget)?;
//! }
//!
//! # let folder = tempfile::tempdir()?;
//! let session = Session::open(folder.path().join("solving.db"))?;
//! let plan = |budget| solving().budget(budget).n(0..10);
//! let Err(xp::Error::RunsFailed(failed)) = session.resume(plan(7)) else { panic!("8 and 9 fail") };
//! assert_eq!((failed.completed, failed.failed), (8, 2));
//!
//! // solving: 12 points, 4 to run
//! //   8 complete  keep  it is complete
//! //   2 failed    run   its last attempt failed
//! //   2 missing   run   it was never run
//! let more = solving().budget(20).n(0..12);
//! println!("{}", session.plan(&more)?);
//! # let told = session.plan(&more)?.to_string();
//! # assert!(told.starts_with("solving: 12 points, 4 to run\n  8 complete  keep  it is complete\n"), "{told}");
//! # assert!(told.contains("\n  2 failed    run   its last attempt failed"), "{told}");
//! # assert!(told.contains("\n  2 missing   run   it was never run"), "{told}");
//! let experiment = session.resume(more)?;
//! assert_eq!(experiment.runs().count(), 12);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Which points run is the plan's [`Rerun`]. By default it is those that are missing, and those that
//! failed, were interrupted (their process died), cancelled or pruned. Points that are *stale* (a
//! step's source has changed since), *partial* (they lack a field that was declared later) or
//! *skipped* are left as they are; they are counted
//! ([`counts`](Experiment::counts)), and the plan, and a line on stderr, say so.
//! `.rerun(Rerun::new().stale(true))` runs the stale ones, too, and
//! `.rerun(Rerun::new().limited(Limited::WithLargerLimit))` runs what timed out only if it has more
//! time now.
//!
//! A field that is added makes the runs that are there partial. `.fill()` computes it from the steps
//! on which it depends, and keeps all else:
//!
//! ```
//! use xp::prelude::*;
//!
//! # mod then {
//! #     use xp::prelude::*;
//! #     #[step] pub fn rank(k: u32) -> f64 { f64::from(k) / 10.0 }
//! #     #[experiment] pub fn ranking(#[param] k: u32) { #[field] let recall: f64 = rank(k); }
//! # }
//! # let folder = tempfile::tempdir()?;
//! # let session = Session::open(folder.path().join("ranking.db"))?;
//! # session.resume(then::ranking().k([5, 10]))?;
//! # use then::rank;
//! # #[step] fn gain(k: u32) -> f64 { 1.0 / f64::from(k) }
//! #[experiment]
//! fn ranking(#[param] k: u32) {
//!     #[field]
//!     let recall: f64 = rank(k);
//!     /// New.
//!     #[field]
//!     let ndcg: f64 = gain(k);
//! }
//!
//! //   2 partial  keep  it lacks the field `ndcg`; `.fill()` computes it
//! let report = session.plan(ranking().k([5, 10]))?;
//! assert_eq!((report.counts.partial, report.counts.to_run), (2, 0));
//! # let told = report.to_string();
//! # assert!(told.ends_with("  2 partial  keep  it lacks the field `ndcg`; `.fill()` computes it"), "{told}");
//! let experiment = session.resume(ranking().k([5, 10]).fill())?; // runs `gain`, and not `rank`
//! assert_eq!(experiment.runs().count(), 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Once a `resume` knows of the field, typed runs are without those that lack it;
//! [`partial`](Experiment::partial) says how many these are. Before, `load_as` says that there is no such
//! column. A fill that fails leaves its run as it was: `plan` has it as partial, and what went wrong
//! is among the [`failures`](Experiment::failures).
//!
//! An input that is added has had some value in the runs that are there, which `absent` says: its
//! default, unless written. If that were to change, the runs would mean something else from then on;
//! so `plan` and `resume` refuse before the first run, and say what to write. Without a default it is
//! part of every point, and the runs that are there are none of the plan's: `plan` says so.
//!
//! ```
//! use xp::prelude::*;
//!
//! # mod then {
//! #     use xp::prelude::*;
//! #     #[step] pub fn walk(n: u32, damping: f64) -> f64 { f64::from(n) * damping }
//! #     #[experiment] pub fn walks(#[config(default = 0.2)] damping: f64, #[param] n: u32) {
//! #         #[field] let length: f64 = walk(n, damping);
//! #     }
//! # }
//! # mod changed {
//! #     use xp::prelude::*;
//! #     #[step] pub fn walk(n: u32, damping: f64) -> f64 { f64::from(n) * damping }
//! #     #[experiment] pub fn walks(#[config(default = 0.3)] damping: f64, #[param] n: u32) {
//! #         #[field] let length: f64 = walk(n, damping);
//! #     }
//! # }
//! # let folder = tempfile::tempdir()?;
//! # let session = Session::open(folder.path().join("walks.db"))?;
//! # session.resume(then::walks().n([1, 2]))?;
//! # let Err(error) = session.resume(changed::walks().n([1, 2])) else { panic!("it is refused") };
//! # assert!(error.to_string().contains("`#[config(default = 0.3, absent = 0.2)]`"), "{error}");
//! # use then::walk;
//! #[experiment]
//! fn walks(
//!     // The default was 0.2. Without `absent`, `resume` says: `damping` was 0.2 where it was not
//!     // given; write `#[config(default = 0.3, absent = 0.2)]`
//!     #[config(default = 0.3, absent = 0.2)]
//!     damping: f64,
//!     #[param] n: u32,
//! ) {
//!     #[field]
//!     let length: f64 = walk(n, damping);
//! }
//!
//! assert_eq!(session.plan(walks().n([1, 2]))?.counts.missing, 2); // those with 0.3
//! assert_eq!(session.plan(walks().n([1, 2]).damping(0.2))?.counts.complete, 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Several processes may resume one sweep at the same time, on the same machine: start the program
//! twice, and they share what is left. Each point is accepted once. If one of them dies, whatever
//! killed it, the others take over what it had begun.
//!
//! # Continuing
//!
//! An experiment with [`continues`](macro@experiment#continuing-runs-that-are-there) adds fields to the runs
//! of another one, loaded from the file or made just before. It reads their fields, params and
//! sequences, each by itself or all together.
//!
//! ```
//! use xp::prelude::*;
//!
//! # #[step] fn measure(n: u64) -> f64 { n as f64 * 0.5 }
//! #[experiment]
//! fn sizes(#[param] n: u64) {
//!     #[field]
//!     let seconds: f64 = measure(n);
//! }
//!
//! /// The longest run.
//! #[step]
//! fn longest(runs: &Runs<Sizes>) -> xp::Result<f64> {
//!     let mut longest = 0.0_f64;
//!     for run in runs {
//!         longest = longest.max(run?.fields.seconds);
//!     }
//!     Ok(longest)
//! }
//!
//! #[step]
//! fn share(seconds: f64, of: f64) -> f64 {
//!     seconds / of
//! }
//!
//! #[experiment(continues = sizes)]
//! fn relative(#[field] seconds: f64, runs: &Runs<Sizes>) {
//!     #[shared]
//!     let longest: f64 = longest(runs)?;
//!     /// A new column in the rows that are there.
//!     #[field]
//!     let relative: f64 = share(seconds, longest);
//! }
//!
//! let session = Session::in_memory()?;
//! session.execute(sizes().n([1, 2, 4]))?;
//! let experiment = session.execute(relative())?;
//! for run in experiment.runs() {
//!     let run: Run<Relative> = run?;
//!     assert_eq!(run.fields.relative, run.fields.seconds / 2.0);
//! }
//! // Both are there: the columns `n`, `seconds`, `relative`.
//! assert_eq!(session.load_as::<Sizes>("sizes")?.runs().count(), 3);
//! # Ok::<(), xp::Error>(())
//! ```
//!
//! `execute` computes the fields of all runs, all or nothing: if one fails, the rows are as they were.
//! `resume` computes what runs lack that were added later, and keeps what is done. What was computed of
//! all runs is *stale* once they are others: `.rerun(Rerun::new().stale(true))` computes it again. The
//! runs that fail are the failures of `load_as::<Relative>("sizes")`. What Python wrote is continued,
//! too: `#[experiment(continues)]`, and `.named("..")` on the plan.
//!
//! # Tables
//!
//! [`Experiment::frame`] and [`Runs::frame`] give runs as a [`Table`]: a row each, ids first, then inputs
//! and fields, every column of one type.
//!
//! ```
//! use xp::prelude::*;
//!
//! # #[derive(serde::Serialize, serde::Deserialize)] struct Size { width: u32, height: u32 }
//! # #[step] fn fit(n: u32) -> Size { Size { width: n, height: 2 } }
//! # #[step] fn area(size: &Size) -> f64 { f64::from(size.width * size.height) }
//! #[experiment]
//! fn areas(#[param] n: u32) {
//!     #[field]
//!     let size: Size = fit(n);
//!     #[field]
//!     let area: f64 = area(&size);
//! }
//!
//! let frame = Session::in_memory()?.execute(areas().n([1, 2, 3]))?.frame()?;
//! assert_eq!(frame.names(), ["id_experiment", "id_run", "n", "size", "area"]);
//! assert_eq!(frame.column("area")?.as_f64s()?.iter().sum::<f64>(), 12.0);
//!
//! let flat = frame.flatten()?; // the members of `size` as columns
//! assert_eq!(flat.column("size.width")?.as_i64s()?.iter().max(), Some(&3));
//! println!("{}", flat.group_by("n"));
//! # Ok::<(), xp::Error>(())
//! ```
//!
//! With the feature `arrow`, `frame.to_record_batch()` gives it to DuckDB, polars and pandas. What
//! [`Session::query`] answers is such a table, too.
//!
//! # Copies, parts and shared files
//!
//! Experiments that were made or loaded are copied, merged, and added to shared files, with all that
//! is known of their runs, and in one transaction: also those that MLtraq wrote.
//!
//! ```
//! use xp::prelude::*;
//!
//! #[step]
//! fn half(x: f64) -> f64 {
//!     x / 2.0
//! }
//!
//! #[experiment]
//! fn halves(#[param] x: f64) {
//!     #[field]
//!     let half: f64 = half(x);
//! }
//!
//! # let folder = tempfile::tempdir()?;
//! # let path = |name: &str| folder.path().join(name);
//! // Two machines, each with a part of the sweep.
//! let (one, two) = (Session::open(path("one.db"))?, Session::open(path("two.db"))?);
//! let a = one.resume(halves().x([1.0, 2.0]))?;
//! let b = two.resume(halves().x([2.0, 3.0]))?;
//!
//! // A point has one id, wherever it runs; of two runs of it the right one counts.
//! assert_eq!((a.runs() | b.runs()).count(), 3);
//! let all = one.merge("all halves", [&a, &b])?;
//! assert_eq!(all.runs().count(), 3);
//!
//! let shared = Session::open(path("shared.db"))?;
//! a.upstream(&shared)?; // makes `halves` there
//! let done = b.upstream(&shared)?; // adds what is new
//! assert_eq!((done.added, done.kept), (1, 1));
//! assert_eq!(shared.plan(halves().x([1.0, 2.0, 3.0]))?.counts.complete, 3);
//!
//! let mut backup = all.copy_to("backup")?; // or `.copy_into(&session, "backup")`
//! backup.rename("halves of today")?;
//! all.delete()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # When things go wrong
//!
//! Long sweeps meet runs that fail now and then, and points that are too large.
//!
//! ```
//! use xp::prelude::*;
//!
//! #[step]
//! fn solve(run: &mut Run, n: u32) -> Result<u32, String> {
//!     for _ in 0..n {
//!         if run.cancelled() {
//!             return Err("asked to stop".to_owned()); // the run is recorded as cancelled
//!         }
//!         // ..
//!     }
//!     if n > 8 { Err("no memory".to_owned()) } else { Ok(n) }
//! }
//!
//! #[experiment]
//! fn solving(#[param] n: u32, run: &mut Run) {
//!     #[field]
//!     let solution: u32 = solve(run, n)?;
//! }
//!
//! let plan = solving()
//!     .n([4, 8, 16, 32])
//!     .retry(2) // what fails is attempted three times; every attempt is recorded
//!     .order_by_key(|p| p.n)
//!     .prune(|p, failed| p.n > failed.n) // 32 is not attempted once 16 has failed
//!     .policy(Policy::StopAfter(100))
//!     .handle_signals() // Ctrl-C and SIGTERM: asks the steps to stop, and exits with 130
//!     .jobs(1);
//! let session = Session::in_memory()?;
//! let Err(xp::Error::RunsFailed(failed)) = session.resume(plan) else { panic!("16 fails") };
//! assert_eq!((failed.completed, failed.failed), (2, 1));
//! let outcomes = session.query("select outcome, count(*) from xp_run group by outcome order by 1")?;
//! assert_eq!(outcomes.rows().len(), 3); // 2 completed, 3 failed, 1 pruned
//! # Ok::<(), xp::Error>(())
//! ```
//!
//! What survives:
//!
//! - **The death of the process**, also by SIGKILL at any instant. A run that was counted (by the
//!   progress bar, by [`on_run`](PlanOptions::on_run)) is in the file, and the file opens without
//!   repair. Any other run is interrupted or missing, and runs again; it is never half there.
//! - **A power cut**, with `.durability(Durability::PowerLoss)`: each commit then waits for the disk,
//!   0.3 to 0.9 ms instead of 0.04 to 0.12 on a disk that answers at once, 10 ms on one that moves.
//!   By default the file is whole after a power cut, and the runs of the last seconds may be missing.
//! - **Sequences of runs that are killed**: rows go to a file beside the database when they are 8,192,
//!   or 256 KiB, or a second old at most, also if no further one comes. All but those since then are
//!   among the [`fields`](Failure::fields) of the run's [`Failure`].
//! - **A full disk, a lock held for too long, a file that is gone, replaced or read-only**: the sweep
//!   stops with a [`StoreError`] that says which, and can be resumed once the cause is gone. A file on
//!   a network file system is refused when it is opened.
//!
//! While programs run, there stand beside `iris.db` the files `iris.db-wal` and `iris.db-shm`, which
//! are SQLite's, and a directory `iris.db-xp` with the locks and the live sequences of processes. They
//! belong to the database: copy or move it when they are gone, which is when the programs have ended.
//! What a killed process leaves of them is taken care of when the file is opened the next time. The
//! directory `mltraq.datastore` with [large values](#large-values) stays, and goes where the database
//! goes: a copy of the database is made into a directory of its own, with this one.
//!
//! With the feature `monitor`, `.monitor(xp::Monitor::new())` on a plan records processors, memory, disk and
//! network of the machine with each run, a row a second, in the sequence `sysmon`.
//!
//! # Isolation
//!
//! A thread cannot be stopped, and an abort, an overflow of the stack or a call of `exit` takes all
//! threads with it. With [`Isolation::Process`] each run is in a process of its own, and that is its
//! [`Outcome`]; and runs can have limits. `main` begins with [`child_main`], since the processes are
//! the program itself, started again.
//!
//! ```standalone_crate
//! use std::time::Duration;
//!
//! use xp::prelude::*;
//!
//! #[step]
//! fn solve(n: u32) -> u32 {
//!     match n {
//!         0 => std::process::abort(),
//!         1 => loop {
//!             std::thread::sleep(Duration::from_millis(1));
//!         },
//!         _ => n,
//!     }
//! }
//!
//! #[experiment]
//! fn solving(#[param] n: u32) {
//!     #[field]
//!     let solution: u32 = solve(n);
//! }
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     xp::child_main::<Solving>(); // of several experiments: `<(Solving, Others)>`
//!     let session = Session::in_memory()?;
//!     let plan = solving()
//!         .n(0..4)
//!         .isolate(Isolation::Process)
//!         .time_limit(Duration::from_millis(500)) // also `.cpu_limit(..)`, `.memory_limit(..)`
//!         .jobs(2);
//!     let Err(xp::Error::RunsFailed(failed)) = session.resume(plan) else { panic!("two fail") };
//!     assert_eq!((failed.completed, failed.failed), (2, 2));
//!     let mut outcomes = Vec::new();
//!     for failure in session.load("solving")?.failures() {
//!         outcomes.push(failure?.outcome);
//!     }
//!     assert!(outcomes.contains(&Outcome::Killed) && outcomes.contains(&Outcome::TimedOut));
//!     Ok(())
//! }
//! ```
//!
//! A process serves run after run until something kills it. Limits do not count `#[shared]` steps,
//! of which one process has all runs that need the same value. Inputs, fields and states cross as
//! data: a `#[state]` must be `Serialize`, and the compiler says so. The fields, artifacts and
//! sequences that a run had made are kept, whatever ends it: of sequences all rows where a limit
//! ends it, and otherwise all but those of the last second. Processor time and peak memory of each run are in
//! `xp_run`, in the columns `user`, `system` (seconds) and `memory` (bytes).
//!
//! # Without macros
//!
//! [`Session::sweep`] executes a closure for each of a list of points, and [`Session::run`] executes
//! one once: for harnesses that bring their own structure.
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use xp::prelude::*;
//!
//! #[derive(Serialize, Deserialize)]
//! struct Setting {
//!     population: u32,
//!     rate: f64,
//! }
//!
//! #[derive(Serialize, Deserialize)]
//! struct Best {
//!     fitness: f64,
//! }
//!
//! let settings = [10, 20].map(|population| Setting { population, rate: 0.1 });
//! let session = Session::in_memory()?;
//! let experiment = session.sweep("ga", settings, |setting, run| {
//!     let noise = run.rng("noise").f64();
//!     Ok::<_, String>(Best { fitness: f64::from(setting.population) * setting.rate + noise })
//! })?;
//! for run in experiment.runs() {
//!     let run = run?;
//!     assert!(run.fields.result.fitness >= f64::from(run.fields.point.population) * 0.1);
//! }
//! # Ok::<(), xp::Error>(())
//! ```

pub use xp_macros::{experiment, step};
pub use xp_runtime::*;

/// What nearly every program needs: `use xp::prelude::*;`.
pub mod prelude {
    pub use crate::{
        AnyPlan as _, DataStore, Durability, Experiment, Grid as _, IfExists, IntoAny as _,
        IntoPlan as _, Isolation, Limited, Options, Order, Outcome, PlanOptions as _, Policy,
        Rerun, Run, Runs, Sequence, Session, WithPoints as _, experiment, step,
    };
}

/// Used by generated code. Not public, and not subject to semantic versioning.
#[doc(hidden)]
pub mod __private {
    pub use xp_macros::callee_must_be_a_step;
    pub use xp_runtime::__private::*;
}
