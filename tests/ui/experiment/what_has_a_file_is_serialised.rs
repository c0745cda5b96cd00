use xp::prelude::*;

struct Model {
    weights: Vec<f64>,
}

#[step]
fn train(n: usize) -> DataStore<Model> {
    let weights = vec![0.5; n];
    DataStore::new(Model { weights })
}

#[experiment]
fn training(#[param] n: usize) {
    #[field]
    let model: DataStore<Model> = train(n);
}

fn main() -> xp::Result<()> {
    let session = Session::in_memory()?;
    for run in session.execute(training().n([3]))?.runs() {
        println!("{:?}", run?.fields.model.loaded().map(|model| model.weights.len()));
    }
    Ok(())
}
