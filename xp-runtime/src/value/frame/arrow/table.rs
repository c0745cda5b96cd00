//! Reads FlatBuffers, where nothing is taken on trust: every offset is checked before it is followed.

use crate::value::frame::FrameError;

/// A table of a FlatBuffer.
#[derive(Clone, Copy)]
pub(super) struct Table<'a> {
    buffer: &'a [u8],
    at: usize,
    vtable: &'a [u8],
}

pub(super) fn malformed<T>(problem: &'static str) -> Result<T, FrameError> {
    Err(FrameError::Malformed { problem })
}

const OUTSIDE: FrameError = FrameError::Malformed {
    problem: "metadata refers to what lies outside",
};

/// The `N` bytes at this position.
pub(super) fn array<const N: usize>(buffer: &[u8], at: usize) -> Result<[u8; N], FrameError> {
    buffer
        .get(at..)
        .and_then(|rest| rest.first_chunk())
        .copied()
        .ok_or(OUTSIDE)
}

fn u32_at(buffer: &[u8], at: usize) -> Result<usize, FrameError> {
    Ok(u32::from_le_bytes(array(buffer, at)?) as usize)
}

/// Where the reference at this position leads to.
fn follow(buffer: &[u8], at: usize) -> Result<usize, FrameError> {
    let target = at.checked_add(u32_at(buffer, at)?).ok_or(OUTSIDE)?;
    if target < buffer.len() {
        Ok(target)
    } else {
        Err(OUTSIDE)
    }
}

impl<'a> Table<'a> {
    /// The root table of a buffer.
    pub(super) fn root(buffer: &'a [u8]) -> Result<Self, FrameError> {
        Table::new(buffer, follow(buffer, 0)?)
    }

    fn new(buffer: &'a [u8], at: usize) -> Result<Self, FrameError> {
        let back = i32::from_le_bytes(array(buffer, at)?);
        let vtable = i64::try_from(at).map_err(|_| OUTSIDE)? - i64::from(back);
        let vtable = usize::try_from(vtable).map_err(|_| OUTSIDE)?;
        let len = u16::from_le_bytes(array(buffer, vtable)?).into();
        let vtable = buffer
            .get(vtable..)
            .and_then(|rest| rest.get(..len))
            .ok_or(OUTSIDE)?;
        Ok(Table { buffer, at, vtable })
    }

    /// Where the value of a slot stands; `None` if it is absent.
    fn slot(&self, slot: usize) -> Option<usize> {
        let offset = u16::from_le_bytes(array(self.vtable, 4 + 2 * slot).ok()?);
        (offset != 0).then(|| self.at + usize::from(offset))
    }

    fn scalar<const N: usize>(&self, slot: usize) -> Result<[u8; N], FrameError> {
        self.slot(slot)
            .map_or(Ok([0; N]), |at| array(self.buffer, at))
    }

    pub(super) fn u8(&self, slot: usize) -> Result<u8, FrameError> {
        Ok(u8::from_le_bytes(self.scalar(slot)?))
    }

    pub(super) fn i16(&self, slot: usize) -> Result<i16, FrameError> {
        Ok(i16::from_le_bytes(self.scalar(slot)?))
    }

    pub(super) fn i32(&self, slot: usize) -> Result<i32, FrameError> {
        Ok(i32::from_le_bytes(self.scalar(slot)?))
    }

    pub(super) fn i64(&self, slot: usize) -> Result<i64, FrameError> {
        Ok(i64::from_le_bytes(self.scalar(slot)?))
    }

    pub(super) fn is_present(&self, slot: usize) -> bool {
        self.slot(slot).is_some()
    }

    pub(super) fn table(&self, slot: usize) -> Result<Self, FrameError> {
        match self.slot(slot) {
            Some(at) => Table::new(self.buffer, follow(self.buffer, at)?),
            None => malformed("metadata is missing"),
        }
    }

    /// The elements of a vector of structs or references, as bytes; empty if it is absent.
    fn vector(&self, slot: usize, size: usize) -> Result<(usize, &'a [u8]), FrameError> {
        let Some(at) = self.slot(slot) else {
            return Ok((0, &[]));
        };
        let at = follow(self.buffer, at)?;
        let len = u32_at(self.buffer, at)?.checked_mul(size).ok_or(OUTSIDE)?;
        let elements = self
            .buffer
            .get(at + 4..)
            .and_then(|rest| rest.get(..len))
            .ok_or(OUTSIDE)?;
        Ok((at + 4, elements))
    }

    pub(super) fn structs(
        &self,
        slot: usize,
        size: usize,
    ) -> Result<std::slice::ChunksExact<'a, u8>, FrameError> {
        Ok(self.vector(slot, size)?.1.chunks_exact(size))
    }

    /// The tables of a vector, one after the other: there may be many more references than anyone wants to follow.
    pub(super) fn tables(
        &self,
        slot: usize,
    ) -> Result<impl Iterator<Item = Result<Self, FrameError>> + use<'a>, FrameError> {
        let (start, elements) = self.vector(slot, 4)?;
        let buffer = self.buffer;
        let references = (0..elements.len() / 4).map(move |i| start + 4 * i);
        Ok(references.map(move |at| Table::new(buffer, follow(buffer, at)?)))
    }

    pub(super) fn string(&self, slot: usize) -> Result<&'a str, FrameError> {
        let (_, bytes) = self.vector(slot, 1)?;
        str::from_utf8(bytes).or_else(|_| malformed("a name that is not UTF-8"))
    }
}
