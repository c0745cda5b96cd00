use xp::prelude::*;

#[step]
fn fit(k: usize) -> f64 {
    k as f64
}

#[experiment]
fn iris(#[param] k: usize) {
    fit(k);
}

#[experiment]
fn mushrooms(#[param] k: usize) {
    fit(k);
}

fn main() {
    let plan = xp::union([iris().k([1]), mushrooms().k([1])]);
}
