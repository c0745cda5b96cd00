use xp::prelude::*;

struct Model {
    k: usize,
}

impl Model {
    fn new(k: usize) -> Self {
        Self { k }
    }
}

#[step]
fn score(model: Model) -> f64 {
    model.k as f64
}

#[experiment]
fn iris(#[param] k: usize) {
    let model = Model::new(k);
    #[field]
    let accuracy: f64 = score(model);
}

fn main() {}
