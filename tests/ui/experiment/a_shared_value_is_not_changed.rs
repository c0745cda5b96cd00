use xp::prelude::*;

#[step]
fn load(seed: u64) -> Vec<u64> {
    vec![seed]
}

#[step]
fn extend(rows: &mut Vec<u64>) {
    rows.push(1);
}

#[experiment]
fn iris(#[param] seed: u64) {
    #[shared]
    let rows: Vec<u64> = load(seed);
    extend(&mut rows);
    #[shared]
    let mut more: Vec<u64> = load(seed);
}

fn main() {}
