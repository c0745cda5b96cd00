use xp::prelude::*;

#[step]
fn fit(k: usize) -> f64 {
    k as f64
}

#[experiment]
fn iris(
    #[param(absent = _)] k: usize,
    #[param(values = [1, 2], absent = _)] depth: u64,
    #[config(default = 0.1, absent = _)] decay: f64,
) {
    #[field]
    let accuracy: f64 = fit(k);
}

fn main() {}
