//! Reads the allowed opcodes of a pickle into a graph of nodes.
//!
//! Shared nodes stay shared, and cycles are possible: [`Graph::bounded`] refuses what a pickle makes of a few bytes by
//! repeating itself, before anything is made of the graph.

mod bounded;
mod graph;
mod input;
mod literal;
mod memo;
mod scalar;
mod scan;
mod stack;

pub(super) use self::graph::{Graph, Item, List, Node};
use self::input::Input;
pub(super) use self::literal::long;
use self::literal::{decimal, raw_unicode_escape, string_literal};
use self::memo::Memo;
use self::scalar::scalar;
use super::{DatapakError, opcode};

/// Read a pickle of any protocol up to 5, which may say what takes so many bytes of memory at most.
pub(super) fn unpickle(bytes: &[u8], most: usize) -> Result<Graph<'_>, DatapakError> {
    scan::scan(bytes)?;
    let mut machine = Machine {
        input: Input::new(bytes),
        opcode_at: 0,
        nodes: vec![],
        stack: vec![],
        marks: vec![],
        memo: Memo::default(),
        held: 0,
    };
    while machine.step()? {
        if machine.size() > most {
            return Err(DatapakError::TooLarge);
        }
    }
    let root = machine.pop()?;
    Ok(Graph {
        nodes: machine.nodes,
        root,
    })
}

struct Machine<'a> {
    input: Input<'a>,
    /// Where the current opcode is.
    opcode_at: usize,
    nodes: Vec<Node<'a>>,
    stack: Vec<Item<'a>>,
    /// Heights of the stack at which a mark was set.
    marks: Vec<usize>,
    memo: Memo<'a>,
    /// How many items were put into containers.
    held: usize,
}

impl<'a> Machine<'a> {
    /// About how many bytes of memory it takes.
    fn size(&self) -> usize {
        let items = self.stack.len() + self.marks.len() + self.memo.len() + self.held;
        self.nodes.len() * size_of::<Node<'_>>() + items * size_of::<Item<'_>>()
    }

    /// Execute one opcode; `false` at the end.
    fn step(&mut self) -> Result<bool, DatapakError> {
        self.opcode_at = self.input.at;
        if let Some((item, rest)) = scalar(self.input.rest()) {
            self.input.at += self.input.rest().len() - rest.len();
            self.stack.push(item);
            return Ok(true);
        }
        let [op] = self.input.array()?;
        match op {
            opcode::PROTO => {
                let [version] = self.input.array()?;
                if version > 5 {
                    return self.malformed("unknown protocol");
                }
            }
            opcode::FRAME => self.input.frame()?,
            opcode::STOP => return Ok(false),
            opcode::INT | opcode::LONG | opcode::FLOAT | opcode::UNICODE | opcode::STRING => {
                self.text_opcode(op)?
            }
            opcode::SHORT_BINUNICODE => {
                let len = self.input.length1()?;
                self.text(len)?;
            }
            opcode::BINUNICODE => {
                let len = self.input.length4()?;
                self.text(len)?;
            }
            opcode::BINUNICODE8 => {
                let len = self.input.length8()?;
                self.text(len)?;
            }
            opcode::SHORT_BINSTRING => {
                let len = self.input.length1()?;
                self.ascii(len)?;
            }
            opcode::BINSTRING => {
                let len = self.input.length4()?;
                self.ascii(len)?;
            }
            opcode::SHORT_BINBYTES => {
                let len = self.input.length1()?;
                self.bytes(len)?;
            }
            opcode::BINBYTES => {
                let len = self.input.length4()?;
                self.bytes(len)?;
            }
            opcode::BINBYTES8 => {
                let len = self.input.length8()?;
                self.bytes(len)?;
            }
            opcode::EMPTY_LIST => self.push(Node::List(List::default())),
            opcode::EMPTY_TUPLE => self.push(Node::Tuple(vec![])),
            opcode::EMPTY_SET => self.push(Node::Set(vec![])),
            opcode::EMPTY_DICT => self.push(Node::Dict(vec![])),
            opcode::LIST => {
                let items = self.pop_mark()?;
                self.push(Node::List(items.into_iter().collect()));
            }
            opcode::TUPLE => {
                let items = self.pop_mark()?;
                self.push(Node::Tuple(items));
            }
            opcode::DICT => {
                let items = self.pop_mark()?;
                let entries = self.pairs(&items)?;
                self.push(Node::Dict(entries));
            }
            opcode::TUPLE1 => self.short_tuple(1)?,
            opcode::TUPLE2 => self.short_tuple(2)?,
            opcode::TUPLE3 => self.short_tuple(3)?,
            opcode::APPEND => {
                let item = self.pop()?;
                self.extend_list([item])?;
            }
            opcode::APPENDS => {
                let items = self.pop_mark()?;
                self.extend_list(items)?;
            }
            opcode::ADDITEMS => {
                let items = self.pop_mark()?;
                match self.top_node()? {
                    Some(Node::Set(set)) => set.extend(items),
                    _ => return self.malformed("elements are added to what is no set"),
                }
            }
            opcode::SETITEM => {
                let value = self.pop()?;
                let key = self.pop()?;
                self.extend_dict([(key, value)])?;
            }
            opcode::SETITEMS => {
                let items = self.pop_mark()?;
                let entries = self.pairs(&items)?;
                self.extend_dict(entries)?;
            }
            opcode::MARK => self.mark(),
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
                let key = self.index()?;
                self.recall(key)?;
            }
            opcode::BINGET => {
                let key = self.input.length1()?;
                self.recall(key)?;
            }
            opcode::LONG_BINGET => {
                let key = self.input.length4()?;
                self.recall(key)?;
            }
            opcode::PUT => {
                let key = self.index()?;
                self.memoize(key)?;
            }
            opcode::LONG_BINPUT => {
                let key = self.input.length4()?;
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
        let line = self.input.line()?;
        let unreadable = "unreadable literal";
        match op {
            opcode::INT if line == b"00" => self.stack.push(Item::Bool(false)),
            opcode::INT if line == b"01" => self.stack.push(Item::Bool(true)),
            opcode::INT | opcode::LONG => {
                let digits = match op {
                    opcode::LONG => line.strip_suffix(b"L").unwrap_or(line),
                    _ => line,
                };
                match decimal(digits)? {
                    Some(x) => self.int(x),
                    None => return self.malformed(unreadable),
                }
            }
            opcode::FLOAT => match str::from_utf8(line).map(|x| x.trim().parse()) {
                Ok(Ok(x)) => self.stack.push(Item::Float(x)),
                _ => return self.malformed(unreadable),
            },
            _ => {
                let text = match op {
                    opcode::UNICODE => raw_unicode_escape(line),
                    _ => string_literal(line),
                };
                match text {
                    Some(text) => self.push(Node::Text(text)),
                    None => return self.malformed(unreadable),
                }
            }
        }
        Ok(())
    }
}
