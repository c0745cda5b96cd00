//! Reads the allowed opcodes of a pickle into a graph of nodes.
//!
//! Shared nodes stay shared, and cycles are possible: what a pickle can make of a few bytes by repeating itself is only
//! decided when the graph is turned into a value.

mod input;
mod literal;
mod stack;

use std::borrow::Cow;
use std::collections::HashMap;

use self::literal::{decimal, long, raw_unicode_escape, string_literal};
use super::{DatapakError, opcode};

/// A node of a pickled value; others are named by their index.
pub(super) enum Node<'a> {
    None,
    Bool(bool),
    Int(i128),
    /// An integer beyond 128 bits, as a little-endian two's complement.
    BigInt(&'a [u8]),
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
                let bytes = self.take(len)?;
                self.push(long(bytes).map_or(Node::BigInt(bytes), Node::Int));
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
}
