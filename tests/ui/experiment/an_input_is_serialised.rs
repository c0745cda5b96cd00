use xp::prelude::*;

#[derive(Clone, Copy, Debug)]
enum Metric {
    Euclidean,
    Manhattan,
}

#[step]
fn fit(metric: Metric) -> f64 {
    metric as u8 as f64
}

#[experiment]
fn iris(#[param] metric: Metric) {
    #[field]
    let accuracy: f64 = fit(metric);
}

fn main() -> xp::Result<()> {
    let session = Session::in_memory()?;
    let experiment = session.execute(iris().metric([Metric::Euclidean, Metric::Manhattan]))?;
    for run in experiment.runs() {
        println!("{:?}", run?.fields.metric);
    }
    Ok(())
}
