use xp::prelude::*;

#[step]
fn fit(k: usize) -> f64 {
    k as f64
}

#[experiment]
fn iris(#[param] k: usize) {
    for round in 0..10 {
        fit(k);
    }
    while k > 3 {
        fit(k);
    }
    let best = loop {
        break fit(k);
    };
}

fn main() {}
