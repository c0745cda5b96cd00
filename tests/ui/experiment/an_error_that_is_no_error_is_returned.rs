use xp::prelude::*;

struct Trouble;

#[step]
fn fit(k: usize) -> Result<f64, Trouble> {
    if k == 0 { Err(Trouble) } else { Ok(k as f64) }
}

#[experiment]
fn iris(#[param] k: usize) {
    #[field]
    let accuracy: f64 = fit(k)?;
}

fn main() {}
