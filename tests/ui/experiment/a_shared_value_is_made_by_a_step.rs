use xp::prelude::*;

#[step]
fn fit(k: usize) -> f64 {
    k as f64
}

#[experiment]
fn iris(#[param] k: usize) {
    #[shared]
    let ratio: f64 = 0.3;
    #[shared]
    let same: usize = k;
    #[field]
    let accuracy: f64 = fit(k);
}

fn main() {}
