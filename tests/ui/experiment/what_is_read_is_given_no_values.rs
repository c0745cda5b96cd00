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

#[experiment(continues = iris)]
fn grade(
    #[config(default = 1, absent = 2)] weight: u32,
    #[param(values = [1, 2], identity = false)] k: usize,
    #[field(default = 0.5, prefix = "old_")] accuracy: f64,
) {
    #[field]
    let grade: bool = grade_of(accuracy);
}

fn main() {}
