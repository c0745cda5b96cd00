use xp::prelude::*;

#[step]
fn fit(k: usize, path: &str, metric: f64) -> f64 {
    k as f64 + path.len() as f64 + metric
}

#[experiment]
fn iris(#[param] k: usize, #[config] path: &str, metric: f64, #[parm] seed: u64) {
    #[field]
    let accuracy: f64 = fit(k, path, metric);
}

fn main() -> xp::Result<()> {
    let session = Session::in_memory()?;
    let experiment = session.execute(iris().k([1, 3]).path("data").metric([0.5]).seed(0..3))?;
    for run in experiment.runs() {
        println!("{:.3}", run?.fields.accuracy);
    }
    Ok(())
}
