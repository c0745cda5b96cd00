//! The reader of NPY files.

#![no_main]

use libfuzzer_sys::fuzz_target;
use xp_fuzz::visit_array;
use xp_runtime::value::Array;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(array) = Array::from_npy(bytes.to_vec()) {
        visit_array(&array);
    }
});
