//! Reads the allowed opcodes of a pickle into a graph of nodes.
//!
//! Shared nodes stay shared, and cycles are possible: what a pickle can make of a few bytes by repeating itself is only
//! decided when the graph is turned into a value.

use std::borrow::Cow;
use std::collections::HashMap;

use super::{DatapakError, opcode};

/// A node of a pickled value; others are named by their index.
pub(super) enum Node<'a> {
    None,
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(Cow<'a, str>),
    Bytes(&'a [u8]),
    List(Vec<usize>),
    Tuple(Vec<usize>),
    Set(Vec<usize>),
    Dict(Vec<(usize, usize)>),
}

/// What a pickle says: nodes, and which of them is the value.
pub(super) struct Graph<'a> {
    pub(super) nodes: Vec<Node<'a>>,
    pub(super) root: usize,
}

/// Read a pickle of any protocol up to 5.
pub(super) fn unpickle(bytes: &[u8]) -> Result<Graph<'_>, DatapakError> {
    match bytes {
        [b'C', b'0', b'1', ..] => return Err(DatapakError::Compressed { codec: "zlib" }),
        [b'C', b'0', b'0', ..] => {
            return Err(DatapakError::Compressed {
                codec: "an unknown codec",
            });
        }
        _ => {}
    }
    let mut machine = Machine {
        bytes,
        at: 0,
        opcode_at: 0,
        nodes: vec![],
        stack: vec![],
        marks: vec![],
        memo: HashMap::new(),
    };
    while machine.step()? {}
    let root = machine.pop()?;
    if machine.at < bytes.len() {
        return machine.malformed("bytes after the end");
    }
    Ok(Graph {
        nodes: machine.nodes,
        root,
    })
}

struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    opcode_at: usize,
    nodes: Vec<Node<'a>>,
    stack: Vec<usize>,
    /// Heights of the stack at which a mark was set.
    marks: Vec<usize>,
    memo: HashMap<usize, usize>,
}

