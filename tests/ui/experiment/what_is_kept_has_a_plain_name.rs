use xp::prelude::*;

#[step]
fn fit(k: usize) -> f64 {
    k as f64
}

#[experiment]
fn iris(#[param] k: usize) {
    #[field]
    let (accuracy, loss): (f64, f64) = fit(k);
    #[state]
    let Some(model) = fit(k);
}

fn main() {}
