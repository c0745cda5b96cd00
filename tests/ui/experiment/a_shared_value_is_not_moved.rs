use xp::prelude::*;

#[step]
fn load(seed: u64) -> Vec<u64> {
    vec![seed]
}

#[step]
fn consume(rows: Vec<u64>) -> u64 {
    rows.len() as u64
}

#[experiment]
fn iris(#[param] seed: u64) {
    #[shared]
    let rows: Vec<u64> = load(seed);
    #[field]
    let accuracy: u64 = consume(rows);
}

fn main() {}
