//! Lists of plain items, which are written without making values of them.

use std::any::Any;

use super::encode::Writer;

/// The list as DATAPAK, if `v` is a vector of a type that is known here.
pub(super) fn encode<T: 'static>(v: &T) -> Option<Vec<u8>> {
    let v: &dyn Any = v;
    if let Some(floats) = v.downcast_ref::<Vec<f64>>() {
        // An opcode and the number.
        return Some(list(floats, 9, |writer, x| writer.float(*x)));
    }
    if let Some(ints) = v.downcast_ref::<Vec<i64>>() {
        return Some(list(ints, 5, |writer, x| writer.int((*x).into())));
    }
    let texts = v.downcast_ref::<Vec<String>>()?;
    Some(list(texts, 16, |writer, x| writer.text(x)))
}

/// A list of items that take about so many bytes each.
fn list<T>(items: &[T], bytes: usize, write: impl Fn(&mut Writer, &T)) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.out.reserve(items.len() * bytes + 4);
    writer.begin_list(items.len());
    items.iter().for_each(|item| write(&mut writer, item));
    writer.end_list(items.len());
    writer.finish()
}
