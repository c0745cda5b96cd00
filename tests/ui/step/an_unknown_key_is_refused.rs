use xp::prelude::*;

#[step(verison = 2, name = "load")]
fn load() {}

fn main() {}
