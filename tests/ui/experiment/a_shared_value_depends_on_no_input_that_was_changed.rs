use xp::prelude::*;

#[step]
fn grow(k: &mut u64) {
    *k += 1;
}

#[step]
fn load(k: u64) -> u64 {
    k
}

#[step]
fn load_and_grow(k: &mut u64) -> u64 {
    *k += 1;
    *k
}

#[experiment]
fn changed(#[param] mut k: u64, #[param] mut j: u64) {
    grow(&mut k);
    #[shared]
    let loaded: u64 = load(k);
    #[shared]
    let grown: u64 = load_and_grow(&mut j);
    #[field]
    let sum: u64 = load(loaded);
}

fn main() {
    let _ = changed();
}
