use xp::prelude::*;

#[step]
fn fit(k: usize) -> f64 {
    k as f64
}

#[experiment]
fn iris(#[param] k: usize) {
    #[field]
    let k: f64 = fit(k);
    #[field]
    let accuracy: f64 = fit(k);
    #[field]
    let Accuracy: f64 = fit(3);
}

fn main() {}
