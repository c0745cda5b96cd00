mod decode;
mod properties;
mod vectors;

use serde::Serialize;

use super::{Encoded, encode};

/// The canonical form, with nothing for `None`.
fn form<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    let mut out = Vec::new();
    let encoded = encode(value, &mut out).unwrap();
    assert_eq!(encoded == Encoded::Absent, out.is_empty());
    out
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
