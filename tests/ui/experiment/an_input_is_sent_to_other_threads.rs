use xp::prelude::*;

use std::rc::Rc;

#[step]
fn fit(names: &Rc<str>) -> usize {
    names.len()
}

#[experiment]
fn iris(#[param(key = |names| names.to_string())] names: Rc<str>) {
    #[field]
    let accuracy: usize = fit(&names);
}

fn main() {}
