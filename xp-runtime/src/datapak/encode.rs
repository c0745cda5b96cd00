use super::{DatapakError, kinds, opcode};
use crate::value::{BigInt, MAX_DEPTH, StoreUrl, Value};

/// Write a value as DATAPAK: a pickle of protocol 4 without memo.
///
/// # Errors
///
/// Dates, times and datetimes (they are columns of their own only); keys of maps and elements of sets that are no scalars
/// nor tuples of scalars; a map or bunch with the key `"DATAPAK-0"`; and values nested deeper than [`MAX_DEPTH`].
///
/// # Examples
///
/// ```
/// use xp::datapak;
/// use xp::value::Value;
///
/// assert_eq!(datapak::encode(&Value::from(1))?, b"\x80\x04K\x01.");
/// assert_eq!(datapak::decode(b"\x80\x04K\x01.")?, Value::from(1));
/// # Ok::<(), datapak::DatapakError>(())
/// ```
pub fn encode(v: &Value) -> Result<Vec<u8>, DatapakError> {
    let mut writer = Writer::new();
    writer.value(v, 0)?;
    Ok(writer.finish())
}

/// Writes a pickle.
pub(super) struct Writer {
    pub(super) out: Vec<u8>,
}

impl Writer {
    pub(super) fn new() -> Self {
        Writer {
            out: vec![opcode::PROTO, 4],
        }
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        self.out.push(opcode::STOP);
        self.out
    }

    fn value(&mut self, value: &Value, depth: usize) -> Result<(), DatapakError> {
        match value {
            Value::Null => self.out.push(opcode::NONE),
            Value::Bool(true) => self.out.push(opcode::NEWTRUE),
            Value::Bool(false) => self.out.push(opcode::NEWFALSE),
            Value::Int(x) => self.int(*x),
            Value::Float(x) => self.float(*x),
            Value::Text(x) => self.text(x),
            Value::Bytes(x) => self.bytes(x),
            Value::Uuid(x) => {
                self.open(kinds::UUID);
                self.text(x.simple().encode_lower(&mut uuid::Uuid::encode_buffer()));
                self.close();
            }
            Value::DateTime64(x) => {
                self.open(kinds::DATETIME64);
                self.int(x.unwrap_or(i64::MIN).into());
                self.close();
            }
            Value::DateTime(_) | Value::Date(_) | Value::Time(_) => {
                return Err(DatapakError::Unsupported {
                    what: value.describe(),
                });
            }
            Value::BigInt(x) => self.big_int(x),
            Value::Array(x) => self.stored(kinds::ARRAY, x.as_npy()),
            Value::Frame(x) => self.stored(kinds::DATA_FRAME, x.as_arrow_file()),
            Value::Series(x) => self.stored(kinds::SERIES, x.as_arrow_file()),
            Value::Table(x) => self.stored(kinds::TABLE, x.as_arrow_file()),
            Value::Sequence(x) => {
                self.open(kinds::SEQUENCE);
                self.stored(kinds::DATA_FRAME, x.as_arrow_file());
                self.close();
            }
            Value::DataStore(url) => self.reference(kinds::DATA_STORE, url),
            Value::ArchiveStore(url) => self.reference(kinds::ARCHIVE_STORE, url),
            Value::Archive(x) => self.stored(kinds::ARCHIVE, x.as_tar()),
            _ if depth == MAX_DEPTH => return Err(DatapakError::TooDeep),
            Value::List(items) => self.list(items, depth)?,
            Value::Tuple(items) => self.tuple(items, depth)?,
            Value::Set(items) => self.set(items, depth)?,
            Value::Map(entries) => {
                self.dict(entries.iter().map(|(k, v)| (Key::Value(k), v)), depth)?
            }
            Value::Bunch(entries) => {
                self.open(kinds::BUNCH);
                self.dict(entries.iter().map(|(k, v)| (Key::Name(k), v)), depth)?;
                self.close();
            }
            Value::KeyedBunch(entries) => {
                self.open(kinds::BUNCH);
                self.dict(entries.iter().map(|(k, v)| (Key::Value(k), v)), depth)?;
                self.close();
            }
        }
        Ok(())
    }

    /// Begin a complex value; its payload follows.
    pub(super) fn open(&mut self, kind: &str) {
        self.out
            .extend_from_slice(&[opcode::EMPTY_DICT, opcode::MARK]);
        self.text(kinds::MAGIC);
        self.text(kind);
        self.text(kinds::PAYLOAD);
    }

    /// End a complex value.
    pub(super) fn close(&mut self) {
        self.out.push(opcode::SETITEMS);
    }

    pub(super) fn float(&mut self, x: f64) {
        self.out.push(opcode::BINFLOAT);
        self.out.extend_from_slice(&x.to_be_bytes());
    }

    pub(super) fn int(&mut self, x: i128) {
        if let Ok(x) = u8::try_from(x) {
            self.out.extend_from_slice(&[opcode::BININT1, x]);
        } else if let Ok(x) = u16::try_from(x) {
            self.out.push(opcode::BININT2);
            self.out.extend_from_slice(&x.to_le_bytes());
        } else if let Ok(x) = i32::try_from(x) {
            self.out.push(opcode::BININT);
            self.out.extend_from_slice(&x.to_le_bytes());
        } else {
            // The shortest two's complement: one bit for the sign, and all significant ones.
            let significant = 128
                - if x < 0 {
                    x.leading_ones()
                } else {
                    x.leading_zeros()
                };
            let len = significant / 8 + 1;
            // At most 128 significant bits with their sign: no more than 16 bytes.
            self.out.extend_from_slice(&[opcode::LONG1, len as u8]);
            self.out.extend_from_slice(&x.to_le_bytes()[..len as usize]);
        }
    }

