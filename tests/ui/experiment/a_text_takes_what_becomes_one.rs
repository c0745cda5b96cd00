use xp::prelude::*;

#[step]
fn load(path: &str, name: &str) -> usize {
    path.len() + name.len()
}

#[experiment]
fn iris(#[config] path: String, #[param] name: String) {
    #[field]
    let rows: usize = load(&path, &name);
}

fn main() {
    let plan = iris().path(3).name([1, 2]).name("setosa");
}
