use xp::prelude::*;

#[step]
fn fit(k: usize) -> f64 {
    k as f64
}

#[experiment(nmae = "flowers", version = 2)]
fn iris(
    #[config(defualt = 0.3)] test_ratio: f64,
    #[param(range = 1..3)] k: usize,
    #[config(values = [1, 2])] rounds: u32,
) {
    #[field(prefiks = "train_")]
    let accuracy: f64 = fit(k);
    #[state(flatten)]
    let model: f64 = fit(k);
}

fn main() {}
