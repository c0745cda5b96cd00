use xp::prelude::*;

#[step]
fn draw(run: Run) -> f64 {
    run.rng("draw").f64()
}

#[experiment]
fn iris(run: Run, #[param] k: usize) {
    #[field]
    let accuracy: f64 = draw(run);
}

fn main() {}
