//! All of DATAPAK: what is read can be written, and is the same when it is read again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use xp_fuzz::{bounded, visit};
use xp_runtime::datapak::{DatapakError, decode, encode};

fuzz_target!(|bytes: &[u8]| {
    let Ok(value) = bounded(bytes, decode) else {
        return;
    };
    visit(&value);
    match encode(&value) {
        Ok(written) => assert_eq!(decode(&written), Ok(value)),
        // Python could not have written these, but what they say is clear.
        Err(DatapakError::Unhashable { .. } | DatapakError::ReservedKey) => {}
        Err(error) => panic!("{error}"),
    }
});
