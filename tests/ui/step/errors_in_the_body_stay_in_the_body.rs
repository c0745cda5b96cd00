use xp::prelude::*;

#[step]
fn load(path: &str) -> usize {
    let length: usize = path;
    lenght
}

fn main() {}
