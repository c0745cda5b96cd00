use xp::prelude::*;

#[step]
fn simulate(n: usize) -> Vec<f64> {
    vec![0.5; n]
}

#[experiment]
fn simulation(#[param] n: usize) {
    #[field]
    let trace: DataStore<Vec<f64>> = simulate(n);
}

fn main() -> xp::Result<()> {
    let session = Session::in_memory()?;
    session.execute(simulation().n([3]))?;
    Ok(())
}
