use xp::prelude::*;

#[derive(serde::Serialize, serde::Deserialize)]
struct Measurement {
    spent: f64,
}

#[step]
fn fit(k: usize) -> anyhow::Result<f64> {
    Ok(k as f64)
}

#[step]
fn measure(model: &f64, path: &str) -> Measurement {
    Measurement {
        spent: *model + path.len() as f64,
    }
}

#[experiment]
fn iris(
    run: &mut Run,
    #[config] path: String,
    #[sequence] losses: Sequence<Measurement>,
    #[param] k: usize,
) {
    #[shared]
    let model: f64 = fit(k)?;
    #[field(flaten)]
    let measurement: Measurement = measure(&model, &path);
    #[field]
    let spent: f64 = measurement.spent;
}

fn main() -> xp::Result<()> {
    let session = Session::in_memory()?;
    let experiment = session.execute(iris().path("data").k(0..3))?;
    for run in experiment.runs() {
        println!("{}", run?.fields.measurement.spent);
    }
    Ok(())
}