impl<'a> Machine<'a> {
    /// Execute one opcode; `false` at the end.
    fn step(&mut self) -> Result<bool, DatapakError> {
        self.opcode_at = self.at;
        let [op] = self.array()?;
        match op {
            opcode::PROTO => {
                let [version] = self.array()?;
                if version > 5 {
                    return self.malformed("unknown protocol");
                }
            }
            opcode::FRAME => {
                let len = self.length8()?;
                if len > self.bytes.len() - self.at {
                    return Err(DatapakError::Truncated {
                        at: self.bytes.len(),
                    });
                }
            }
            opcode::STOP => return Ok(false),
            opcode::NONE => self.push(Node::None),
            opcode::NEWTRUE => self.push(Node::Bool(true)),
            opcode::NEWFALSE => self.push(Node::Bool(false)),
            opcode::BININT1 => {
                let [x] = self.array()?;
                self.push(Node::Int(x.into()));
            }
            opcode::BININT2 => {
                let x = u16::from_le_bytes(self.array()?);
                self.push(Node::Int(x.into()));
            }
            opcode::BININT => {
                let x = i32::from_le_bytes(self.array()?);
                self.push(Node::Int(x.into()));
            }
            opcode::LONG1 => {
                let len = self.length1()?;
                let x = long(self.take(len)?)?;
                self.push(Node::Int(x));
            }
            opcode::INT | opcode::LONG | opcode::FLOAT | opcode::UNICODE | opcode::STRING => {
                self.text_opcode(op)?
            }
            opcode::BINFLOAT => {
                let x = f64::from_be_bytes(self.array()?);
                self.push(Node::Float(x));
            }
            opcode::SHORT_BINUNICODE => {
                let len = self.length1()?;
                self.text(len)?;
            }
            opcode::BINUNICODE => {
                let len = self.length4()?;
                self.text(len)?;
            }
            opcode::BINUNICODE8 => {
                let len = self.length8()?;
                self.text(len)?;
            }
            opcode::SHORT_BINSTRING => {
                let len = self.length1()?;
                self.ascii(len)?;
            }
            opcode::BINSTRING => {
                let len = self.length4()?;
                self.ascii(len)?;
            }
            opcode::SHORT_BINBYTES => {
                let len = self.length1()?;
                self.bytes(len)?;
            }
            opcode::BINBYTES => {
                let len = self.length4()?;
                self.bytes(len)?;
            }
            opcode::BINBYTES8 => {
                let len = self.length8()?;
                self.bytes(len)?;
            }
            opcode::BYTEARRAY8 => {
                return Err(DatapakError::Unsupported {
                    what: "a bytearray",
                });
            }
            opcode::FROZENSET => {
                return Err(DatapakError::Unsupported {
                    what: "a frozenset",
                });
            }
            opcode::EMPTY_LIST => self.push(Node::List(vec![])),
            opcode::EMPTY_TUPLE => self.push(Node::Tuple(vec![])),
            opcode::EMPTY_SET => self.push(Node::Set(vec![])),
            opcode::EMPTY_DICT => self.push(Node::Dict(vec![])),
            opcode::LIST => {
                let items = self.pop_mark()?;
                self.push(Node::List(items));
            }
            opcode::TUPLE => {
                let items = self.pop_mark()?;
                self.push(Node::Tuple(items));
            }
            opcode::DICT => {
                let items = self.pop_mark()?;
                let entries = self.pairs(items)?;
                self.push(Node::Dict(entries));
            }
            opcode::TUPLE1 => self.short_tuple(1)?,
            opcode::TUPLE2 => self.short_tuple(2)?,
            opcode::TUPLE3 => self.short_tuple(3)?,
            opcode::APPEND => {
                let item = self.pop()?;
                self.extend_list(vec![item])?;
            }
            opcode::APPENDS => {
                let items = self.pop_mark()?;
                self.extend_list(items)?;
            }
            opcode::ADDITEMS => {
                let items = self.pop_mark()?;
                match self.top_node()? {
                    Node::Set(set) => set.extend(items),
                    _ => return self.malformed("elements are added to what is no set"),
                }
            }
            opcode::SETITEM => {
                let value = self.pop()?;
                let key = self.pop()?;
                self.extend_dict(vec![(key, value)])?;
            }
            opcode::SETITEMS => {
                let items = self.pop_mark()?;
                let entries = self.pairs(items)?;
                self.extend_dict(entries)?;
            }
            opcode::MARK => self.marks.push(self.stack.len()),
            opcode::POP => {
                if self.marks.last() == Some(&self.stack.len()) {
                    self.marks.pop();
                } else {
                    self.pop()?;
                }
            }
            opcode::POP_MARK => drop(self.pop_mark()?),
            opcode::DUP => {
                let top = self.top()?;
                self.stack.push(top);
            }
            opcode::GET => {
                let key = self.line_index()?;
                self.recall(key)?;
            }
            opcode::BINGET => {
                let key = self.length1()?;
                self.recall(key)?;
            }
            opcode::LONG_BINGET => {
                let key = self.length4()?;
                self.recall(key)?;
            }
            opcode::PUT => {
                let key = self.line_index()?;
                self.memoize(key)?;
            }
            opcode::LONG_BINPUT => {
                let key = self.length4()?;
                self.memoize(key)?;
            }
            opcode::MEMOIZE => self.memoize(self.memo.len())?,
            opcode => {
                return Err(DatapakError::Opcode {
                    opcode,
                    at: self.opcode_at,
                });
            }
        }
        Ok(true)
    }

    /// The opcodes of protocol 0 whose argument is a line of text.
    fn text_opcode(&mut self, op: u8) -> Result<(), DatapakError> {
        let line = self.line()?;
        let node = match op {
            opcode::INT if line == b"00" => Some(Node::Bool(false)),
            opcode::INT if line == b"01" => Some(Node::Bool(true)),
            opcode::INT => decimal(line)?.map(Node::Int),
            opcode::LONG => decimal(line.strip_suffix(b"L").unwrap_or(line))?.map(Node::Int),
            opcode::FLOAT => str::from_utf8(line)
                .ok()
                .and_then(|x| x.trim().parse().ok())
                .map(Node::Float),
            opcode::UNICODE => raw_unicode_escape(line).map(|x| Node::Text(x.into())),
            _ => string_literal(line).map(|x| Node::Text(x.into())),
        };
        match node {
            Some(node) => self.push(node),
            None => return self.malformed("unreadable literal"),
        }
        Ok(())
    }

