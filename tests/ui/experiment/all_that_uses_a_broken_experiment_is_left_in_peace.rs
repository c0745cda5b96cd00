use xp::prelude::*;

#[step]
fn fit(k: usize) -> f64 {
    k as f64
}

#[experiment]
fn iris(
    /// Share of the rows held out for testing.
    #[config(default = 0.3)]
    test_ratio: f64,
    #[param] k: usize,
    #[param] seed: u64,
) {
    #[state]
    let model: f64 = fit(k);
    #[field]
    let accuracy: f64 = fit(k + 1);
}

fn plan(k: usize) -> IrisPlan<impl Sized, impl Sized, impl Sized> {
    iris().k([k]).seed(0..3)
}

fn best(experiment: &Experiment<Iris>) -> xp::Result<Option<(usize, f64)>> {
    for run in experiment.runs() {
        let run: Run<Iris> = run?;
        let fields: &IrisFields = &run.fields;
        let state: Option<&IrisState> = run.state();
        if state.is_some_and(|state| state.model > 1.0) {
            return Ok(Some((fields.k, fields.accuracy)));
        }
    }
    Ok(None)
}

fn main() -> xp::Result<()> {
    let session = Session::in_memory()?;
    best(&session.execute(iris().k([1]).seed(0..3))?)?;
    best(&session.execute(iris().points([IrisParams { k: 3, seed: 0 }]))?)?;
    best(&session.load_as::<Iris>("iris")?)?;
    Ok(())
}
