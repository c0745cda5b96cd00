//! The attributes that make up the state of experiments and runs, and those that are serialised.

use xp::prelude::*;

/// A list as Python prints a tuple: on one line if it is short, and else a line each.
fn tuple(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
    let line = format!("({})", quoted.join(", "));
    if line.len() <= 72 {
        line
    } else {
        format!("({})", quoted.join(",\n "))
    }
}

fn main() {
    println!(
        "List of Experiment state attributes:\n{}",
        tuple(&Experiment::STATE)
    );
    println!(
        "List of Experiment pickled attributes:\n{}",
        tuple(&Experiment::SERIALIZED)
    );
    println!("List of Run state attributes:\n{}", tuple(&Run::STATE));
    println!(
        "List of Run pickled attributes:\n{}",
        tuple(&Run::SERIALIZED)
    );
}
