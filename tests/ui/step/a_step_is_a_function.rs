use xp::prelude::*;

#[step]
struct Model;

#[step]
impl Model {}

#[step]
trait Fit {}

#[step]
mod steps {}

#[step]
const K: usize = 3;

fn main() {}
