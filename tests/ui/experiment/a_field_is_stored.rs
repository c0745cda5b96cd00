use xp::prelude::*;

struct Knn {
    k: usize,
}

#[step]
fn fit(k: usize) -> Knn {
    Knn { k }
}

#[step]
fn score(model: &Knn) -> f64 {
    model.k as f64
}

#[experiment]
fn iris(#[param] k: usize) {
    #[field]
    let model: Knn = fit(k);
    #[field]
    let accuracy: f64 = score(&model);
}

fn main() -> xp::Result<()> {
    let session = Session::in_memory()?;
    let experiment = session.execute(iris().k([1, 3]))?;
    for run in experiment.runs() {
        println!("{}", run?.fields.accuracy);
    }
    Ok(())
}
