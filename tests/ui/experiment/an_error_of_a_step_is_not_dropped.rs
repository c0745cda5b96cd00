#![deny(unused_must_use)]

use xp::prelude::*;

#[step]
fn save(k: usize) -> Result<(), String> {
    Err(format!("no place for {k}"))
}

#[experiment]
fn iris(#[param] k: usize) {
    save(k);
}

fn main() -> xp::Result<()> {
    Session::in_memory()?.execute(iris().k([1, 3]))?;
    Ok(())
}
