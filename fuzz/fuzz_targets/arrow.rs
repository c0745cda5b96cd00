//! The reader of Arrow files.

#![no_main]

use libfuzzer_sys::fuzz_target;
use xp_fuzz::{bounded, visit_frame};
use xp_runtime::value::{Column, Frame};

/// What is in columns. Dictionaries are written out, and NaN is not itself.
fn items(columns: &[Column]) -> Vec<String> {
    let of = |column: &Column| format!("{} {:?}", column.name, column.iter().collect::<Vec<_>>());
    columns.iter().map(of).collect()
}

fuzz_target!(|bytes: &[u8]| {
    if let Ok(frame) = bounded(bytes, |bytes| Frame::from_arrow_file(bytes.to_vec())) {
        visit_frame(&frame);
        if let Ok(columns) = bounded(bytes, |_| frame.columns())
            && let Ok(again) = Frame::new(&columns)
        {
            assert_eq!(items(&again.columns().expect("what was written")), items(&columns));
        }
    }
});
