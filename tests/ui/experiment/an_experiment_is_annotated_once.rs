use xp::prelude::*;

#[step]
fn fit(k: usize) -> f64 {
    k as f64
}

#[experiment]
#[experiment(name = "flowers")]
fn iris(#[param] k: usize) {
    #[field]
    let accuracy: f64 = fit(k);
}

fn main() {}
