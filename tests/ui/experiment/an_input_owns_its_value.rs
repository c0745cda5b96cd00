use xp::prelude::*;

#[step]
fn fit(k: usize) -> f64 {
    k as f64
}

#[experiment]
fn iris(#[config] path: &str, #[param] sizes: &[u32], #[param] k: &'static usize) {
    #[field]
    let accuracy: f64 = fit(k);
}

fn main() {}
