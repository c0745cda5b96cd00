use xp::prelude::*;

#[step(version = 0)]
fn zero() {}

#[step(version = "2")]
fn text() {}

#[step(version = -1)]
fn negative() {}

#[step(version = 2u8)]
fn suffixed() {}

#[step(version = 4294967296)]
fn large() {}

#[step(version)]
fn absent() {}

#[step(2)]
fn bare() {}

fn main() {}
