use xp::prelude::*;

#[step]
fn fit(k: usize) -> f64 {
    k as f64
}

#[experiment(name = iris, types = "Iris")]
fn flowers(
    #[config(identity = 1, default = 0.3)] test_ratio: f64,
    #[param(skip = true)] k: usize,
    #[param(default)] seed: u64,
    #[param = 3] rounds: u32,
) {
    #[field(flatten, prefix = train)]
    let accuracy: f64 = fit(k);
}

fn main() {}
