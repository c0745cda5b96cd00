use xp::prelude::*;

#[step]
fn fit(k: usize) -> f64 {
    k as f64
}

/// How the number of neighbours changes the accuracy.
#[experiment]
fn iris(#[config] test_ratio: f64, #[param] k: usize, #[param] seed: u64) {
    #[field]
    let accuracy: f64 = fit(k);
}

fn main() -> xp::Result<()> {
    let session = Session::in_memory()?;
    let plan = iris().test_ratio(0.3).k([1, 3]);
    session.execute(&plan)?;
    Ok(())
}
