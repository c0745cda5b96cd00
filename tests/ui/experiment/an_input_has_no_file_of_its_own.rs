use xp::prelude::*;

#[step]
fn weigh(model: &DataStore<Vec<f64>>) -> Result<f64, xp::DataStoreError> {
    Ok(model.load()?.iter().sum())
}

#[experiment]
fn weights(#[param] model: DataStore<Vec<f64>>) {
    #[field]
    let weight: f64 = weigh(&model)?;
}

fn main() -> xp::Result<()> {
    let session = Session::in_memory()?;
    session.execute(weights().model([vec![0.5].into()]))?;
    Ok(())
}
