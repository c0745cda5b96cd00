use xp::prelude::*;

#[step]
fn fit(k: usize) -> f64 {
    k as f64
}

#[experiment]
fn iris(#[param] k: usize) {
    #[param]
    let model: f64 = fit(k);
    #[config]
    let ratio: f64 = fit(k);
    #[feild]
    let accuracy: f64 = fit(k);
    #[field]
    fit(k);
}

fn main() {}
