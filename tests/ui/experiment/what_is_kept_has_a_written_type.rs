use xp::prelude::*;

#[step]
fn fit(k: usize) -> f64 {
    k as f64
}

#[experiment]
fn iris(#[param] k: usize) {
    #[shared]
    let data = fit(k);
    #[state]
    let model: Vec<_> = fit(k);
    #[field]
    let accuracy = fit(k);
}

fn main() {}
