use xp::prelude::*;

#[step]
fn fit(k: usize) -> f64 {
    k as f64
}

#[step]
fn score(model: f64) -> f64 {
    model
}

#[experiment]
fn iris(#[param] k: usize) {
    #[field]
    let accuracy: f64 = score(model);
    #[state]
    let model: f64 = fit(k);
}

fn main() {}
