//! What opcodes read.

use super::Machine;
use crate::datapak::DatapakError;

impl<'a> Machine<'a> {
    pub(super) fn malformed<T>(&self, problem: &'static str) -> Result<T, DatapakError> {
        Err(DatapakError::Malformed {
            at: self.opcode_at,
            problem,
        })
    }

    pub(super) fn take(&mut self, len: usize) -> Result<&'a [u8], DatapakError> {
        let rest = &self.bytes[self.at..];
        let taken = rest.get(..len).ok_or(DatapakError::Truncated {
            at: self.bytes.len(),
        })?;
        self.at += len;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], DatapakError> {
        let taken = self.bytes[self.at..]
            .first_chunk()
            .ok_or(DatapakError::Truncated {
                at: self.bytes.len(),
            })?;
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
        usize::try_from(len).map_err(|_| DatapakError::Truncated {
            at: self.bytes.len(),
        })
    }

    /// The bytes up to the next line feed, without it.
    pub(super) fn line(&mut self) -> Result<&'a [u8], DatapakError> {
        let rest = &self.bytes[self.at..];
        let len = rest
            .iter()
            .position(|b| *b == b'\n')
            .ok_or(DatapakError::Truncated {
                at: self.bytes.len(),
            })?;
        self.at += len + 1;
        Ok(&rest[..len])
    }

    pub(super) fn line_index(&mut self) -> Result<usize, DatapakError> {
        let line = self.line()?;
        match str::from_utf8(line).ok().and_then(|x| x.parse().ok()) {
            Some(index) => Ok(index),
            None => self.malformed("unreadable index"),
        }
    }
}
