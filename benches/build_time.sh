#!/bin/sh
# Times a clean release build of a crate that depends on xp, with two jobs.
# Usage: benches/build_time.sh, on a machine that does nothing else.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/src"
cat > "$work/Cargo.toml" <<TOML
[package]
name = "depends-on-xp"
version = "0.0.0"
edition = "2024"

[dependencies]
xp-lab = { path = "$root" }

[workspace]
TOML
cat > "$work/src/main.rs" <<'RUST'
use xp::prelude::*;

#[step]
fn half(i: u64) -> f64 {
    i as f64 / 2.0
}

#[experiment]
fn empty(#[param] i: u64) {
    #[field]
    let x: f64 = half(i);
}

fn main() -> Result<(), xp::Error> {
    let experiment = Session::in_memory()?.execute(empty().i(0..4))?;
    println!("{} runs", experiment.runs().count());
    Ok(())
}
RUST
cd "$work"
cargo fetch --quiet
start=$(date +%s)
CARGO_TARGET_DIR="$work/target" CARGO_BUILD_JOBS=2 cargo build --release --quiet
end=$(date +%s)
"$work/target/release/depends-on-xp"
echo "| clean release build, 2 jobs | $((end - start)) s | 49 s | | 60 s |"
