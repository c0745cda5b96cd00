use xp::prelude::*;

#[step]
#[step(version = 2)]
fn load() {}

#[step]
#[xp::prelude::step]
fn save() {}

fn main() {}
