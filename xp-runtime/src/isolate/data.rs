//! How the types of the runtime are written, of which messages are made.

#[cfg(feature = "monitor")]
use std::ffi::OsString;
#[cfg(feature = "monitor")]
use std::os::unix::ffi::{OsStrExt, OsStringExt};
#[cfg(feature = "monitor")]
use std::time::Duration;

use uuid::Uuid;

use super::wire::{Damaged, Result, Wire, put_bytes};
use crate::declare::Portion;
use crate::exception::{Exception, Outcome};
use crate::monitor::Monitor;
use crate::store::{Column, Role};
use crate::usage::Usage;
use crate::value::{Cell, ColumnType, Kind, Value};

impl Wire for Uuid {
    fn put(&self, out: &mut Vec<u8>) {
        self.as_bytes().put(out);
    }

    fn parse(from: &mut &[u8]) -> Result<Self> {
        Ok(Self::from_bytes(<[u8; 16]>::parse(from)?))
    }
}

impl Wire for Portion {
    fn put(&self, out: &mut Vec<u8>) {
        self.slice.put(out);
        self.fields.put(out);
    }

    fn parse(from: &mut &[u8]) -> Result<Self> {
        Ok(Self {
            slice: usize::parse(from)?,
            fields: Vec::parse(from)?,
        })
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
            Self::Packed { kind, payload } => {
                text(16, kind, out);
                payload.put(out);
            }
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
            16 => Self::Packed {
                kind: String::parse(from)?,
                payload: Box::new(Self::parse(from)?),
            },
            _ => return Err(Damaged),
        })
    }
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

#[cfg(feature = "monitor")]
impl Wire for Monitor {
    fn put(&self, out: &mut Vec<u8>) {
        self.field.put(out);
        (self.interval.as_nanos() as u64).put(out);
        self.per_cpu.put(out);
        self.path.as_os_str().as_bytes().to_vec().put(out);
    }

    fn parse(from: &mut &[u8]) -> Result<Self> {
        Ok(Self {
            field: String::parse(from)?,
            interval: Duration::from_nanos(u64::parse(from)?),
            per_cpu: bool::parse(from)?,
            path: OsString::from_vec(Vec::parse(from)?).into(),
        })
    }
}

#[cfg(not(feature = "monitor"))]
impl Wire for Monitor {
    fn put(&self, _: &mut Vec<u8>) {
        match *self {}
    }

    fn parse(_: &mut &[u8]) -> Result<Self> {
        Err(Damaged)
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
