use xp::prelude::*;

#[step]
fn fit(k: usize) -> f64 {
    k as f64
}

#[experiment]
fn iris(#[param] k: usize) {
    println!("k = {k}");
    k.count_ones();
    let name = format!("{k}");
    let bits = k.count_ones();
    #[field]
    let accuracy: f64 = fit(k);
}

fn main() {}
