//! How the types of the runtime are written, of which messages are made.

use uuid::Uuid;

use super::wire::{Damaged, Result, Wire, put_bytes};
use crate::exception::{Exception, Outcome};
use crate::store::{Column, Role};
use crate::usage::Usage;
use crate::value::{Archive, Array, BigInt, Cell, ColumnType, Frame, Kind, StoreUrl, Value};

impl Wire for Uuid {
    fn put(&self, out: &mut Vec<u8>) {
        self.as_bytes().put(out);
    }

    fn parse(from: &mut &[u8]) -> Result<Self> {
        Ok(Self::from_bytes(<[u8; 16]>::parse(from)?))
    }
}

impl Wire for Cell {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Null => out.push(0),
            Self::Int(x) => {
                out.push(1);
                x.put(out);
            }
            Self::Real(x) => {
                out.push(2);
                x.put(out);
            }
            Self::Text(x) => {
                out.push(3);
                x.put(out);
            }
            Self::Blob(x) => {
                out.push(4);
                x.put(out);
            }
        }
    }

    fn parse(from: &mut &[u8]) -> Result<Self> {
        Ok(match u8::parse(from)? {
            0 => Self::Null,
            1 => Self::Int(i64::parse(from)?),
            2 => Self::Real(f64::parse(from)?),
            3 => Self::Text(String::parse(from)?),
            4 => Self::Blob(Vec::parse(from)?),
            _ => return Err(Damaged),
        })
    }
}

impl Wire for Value {
    fn put(&self, out: &mut Vec<u8>) {
        let list = |tag: u8, items: &Vec<Value>, out: &mut Vec<u8>| {
            out.push(tag);
            items.put(out);
        };
        let text = |tag: u8, text: &str, out: &mut Vec<u8>| {
            out.push(tag);
            put_bytes(text.as_bytes(), out);
        };
        let stored = |tag: u8, bytes: &[u8], out: &mut Vec<u8>| {
            out.push(tag);
            put_bytes(bytes, out);
        };
        match self {
            Self::Null => out.push(0),
            Self::Bool(x) => out.extend_from_slice(&[1, (*x).into()]),
            Self::Int(x) => {
                out.push(2);
                x.put(out);
            }
            Self::Float(x) => {
                out.push(3);
                x.put(out);
            }
            Self::Text(x) => text(4, x, out),
            Self::Bytes(x) => {
                out.push(5);
                x.put(out);
            }
            Self::List(items) => list(6, items, out),
            Self::Tuple(items) => list(7, items, out),
            Self::Set(items) => list(8, items, out),
            Self::Map(entries) => {
                out.push(9);
                entries.put(out);
            }
            Self::Bunch(entries) => {
                out.push(10);
                entries.put(out);
            }
            Self::Uuid(x) => {
                out.push(11);
                x.put(out);
            }
            Self::DateTime64(x) => {
                out.push(12);
                x.put(out);
            }
            Self::DateTime(x) => text(13, &x.to_string(), out),
            Self::Date(x) => text(14, &x.to_string(), out),
            Self::Time(x) => text(15, &x.to_string(), out),
            Self::BigInt(x) => stored(16, x.as_le_bytes(), out),
            Self::KeyedBunch(entries) => {
                out.push(17);
                entries.put(out);
            }
            Self::Array(x) => stored(18, x.as_npy(), out),
            Self::Frame(x) => stored(19, x.as_arrow_file(), out),
            Self::Series(x) => stored(20, x.as_arrow_file(), out),
            Self::Table(x) => stored(21, x.as_arrow_file(), out),
            Self::Sequence(x) => stored(22, x.as_arrow_file(), out),
            Self::DataStore(url) => text(23, url.as_str(), out),
            Self::ArchiveStore(url) => text(24, url.as_str(), out),
            Self::Archive(x) => stored(25, x.as_tar(), out),
        }
    }

