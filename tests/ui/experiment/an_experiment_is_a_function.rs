use xp::prelude::*;

#[experiment]
struct Iris {
    k: usize,
}

#[experiment]
impl Iris {}

#[experiment]
mod iris {}

fn main() {}
