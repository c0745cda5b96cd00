use xp::prelude::*;

#[step]
fn fit(k: usize) -> Vec<usize> {
    vec![k]
}

#[step]
fn score(model: Vec<usize>) -> f64 {
    model.len() as f64
}

#[experiment]
fn iris(#[param] k: usize) {
    #[state]
    let model: Vec<usize> = fit(k);
    #[field]
    let accuracy: f64 = score(model);
}

fn main() {}
