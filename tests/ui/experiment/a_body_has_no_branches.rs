use xp::prelude::*;

#[step]
fn fit(k: usize) -> f64 {
    k as f64
}

#[experiment]
fn iris(#[param] k: usize) {
    if k > 3 {
        fit(k);
    }
    let model = match k {
        1 => fit(k),
        _ => fit(k),
    };
    let Some(best) = fit(k) else {
        return;
    };
    #[field]
    let accuracy: f64 = if k > 1 { fit(k) } else { fit(1) };
}

fn main() {}
