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
//! | everything else with serde | BLOB: DATAPAK, MLtraq's pickle without code |
//!
//! What else is known stands in tables with the prefix `xp_`: every run with its outcome and its
//! times (`xp_run`), exceptions (`xp_exception`), the source of the steps (`xp_step`).
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
//! println!("{}", session.query("select outcome, count(*) from xp_run group by outcome")?);
//! session.delete("halves")?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
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
        AnyPlan as _, Experiment, Grid as _, IfExists, IntoAny as _, IntoPlan as _, Isolation,
        Options, Order, PlanOptions as _, Policy, Run, Sequence, Session, WithPoints as _,
        experiment, step,
    };
}

/// Used by generated code. Not public, and not subject to semantic versioning.
#[doc(hidden)]
pub mod __private {
    pub use xp_macros::callee_must_be_a_step;
    pub use xp_runtime::__private::*;
}
