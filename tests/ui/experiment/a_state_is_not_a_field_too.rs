use xp::prelude::*;

#[step]
fn load(k: u64) -> u64 {
    k
}

#[experiment]
fn twice(#[param] k: u64) {
    #[state]
    let loaded: u64 = load(k);
    #[field]
    let loaded: u64 = load(k);
}

fn main() {
    let _ = twice();
}
