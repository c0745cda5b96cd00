//! Arrays, as NumPy has them.

mod dtype;
mod element;
mod error;
mod header;
mod item;
mod literal;
#[cfg(feature = "ndarray")]
mod ndarray;
mod nested;

use std::fmt;
use std::sync::Arc;

pub use self::dtype::{DType, Member, Scalar, ScalarKind};
pub use self::element::Element;
pub use self::error::ArrayError;
use self::header::Header;
use super::{Value, half};

/// An array of items of one type, as NumPy has it.
///
/// It is kept as it is stored, in NumPy's file format, so that it is copied and written again byte by byte. Items are decoded
/// when they are asked for. Clones share the bytes.
///
/// # Equality
///
/// Two arrays are equal if they are stored as the same bytes: type, order, shape and items, where NaN equals NaN.
///
/// # Examples
///
/// ```
/// use xp::value::{Array, Value};
///
/// let array = Array::from_shape_vec(&[2, 2], vec![1.5, 2.5, 3.5, 4.5])?;
/// assert_eq!((array.dtype().to_string(), array.shape()), ("<f8".to_owned(), &[2, 2][..]));
/// assert_eq!(array.to_vec::<f64>()?, [1.5, 2.5, 3.5, 4.5]);
/// assert_eq!(array.items().next(), Some(Value::Float(1.5)));
/// assert_eq!(xp::value::from_value::<Vec<Vec<f64>>>(Value::Array(array))?[1], [3.5, 4.5]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Array(Arc<File>);

/// A file in NumPy's format, whose header was read.
#[derive(Clone)]
struct File {
    npy: Vec<u8>,
    header: Header,
}

/// In which order the items of an array stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Order {
    /// The last index changes fastest.
    C,
    /// The first index changes fastest.
    Fortran,
}

impl Array {
    /// The array that a file in NumPy's format holds.
    ///
    /// # Errors
    ///
    /// Bytes that are no such file, or fewer than its shape asks for; and arrays of objects, which are pickled.
    pub fn from_npy(npy: Vec<u8>) -> Result<Self, ArrayError> {
        let header = header::read(&npy)?;
        Ok(Array(Arc::new(File { npy, header })))
    }

    /// The file in NumPy's format, as it was read or made.
    pub fn as_npy(&self) -> &[u8] {
        &self.0.npy
    }

    pub(super) fn into_npy(self) -> Vec<u8> {
        match Arc::try_unwrap(self.0) {
            Ok(file) => file.npy,
            Err(shared) => shared.npy.clone(),
        }
    }

    /// An array of one dimension.
    pub fn from_vec<T: Element>(items: Vec<T>) -> Self {
        Array::make(vec![items.len()], Order::C, &items)
    }

    /// An array of this shape, whose items stand in C order.
    ///
    /// # Errors
    ///
    /// Other than as many items as the shape has, or more than 64 dimensions.
    pub fn from_shape_vec<T: Element>(shape: &[usize], items: Vec<T>) -> Result<Self, ArrayError> {
        Array::from_slice(shape, Order::C, &items)
    }

    /// An array of this shape, whose items stand in this order.
    ///
    /// # Errors
    ///
    /// As [`from_shape_vec`](Self::from_shape_vec).
    pub fn from_slice<T: Element>(
        shape: &[usize],
        order: Order,
        items: &[T],
    ) -> Result<Self, ArrayError> {
        header::check_dimensions(shape)?;
        let expected = shape.iter().try_fold(1_usize, |len, n| len.checked_mul(*n));
        let expected = expected.unwrap_or(usize::MAX);
        if expected != items.len() {
            return Err(ArrayError::Shape {
                shape: shape.to_vec(),
                expected,
                found: items.len(),
            });
        }
        Ok(Array::make(shape.to_vec(), order, items))
    }

    fn make<T: Element>(shape: Vec<usize>, order: Order, items: &[T]) -> Self {
        let mut npy = Vec::with_capacity(128 + std::mem::size_of_val(items));
        header::write(T::DTYPE, order, &shape, &mut npy);
        let data = npy.len();
        T::write(items, &mut npy);
        let header = Header {
            dtype: DType::Scalar(element_scalar::<T>()),
            shape,
            order,
            len: items.len(),
            data,
        };
        Array(Arc::new(File { npy, header }))
    }