    fn big_int(&mut self, x: &BigInt) {
        let bytes = x.as_le_bytes();
        // At most 255.
        self.out
            .extend_from_slice(&[opcode::LONG1, bytes.len() as u8]);
        self.out.extend_from_slice(bytes);
    }

    /// A complex value that is kept as bytes.
    fn stored(&mut self, kind: &str, bytes: &[u8]) {
        self.out.reserve(bytes.len() + 64);
        self.open(kind);
        self.bytes(bytes);
        self.close();
    }

    fn reference(&mut self, kind: &str, url: &StoreUrl) {
        self.open(kind);
        self.text(url.as_str());
        self.close();
    }

    pub(super) fn text(&mut self, x: &str) {
        self.length(
            [
                opcode::SHORT_BINUNICODE,
                opcode::BINUNICODE,
                opcode::BINUNICODE8,
            ],
            x.len(),
        );
        self.out.extend_from_slice(x.as_bytes());
    }

    fn bytes(&mut self, x: &[u8]) {
        self.length(
            [opcode::SHORT_BINBYTES, opcode::BINBYTES, opcode::BINBYTES8],
            x.len(),
        );
        self.out.extend_from_slice(x);
    }

    /// The opcode for lengths of 1, 4 or 8 bytes, and the length.
    pub(super) fn length(&mut self, [short, medium, long]: [u8; 3], len: usize) {
        if let Ok(len) = u8::try_from(len) {
            self.out.extend_from_slice(&[short, len]);
        } else if let Ok(len) = u32::try_from(len) {
            self.out.push(medium);
            self.out.extend_from_slice(&len.to_le_bytes());
        } else {
            self.out.push(long);
            self.out.extend_from_slice(&(len as u64).to_le_bytes());
        }
    }

    fn list(&mut self, items: &[Value], depth: usize) -> Result<(), DatapakError> {
        self.begin_list(items.len());
        for item in items {
            self.value(item, depth + 1)?;
        }
        self.end_list(items.len());
        Ok(())
    }

    /// Begin a list; so many elements follow.
    pub(super) fn begin_list(&mut self, len: usize) {
        self.out.push(opcode::EMPTY_LIST);
        if len > 0 {
            self.out.push(opcode::MARK);
        }
    }

    /// End a list of so many elements.
    pub(super) fn end_list(&mut self, len: usize) {
        if len > 0 {
            self.out.push(opcode::APPENDS);
        }
    }

    fn tuple(&mut self, items: &[Value], depth: usize) -> Result<(), DatapakError> {
        if items.len() > 3 {
            self.out.push(opcode::MARK);
        }
        for item in items {
            self.value(item, depth + 1)?;
        }
        self.out.push(match items.len() {
            0 => opcode::EMPTY_TUPLE,
            1 => opcode::TUPLE1,
            2 => opcode::TUPLE2,
            3 => opcode::TUPLE3,
            _ => opcode::TUPLE,
        });
        Ok(())
    }

    fn set(&mut self, items: &[Value], depth: usize) -> Result<(), DatapakError> {
        self.out.push(opcode::EMPTY_SET);
        if items.is_empty() {
            return Ok(());
        }
        self.out.push(opcode::MARK);
        for item in items {
            self.key(Key::Value(item), depth + 1)?;
        }
        self.out.push(opcode::ADDITEMS);
        Ok(())
    }

    fn dict<'a>(
        &mut self,
        entries: impl ExactSizeIterator<Item = (Key<'a>, &'a Value)>,
        depth: usize,
    ) -> Result<(), DatapakError> {
        self.out.push(opcode::EMPTY_DICT);
        if entries.len() == 0 {
            return Ok(());
        }
        self.out.push(opcode::MARK);
        for (key, value) in entries {
            if key.name() == Some(kinds::MAGIC) {
                return Err(DatapakError::ReservedKey);
            }
            self.key(key, depth + 1)?;
            self.value(value, depth + 1)?;
        }
        self.out.push(opcode::SETITEMS);
        Ok(())
    }

    fn key(&mut self, key: Key<'_>, depth: usize) -> Result<(), DatapakError> {
        match key {
            Key::Name(name) => {
                self.text(name);
                Ok(())
            }
            Key::Value(value) => {
                check_hashable(value, depth)?;
                self.value(value, depth)
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Key<'a> {
    Name(&'a str),
    Value(&'a Value),
}

impl<'a> Key<'a> {
    fn name(self) -> Option<&'a str> {
        match self {
            Key::Name(name) => Some(name),
            Key::Value(value) => value.as_str(),
        }
    }
}

fn check_hashable(key: &Value, depth: usize) -> Result<(), DatapakError> {
    match key {
        Value::Null
        | Value::Bool(_)
        | Value::Int(_)
        | Value::BigInt(_)
        | Value::Float(_)
        | Value::Text(_)
        | Value::Bytes(_) => Ok(()),
        Value::Tuple(_) if depth == MAX_DEPTH => Err(DatapakError::TooDeep),
        Value::Tuple(items) => items
            .iter()
            .try_for_each(|item| check_hashable(item, depth + 1)),
        other => Err(DatapakError::Unhashable {
            what: other.describe(),
        }),
    }
}
