use xp::prelude::*;

#[step]
fn fit(k: usize) -> f64 {
    k as f64
}

#[experiment]
fn iris(#[param] k: usize) {
    let double = |x: f64| 2.0 * x;
    let model = { fit(k) };
    let other = unsafe { fit(k) };
    use std::collections::BTreeMap;
    fn helper() {}
    const ROUNDS: u32 = 3;
}

fn main() {}