    /// The type of the items.
    pub fn dtype(&self) -> &DType {
        &self.0.header.dtype
    }

    /// The length of each dimension; empty for an array that is one item.
    pub fn shape(&self) -> &[usize] {
        &self.0.header.shape
    }

    /// In which order the items stand in [`data`](Self::data).
    pub fn order(&self) -> Order {
        self.0.header.order
    }

    /// How many items there are.
    pub fn len(&self) -> usize {
        self.0.header.len
    }

    /// Whether there are no items.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The items as bytes, in their [`order`](Self::order).
    pub fn data(&self) -> &[u8] {
        &self.0.npy[self.0.header.data..][..self.dtype().size() * self.len()]
    }

    /// The items in C order: as they are, or converted where no item changes by it.
    ///
    /// Any integers become those of another width, integers floats, and half floats wider ones. Points in time and amounts of
    /// it are their counts, as integers.
    ///
    /// # Errors
    ///
    /// An array of items of another kind, or an item that `T` does not hold.
    pub fn to_vec<T: Element>(&self) -> Result<Vec<T>, ArrayError> {
        let mismatch = || ArrayError::Type {
            expected: T::NAME,
            found: self.dtype().to_string(),
        };
        let DType::Scalar(scalar) = self.dtype() else {
            return Err(mismatch());
        };
        let own = element_scalar::<T>();
        if own.kind == scalar.kind && own.size == scalar.size {
            let items = T::read(self.data(), scalar.big_endian);
            return Ok(match self.contiguous() {
                true => items,
                false => self.places().map(|place| items[place]).collect(),
            });
        }
        let (data, size) = (self.data(), scalar.size);
        (self.places().enumerate())
            .map(|(index, place)| {
                let number = scalar
                    .number(&data[place * size..][..size])
                    .ok_or_else(mismatch)?;
                let same_kind = !matches!(number, element::Number::Bool(_)) && T::NAME != "bool";
                match T::of(number) {
                    Some(item) => Ok(item),
                    None if !same_kind => Err(mismatch()),
                    None => Err(ArrayError::Item {
                        index,
                        expected: T::NAME,
                        found: number.to_string(),
                    }),
                }
            })
            .collect()
    }

    /// The items in C order, as values.
    ///
    /// A complex number is a tuple of two floats, a structured item a map; a point in time is a
    /// [`DateTime64`](Value::DateTime64) if its unit has whole microseconds and its count otherwise, an amount of time its
    /// count. Floats of more than 8 bytes are their bytes.
    pub fn items(&self) -> impl ExactSizeIterator<Item = Value> + '_ {
        (0..self.len()).map(|index| self.item(index))
    }

    /// The item at this place in C order, which exists.
    pub(super) fn item(&self, index: usize) -> Value {
        let size = self.dtype().size();
        let at = size * self.place(index);
        self.dtype().item(&self.data()[at..at + size])
    }

    /// Whether C order is the order in which the items stand.
    fn contiguous(&self) -> bool {
        self.order() == Order::C || self.shape().iter().filter(|n| **n != 1).count() <= 1
    }

    /// Where the items stand, in C order.
    fn places(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.len()).map(|index| self.place(index))
    }

    fn place(&self, index: usize) -> usize {
        if self.contiguous() {
            return index;
        }
        // The index in each dimension, from the last one on, and how far apart they stand.
        let mut stride = self.len();
        let (mut rest, mut place) = (index, 0);
        for n in self.shape().iter().rev() {
            stride /= n;
            place += rest % n * stride;
            rest /= n;
        }
        place
    }
}

/// The type of items that `T` is.
fn element_scalar<T: Element>() -> Scalar {
    Scalar::parse(T::DTYPE).unwrap_or(Scalar {
        kind: ScalarKind::Void,
        size: std::mem::size_of::<T>(),
        big_endian: false,
    })
}

impl PartialEq for Array {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.npy == other.0.npy
    }
}

impl Eq for Array {}

impl fmt::Debug for Array {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Array")
            .field("dtype", &self.dtype().to_string())
            .field("shape", &self.shape())
            .field("order", &self.order())
            .finish_non_exhaustive()
    }
}

impl<T: Element> From<Vec<T>> for Array {
    fn from(items: Vec<T>) -> Self {
        Array::from_vec(items)
    }
}

#[cfg(test)]
mod tests;
