use xp::prelude::*;

#[step]
fn fit(k: usize) -> f64 {
    k as f64
}

#[experiment]
#[step]
fn iris(#[param] k: usize) {
    #[field]
    let accuracy: f64 = fit(k);
}

#[step]
#[experiment]
fn mushrooms(k: usize) -> f64 {
    k as f64
}

fn main() {}
