use xp::prelude::*;

#[step]
fn fit(k: usize) -> f64 {
    k as f64
}

struct Model;

impl Model {
    #[experiment]
    fn iris(&self, #[param] k: usize) {
        fit(k);
    }
}

fn main() {}
