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

#[experiment]
fn wine(#[param] k: usize) {
    #[field]
    let accuracy: f64 = fit(k);
}

#[step]
fn count(runs: &Runs<Wine>) -> usize {
    runs.iter().count()
}

#[experiment(continues = iris)]
fn grade(runs: &Runs<Wine>) {
    #[field]
    let count: usize = count(runs);
}

fn main() {}
