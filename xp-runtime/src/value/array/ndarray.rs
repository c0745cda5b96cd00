//! Arrays of the crate `ndarray`.

use ndarray::{ArrayBase, Data, Dimension, IxDyn, ShapeBuilder};

use super::{Array, ArrayError, Element, Order};

/// The same items in the same order, in memory as they stand if that is C or Fortran order.
impl<T: Element, S: Data<Elem = T>, D: Dimension> From<&ArrayBase<S, D>> for Array {
    fn from(array: &ArrayBase<S, D>) -> Self {
        let shape = array.shape().to_vec();
        match (array.as_slice(), array.t().as_slice()) {
            (Some(items), _) => Array::make(shape, Order::C, items),
            (None, Some(items)) => Array::make(shape, Order::Fortran, items),
            (None, None) => {
                let items: Vec<T> = array.iter().copied().collect();
                Array::make(shape, Order::C, &items)
            }
        }
    }
}

impl Array {
    /// The array as one of the crate `ndarray`, in the order in which it is stored; items are converted as
    /// [`to_vec`](Self::to_vec) does.
    ///
    /// # Errors
    ///
    /// Items that are no `T`, or another number of dimensions than `D` has.
    ///
    /// # Examples
    ///
    /// ```
    /// use ndarray::{Array2, array};
    /// use xp::value::Array;
    ///
    /// let stored = Array::from(&array![[1.5, 2.5], [3.5, 4.5]]);
    /// let loaded: Array2<f64> = stored.to_ndarray()?;
    /// assert_eq!(loaded, array![[1.5, 2.5], [3.5, 4.5]]);
    /// # Ok::<(), xp::value::ArrayError>(())
    /// ```
    pub fn to_ndarray<T: Element, D: Dimension>(&self) -> Result<ndarray::Array<T, D>, ArrayError> {
        let items = self.to_vec::<T>()?;
        let shape = IxDyn(self.shape());
        let dimensions = || ArrayError::Dimensions {
            expected: D::NDIM.unwrap_or(self.shape().len()),
            found: self.shape().to_vec(),
        };
        let array =
            ndarray::Array::from_shape_vec(shape.clone(), items).map_err(|_| dimensions())?;
        let array = match self.order() {
            Order::C => array,
            Order::Fortran => {
                let mut reordered = ndarray::Array::from_shape_simple_fn(shape.f(), || {
                    array[IxDyn(&vec![0; self.shape().len()])]
                });
                reordered.assign(&array);
                reordered
            }
        };
        array.into_dimensionality().map_err(|_| dimensions())
    }
}
