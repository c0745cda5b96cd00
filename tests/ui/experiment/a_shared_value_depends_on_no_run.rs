use xp::prelude::*;

#[step]
fn load(run: &mut Run) -> f64 {
    run.rng("load").f64()
}

#[step]
fn grow(losses: &mut Sequence<u32>) -> f64 {
    losses.len() as f64
}

#[experiment]
fn iris(run: &mut Run, #[param] k: usize, #[sequence] losses: Sequence<u32>) {
    #[shared]
    let rows: f64 = load(run);
    #[shared]
    let more: f64 = grow(&mut losses);
}

fn main() {}
