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
fn iris(#[param] k: usize) {
    fit(k);
}

fn main() {}
