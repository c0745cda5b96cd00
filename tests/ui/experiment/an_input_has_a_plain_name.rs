use xp::prelude::*;

#[step]
fn fit(k: usize) -> f64 {
    k as f64
}

#[experiment]
fn iris(#[param] (k, seed): (usize, u64), #[config] _: f64) {
    #[field]
    let accuracy: f64 = fit(k);
}

fn main() {}
