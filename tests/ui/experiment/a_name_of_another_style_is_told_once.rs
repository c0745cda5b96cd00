#![deny(non_snake_case)]

use xp::prelude::*;

#[step]
fn square(x: u32) -> u32 {
    x * x
}

#[experiment]
fn squares(#[config(default = 1)] Scale: u32, #[param] K: u32) {
    let Var: u32 = square(Scale);
    #[state]
    let State: u32 = square(Var);
    #[field]
    let Square: u32 = square(K);
}

#[allow(non_snake_case, reason = "the columns are those of an older program")]
#[experiment]
fn allowed(#[config(default = 1)] Scale: u32, #[param] K: u32) {
    let Var: u32 = square(Scale);
    #[state]
    let State: u32 = square(Var);
    #[field]
    let Square: u32 = square(K);
}

fn main() -> xp::Result<()> {
    let session = Session::in_memory()?;
    session.execute(squares().K([1]))?;
    session.execute(allowed().K([1]))?;
    Ok(())
}
