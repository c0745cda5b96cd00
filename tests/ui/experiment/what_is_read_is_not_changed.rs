use xp::prelude::*;

#[step]
fn fit(k: usize) -> f64 {
    1.0 / k as f64
}

#[experiment]
fn iris(#[param] k: usize) {
    #[field]
    let accuracy: f64 = fit(k);
}

#[step]
fn grade_of(accuracy: f64) -> bool {
    accuracy > 0.5
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Loss {
    value: f64,
}

#[step]
fn extend(losses: &mut Sequence<Loss>, runs: &Runs<Iris>) -> f64 {
    losses.append(Loss { value: 0.5 });
    runs.iter().count() as f64
}

#[step]
fn change(runs: &mut Runs<Iris>) {
    runs.next();
}

#[step]
fn total(losses: &Sequence<Loss>) -> f64 {
    losses.len() as f64
}

#[experiment(continues = iris)]
fn grade(#[sequence] losses: Sequence<Loss>, runs: &Runs<Iris>) {
    #[shared]
    let total: f64 = total(&losses);
    #[field]
    let more: f64 = extend(&mut losses, runs);
    change(&mut runs);
}

fn main() {}
