use xp::prelude::*;

#[step]
fn fit(k: usize) -> f64 {
    k as f64
}

#[step]
fn train(losses: &mut Vec<f64>) {
    losses.push(0.5);
}

#[experiment]
fn iris(#[param] k: usize, #[sequence] losses: Vec<f64>) {
    train(&mut losses);
    #[field]
    let accuracy: f64 = fit(k);
}

fn main() {}
