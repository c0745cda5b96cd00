use xp::prelude::*;

#[step]
fn fit(k: usize) -> f64 {
    k as f64
}

#[experiment]
fn iris(#[param] k: usize) -> f64 {
    let accuracy = fit(k);
    accuracy
}

fn main() {}
