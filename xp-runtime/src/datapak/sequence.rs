use super::encode::Writer;
use super::{DatapakError, decode, kinds, opcode};
use crate::value::{Column, Frame, Value, estimated_size, write_arrow_file};

/// The DATAPAK bytes of a [`Value::Sequence`] of these columns, whose items are written only once.
///
/// The columns are expected to be `idx`, `timestamp`, and then the user's, sorted by name.
pub fn encode_sequence(columns: &[Column]) -> Vec<u8> {
    let size = estimated_size(columns);
    let mut writer = Writer::new();
    writer.out.reserve(size + 128);
    writer.open(kinds::SEQUENCE);
    writer.open(kinds::DATA_FRAME);
    // The length is filled in later; the estimate is never too small.
    let width = if u32::try_from(size).is_ok() {
        writer.out.push(opcode::BINBYTES);
        4
    } else {
        writer.out.push(opcode::BINBYTES8);
        8
    };
    writer.out.extend_from_slice(&[0; 8][..width]);
    let start = writer.out.len();
    write_arrow_file(columns, &mut writer.out);
    let len = (writer.out.len() - start) as u64;
    writer.out[start - width..start].copy_from_slice(&len.to_le_bytes()[..width]);
    writer.close();
    writer.close();
    writer.finish()
}

/// The frame of a sequence, read from its DATAPAK bytes.
///
/// # Errors
///
/// As [`decode`], and any other value.
pub fn decode_sequence(bytes: &[u8]) -> Result<Frame, DatapakError> {
    match decode(bytes)? {
        Value::Sequence(frame) => Ok(frame),
        _ => Err(DatapakError::Payload {
            kind: kinds::SEQUENCE.into(),
            problem: "not a sequence",
        }),
    }
}
