use xp::prelude::*;

const ROWS: &[u64] = &[1, 2, 3];

#[step(version = 0)]
fn load(seed: u64) -> Vec<u64> {
    vec![seed]
}

#[step(verison = 2)]
fn fit(rows: &[u64], k: usize) -> f64 {
    rows.len() as f64 * k as f64
}

#[experiment]
fn iris(#[param] k: usize) {
    #[state]
    let rows: Vec<u64> = load(7);
    #[field]
    let accuracy: f64 = fit(ROWS, k);
}

fn main() -> xp::Result<()> {
    let _ = load(7);
    println!("{}", fit(&[1, 2], 3));
    Session::in_memory()?.execute(iris().k([1, 3]))?;
    Ok(())
}
