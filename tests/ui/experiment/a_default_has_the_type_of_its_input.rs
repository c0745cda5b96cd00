use xp::prelude::*;

#[step]
fn fit(k: usize) -> f64 {
    k as f64
}

#[experiment]
fn iris(
    #[config(default = "0.3")] test_ratio: f64,
    #[param(values = [0.5, 1.5])] k: usize,
    #[config(default = 3)] path: String,
) {
    #[field]
    let accuracy: f64 = fit(k);
}

fn main() {}
