/// What one column of one row holds: SQLite's storage classes.
///
/// How values become cells depends on the column: see [`ColumnType`](super::ColumnType).
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// No value.
    Null,
    /// A 64-bit integer.
    Int(i64),
    /// A 64-bit float; never NaN, which SQLite stores as NULL.
    Real(f64),
    /// A text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

impl Cell {
    /// What it holds, which leaves it without.
    pub(crate) fn take(&mut self) -> Cell {
        std::mem::replace(self, Cell::Null)
    }

    /// About how many bytes it holds.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Cell::Text(text) => text.len(),
            Cell::Blob(blob) => blob.len(),
            Cell::Null | Cell::Int(_) | Cell::Real(_) => 8,
        }
    }

    /// What the cell holds, in words.
    pub(crate) fn describe(&self) -> &'static str {
        match self {
            Cell::Null => "NULL",
            Cell::Int(_) => "an integer cell",
            Cell::Real(_) => "a real cell",
            Cell::Text(_) => "a text cell",
            Cell::Blob(_) => "a blob cell",
        }
    }
}
