use xp::prelude::*;

use std::rc::Rc;

#[step]
fn fit(k: usize) -> Rc<usize> {
    Rc::new(k)
}

#[experiment]
fn iris(#[param] k: usize) {
    #[state]
    let model: Rc<usize> = fit(k);
}

fn main() -> xp::Result<()> {
    let session = Session::in_memory()?;
    session.execute(iris().k([1, 3]))?;
    Ok(())
}
