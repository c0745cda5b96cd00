use xp::prelude::*;

trait Fit {
    #[step]
    fn fit(rows: &[f64]) -> f64;
}

fn main() {}
