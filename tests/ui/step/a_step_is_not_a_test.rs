use xp::prelude::*;

#[step]
#[test]
fn load() {}

fn main() {}
