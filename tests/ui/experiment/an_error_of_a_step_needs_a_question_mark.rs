use xp::prelude::*;

#[step]
fn fit(k: usize) -> xp::Result<f64> {
    Ok(k as f64)
}

#[experiment]
fn iris(#[param] k: usize) {
    #[field]
    let accuracy: f64 = fit(k);
}

fn main() {}
