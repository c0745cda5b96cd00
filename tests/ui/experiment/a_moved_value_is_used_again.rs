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
    let model = fit(k);
    #[field]
    let accuracy: f64 = score(model);
    #[field]
    let again: f64 = score(model);
}

fn main() {}
