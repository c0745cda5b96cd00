//! The fields of a schema: how columns are laid out in record batches.

use super::schema::{dictionary_encoding, field, types};
use super::table::{Table, malformed};
use crate::value::frame::{DataType, FrameError, Temporal, TimeUnit};

/// How deep types of columns may nest.
pub(super) const MAX_DEPTH: usize = 64;

/// A column, or a part of one.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::value::frame) struct Field {
    pub(in crate::value::frame) name: String,
    pub(super) layout: Layout,
}

/// How items are laid out.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Layout {
    Null,
    Bool,
    Int(Int),
    /// Of so many bytes.
    Float(usize),
    Text(Offsets),
    Binary(Offsets),
    FixedBinary(usize),
    /// Counts of so many bytes.
    Temporal(Temporal, usize),
    List(Offsets, Box<Field>),
    FixedList(usize, Box<Field>),
    Struct(Vec<Field>),
    Dictionary {
        id: i64,
        index: Int,
        values: Box<Field>,
    },
    Unsupported(&'static str),
}

/// Integers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Int {
    pub(super) bytes: usize,
    pub(super) signed: bool,
}

/// How wide offsets are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Offsets {
    Small,
    Large,
}

/// What a field is part of.
#[derive(Clone, Copy, Default)]
pub(super) struct Within {
    depth: usize,
    dictionary: bool,
}

/// Takes so many bytes from the budget.
pub(super) fn spend(budget: &mut usize, bytes: usize) -> Result<(), FrameError> {
    match budget.checked_sub(bytes) {
        Some(left) => *budget = left,
        None => return malformed("metadata repeats itself"),
    }
    Ok(())
}

impl Field {
    /// The field of this table. Tables may refer to one another at will, so what all fields may take together is limited
    /// by the budget.
    pub(super) fn read(
        table: &Table<'_>,
        within: Within,
        budget: &mut usize,
    ) -> Result<Self, FrameError> {
        if within.depth == MAX_DEPTH {
            return malformed("types of columns nest too deep");
        }
        let name = table.string(field::NAME)?;
        spend(budget, name.len() + 4)?;
        let name = name.to_owned();
        let has_dictionary = table.is_present(field::DICTIONARY);
        if has_dictionary && within.dictionary {
            // They could be of any size, as each may refer to the one before many times.
            let layout = Layout::Unsupported("dictionary in a dictionary");
            return Ok(Field { name, layout });
        }
        let parts = Within {
            depth: within.depth + 1,
            dictionary: has_dictionary || within.dictionary,
        };
        let layout = Layout::read(table, parts, budget)?;
        if !has_dictionary {
            return Ok(Field { name, layout });
        }
        let encoding = table.table(field::DICTIONARY)?;
        let index = if encoding.is_present(dictionary_encoding::INDEX_TYPE) {
            Int::read(&encoding.table(dictionary_encoding::INDEX_TYPE)?)?
        } else {
            Int {
                bytes: 4,
                signed: true,
            }
        };
        let values = Box::new(Field {
            name: name.clone(),
            layout,
        });
        let id = encoding.i64(dictionary_encoding::ID)?;
        let layout = Layout::Dictionary { id, index, values };
        Ok(Field { name, layout })
    }

    pub(in crate::value::frame) fn data_type(&self) -> DataType {
        let bits = |bytes: usize| (8 * bytes) as u8;
        match &self.layout {
            Layout::Null => DataType::Null,
            Layout::Bool => DataType::Bool,
            Layout::Int(int) if int.signed => DataType::Int(bits(int.bytes)),
            Layout::Int(int) => DataType::UInt(bits(int.bytes)),
            Layout::Float(bytes) => DataType::Float(bits(*bytes)),
            Layout::Text(_) => DataType::Text,
            Layout::Binary(_) | Layout::FixedBinary(_) => DataType::Binary,
            Layout::Temporal(temporal, _) => DataType::Temporal(temporal.clone()),
            Layout::List(_, items) | Layout::FixedList(_, items) => {
                DataType::List(Box::new(items.data_type()))
            }
            Layout::Struct(members) => DataType::Struct(
                (members.iter())
                    .map(|member| (member.name.clone(), member.data_type()))
                    .collect(),
            ),
            Layout::Dictionary { values, .. } => DataType::Dictionary(Box::new(values.data_type())),
            Layout::Unsupported(name) => DataType::Unsupported(name),
        }
    }

    /// How many nodes and buffers of a record batch belong to the field.
    pub(super) fn extent(&self) -> Result<(usize, usize), FrameError> {
        let (children, buffers): (&[Field], _) = match &self.layout {
            Layout::Null => (&[], 0),
            Layout::Bool
            | Layout::Int(_)
            | Layout::Float(_)
            | Layout::FixedBinary(_)
            | Layout::Temporal(..)
            | Layout::Dictionary { .. } => (&[], 2),
            Layout::Text(_) | Layout::Binary(_) => (&[], 3),
            Layout::List(_, items) => (std::slice::from_ref(items), 2),
            Layout::FixedList(_, items) => (std::slice::from_ref(items), 1),
            Layout::Struct(members) => (members, 1),
            Layout::Unsupported(name) => return Err(unsupported(&self.name, name)),
        };
        let mut extent = (1, buffers);
        for child in children {
            let (nodes, buffers) = child.extent()?;
            extent = (extent.0 + nodes, extent.1 + buffers);
        }
        Ok(extent)
    }
}

