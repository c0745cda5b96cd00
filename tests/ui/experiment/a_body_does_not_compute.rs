use xp::prelude::*;

#[step]
fn fit(k: usize) -> f64 {
    k as f64
}

#[experiment]
fn iris(#[param] k: usize) {
    let double = 2 * k;
    let negative = !k;
    let wide = k as u64;
    let range = 0..k;
    let pair = (k, k);
    let list = [k, k];
    let first = list[0];
    #[field]
    let accuracy: f64 = fit(k + 1);
}

fn main() {}
