//! What opcodes read.

use crate::datapak::DatapakError;

/// The bytes of a pickle, and how far they were read.
#[derive(Clone, Copy)]
pub(super) struct Input<'a> {
    bytes: &'a [u8],
    pub(super) at: usize,
}

impl<'a> Input<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Input { bytes, at: 0 }
    }

    /// What was not read yet.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    fn truncated(&self) -> DatapakError {
        DatapakError::Truncated {
            at: self.bytes.len(),
        }
    }

    pub(super) fn take(&mut self, len: usize) -> Result<&'a [u8], DatapakError> {
        let taken = self.rest().get(..len).ok_or_else(|| self.truncated())?;
        self.at += len;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], DatapakError> {
        let taken = self.rest().first_chunk().ok_or_else(|| self.truncated())?;
        self.at += N;
        Ok(*taken)
    }

    pub(super) fn length1(&mut self) -> Result<usize, DatapakError> {
        let [len] = self.array()?;
        Ok(len.into())
    }

    pub(super) fn length4(&mut self) -> Result<usize, DatapakError> {
        Ok(u32::from_le_bytes(self.array()?) as usize)
    }

    pub(super) fn length8(&mut self) -> Result<usize, DatapakError> {
        let len = u64::from_le_bytes(self.array()?);
        usize::try_from(len).map_err(|_| self.truncated())
    }

    /// The bytes up to the next line feed, without it.
    pub(super) fn line(&mut self) -> Result<&'a [u8], DatapakError> {
        let rest = self.rest();
        let len = rest
            .iter()
            .position(|b| *b == b'\n')
            .ok_or_else(|| self.truncated())?;
        self.at += len + 1;
        Ok(&rest[..len])
    }

    /// The length of a frame, of which there are so many bytes.
    pub(super) fn frame(&mut self) -> Result<(), DatapakError> {
        match self.length8()? {
            len if len <= self.rest().len() => Ok(()),
            _ => Err(self.truncated()),
        }
    }
}
