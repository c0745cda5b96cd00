use xp::prelude::*;

struct Model(f64);

impl Model {
    #[step]
    fn predict(&self, x: f64) -> f64 {
        self.0 * x
    }

    #[step]
    fn new(slope: f64) -> Self {
        Self(slope)
    }
}

fn main() {}
