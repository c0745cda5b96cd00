/// Truth values, packed: the least significant bit of each byte first, as in Arrow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bitmap {
    /// Bits beyond the length are zero.
    bytes: Vec<u8>,
    len: usize,
}

impl Bitmap {
    /// No bits.
    pub fn new() -> Self {
        Bitmap::default()
    }

    /// `len` equal bits.
    pub fn filled(bit: bool, len: usize) -> Self {
        let mut bitmap = Bitmap {
            bytes: vec![if bit { 0xff } else { 0 }; len.div_ceil(8)],
            len,
        };
        bitmap.clear_tail();
        bitmap
    }

    /// The first `len` bits of these bytes; `None` if there are fewer.
    pub(in crate::value) fn from_bytes(bytes: &[u8], len: usize) -> Option<Self> {
        let mut bitmap = Bitmap {
            bytes: bytes.get(..len.div_ceil(8))?.to_vec(),
            len,
        };
        bitmap.clear_tail();
        Some(bitmap)
    }

    fn clear_tail(&mut self) {
        if let Some(last) = self.bytes.last_mut()
            && !self.len.is_multiple_of(8)
        {
            *last &= (1 << (self.len % 8)) - 1;
        }
    }

    /// How many bits there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The bit at `index`; `None` beyond the end.
    pub fn get(&self, index: usize) -> Option<bool> {
        (index < self.len).then(|| self.bytes[index / 8] >> (index % 8) & 1 == 1)
    }

    /// Add a bit at the end.
    pub fn push(&mut self, bit: bool) {
        let position = self.len % 8;
        match self.bytes.last_mut() {
            Some(last) if position != 0 => *last |= u8::from(bit) << position,
            _ => self.bytes.push(bit.into()),
        }
        self.len += 1;
    }

    /// How many bits are set.
    pub fn count_ones(&self) -> usize {
        self.bytes
            .iter()
            .map(|byte| byte.count_ones() as usize)
            .sum()
    }

    /// The bits in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = bool> + '_ {
        (0..self.len).map(|i| self.bytes[i / 8] >> (i % 8) & 1 == 1)
    }

    /// Add all bits of another bitmap.
    pub fn append(&mut self, other: &Bitmap) {
        if self.len.is_multiple_of(8) {
            self.bytes.extend_from_slice(&other.bytes);
            self.len += other.len;
        } else {
            other.iter().for_each(|bit| self.push(bit));
        }
    }

    /// The packed bits; those beyond the length are zero.
    pub(in crate::value) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl FromIterator<bool> for Bitmap {
    fn from_iter<I: IntoIterator<Item = bool>>(bits: I) -> Self {
        let mut bitmap = Bitmap::new();
        bits.into_iter().for_each(|bit| bitmap.push(bit));
        bitmap
    }
}
