use xp::__private::callee_must_be_a_step;
use xp::prelude::*;

mod plain {
    pub fn function(x: u32) -> u32 {
        x
    }
}

struct NoStep;

#[step]
fn fit<T>(model: T) -> T {
    model
}

fn main() {
    let _ = callee_must_be_a_step!(plain::function);
    let _ = callee_must_be_a_step!(NoStep);
    let _ = callee_must_be_a_step!(missing);
    let _ = callee_must_be_a_step!(plain::missing::<u8>);
    let _ = callee_must_be_a_step!(fit::<u8>);
}
