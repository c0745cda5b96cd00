use xp::prelude::*;

#[step]
fn fit(k: usize) -> f64 {
    k as f64
}

/// How the number of neighbours changes the accuracy.
#[experiment]
fn iris(#[config] test_ratio: f64, #[param] k: usize, #[param] seed: u64) {
    #[field]
    let accuracy: f64 = fit(k);
}

fn main() -> xp::Result<()> {
    let session = Session::in_memory()?;
    let experiment = session.execute(iris().test_ratio(0.3).k([1, 3]).seed(0..3))?;
    for run in experiment.runs() {
        let run = run?;
        println!("{:?}", run.config());
        println!("{:?}", run.params());
        println!("{:?}", run.params.k);
        println!("{:?}", run.vars);
        println!("{:?}", run.steps());
        println!("{:?}", run.fields.acuracy);
    }
    Ok(())
}
