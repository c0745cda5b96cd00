use xp::prelude::*;

#[step(version = 2, r#version = 3)]
fn load() {}

fn main() {}
