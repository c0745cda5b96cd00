/// Stands in a file that `include!` brings in.
#[step]
fn included(/* nothing */) -> u8 {
    7 // lucky
}
