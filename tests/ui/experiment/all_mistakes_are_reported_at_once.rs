use xp::prelude::*;

struct Knn;

#[step]
fn fit(k: usize) -> Knn {
    Knn
}

#[experiment(nmae = "flowers")]
async fn iris(
    test_ratio: f64,
    #[param(defualt = 3)] k: usize,
    #[param] seed: &u64,
) -> f64 {
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
    "three"
}

fn main() {}