    fn parse(from: &mut &[u8]) -> Result<Self> {
        Ok(match u8::parse(from)? {
            0 => Self::Null,
            1 => Self::Bool(bool::parse(from)?),
            2 => Self::Int(i128::parse(from)?),
            3 => Self::Float(f64::parse(from)?),
            4 => Self::Text(String::parse(from)?),
            5 => Self::Bytes(Vec::parse(from)?),
            6 => Self::List(Vec::parse(from)?),
            7 => Self::Tuple(Vec::parse(from)?),
            8 => Self::Set(Vec::parse(from)?),
            9 => Self::Map(Vec::parse(from)?),
            10 => Self::Bunch(Vec::parse(from)?),
            11 => Self::Uuid(Uuid::parse(from)?),
            12 => Self::DateTime64(Option::parse(from)?),
            13 => Self::DateTime(parsed(from)?),
            14 => Self::Date(parsed(from)?),
            15 => Self::Time(parsed(from)?),
            16 => BigInt::from_le_bytes(&Vec::parse(from)?).map_err(|_| Damaged)?,
            17 => Self::KeyedBunch(Vec::parse(from)?),
            18 => Self::Array(Array::from_npy(Vec::parse(from)?).map_err(|_| Damaged)?),
            19 => Self::Frame(frame(from)?),
            20 => Self::Series(frame(from)?),
            21 => Self::Table(frame(from)?),
            22 => Self::Sequence(frame(from)?),
            23 => Self::DataStore(StoreUrl::new(String::parse(from)?)),
            24 => Self::ArchiveStore(StoreUrl::new(String::parse(from)?)),
            25 => Self::Archive(Archive::from_tar(Vec::parse(from)?)),
            _ => return Err(Damaged),
        })
    }
}

fn frame(from: &mut &[u8]) -> Result<Frame> {
    Frame::from_arrow_file(Vec::parse(from)?).map_err(|_| Damaged)
}

fn parsed<T: std::str::FromStr>(from: &mut &[u8]) -> Result<T> {
    String::parse(from)?.parse().map_err(|_| Damaged)
}

const KINDS: [Kind; 11] = [
    Kind::Bool,
    Kind::Int,
    Kind::Float,
    Kind::Text,
    Kind::Bytes,
    Kind::DateTime,
    Kind::Date,
    Kind::Time,
    Kind::Uuid,
    Kind::Duration,
    Kind::Serialized,
];

impl Wire for Column {
    fn put(&self, out: &mut Vec<u8>) {
        self.name.put(out);
        let kind = KINDS.iter().position(|kind| *kind == self.ty.kind);
        kind.unwrap_or(KINDS.len()).put(out);
        self.ty.nullable.put(out);
        (self.role == Role::Input).put(out);
    }

    fn parse(from: &mut &[u8]) -> Result<Self> {
        Ok(Self {
            name: String::parse(from)?,
            ty: ColumnType {
                kind: *KINDS.get(usize::parse(from)?).ok_or(Damaged)?,
                nullable: bool::parse(from)?,
            },
            role: if bool::parse(from)? {
                Role::Input
            } else {
                Role::Field
            },
        })
    }
}

impl Wire for Outcome {
    fn put(&self, out: &mut Vec<u8>) {
        put_bytes(self.as_str().as_bytes(), out);
    }

    fn parse(from: &mut &[u8]) -> Result<Self> {
        Self::from_text(&String::parse(from)?).ok_or(Damaged)
    }
}

impl Wire for Exception {
    fn put(&self, out: &mut Vec<u8>) {
        self.step.put(out);
        self.message.put(out);
        self.causes.put(out);
        self.location.put(out);
        self.backtrace.put(out);
    }

    fn parse(from: &mut &[u8]) -> Result<Self> {
        Ok(Self {
            step: Option::parse(from)?,
            message: String::parse(from)?,
            causes: Vec::parse(from)?,
            location: Option::parse(from)?,
            backtrace: Option::parse(from)?,
        })
    }
}

impl Wire for Usage {
    fn put(&self, out: &mut Vec<u8>) {
        self.user.put(out);
        self.system.put(out);
        self.memory.put(out);
    }

    fn parse(from: &mut &[u8]) -> Result<Self> {
        Ok(Self {
            user: f64::parse(from)?,
            system: f64::parse(from)?,
            memory: Option::parse(from)?,
        })
    }
}
