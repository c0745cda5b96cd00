use xp::prelude::*;

#[step(verison = 2, version = 0)]
#[test]
async unsafe fn load(#[cfg(unix)] _x: u8) {}

fn the_function_is_there_nevertheless() {
    let _ = load;
    let _: load;
}

fn main() {}
