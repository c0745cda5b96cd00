use xp::prelude::*;

#[step]
fn fit(k: usize) -> f64 {
    k as f64
}

#[experiment]
fn iris(#[param] k: usize) {
    #[state]
    let model: f64 = fit(k);
    #[state]
    let model: f64 = fit(k);
}

fn main() {}
