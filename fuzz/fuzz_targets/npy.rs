//! The reader of NPY files.

#![no_main]

use libfuzzer_sys::fuzz_target;
use xp_fuzz::{bounded, visit_array};
use xp_runtime::value::Array;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(array) = bounded(bytes, |bytes| Array::from_npy(bytes.to_vec())) {
        visit_array(&array);
    }
});
