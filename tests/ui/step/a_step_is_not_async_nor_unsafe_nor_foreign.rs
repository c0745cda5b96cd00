use xp::prelude::*;

#[step]
async fn fetch(url: &str) -> Vec<u8> {
    url.into()
}

#[step]
unsafe fn peek(address: *const u8) -> u8 {
    unsafe { *address }
}

#[step]
extern "C" fn callback(x: i32) -> i32 {
    x
}

fn main() {}
