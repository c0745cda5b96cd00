//! Writes FlatBuffers: what refers to other objects is written before them, and its references are filled in later.

/// A slot of a table, in the order of the schema.
#[derive(Clone, Copy)]
pub(super) enum Slot {
    Absent,
    U8(u8),
    I16(i16),
    I32(i32),
    I64(i64),
    /// A reference, to be filled in.
    Reference,
}

impl Slot {
    fn size(self) -> usize {
        match self {
            Slot::Absent => 0,
            Slot::U8(_) => 1,
            Slot::I16(_) => 2,
            Slot::I32(_) | Slot::Reference => 4,
            Slot::I64(_) => 8,
        }
    }
}

/// A table that was written: its position, and those of its slots.
pub(super) struct Table<const N: usize> {
    pub(super) at: usize,
    pub(super) slots: [usize; N],
}

/// Appends one FlatBuffer to bytes that are aligned to 8.
pub(super) struct Builder<'a> {
    out: &'a mut Vec<u8>,
    base: usize,
}

impl<'a> Builder<'a> {
    /// Begin a buffer; the root reference comes first.
    pub(super) fn new(out: &'a mut Vec<u8>) -> Self {
        let base = out.len();
        out.extend_from_slice(&[0; 4]);
        Builder { out, base }
    }

    /// Fill the root reference in.
    pub(super) fn root(&mut self, target: usize) {
        self.refer(0, target);
    }

    /// Let the reference at `at` refer to `target`, which lies behind it.
    pub(super) fn refer(&mut self, at: usize, target: usize) {
        // Metadata is far smaller than 4 GiB, and references are to what is written later.
        let offset = (target - at) as u32;
        self.out[self.base + at..][..4].copy_from_slice(&offset.to_le_bytes());
    }

    fn here(&self) -> usize {
        self.out.len() - self.base
    }

    fn align(&mut self, to: usize) {
        let padded = self.here().next_multiple_of(to);
        self.out.resize(self.base + padded, 0);
    }

    pub(super) fn table<const N: usize>(&mut self, slots: [Slot; N]) -> Table<N> {
        let mut offsets = [0u16; N];
        let mut size = 4usize;
        for (offset, slot) in offsets.iter_mut().zip(slots) {
            if slot.size() > 0 {
                size = size.next_multiple_of(slot.size());
                *offset = size as u16;
                size += slot.size();
            }
        }
        self.align(2);
        let vtable = self.here();
        self.out
            .extend_from_slice(&(4 + 2 * N as u16).to_le_bytes());
        self.out.extend_from_slice(&(size as u16).to_le_bytes());
        offsets
            .iter()
            .for_each(|offset| self.out.extend_from_slice(&offset.to_le_bytes()));
        self.align(8);
        let at = self.here();
        self.out
            .extend_from_slice(&((at - vtable) as i32).to_le_bytes());
        self.out.resize(self.base + at + size, 0);
        for (offset, slot) in offsets.iter().zip(slots) {
            let target = &mut self.out[self.base + at + *offset as usize..];
            match slot {
                Slot::Absent | Slot::Reference => {}
                Slot::U8(x) => target[0] = x,
                Slot::I16(x) => target[..2].copy_from_slice(&x.to_le_bytes()),
                Slot::I32(x) => target[..4].copy_from_slice(&x.to_le_bytes()),
                Slot::I64(x) => target[..8].copy_from_slice(&x.to_le_bytes()),
            }
        }
        Table {
            at,
            slots: offsets.map(|offset| at + offset as usize),
        }
    }

    pub(super) fn string(&mut self, text: &str) -> usize {
        self.align(4);
        let at = self.here();
        self.out
            .extend_from_slice(&(text.len() as u32).to_le_bytes());
        self.out.extend_from_slice(text.as_bytes());
        self.out.push(0);
        at
    }

    /// A vector of references to be filled in; gives its position, and its first element is 4 bytes further.
    pub(super) fn references(&mut self, len: usize) -> usize {
        self.align(4);
        let at = self.here();
        self.out.extend_from_slice(&(len as u32).to_le_bytes());
        self.out.resize(self.base + at + 4 + 4 * len, 0);
        at
    }

    /// A vector of structs that consist of `N` 64-bit integers.
    pub(super) fn structs<const N: usize>(
        &mut self,
        structs: impl ExactSizeIterator<Item = [i64; N]>,
    ) -> usize {
        self.align(8);
        self.out.extend_from_slice(&[0; 4]);
        let at = self.here();
        self.out
            .extend_from_slice(&(structs.len() as u32).to_le_bytes());
        for members in structs {
            members
                .iter()
                .for_each(|x| self.out.extend_from_slice(&x.to_le_bytes()));
        }
        at
    }
}
