use xp::prelude::*;

#[step]
fn fit(k: usize) -> f64 {
    1.0 / k as f64
}

#[experiment]
fn iris(#[param] k: usize) {
    #[field]
    let accuracy: f64 = fit(k);
}

#[step]
fn grade_of(accuracy: f64) -> bool {
    accuracy > 0.5
}

#[step]
fn count(runs: &Runs<Iris>) -> usize {
    runs.iter().count()
}

#[experiment(continues = iris)]
fn grade(runs: Runs<Iris>) {
    #[field]
    let count: usize = count(&runs);
}

#[experiment(continues = iris)]
fn rank(runs: &mut Runs<Iris>) {
    #[field]
    let count: usize = count(runs);
}

#[experiment(continues = iris)]
fn twice(runs: &Runs<Iris>, more: &Runs) {
    #[field]
    let count: usize = count(runs);
}

fn main() {}
