//! k-nearest neighbours on Fisher's Iris table: how the number of neighbours changes the accuracy.
//!
//! `cargo run --release --example iris` runs 50 points in parallel and keeps them in `iris.db`. Run
//! again, it finds them there, and runs what is missing: nothing.

use anyhow::Context;
use xp::prelude::*;

/// The table, with its attribution in `examples/data/README.md`.
const IRIS: &str = include_str!("data/iris.csv");

/// A flower: four measurements in cm, and its species (0, 1, 2 = setosa, versicolor, virginica).
#[derive(Clone, Debug)]
struct Flower {
    measurements: [f64; 4],
    species: u8,
}

/// Flowers to learn from, and flowers to test with.
struct Split {
    train: Vec<Flower>,
    test: Vec<Flower>,
}

/// A classifier that remembers its flowers.
struct Knn {
    flowers: Vec<Flower>,
    k: usize,
}

impl Knn {
    /// The species of most of the `k` nearest flowers; of equally many, the smallest.
    fn classify(&self, measurements: &[f64; 4]) -> u8 {
        let distance = |flower: &Flower| -> f64 {
            let sides = flower.measurements.iter().zip(measurements);
            sides.map(|(a, b)| (a - b).powi(2)).sum()
        };
        let mut nearest: Vec<_> = self
            .flowers
            .iter()
            .map(|f| (distance(f), f.species))
            .collect();
        nearest.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut votes = [0; 3];
        for (_, species) in nearest.iter().take(self.k) {
            votes[usize::from(*species)] += 1;
        }
        let most = votes.iter().max();
        (0_u8..)
            .zip(&votes)
            .find(|(_, votes)| Some(*votes) == most)
            .map_or(0, |(species, _)| species)
    }
}

/// Read the Iris table and split it into training and test rows.
#[step]
fn load(seed: u64, test_ratio: f64) -> anyhow::Result<Split> {
    let mut flowers = Vec::new();
    // The first line says how many rows there are, and names the species.
    for (number, line) in IRIS.lines().enumerate().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let [a, b, c, d, species] = fields[..] else {
            anyhow::bail!(
                "line {} has {} fields instead of 5",
                number + 1,
                fields.len()
            );
        };
        let parse = |text: &str| {
            text.parse()
                .with_context(|| format!("line {}: `{text}`", number + 1))
        };
        flowers.push(Flower {
            measurements: [parse(a)?, parse(b)?, parse(c)?, parse(d)?],
            species: species
                .parse()
                .with_context(|| format!("line {}: `{species}`", number + 1))?,
        });
    }
    xp::Rng::seeded(seed, "split").shuffle(&mut flowers);
    let test = flowers.split_off(((1.0 - test_ratio) * flowers.len() as f64).round() as usize);
    Ok(Split {
        train: flowers,
        test,
    })
}

/// Remember the training rows.
#[step]
fn fit(split: &Split, k: usize) -> Knn {
    Knn {
        flowers: split.train.clone(),
        k,
    }
}

/// Share of the test rows that are classified correctly.
#[step]
fn score(model: &Knn, split: &Split) -> f64 {
    let right = split
        .test
        .iter()
        .filter(|f| model.classify(&f.measurements) == f.species)
        .count();
    right as f64 / split.test.len() as f64
}

/// How the number of neighbours changes the accuracy of k-NN on Iris.
#[experiment]
fn iris(
    /// Share of the rows held out for testing.
    #[config(default = 0.3)]
    test_ratio: f64,
    /// Number of neighbours.
    #[param]
    k: usize,
    /// Which rows are held out.
    #[param]
    seed: u64,
) {
    #[shared]
    let split: Split = load(seed, test_ratio)?;
    #[state]
    let model: Knn = fit(&split, k);
    /// Share of the test rows classified correctly.
    #[field]
    let accuracy: f64 = score(&model, &split);
}

fn main() -> xp::Result<()> {
    let session = Session::open("iris.db")?;
    let experiment = session.resume(iris().k([1, 3, 5, 7, 9]).seed(0..10))?;
    println!("{}", experiment.table().group_by("k"));
    Ok(())
}
