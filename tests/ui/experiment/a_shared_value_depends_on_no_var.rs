use xp::prelude::*;

#[step]
fn fit(k: usize) -> f64 {
    k as f64
}

#[step]
fn load(model: f64) -> Vec<f64> {
    vec![model]
}

#[experiment]
fn iris(#[param] k: usize) {
    let model = fit(k);
    #[shared]
    let rows: Vec<f64> = load(model);
    #[field]
    let accuracy: f64 = fit(k);
    #[shared]
    let more: Vec<f64> = load(accuracy);
}

fn main() {}
