use xp::prelude::*;

#[step]
fn load(path: &str, #[cfg(unix)] _mode: u32) -> usize {
    path.len()
}

fn main() {}
