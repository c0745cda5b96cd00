/// Bytes that are no array, or an array that is not what was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ArrayError {
    /// Bytes that are not in NumPy's format.
    #[error("malformed NumPy array: {problem}")]
    Malformed {
        /// What is wrong.
        problem: &'static str,
    },
    /// A type of items that cannot be held: pickled objects.
    #[error("NumPy arrays of type `{dtype}` are not supported")]
    Unsupported {
        /// The type, as NumPy writes it.
        dtype: String,
    },
    /// Other than as many items as the shape says.
    #[error("an array of shape {shape:?} has {expected} items, not {found}")]
    Shape {
        /// The shape.
        shape: Vec<usize>,
        /// How many items it has.
        expected: usize,
        /// How many were given.
        found: usize,
    },
    /// Items of another type than the one asked for.
    #[error("expected items of type {expected}, found an array of `{found}`")]
    Type {
        /// The type that was asked for.
        expected: &'static str,
        /// The array's type, as NumPy writes it.
        found: String,
    },
    /// An item that the type asked for does not hold.
    #[error("item {index} of the array is no {expected}: {found}")]
    Item {
        /// Its place, in C order.
        index: usize,
        /// The type that was asked for.
        expected: &'static str,
        /// The item.
        found: String,
    },
    /// An array of another number of dimensions.
    #[error("expected {expected} dimensions, found an array of shape {found:?}")]
    Dimensions {
        /// How many were asked for.
        expected: usize,
        /// The array's shape.
        found: Vec<usize>,
    },
}
