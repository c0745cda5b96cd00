use xp::prelude::*;

#[step]
fn fit(k: usize) -> f64 {
    k as f64
}

#[experiment]
fn iris(#[config] seeds: impl Iterator<Item = u64>, #[param] k: _, #[param] sizes: Vec<_>) {
    #[field]
    let accuracy: f64 = fit(k);
}

fn main() {}
