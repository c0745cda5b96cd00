//! The inputs of a point, and their hash.

use std::any::type_name;
use std::fmt;
use std::ops::Range;

use serde::Serialize;

use super::encode::{EncodeError, Encoded, Encoder};
use super::form::{sort_entries, tag, text_len, write_text};

/// What the hashed bytes of inputs start with.
const DOMAIN: &str = "xp inputs 1";

/// The inputs of one point by name, of which [`Inputs::hash`] makes the [`InputsHash`].
///
/// Its buffers are kept from point to point, so that hashing a point allocates nothing. The names
/// are distinct; the order in which they are pushed does not matter.
///
/// ```
/// # use xp::identity::Inputs;
/// let mut inputs = Inputs::default();
/// inputs.push("k", &3_u8)?;
/// inputs.push("seed", &0_u64)?;
/// let hash = inputs.hash();
///
/// inputs.clear();
/// inputs.push("seed", &0_i32)?;
/// inputs.push("k", &3_usize)?;
/// assert_eq!(inputs.hash(), hash);
/// # Ok::<(), xp::identity::EncodeError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    /// The entries in canonical form: name, value.
    bytes: Vec<u8>,
    /// Where in `bytes` each entry is.
    entries: Vec<Range<usize>>,
}

impl Inputs {
    /// Takes all inputs out.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.entries.clear();
    }

    /// Adds an input. `None` is left out, as from a struct.
    ///
    /// # Errors
    ///
    /// The value's `Serialize` fails; the inputs are as they were.
    pub fn push<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), EncodeError> {
        self.atomically(|inputs, start| {
            write_text(name, &mut inputs.bytes);
            match inputs.encode(value, false)? {
                Encoded::Value => inputs.finish_entry(start),
                Encoded::Absent => inputs.bytes.truncate(start),
            }
            Ok(())
        })
    }

    /// Adds an input whose value is a text.
    pub fn push_text(&mut self, name: &'static str, text: &str) {
        let start = self.bytes.len();
        write_text(name, &mut self.bytes);
        write_text(text, &mut self.bytes);
        self.finish_entry(start);
    }

    /// Adds an input, unless its canonical form is that of `absent`: the value which points had
    /// before this input existed.
    ///
    /// `None` is null here if it is not `absent` itself, since to leave it out would make it
    /// `absent`.
    ///
    /// # Errors
    ///
    /// The `Serialize` of one of the values fails; the inputs are as they were.
    pub fn push_unless<T: Serialize + ?Sized, U: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
        absent: &U,
    ) -> Result<(), EncodeError> {
        self.atomically(|inputs, start| {
            write_text(name, &mut inputs.bytes);
            let value_start = inputs.bytes.len();
            let value = inputs.encode(value, false)?;
            let value_end = inputs.bytes.len();
            let absent = inputs.encode(absent, false)?;

            let (left, right) = inputs.bytes[value_start..].split_at(value_end - value_start);
            if value == absent && left == right {
                inputs.bytes.truncate(start);
                return Ok(());
            }
            inputs.bytes.truncate(value_end);
            if value == Encoded::Absent {
                inputs.bytes.push(tag::NULL);
            }
            inputs.finish_entry(start);
            Ok(())
        })
    }

    /// Adds each member of a struct, or of a map whose keys are texts, as an input of its own.
    /// `None` has no members.
    ///
    /// # Errors
    ///
    /// The value's `Serialize` fails, or it has no named members; the inputs are as they were.
    pub fn push_members<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        self.atomically(|inputs, _| inputs.encode_members(value))
    }

    /// Adds each member of a struct as an input of its own, as [`push_members`](Self::push_members)
    /// does, unless it is that of `absent`, as [`push_unless`](Self::push_unless) does.
    ///
    /// # Errors
    ///
    /// The `Serialize` of one of the values fails, or one has no named members; the inputs are as
    /// they were.
    pub fn push_members_unless<T: Serialize + ?Sized, U: Serialize + ?Sized>(
        &mut self,
        value: &T,
        absent: &U,
    ) -> Result<(), EncodeError> {
        self.atomically(|inputs, _| {
            let first = inputs.entries.len();
            inputs.encode_members(value)?;
            let absents = inputs.entries.len();
            inputs.encode_members(absent)?;

            let (bytes, entries) = (&mut inputs.bytes, &mut inputs.entries);
            let (members, absents) = entries[first..].split_at_mut(absents - first);
            for absent in absents {
                let name = absent.start..absent.start + text_len(&bytes[absent.start..]);
                let same = |member: &&mut Range<usize>| {
                    bytes[member.start..member.end].starts_with(&bytes[name.clone()])
                };
                match members.iter_mut().find(same) {
                    Some(member) => {
                        if bytes[member.clone()] == bytes[absent.clone()] {
                            member.end = member.start;
                        }
                        absent.end = absent.start;
                    }
                    // The member is `None`, and to leave it out would make it `absent`.
                    None => {
                        bytes[name.end] = tag::NULL;
                        absent.end = name.end + 1;
                    }
                }
            }
            entries.retain(|entry| !entry.is_empty());
            Ok(())
        })
    }

    /// The hash of these inputs: BLAKE3 of the text `xp inputs 1` and the map of the inputs, both
    /// in canonical form.
    pub fn hash(&mut self) -> InputsHash {
        sort_entries(&mut self.entries, &self.bytes);
        let start = self.bytes.len();
        write_text(DOMAIN, &mut self.bytes);
        self.bytes.push(tag::MAP);
        for entry in &self.entries {
            self.bytes.extend_from_within(entry.clone());
        }
        self.bytes.push(tag::END);
        let hash = blake3::hash(&self.bytes[start..]);
        self.bytes.truncate(start);
        InputsHash(*hash.as_bytes())
    }

    /// The canonical form of the value of that input; `None` if it is not there, or left out.
    pub(crate) fn form_of(&self, name: &str) -> Option<&[u8]> {
        let mut key = Vec::new();
        write_text(name, &mut key);
        let entries = self.entries.iter().map(|entry| &self.bytes[entry.clone()]);
        entries
            .filter_map(|entry| entry.strip_prefix(key.as_slice()))
            .next()
    }

    /// Does what `push` says, given where the bytes end now, or nothing if that fails.
    fn atomically(
        &mut self,
        push: impl FnOnce(&mut Self, usize) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        let (start, first) = (self.bytes.len(), self.entries.len());
        let pushed = push(self, start);
        if pushed.is_err() {
            self.bytes.truncate(start);
            self.entries.truncate(first);
        }
        pushed
    }

    fn encode<T: Serialize + ?Sized>(
        &mut self,
        value: &T,
        members: bool,
    ) -> Result<Encoded, EncodeError> {
        value.serialize(Encoder {
            out: &mut self.bytes,
            entries: &mut self.entries,
            members,
        })
    }

    /// Encodes a value whose members become entries.
    fn encode_members<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        let (start, first) = (self.bytes.len(), self.entries.len());
        if self.encode(value, true)? == Encoded::Absent {
            return Ok(());
        }
        let is_map = self.bytes.get(start) == Some(&tag::MAP);
        let mut members = self.entries[first..].iter();
        if is_map && members.all(|member| self.bytes[member.start] == tag::TEXT) {
            Ok(())
        } else {
            Err(EncodeError::NoMembers(type_name::<T>()))
        }
    }

    fn finish_entry(&mut self, start: usize) {
        let entry = start..self.bytes.len();
        self.entries.push(entry);
    }
}

/// The hash of a point's config and params: what its random numbers depend on besides the root
/// seed, and what its [`Identity`](super::Identity) depends on besides the experiment.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct InputsHash([u8; 32]);

impl InputsHash {
    /// The hash with these bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes of the hash.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for InputsHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InputsHash({})", blake3::Hash::from_bytes(self.0))
    }
}