pub(super) fn unsupported(column: &str, type_name: &str) -> FrameError {
    FrameError::Unsupported {
        what: format!("the type of the column `{column}`: {type_name}"),
    }
}

impl Int {
    fn read(details: &Table<'_>) -> Result<Self, FrameError> {
        let bytes = match details.i32(types::INT_BIT_WIDTH)? {
            8 => 1,
            16 => 2,
            32 => 4,
            64 => 8,
            _ => return malformed("integers of an unknown width"),
        };
        let signed = details.u8(types::INT_SIGNED)? != 0;
        Ok(Int { bytes, signed })
    }
}

impl Layout {
    fn read(table: &Table<'_>, parts: Within, budget: &mut usize) -> Result<Self, FrameError> {
        let details = table.table(field::TYPE)?;
        let unit = |slot: usize, default: i16| {
            let unit = if details.is_present(slot) {
                details.i16(slot)?
            } else {
                default
            };
            match usize::try_from(unit).ok().and_then(|i| types::UNITS.get(i)) {
                Some(unit) => Ok(*unit),
                None => malformed("an unknown unit of time"),
            }
        };
        let fixed_size = || match usize::try_from(details.i32(types::FIXED_SIZE)?) {
            Ok(size) => Ok(size),
            Err(_) => malformed("a negative length"),
        };
        let mut children = || {
            (table.tables(field::CHILDREN)?)
                .map(|child| Field::read(&child?, parts, budget))
                .collect::<Result<Vec<_>, _>>()
        };
        let mut items = || {
            let mut children = children()?;
            match (children.pop(), children.is_empty()) {
                (Some(items), true) => Ok(Box::new(items)),
                _ => malformed("a list with other than one type of items"),
            }
        };
        Ok(match table.u8(field::TYPE_TYPE)? {
            types::NULL => Layout::Null,
            types::BOOL => Layout::Bool,
            types::INT => Layout::Int(Int::read(&details)?),
            types::FLOATING_POINT => match details.i16(types::FLOATING_POINT_PRECISION)? {
                types::HALF => Layout::Float(2),
                types::SINGLE => Layout::Float(4),
                types::DOUBLE => Layout::Float(8),
                _ => return malformed("floats of an unknown width"),
            },
            types::UTF8 => Layout::Text(Offsets::Small),
            types::LARGE_UTF8 => Layout::Text(Offsets::Large),
            types::BINARY => Layout::Binary(Offsets::Small),
            types::LARGE_BINARY => Layout::Binary(Offsets::Large),
            types::FIXED_SIZE_BINARY => Layout::FixedBinary(fixed_size()?),
            types::DATE => {
                let unit = if details.is_present(types::DATE_UNIT) {
                    details.i16(types::DATE_UNIT)?
                } else {
                    types::DATE_UNIT_DEFAULT
                };
                if unit == types::DAY {
                    Layout::Temporal(Temporal::Date32, 4)
                } else {
                    Layout::Temporal(Temporal::Date64, 8)
                }
            }
            types::TIME => {
                let unit = unit(types::TIME_UNIT, types::UNIT_DEFAULT)?;
                let bytes = match (details.i32(types::TIME_BIT_WIDTH)?, unit) {
                    (64, TimeUnit::Microsecond | TimeUnit::Nanosecond) => 8,
                    (64, _) | (_, TimeUnit::Microsecond | TimeUnit::Nanosecond) => {
                        return malformed("times of another width than their unit has");
                    }
                    _ => 4,
                };
                Layout::Temporal(Temporal::Time(unit), bytes)
            }
            types::TIMESTAMP => {
                let zone = if details.is_present(types::TIMESTAMP_ZONE) {
                    let zone = details.string(types::TIMESTAMP_ZONE)?;
                    spend(budget, zone.len())?;
                    (!zone.is_empty()).then(|| zone.to_owned())
                } else {
                    None
                };
                let unit = unit(types::TIMESTAMP_UNIT, 0)?;
                Layout::Temporal(Temporal::Timestamp(unit, zone), 8)
            }
            types::DURATION => {
                let unit = unit(types::DURATION_UNIT, types::UNIT_DEFAULT)?;
                Layout::Temporal(Temporal::Duration(unit), 8)
            }
            types::LIST | types::MAP => Layout::List(Offsets::Small, items()?),
            types::LARGE_LIST => Layout::List(Offsets::Large, items()?),
            types::FIXED_SIZE_LIST => Layout::FixedList(fixed_size()?, items()?),
            types::STRUCT => Layout::Struct(children()?),
            types::DECIMAL => Layout::Unsupported("decimal"),
            types::INTERVAL => Layout::Unsupported("interval"),
            types::UNION => Layout::Unsupported("union"),
            _ => Layout::Unsupported("a newer type"),
        })
    }
}
