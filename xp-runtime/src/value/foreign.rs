//! Types of other crates that are values of their own, and not what serde makes of them: arrays of `ndarray`, and options of
//! these.

#[cfg(feature = "ndarray")]
pub(crate) use with_ndarray::{is_foreign, read, value};
#[cfg(not(feature = "ndarray"))]
pub(crate) use without::{is_foreign, read, value};

#[cfg(feature = "ndarray")]
mod with_ndarray {
    use std::any::{Any, TypeId};

    use ndarray::{Array, Ix0, Ix1, Ix2, Ix3, Ix4, Ix5, Ix6, IxDyn};

    use crate::value::{Value, ValueError};

    /// Calls the macro with each type of arrays.
    macro_rules! for_arrays {
        ($each:ident) => {
            for_arrays! { $each [f64 f32 i64 i32 i16 i8 u64 u32 u16 u8 bool] }
        };
        ($each:ident [$($item:ident)*]) => {$(
            $each! { $item Ix0 Ix1 Ix2 Ix3 Ix4 Ix5 Ix6 IxDyn }
        )*};
    }

    /// Whether `T` is one of these types.
    pub(crate) fn is_foreign<T: 'static>() -> bool {
        let id = TypeId::of::<T>();
        macro_rules! each {
            ($item:ident $($dim:ident)*) => {$(
                if id == TypeId::of::<Array<$item, $dim>>() || id == TypeId::of::<Option<Array<$item, $dim>>>() {
                    return true;
                }
            )*};
        }
        for_arrays!(each);
        false
    }

    /// The value of one of these types.
    pub(crate) fn value(v: &dyn Any) -> Option<Value> {
        macro_rules! each {
            ($item:ident $($dim:ident)*) => {$(
                if let Some(array) = v.downcast_ref::<Array<$item, $dim>>() {
                    return Some(Value::Array(array.into()));
                }
                if let Some(array) = v.downcast_ref::<Option<Array<$item, $dim>>>() {
                    return Some(array.as_ref().map_or(Value::Null, |array| Value::Array(array.into())));
                }
            )*};
        }
        for_arrays!(each);
        None
    }

    /// One of these types from its value, if `T` is one.
    pub(crate) fn read<T: 'static>(value: &Value) -> Option<Result<T, ValueError>> {
        let id = TypeId::of::<T>();
        macro_rules! each {
            ($item:ident $($dim:ident)*) => {$(
                if id == TypeId::of::<Array<$item, $dim>>() {
                    return cast(array::<$item, $dim>(value));
                }
                if id == TypeId::of::<Option<Array<$item, $dim>>>() {
                    return cast(match value {
                        Value::Null => Ok(None),
                        value => array::<$item, $dim>(value).map(Some),
                    });
                }
            )*};
        }
        for_arrays!(each);
        None
    }

    /// From an array, or from nested lists of one shape.
    fn array<T: crate::value::Element, D: ndarray::Dimension>(
        value: &Value,
    ) -> Result<Array<T, D>, ValueError> {
        match value {
            Value::Array(array) => Ok(array.to_ndarray()?),
            Value::List(_) | Value::Tuple(_) => {
                Ok(crate::value::Array::from_nested(value)?.to_ndarray()?)
            }
            other => Err(ValueError::expected("an array", other.describe())),
        }
    }

    /// The same result, under the other name of its type.
    fn cast<A: 'static, B: 'static>(a: Result<A, ValueError>) -> Option<Result<B, ValueError>> {
        let mut a = Some(a);
        (&mut a as &mut dyn Any)
            .downcast_mut::<Option<Result<B, ValueError>>>()
            .and_then(Option::take)
    }
}

#[cfg(not(feature = "ndarray"))]
mod without {
    use std::any::Any;

    use crate::value::{Value, ValueError};

    pub(crate) fn is_foreign<T: 'static>() -> bool {
        false
    }

    pub(crate) fn value(_: &dyn Any) -> Option<Value> {
        None
    }

    pub(crate) fn read<T: 'static>(_: &Value) -> Option<Result<T, ValueError>> {
        None
    }
}
