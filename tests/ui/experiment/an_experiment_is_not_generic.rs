use xp::prelude::*;

#[step]
fn fit(k: usize) -> f64 {
    k as f64
}

#[experiment]
fn typed<T: Clone>(#[param] model: T, #[param] k: usize) {
    fit(k);
}

#[experiment]
fn constrained(#[param] k: usize)
where
    usize: Copy,
{
    fit(k);
}

fn main() {}
