use xp::prelude::*;

#[step]
fn draw(run: &Run, k: usize) -> f64 {
    run.rng("draw").f64() * k as f64
}

#[experiment]
fn iris(run: &mut Run, other: &mut Run, #[param] k: usize) {
    #[field]
    let accuracy: f64 = draw(run, k);
}

fn main() {}
