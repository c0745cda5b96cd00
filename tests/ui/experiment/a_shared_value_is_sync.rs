use xp::prelude::*;

use std::cell::RefCell;

#[step]
fn load(seed: u64) -> RefCell<u64> {
    RefCell::new(seed)
}

#[step]
fn fit(data: &RefCell<u64>, k: usize) -> u64 {
    *data.borrow() * k as u64
}

#[experiment]
fn iris(#[param] k: usize, #[param] seed: u64) {
    #[shared]
    let data: RefCell<u64> = load(seed);
    #[field]
    let accuracy: u64 = fit(&data, k);
}

fn main() {}
