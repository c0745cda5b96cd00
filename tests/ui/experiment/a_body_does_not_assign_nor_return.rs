use xp::prelude::*;

#[step]
fn fit(k: usize) -> f64 {
    k as f64
}

#[experiment]
fn iris(#[param] mut k: usize) {
    let mut model;
    model = fit(k);
    k += 1;
    return;
}

fn main() {}
