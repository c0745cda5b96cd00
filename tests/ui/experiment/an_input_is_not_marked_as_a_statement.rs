use xp::prelude::*;

#[step]
fn fit(k: usize) -> f64 {
    k as f64
}

#[experiment]
fn iris(
    #[param] k: usize,
    #[state] model: f64,
    #[shared] seed: u64,
    #[field] accuracy: f64,
    #[parm] size: u64,
) {
    fit(k);
}

fn main() {}
