use xp::prelude::*;

#[step]
fn fit(k: usize) -> Vec<usize> {
    vec![k]
}

#[step]
fn grow(model: &mut Vec<usize>) {
    model.push(1);
}

#[experiment]
fn iris(#[param] k: usize) {
    let model = fit(k);
    grow(&mut model);
    #[state]
    let kept: Vec<usize> = fit(k);
    grow(&mut kept);
}

fn main() {}
