use xp::prelude::*;

struct Model(usize);

#[step]
fn fit(k: usize) -> Model {
    Model(k)
}

#[experiment]
fn iris(#[param] k: usize) {
    #[state]
    let model: Model = fit(k);
}

fn main() -> xp::Result<()> {
    xp::child_main::<Iris>();
    let session = Session::in_memory()?;
    session.execute(iris().k([1, 3]).isolate(Isolation::Process))?;
    Ok(())
}
