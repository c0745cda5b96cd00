use xp::prelude::*;

#[step]
fn fit(k: usize) -> f64 {
    k as f64
}

#[step]
fn score(model: &f64) -> String {
    model.to_string()
}

#[experiment]
fn iris(#[param] k: usize, #[param] seed: u64) {
    #[state]
    let model: f64 = fit(seed);
    #[field]
    let accuracy: f64 = score(model);
}

fn main() {}
