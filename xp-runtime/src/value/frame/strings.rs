//! Strings of characters or of bytes, one after the other in one buffer.

/// Texts, one after the other in one buffer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts {
    /// Where each text ends in the buffer: in ascending order, at character boundaries.
    pub(super) ends: Vec<usize>,
    pub(super) buffer: String,
}

impl Texts {
    /// No texts.
    pub fn new() -> Self {
        Texts::default()
    }

    /// How many texts there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Add a text at the end.
    pub fn push(&mut self, text: &str) {
        self.buffer.push_str(text);
        self.ends.push(self.buffer.len());
    }

    /// The text at `index`; `None` beyond the end.
    pub fn get(&self, index: usize) -> Option<&str> {
        let (start, end) = bounds(&self.ends, index)?;
        self.buffer.get(start..end)
    }

    /// The texts in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> + '_ {
        (0..self.len()).filter_map(|i| self.get(i))
    }
}

impl<S: AsRef<str>> FromIterator<S> for Texts {
    fn from_iter<I: IntoIterator<Item = S>>(texts: I) -> Self {
        let mut all = Texts::new();
        texts.into_iter().for_each(|text| all.push(text.as_ref()));
        all
    }
}

/// Byte strings, one after the other in one buffer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Binaries {
    /// Where each one ends in the buffer: in ascending order.
    pub(super) ends: Vec<usize>,
    pub(super) buffer: Vec<u8>,
}

impl Binaries {
    /// No byte strings.
    pub fn new() -> Self {
        Binaries::default()
    }

    /// How many byte strings there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Add a byte string at the end.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
        self.ends.push(self.buffer.len());
    }

    /// The byte string at `index`; `None` beyond the end.
    pub fn get(&self, index: usize) -> Option<&[u8]> {
        let (start, end) = bounds(&self.ends, index)?;
        self.buffer.get(start..end)
    }

    /// The byte strings in order.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> + '_ {
        (0..self.len()).filter_map(|i| self.get(i))
    }
}

impl<S: AsRef<[u8]>> FromIterator<S> for Binaries {
    fn from_iter<I: IntoIterator<Item = S>>(all: I) -> Self {
        let mut binaries = Binaries::new();
        all.into_iter()
            .for_each(|bytes| binaries.push(bytes.as_ref()));
        binaries
    }
}

/// Where the part at `index` begins and ends.
pub(super) fn bounds(ends: &[usize], index: usize) -> Option<(usize, usize)> {
    let end = *ends.get(index)?;
    let start = index.checked_sub(1).map_or(0, |before| ends[before]);
    Some((start, end))
}
