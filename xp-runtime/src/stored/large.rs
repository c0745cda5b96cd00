//! The types of which there are large values, taken as a whole instead of by serde, item by item.

use std::any::Any;

use crate::value::{Array, Order, Value};

/// Calls the macro with each type of items of which a vector is an array.
macro_rules! for_items {
    ($each:ident) => {
        $each! { f64 f32 i64 i32 i16 i8 u64 u32 u16 bool }
    };
}

/// The value of one of these types.
pub(super) fn value(v: &dyn Any) -> Option<Value> {
    if let Some(array) = v.downcast_ref::<Array>() {
        return Some(Value::Array(array.clone()));
    }
    if let Some(bytes) = v.downcast_ref::<Vec<u8>>() {
        return Some(Value::Bytes(bytes.clone()));
    }
    macro_rules! each {
        ($($item:ident)*) => {$(
            if let Some(items) = v.downcast_ref::<Vec<$item>>() {
                let array = Array::from_slice(&[items.len()], Order::C, items);
                return array.ok().map(Value::Array);
            }
        )*};
    }
    for_items!(each);
    None
}

/// One of these types from its value; the value, if `T` is another one, or the value has another
/// form.
pub(super) fn read<T: 'static>(value: Value) -> Result<T, Value> {
    match value {
        Value::Bytes(bytes) => cast(bytes).map_err(Value::Bytes),
        Value::Array(array) => {
            let array = match cast(array) {
                Ok(same) => return Ok(same),
                Err(array) => array,
            };
            if array.shape().len() == 1 {
                macro_rules! each {
                    ($($item:ident)*) => {$(
                        if std::any::TypeId::of::<T>() == std::any::TypeId::of::<Vec<$item>>()
                            && let Ok(items) = array.to_vec::<$item>()
                            && let Ok(items) = cast(items)
                        {
                            return Ok(items);
                        }
                    )*};
                }
                for_items!(each);
            }
            Err(Value::Array(array))
        }
        value => Err(value),
    }
}

/// The same value under the other name of its type, if it is one.
fn cast<A: 'static, B: 'static>(a: A) -> Result<B, A> {
    let mut a = Some(a);
    let same = (&mut a as &mut dyn Any).downcast_mut::<Option<B>>();
    match (same.and_then(Option::take), a) {
        (Some(b), _) => Ok(b),
        (None, Some(a)) => Err(a),
        // What was not taken is there.
        (None, None) => unreachable!(),
    }
}
