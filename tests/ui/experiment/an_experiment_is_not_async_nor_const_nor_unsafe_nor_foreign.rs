use xp::prelude::*;

#[step]
fn fit(k: usize) -> f64 {
    k as f64
}

#[experiment]
async fn fetched(#[param] k: usize) {
    fit(k);
}

#[experiment]
const fn computed(#[param] k: usize) {
    fit(k);
}

#[experiment]
unsafe fn risky(#[param] k: usize) {
    fit(k);
}

#[experiment]
extern "C" fn foreign(#[param] k: usize) {
    fit(k);
}

fn main() {}