    fn malformed<T>(&self, problem: &'static str) -> Result<T, DatapakError> {
        Err(DatapakError::Malformed {
            at: self.opcode_at,
            problem,
        })
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], DatapakError> {
        let rest = &self.bytes[self.at..];
        let taken = rest.get(..len).ok_or(DatapakError::Truncated {
            at: self.bytes.len(),
        })?;
        self.at += len;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DatapakError> {
        let taken = self.bytes[self.at..]
            .first_chunk()
            .ok_or(DatapakError::Truncated {
                at: self.bytes.len(),
            })?;
        self.at += N;
        Ok(*taken)
    }

    fn length1(&mut self) -> Result<usize, DatapakError> {
        let [len] = self.array()?;
        Ok(len.into())
    }

    fn length4(&mut self) -> Result<usize, DatapakError> {
        Ok(u32::from_le_bytes(self.array()?) as usize)
    }

    fn length8(&mut self) -> Result<usize, DatapakError> {
        let len = u64::from_le_bytes(self.array()?);
        usize::try_from(len).map_err(|_| DatapakError::Truncated {
            at: self.bytes.len(),
        })
    }

    /// The bytes up to the next line feed, without it.
    fn line(&mut self) -> Result<&'a [u8], DatapakError> {
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

    fn line_index(&mut self) -> Result<usize, DatapakError> {
        let line = self.line()?;
        match str::from_utf8(line).ok().and_then(|x| x.parse().ok()) {
            Some(index) => Ok(index),
            None => self.malformed("unreadable index"),
        }
    }

    fn text(&mut self, len: usize) -> Result<(), DatapakError> {
        match str::from_utf8(self.take(len)?) {
            Ok(text) => self.push(Node::Text(Cow::Borrowed(text))),
            Err(_) => return self.malformed("a text that is not UTF-8"),
        }
        Ok(())
    }

    fn ascii(&mut self, len: usize) -> Result<(), DatapakError> {
        match str::from_utf8(self.take(len)?) {
            Ok(text) if text.is_ascii() => self.push(Node::Text(Cow::Borrowed(text))),
            _ => return self.malformed("a string that is not ASCII"),
        }
        Ok(())
    }

    fn bytes(&mut self, len: usize) -> Result<(), DatapakError> {
        let bytes = self.take(len)?;
        self.push(Node::Bytes(bytes));
        Ok(())
    }

    fn push(&mut self, node: Node<'a>) {
        self.stack.push(self.nodes.len());
        self.nodes.push(node);
    }

    /// How much of the stack lies below the last mark.
    fn fence(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn top(&self) -> Result<usize, DatapakError> {
        match self.stack.last() {
            Some(top) if self.stack.len() > self.fence() => Ok(*top),
            _ => self.malformed("nothing on the stack"),
        }
    }

    fn top_node(&mut self) -> Result<&mut Node<'a>, DatapakError> {
        let top = self.top()?;
        Ok(&mut self.nodes[top])
    }

    fn pop(&mut self) -> Result<usize, DatapakError> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    fn pop_mark(&mut self) -> Result<Vec<usize>, DatapakError> {
        match self.marks.pop() {
            Some(mark) => Ok(self.stack.split_off(mark)),
            None => self.malformed("no mark"),
        }
    }

    fn short_tuple(&mut self, len: usize) -> Result<(), DatapakError> {
        if self.stack.len() < self.fence() + len {
            return self.malformed("nothing on the stack");
        }
        let items = self.stack.split_off(self.stack.len() - len);
        self.push(Node::Tuple(items));
        Ok(())
    }

    fn pairs(&self, items: Vec<usize>) -> Result<Vec<(usize, usize)>, DatapakError> {
        let (pairs, rest) = items.as_chunks();
        if !rest.is_empty() {
            return self.malformed("a key without a value");
        }
        Ok(pairs.iter().map(|[key, value]| (*key, *value)).collect())
    }

    fn extend_list(&mut self, items: Vec<usize>) -> Result<(), DatapakError> {
        match self.top_node()? {
            Node::List(list) => list.extend(items),
            _ => return self.malformed("elements are appended to what is no list"),
        }
        Ok(())
    }

    fn extend_dict(&mut self, entries: Vec<(usize, usize)>) -> Result<(), DatapakError> {
        match self.top_node()? {
            Node::Dict(dict) => dict.extend(entries),
            _ => return self.malformed("keys are set in what is no dict"),
        }
        Ok(())
    }

    fn memoize(&mut self, key: usize) -> Result<(), DatapakError> {
        let top = self.top()?;
        self.memo.insert(key, top);
        Ok(())
    }

    fn recall(&mut self, key: usize) -> Result<(), DatapakError> {
        match self.memo.get(&key) {
            Some(node) => self.stack.push(*node),
            None => return self.malformed("nothing is memoized under this index"),
        }
        Ok(())
    }
}

/// A little-endian two's complement of any length.
fn long(bytes: &[u8]) -> Result<i128, DatapakError> {
    let Some(last) = bytes.last() else {
        return Ok(0);
    };
    let sign = if *last >= 0x80 { 0xff } else { 0 };
    let mut filled = [sign; 16];
    let (low, high) = bytes.split_at(bytes.len().min(16));
    filled[..low.len()].copy_from_slice(low);
    let x = i128::from_le_bytes(filled);
    let negative = sign != 0;
    if high.iter().any(|b| *b != sign) || (x < 0) != negative {
        return Err(DatapakError::Integer { bytes: bytes.len() });
    }
    Ok(x)
}

fn decimal(line: &[u8]) -> Result<Option<i128>, DatapakError> {
    let Ok(text) = str::from_utf8(line) else {
        return Ok(None);
    };
    text.trim()
        .parse()
        .map(Some)
        .or_else(|error: std::num::ParseIntError| match error.kind() {
            std::num::IntErrorKind::PosOverflow | std::num::IntErrorKind::NegOverflow => {
                Err(DatapakError::Integer { bytes: line.len() })
            }
            _ => Ok(None),
        })
}

/// Latin-1, with `\uXXXX` and `\UXXXXXXXX` for everything else.
fn raw_unicode_escape(line: &[u8]) -> Option<String> {
    let mut text = String::with_capacity(line.len());
    let mut rest = line;
    while let [first, tail @ ..] = rest {
        let digits = match (first, tail.first()) {
            (b'\\', Some(b'u')) => 4,
            (b'\\', Some(b'U')) => 8,
            _ => {
                text.push(char::from(*first));
                rest = tail;
                continue;
            }
        };
        text.push(hex(tail.get(1..=digits)?)?);
        rest = &tail[digits + 1..];
    }
    Some(text)
}

fn hex(digits: &[u8]) -> Option<char> {
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    char::from_u32(u32::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?)
}

/// A quoted Python string of ASCII characters, with the usual escapes.
fn string_literal(line: &[u8]) -> Option<String> {
    let inner = match line.trim_ascii() {
        [b'\'', inner @ .., b'\''] | [b'"', inner @ .., b'"'] => inner,
        _ => return None,
    };
    let mut text = String::with_capacity(inner.len());
    let mut rest = inner;
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'\\' {
            text.push(char::from(*first));
            continue;
        }
        let (escape, tail) = tail.split_first()?;
        rest = tail;
        text.push(match escape {
            b'\\' | b'\'' | b'"' => char::from(*escape),
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'x' => {
                rest = tail.get(2..)?;
                hex(&tail[..2])?
            }
            _ => return None,
        });
    }
    text.is_ascii().then_some(text)
}
