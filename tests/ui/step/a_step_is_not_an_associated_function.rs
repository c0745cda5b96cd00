use xp::prelude::*;

struct Model;

impl Model {
    #[step]
    fn slope() -> f64 {
        1.0
    }
}

fn main() {}
