use xp::prelude::*;

struct Knn;

#[step]
fn load(test_ratio: f64) -> xp::Result<f64> {
    Ok(test_ratio)
}

#[step]
fn fit(_k: usize) -> Knn {
    Knn
}

#[step]
fn score(_model: &Knn, _split: &f64) -> f64 {
    0.5
}

#[experiment(nmae = "flowers")]
async fn iris(test_ratio: f64, #[param(defualt = 3)] k: usize, #[param] seed: &u64) -> f64 {
    let split = load(test_ratio)?;
    #[field]
    let model = fit(k);
    if k > 3 {
        fit(k);
    }
    #[field]
    let k: f64 = score(&model, &split);
}

/// Beside a broken experiment, the mistakes in other items are told, too.
fn unrelated() -> usize {
    let three = "three";
    missing();
    three
}

fn main() {}
