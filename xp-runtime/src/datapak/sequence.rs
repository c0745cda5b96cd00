use super::encode::Writer;
use super::unpickle::{Graph, Item, unpickle};
use super::{DatapakError, Frame, arrow, from_arrow_file, kinds, opcode, to_arrow_file};
use crate::value::Value;

/// A frame as the value that `mltraq` calls a Sequence.
///
/// Its columns are expected to be `idx`, `timestamp`, and then the user's, sorted by name.
pub fn sequence_to_value(frame: &Frame) -> Value {
    let bytes = Value::Bytes(to_arrow_file(frame));
    let frame = Value::Packed {
        kind: kinds::DATA_FRAME.into(),
        payload: Box::new(bytes),
    };
    Value::Packed {
        kind: kinds::SEQUENCE.into(),
        payload: Box::new(frame),
    }
}

/// The frame of a Sequence.
///
/// # Errors
///
/// A value that is no Sequence, and what [`from_arrow_file`] refuses.
pub fn sequence_from_value(value: &Value) -> Result<Frame, DatapakError> {
    if let Value::Packed { kind, payload } = value
        && kind == kinds::SEQUENCE
        && let Value::Packed { kind, payload } = payload.as_ref()
        && kind == kinds::DATA_FRAME
        && let Value::Bytes(bytes) = payload.as_ref()
    {
        return from_arrow_file(bytes);
    }
    Err(no_sequence())
}

/// The DATAPAK bytes of a Sequence: as encoding [`sequence_to_value`], with the columns' items written only once.
pub fn encode_sequence(frame: &Frame) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.out.reserve(arrow::estimated_size(frame) + 128);
    writer.open(kinds::SEQUENCE);
    writer.open(kinds::DATA_FRAME);
    if u32::try_from(arrow::estimated_size(frame)).is_ok() {
        writer
            .out
            .extend_from_slice(&[opcode::BINBYTES, 0, 0, 0, 0]);
        let start = writer.out.len();
        arrow::write(frame, &mut writer.out);
        // The estimate is never too small.
        let len = (writer.out.len() - start) as u32;
        writer.out[start - 4..start].copy_from_slice(&len.to_le_bytes());
    } else {
        writer.out.push(opcode::BINBYTES8);
        writer.out.extend_from_slice(&[0; 8]);
        let start = writer.out.len();
        arrow::write(frame, &mut writer.out);
        let len = (writer.out.len() - start) as u64;
        writer.out[start - 8..start].copy_from_slice(&len.to_le_bytes());
    }
    writer.close();
    writer.close();
    writer.finish()
}

/// The frame of a Sequence, read from its DATAPAK bytes without copying the Arrow file out of them.
///
/// # Errors
///
/// As [`decode`](super::decode()) and [`sequence_from_value`].
pub fn decode_sequence(bytes: &[u8]) -> Result<Frame, DatapakError> {
    let graph = unpickle(bytes)?;
    let bytes = payload(&graph, graph.root, kinds::SEQUENCE)
        .and_then(|frame| payload(&graph, frame, kinds::DATA_FRAME))
        .and_then(|bytes| match bytes {
            Item::Bytes(bytes) => Some(bytes),
            _ => None,
        });
    from_arrow_file(bytes.ok_or_else(no_sequence)?)
}

/// The payload of a complex value of this kind.
fn payload<'a>(graph: &Graph<'a>, item: Item<'a>, kind: &str) -> Option<Item<'a>> {
    let found = graph.lookup(item, kinds::MAGIC)?;
    (graph.text(found) == Some(kind)).then(|| graph.lookup(item, kinds::PAYLOAD))?
}

fn no_sequence() -> DatapakError {
    DatapakError::Payload {
        kind: kinds::SEQUENCE.into(),
        problem: "not a frame",
    }
}
