use xp::prelude::*;

#[step]
fn fit(size: (u32, u32)) -> u32 {
    size.0
}

#[experiment]
fn iris(#[param(flatten, key = |size| format!("{size:?}"))] size: (u32, u32)) {
    #[field]
    let accuracy: u32 = fit(size);
}

fn main() {}
