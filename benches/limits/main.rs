//! What xp costs, beside what the same work costs without it.
//!
//! `cargo bench --bench limits [-- FILTER] [--quick]` prints a table. Each line is measured against
//! its limit in the same process, in turns; the columns `xp` and `limit` are medians, and the ratio
//! is the median of the ratios of neighbours.

mod bare;
mod experiments;
mod load;
mod measure;
mod memory;
mod mltraq;
mod resume;
mod short;
mod stores;
mod workloads;

use std::process::ExitCode;

use self::measure::{Effort, Line};

type Result<T> = std::result::Result<T, anyhow::Error>;

/// A benchmark: its name, and what measures it.
type Benchmark = (&'static str, fn(Effort) -> Result<Line>);

const BENCHMARKS: &[Benchmark] = &[
    (
        "1,000 runs of 1,000 points each, one thread",
        workloads::sequences,
    ),
    (
        "1,000 runs of 1,000 points each, against mltraq",
        mltraq::sequences,
    ),
    (
        "1,000,000 points of a chunk-flushed sequence",
        workloads::flushed,
    ),
    ("10,000 empty runs, 100 a commit", workloads::empty_runs),
    (
        "resume of a finished sweep of 100,000 points",
        resume::finished,
    ),
    ("1,000,000 points, all complete: planned", resume::planned),
    (
        "10,000 runs of 1 ms on 2 threads, each counted once committed",
        short::committed,
    ),
    (
        "the same with `isolate(Process)`, beside it without",
        short::isolated,
    ),
    (
        "8 arrays of 1,000,000 floats as `DataStore`, written and read",
        stores::arrays,
    ),
    ("the same as `DataStore<Vec<f64>>`", stores::vectors),
    ("one point into a declared sequence", workloads::one_point),
    ("one run without a file", workloads::one_run),
    ("open a new file", workloads::open),
    (
        "a list of 1,000,000 floats, as xp writes it: decoded",
        load::floats_of_xp,
    ),
    (
        "a list of 1,000,000 floats, as MLtraq writes it: decoded",
        load::floats_of_mltraq,
    ),
    ("load of 100,000 runs with 5 native fields", load::runs),
    ("peak memory of 1,000,000 runs in a grid", memory::grid),
    ("peak memory of 1,000,000 values of one param", memory::list),
];

fn main() -> ExitCode {
    xp::child_main::<experiments::Short>();
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.first().is_some_and(|arg| arg == memory::CHILD) {
        return memory::child(&args[1..]);
    }
    let effort = if args.iter().any(|arg| arg == "--quick") {
        Effort::Quick
    } else {
        Effort::Full
    };
    let filter = args.iter().find(|arg| !arg.starts_with("--"));
    println!("{}", measure::HEAD);
    for (name, measure) in BENCHMARKS.iter().copied() {
        if filter.is_some_and(|filter| !name.contains(filter.as_str())) {
            continue;
        }
        match measure(effort) {
            Ok(line) => println!("{}", line.show(name)),
            Err(error) => println!("| {name} | {error:#} | | | |"),
        }
    }
    ExitCode::SUCCESS
}
