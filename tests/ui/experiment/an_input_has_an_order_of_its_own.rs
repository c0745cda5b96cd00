use xp::prelude::*;

use std::collections::HashSet;

#[step]
fn fit(features: &HashSet<String>) -> usize {
    features.len()
}

#[experiment]
fn iris(#[param] features: HashSet<String>) {
    #[field]
    let accuracy: usize = fit(&features);
}

fn main() {}
