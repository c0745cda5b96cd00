//! Whether all opcodes of a pickle are allowed, before any of them is executed.

use super::input::Input;
use super::scalar::{FLOAT, floats};
use crate::datapak::DatapakError;
use crate::datapak::opcode::{self, Argument};

/// Refuses a pickle with an opcode that is not allowed, wherever it stands, and one that does not end where it says.
pub(super) fn scan(bytes: &[u8]) -> Result<(), DatapakError> {
    let mut input = Input::new(bytes);
    loop {
        input.at += floats(input.rest()) * FLOAT;
        let at = input.at;
        let [op] = input.array()?;
        match opcode::argument(op) {
            Some(_) if op == opcode::BYTEARRAY8 || op == opcode::FROZENSET => {
                return Err(DatapakError::Unsupported {
                    what: if op == opcode::FROZENSET {
                        "a frozenset"
                    } else {
                        "a bytearray"
                    },
                });
            }
            None => return Err(DatapakError::Opcode { opcode: op, at }),
            Some(Argument::Fixed(len)) => {
                input.take(len.into())?;
            }
            Some(Argument::Counted(len)) => {
                let len = match len {
                    1 => input.length1()?,
                    4 => input.length4()?,
                    _ => input.length8()?,
                };
                input.take(len)?;
            }
            Some(Argument::Line) => {
                input.line()?;
            }
        }
        if op == opcode::STOP {
            return match input.rest() {
                [] => Ok(()),
                _ => Err(DatapakError::Malformed {
                    at: input.at,
                    problem: "bytes after the end",
                }),
            };
        }
    }
}
