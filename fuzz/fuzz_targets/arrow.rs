//! The reader of Arrow files.

#![no_main]

use libfuzzer_sys::fuzz_target;
use xp_fuzz::{bounded, visit_frame};
use xp_runtime::value::Frame;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(frame) = bounded(bytes, |bytes| Frame::from_arrow_file(bytes.to_vec())) {
        visit_frame(&frame);
        if let Ok(columns) = bounded(bytes, |_| frame.columns())
            && let Ok(again) = Frame::new(&columns)
        {
            assert_eq!(again.columns().ok(), Some(columns));
        }
    }
});
