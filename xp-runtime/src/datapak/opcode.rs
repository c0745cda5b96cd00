//! The pickle opcodes that DATAPAK allows (Python's `pickletools` documents them). All others are refused.

pub(super) const PROTO: u8 = 0x80;
pub(super) const FRAME: u8 = 0x95;
pub(super) const STOP: u8 = b'.';

pub(super) const NONE: u8 = b'N';
pub(super) const NEWTRUE: u8 = 0x88;
pub(super) const NEWFALSE: u8 = 0x89;

pub(super) const INT: u8 = b'I';
pub(super) const BININT: u8 = b'J';
pub(super) const BININT1: u8 = b'K';
pub(super) const BININT2: u8 = b'M';
pub(super) const LONG: u8 = b'L';
pub(super) const LONG1: u8 = 0x8a;

pub(super) const FLOAT: u8 = b'F';
pub(super) const BINFLOAT: u8 = b'G';

pub(super) const UNICODE: u8 = b'V';
pub(super) const SHORT_BINUNICODE: u8 = 0x8c;
pub(super) const BINUNICODE: u8 = b'X';
pub(super) const BINUNICODE8: u8 = 0x8d;
pub(super) const STRING: u8 = b'S';
pub(super) const BINSTRING: u8 = b'T';
pub(super) const SHORT_BINSTRING: u8 = b'U';

pub(super) const SHORT_BINBYTES: u8 = b'C';
pub(super) const BINBYTES: u8 = b'B';
pub(super) const BINBYTES8: u8 = 0x8e;
pub(super) const BYTEARRAY8: u8 = 0x96;

pub(super) const EMPTY_LIST: u8 = b']';
pub(super) const APPEND: u8 = b'a';
pub(super) const APPENDS: u8 = b'e';
pub(super) const LIST: u8 = b'l';

pub(super) const EMPTY_TUPLE: u8 = b')';
pub(super) const TUPLE: u8 = b't';
pub(super) const TUPLE1: u8 = 0x85;
pub(super) const TUPLE2: u8 = 0x86;
pub(super) const TUPLE3: u8 = 0x87;

pub(super) const EMPTY_DICT: u8 = b'}';
pub(super) const DICT: u8 = b'd';
pub(super) const SETITEM: u8 = b's';
pub(super) const SETITEMS: u8 = b'u';

pub(super) const EMPTY_SET: u8 = 0x8f;
pub(super) const ADDITEMS: u8 = 0x90;
pub(super) const FROZENSET: u8 = 0x91;

pub(super) const MARK: u8 = b'(';
pub(super) const POP: u8 = b'0';
pub(super) const POP_MARK: u8 = b'1';
pub(super) const DUP: u8 = b'2';

pub(super) const GET: u8 = b'g';
pub(super) const BINGET: u8 = b'h';
pub(super) const LONG_BINGET: u8 = b'j';
pub(super) const PUT: u8 = b'p';
pub(super) const LONG_BINPUT: u8 = b'r';
pub(super) const MEMOIZE: u8 = 0x94;

/// What follows an opcode in the stream.
#[derive(Clone, Copy)]
pub(super) enum Argument {
    /// So many bytes.
    Fixed(u8),
    /// A length of so many bytes, little-endian, and as many bytes as it says.
    Counted(u8),
    /// A line of text.
    Line,
}

/// The argument of an opcode; `None` if the opcode is not allowed.
pub(super) const fn argument(opcode: u8) -> Option<Argument> {
    Some(match opcode {
        STOP | NONE | NEWTRUE | NEWFALSE | EMPTY_LIST | APPEND | APPENDS | LIST | EMPTY_TUPLE
        | TUPLE | TUPLE1 | TUPLE2 | TUPLE3 | EMPTY_DICT | DICT | SETITEM | SETITEMS | EMPTY_SET
        | ADDITEMS | FROZENSET | MARK | POP | POP_MARK | DUP | MEMOIZE => Argument::Fixed(0),
        PROTO | BININT1 | BINGET => Argument::Fixed(1),
        BININT2 => Argument::Fixed(2),
        BININT | LONG_BINGET | LONG_BINPUT => Argument::Fixed(4),
        BINFLOAT | FRAME => Argument::Fixed(8),
        LONG1 | SHORT_BINUNICODE | SHORT_BINSTRING | SHORT_BINBYTES => Argument::Counted(1),
        BINUNICODE | BINSTRING | BINBYTES => Argument::Counted(4),
        BINUNICODE8 | BINBYTES8 | BYTEARRAY8 => Argument::Counted(8),
        INT | LONG | FLOAT | UNICODE | STRING | GET | PUT => Argument::Line,
        _ => return None,
    })
}
