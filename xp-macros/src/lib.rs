//! The attribute macros of `xp`. Use them through the facade: `use xp::prelude::*;`.
//!
//! Each attribute goes parse → validate → expand, on `proc_macro2` throughout, and expands to data plus
//! paths into `::xp::__private`. On an error the item is emitted too, so that editors keep completing in it.

mod attr;
mod callee;
mod debug;
mod doc;
mod error;
mod experiment;
mod fallback;
mod fingerprint;
mod paths;
mod source;
mod step;
mod tokens;

use proc_macro::TokenStream;

/// Declares a free function to be a step of experiments.
///
/// The function stays as it is: call it in unit tests, pass it to `map`, document it. Beside it, in the type
/// namespace, stands a hidden struct of the same name and visibility which implements `Step` and says what the
/// function is: its name, place, documentation, source text and fingerprint.
///
/// ```
/// # use xp::prelude::*;
/// # struct Rows(Vec<(f64, u8)>);
/// # struct Knn(usize);
/// /// Share of the rows classified correctly.
/// #[step]
/// fn score(model: &Knn, rows: &Rows) -> f64 {
///     // ..
/// #   (model.0.min(rows.0.len())) as f64
/// }
///
/// /// Fit the classifier.
/// #[step(version = 2)] // what earlier versions computed is no longer the same
/// fn fit(rows: &Rows, k: usize) -> Result<Knn, String> {
///     // ..
/// #   if k > rows.0.len() { Err("too few rows".to_owned()) } else { Ok(Knn(k)) }
/// }
///
/// let rows = Rows(vec![(0.5, 1)]);
/// assert_eq!(fit(&rows, 1).map(|model| score(&model, &rows)), Ok(1.0));
/// ```
///
/// Inputs are owned or borrowed, the function may be generic, and it returns a `T` or a `Result<T, E>`. It is
/// an ordinary, safe function: no `async`, no `unsafe`, no `self`.
///
/// | key | meaning |
/// |---|---|
/// | `version = 2` | the function's meaning changed: points computed with another version are other points (default 1) |
///
/// The struct needs the function's name in the type namespace. So a step and a module (or another type) of one
/// name cannot stand in one scope, nor be imported into one: instead of `mod train;` with
/// `use train::train;`, write `train::train(..)` or rename one of the two.
///
/// # Source text and fingerprint
///
/// The text is the item as it is in the file, from its first attribute or doc comment to its closing brace,
/// with line ends as `\n`; where that cannot be had (the function comes out of a macro) it is a rendering,
/// and marked as one.
///
/// The fingerprint is of the function's tokens: comments, spacing, doc and lint attributes and trailing
/// commas do not count, nor do the keys above. Functions called by the step are not part of it.
#[proc_macro_attribute]
pub fn step(args: TokenStream, item: TokenStream) -> TokenStream {
    step::expand(args.into(), item.into()).into()
}

