//! Numbers and constants, which are their own bytes.

use super::graph::Item;
use super::literal::long;
use crate::datapak::opcode;

/// Scalars as they stand in a pickle: nothing but opcodes that [`scalar`] reads, and frames between them.
///
/// Lists of numbers are kept as this, at no cost beside the bytes that are there.
#[derive(Clone, Copy, Default)]
pub(super) struct Scalars<'a>(&'a [u8]);

impl<'a> Scalars<'a> {
    /// The scalars with which the bytes begin, how many there are, and the bytes behind them.
    pub(super) fn of(bytes: &'a [u8]) -> (Self, usize, &'a [u8]) {
        let mut scalars = Scalars(bytes);
        let mut count = 0;
        loop {
            let floats = floats(scalars.0);
            scalars.0 = &scalars.0[floats * FLOAT..];
            count += floats;
            match scalars.next() {
                Some(_) => count += 1,
                None => break,
            }
        }
        let rest = scalars.0;
        (Scalars(&bytes[..bytes.len() - rest.len()]), count, rest)
    }
}

impl<'a> Iterator for Scalars<'a> {
    type Item = Item<'a>;

    #[inline]
    fn next(&mut self) -> Option<Item<'a>> {
        if let [opcode::BINFLOAT, rest @ ..] = self.0
            && let Some((x, rest)) = rest.split_first_chunk()
        {
            self.0 = rest;
            return Some(Item::Float(f64::from_be_bytes(*x)));
        }
        let (item, rest) = match scalar(self.0) {
            Some(found) => found,
            // The bodies of pickles are cut into frames wherever 64 KiB are full.
            None => match self.0 {
                [opcode::FRAME, _, _, _, _, _, _, _, _, rest @ ..] => scalar(rest)?,
                _ => return None,
            },
        };
        self.0 = rest;
        Some(item)
    }
}

/// How many bytes BINFLOAT takes with its number.
pub(super) const FLOAT: usize = 9;

/// How many BINFLOATs the bytes begin with.
pub(super) fn floats(bytes: &[u8]) -> usize {
    bytes
        .chunks_exact(FLOAT)
        .take_while(|chunk| chunk[0] == opcode::BINFLOAT)
        .count()
}

/// The number or constant with which the bytes begin, and the bytes behind it.
pub(super) fn scalar(bytes: &[u8]) -> Option<(Item<'_>, &[u8])> {
    let (op, rest) = bytes.split_first()?;
    Some(match *op {
        opcode::BINFLOAT => {
            let (x, rest) = rest.split_first_chunk()?;
            (Item::Float(f64::from_be_bytes(*x)), rest)
        }
        opcode::BININT1 => {
            let (x, rest) = rest.split_first()?;
            (Item::Int((*x).into()), rest)
        }
        opcode::BININT2 => {
            let (x, rest) = rest.split_first_chunk()?;
            (Item::Int(u16::from_le_bytes(*x).into()), rest)
        }
        opcode::BININT => {
            let (x, rest) = rest.split_first_chunk()?;
            (Item::Int(i32::from_le_bytes(*x).into()), rest)
        }
        opcode::LONG1 => {
            let (len, rest) = rest.split_first()?;
            let (digits, rest) = rest.split_at_checked((*len).into())?;
            let small = long(digits).and_then(|x| i64::try_from(x).ok());
            (small.map_or(Item::Long(digits), Item::Int), rest)
        }
        opcode::NONE => (Item::None, rest),
        opcode::NEWTRUE => (Item::Bool(true), rest),
        opcode::NEWFALSE => (Item::Bool(false), rest),
        _ => return None,
    })
}
