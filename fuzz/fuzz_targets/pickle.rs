//! The pickle reader: bytes are read or refused, and types are made of them as of their value.

#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use xp_fuzz::{bounded, same};
use xp_runtime::datapak::decode;
use xp_runtime::value::Value;

fuzz_target!(|bytes: &[u8]| {
    let Ok(value) = bounded(bytes, decode) else {
        return;
    };
    same::<Vec<f64>>(bytes, &value);
    same::<Vec<Option<i64>>>(bytes, &value);
    same::<BTreeMap<String, Vec<u8>>>(bytes, &value);
    same::<BTreeMap<i64, (String, bool)>>(bytes, &value);
    same::<Vec<Value>>(bytes, &value);
    same::<Option<String>>(bytes, &value);
});