/// Declares an experiment: inputs, the steps that are applied to them, and what is recorded.
///
/// The parameters of the function are the experiment's inputs, its statements call steps. The function
/// itself becomes one without parameters that makes a plan, with a setter for each input:
///
/// ```
/// # use xp::prelude::*;
/// # struct Split;
/// # struct Knn;
/// # #[step] fn load(_seed: u64, _test_ratio: f64) -> Result<Split, String> { Ok(Split) }
/// # #[step] fn fit(_split: &Split, _k: usize) -> Knn { Knn }
/// # #[step] fn score(_model: &Knn, _split: &Split) -> f64 { 0.5 }
/// /// How the number of neighbours changes the accuracy of k-NN on Iris.
/// #[experiment]
/// fn iris(
///     /// Share of the rows held out for testing.
///     #[config(default = 0.3)] test_ratio: f64,
///     /// Number of neighbours.
///     #[param] k: usize,
///     #[param] seed: u64,
/// ) {
///     #[shared]
///     let split: Split = load(seed, test_ratio)?;
///     #[state]
///     let model: Knn = fit(&split, k);
///     /// Share of the test rows classified correctly.
///     #[field]
///     let accuracy: f64 = score(&model, &split);
/// }
///
/// let session = Session::in_memory()?;
/// session.execute(iris().k([1, 3, 5]).seed(0..10))?;
/// # Ok::<(), xp::Error>(())
/// ```
///
/// # Inputs
///
/// | input | meaning |
/// |---|---|
/// | `#[config] x: T` | one value for all runs of an execution |
/// | `#[param] x: T` | varies: the plan takes any number of values |
/// | `#[sequence] x: Sequence<Row>` | a series of rows, which steps extend as `&mut x` |
/// | `run: &mut Run` | the run itself, for random numbers, further fields and artifacts |
///
/// | key | of | meaning |
/// |---|---|---|
/// | `default = expr` | both | the value if the plan gives none |
/// | `values = expr` | param | the values if the plan gives none |
/// | `absent = expr` | both | the value which runs had before this input existed: it does not count for their identity; the `default` unless written |
/// | `absent = _` | both | every value counts for the identity, also the `default`: for a default which was added to an input that always existed |
/// | `identity = false` | both | recorded, and no part of a point's identity: a path, a number of threads |
/// | `flatten` | both | a struct whose members are the columns |
/// | `key = function` | both | a type without serde: the text that `fn(&T) -> String` makes is its column and identity |
/// | `skip` | both | not recorded as a column |
///
/// # Statements
///
/// `let pattern = step(..);`, with `?` where the step returns a `Result`, or `step(..);`. Arguments, and
/// right sides that call no step, are places: a name, `&` or `&mut` of one, a member, a literal, `.clone()`.
///
/// | mark of a `let` | meaning |
/// |---|---|
/// | none | a var: dropped when the run's steps end, never leaves its thread |
/// | `#[shared]` | computed once for all runs that have the inputs in common on which it depends |
/// | `#[state]` | kept in memory after the run |
/// | `#[field]` | recorded: a column; `#[field(flatten, prefix = "..")]`: a column for each member |
///
/// A field that is not `mut` is recorded as its statement makes it, and is kept also if a later step fails;
/// one that is `mut` is recorded as the last statement leaves it.
///
/// The last three need a plain name and a written type. All branches and loops belong inside of steps.
///
/// # Continuing runs that are there
///
/// With `continues`, the experiment makes no runs of its own: it adds fields to the runs that another
/// one has made, in this process or before. There is one run for each completed run, whose `id_run`
/// and row it keeps.
///
/// ```
/// # use xp::prelude::*;
/// # #[step] fn fit(k: usize) -> f64 { 1.0 - 1.0 / (k as f64 + 1.0) }
/// # #[experiment] fn iris(#[param] k: usize) { #[field] let accuracy: f64 = fit(k); }
/// # #[step] fn mean_of(runs: &Runs<Iris>) -> xp::Result<f64> {
/// #     let all: xp::Result<Vec<f64>> = runs.iter().map(|run| Ok(run?.fields.accuracy)).collect();
/// #     Ok(all?.iter().sum::<f64>() / runs.iter().count() as f64)
/// # }
/// # #[step] fn grade_of(accuracy: f64, mean: f64, margin: f64) -> String {
/// #     if accuracy > mean + margin { "good" } else { "poor" }.to_owned()
/// # }
/// #[experiment(continues = iris)] // the path of the other's function
/// fn grade(
///     #[config(default = 0.0)] margin: f64,
///     #[field] accuracy: f64,
///     runs: &Runs<Iris>,
/// ) {
///     #[shared]
///     let mean: f64 = mean_of(runs)?; // once
///     #[field]
///     let grade: String = grade_of(accuracy, mean, margin);
/// }
///
/// let session = Session::in_memory()?;
/// session.execute(iris().k([1, 3, 5]))?;
/// let graded: Experiment<Grade> = session.execute(grade())?;
/// assert_eq!(graded.name, "iris");
/// # Ok::<(), xp::Error>(())
/// ```
///
/// | input | meaning |
/// |---|---|
/// | `#[field] x: T` | a field of the run, or any other column; `flatten` and `prefix` as where it was made |
/// | `#[param] x: T` | a recorded input of the run; if there is no such column, one that MLtraq kept in the field `args` (`args_field = ".."` names another), among the params or in the config |
/// | `#[sequence] x: Sequence<Row>` | a sequence of the run, read only: steps take `&x`, and make further ones by `run.sequence(..)` |
/// | `#[config] x: T` | given by the plan as ever, and recorded in a column of its own |
/// | `runs: &Runs<Iris>` | all complete runs, read only, as they are in the file when they are gone through; `&Runs` for fields that are bunches |
/// | `run: &mut Run` | as ever; `run.rng(..)` depends on the root seed, the run's id and the config |
///
/// `#[shared]` values may depend on all of these but a sequence and the run: on what is read they
/// depend by its value. The body is as ever; its fields are new columns. What a run has already is
/// neither a field nor inserted.
///
/// `session.execute(grade())` computes the fields of all runs, in place of those that it computed
/// before, all or nothing (unless the plan has another policy): if a run fails, all rows are as they
/// were. `session.resume(grade())` computes them where they are missing, and keeps each row when it is
/// done; what was computed with another config is stale, and so is what was computed of all runs (with a
/// `&Runs` among the inputs) once there are further ones, or one of them was made again. A run that is
/// made again lacks the fields again. `session.plan(grade())` tells how the runs stand. What fails here
/// counts for no run of the other experiment: `session.load_as::<Grade>("iris")?.failures()` has it. Runs
/// are chosen by `.filter(|run| run.accuracy > 0.5)`.
///
/// All columns of a row have names of their own, the configs of continuing experiments, too. Runs that
/// read sequences, or all runs, cannot have processes of their own (`.isolate(..)`).
///
/// The experiment of the other's name is continued, or the one that `.named("..")` says: each column
/// must be there with its type, which is checked before the first run. `#[experiment(continues)]`, without
/// a path, continues what no Rust program declares, and needs the name.
///
/// # What it leaves
///
/// Besides the function, with its visibility, types named after it: `Iris` (for `Experiment<Iris>` and
/// `Run<Iris>`), `IrisPlan`, `IrisConfig`, `IrisParams`, `IrisState` and `IrisFields`. `#[experiment(name =
/// "..")]` gives the experiment another name than the function's, `types = Stem` the types another stem.
#[proc_macro_attribute]
pub fn experiment(args: TokenStream, item: TokenStream) -> TokenStream {
    experiment::expand(args.into(), item.into()).into()
}

/// Checks that a path names a `#[step]`, and gives its `&'static StepInfo`. Used by generated code only.
///
/// The name is the advice: `rustc` prints it below its own error when the path names a plain function.
#[doc(hidden)]
#[proc_macro]
pub fn callee_must_be_a_step(path: TokenStream) -> TokenStream {
    callee::expand(path.into()).into()
}
