//! The items of columns, in the buffers of a record batch.

use super::batch::Batch;
use super::dictionary::Dictionaries;
use super::field::{Field, Int, Layout, Offsets, unsupported};
use super::table::malformed;
use crate::value::frame::{
    Binaries, Bitmap, Column, ColumnData, FrameError, Lists, Structs, Texts,
};
use crate::value::half;

impl Field {
    /// A column without items.
    pub(super) fn empty(&self, dictionaries: &Dictionaries<'_>) -> Result<Column, FrameError> {
        let data = match &self.layout {
            Layout::Null => ColumnData::Null(0),
            Layout::Bool => ColumnData::Bool(Bitmap::new()),
            Layout::Int(Int {
                bytes: 8,
                signed: false,
            }) => ColumnData::UInt(Vec::new()),
            Layout::Int(_) => ColumnData::Int(Vec::new()),
            Layout::Float(_) => ColumnData::Float(Vec::new()),
            Layout::Text(_) => ColumnData::Text(Texts::new()),
            Layout::Binary(_) | Layout::FixedBinary(_) => ColumnData::Binary(Binaries::new()),
            Layout::Temporal(temporal, _) => ColumnData::Temporal(temporal.clone(), Vec::new()),
            Layout::List(_, items) | Layout::FixedList(_, items) => ColumnData::List(Lists {
                ends: Vec::new(),
                items: Box::new(items.empty(dictionaries)?),
            }),
            Layout::Struct(members) => {
                let members = members.iter().map(|member| member.empty(dictionaries));
                let members = members.collect::<Result<_, _>>()?;
                ColumnData::Struct(Structs { len: 0, members })
            }
            Layout::Dictionary { id, .. } => match dictionaries.get(*id) {
                Some(values) => ColumnData::Dictionary(Vec::new(), values),
                None => return malformed("a dictionary that is not there"),
            },
            Layout::Unsupported(name) => return Err(unsupported(&self.name, name)),
        };
        Ok(Column::new(self.name.clone(), data))
    }

    /// Whether the first buffer tells which items are null.
    pub(super) fn has_validity(&self) -> bool {
        !matches!(self.layout, Layout::Null)
    }

    /// Whether bytes stand behind each of the items, or behind members of it.
    pub(super) fn has_bytes(&self) -> bool {
        match &self.layout {
            Layout::Null | Layout::FixedBinary(0) | Layout::FixedList(..) => false,
            Layout::Struct(members) => !members.is_empty(),
            _ => true,
        }
    }
}

impl Batch<'_, '_> {
    /// Appends `len` items, whose validity was read before.
    pub(super) fn append_data(
        &mut self,
        data: &mut ColumnData,
        field: &Field,
        len: usize,
    ) -> Result<(), FrameError> {
        match (data, &field.layout) {
            (ColumnData::Null(all), Layout::Null) => *all += len,
            (ColumnData::Bool(all), Layout::Bool) => {
                match Bitmap::from_bytes(self.buffer()?, len) {
                    Some(bits) => all.append(&bits),
                    None => return malformed("a buffer is too short"),
                }
            }
            (ColumnData::UInt(all), Layout::Int(_)) => {
                all.extend(
                    self.words(len)?
                        .iter()
                        .map(|word| u64::from_le_bytes(*word)),
                );
            }
            (ColumnData::Int(all), Layout::Int(int)) => self.integers(all, *int, len)?,
            (ColumnData::Temporal(_, all), Layout::Temporal(_, bytes)) => {
                let int = Int {
                    bytes: *bytes,
                    signed: true,
                };
                self.integers(all, int, len)?;
            }
            (ColumnData::Float(all), Layout::Float(8)) => {
                all.extend(
                    self.words(len)?
                        .iter()
                        .map(|word| f64::from_le_bytes(*word)),
                );
            }
            (ColumnData::Float(all), Layout::Float(4)) => {
                let words = self.words(len)?.iter();
                all.extend(words.map(|word| f64::from(f32::from_le_bytes(*word))));
            }
            (ColumnData::Float(all), Layout::Float(_)) => {
                let words = self.words(len)?.iter();
                all.extend(words.map(|word| half::to_f64(u16::from_le_bytes(*word))));
            }
            (ColumnData::Text(all), Layout::Text(width)) => {
                let (ends, bytes) = self.strings(*width, len)?;
                append_texts(all, &ends, bytes)?;
            }
            (ColumnData::Binary(all), Layout::Binary(width)) => {
                let (ends, bytes) = self.strings(*width, len)?;
                let start = all.buffer.len();
                all.ends.extend(ends.iter().map(|end| start + end));
                all.buffer.extend_from_slice(bytes);
            }
            (ColumnData::Binary(all), Layout::FixedBinary(width)) => {
                let buffer = self.buffer()?;
                let bytes = width.checked_mul(len).and_then(|bytes| buffer.get(..bytes));
                let Some(bytes) = bytes else {
                    return malformed("a buffer is too short");
                };
                let start = all.buffer.len();
                all.ends.extend((1..=len).map(|i| start + i * width));
                all.buffer.extend_from_slice(bytes);
            }
            (ColumnData::List(all), Layout::List(width, items)) => {
                let ends = self.offsets(*width, len)?;
                let (first, ends) = ends.split_first().unwrap_or((&0, &[]));
                let before = all.items.len();
                let added = self.append(&mut all.items, items, None)?;
                let last = ends.last().copied().unwrap_or(*first);
                if last > added {
                    return malformed("a list ends beyond its items");
                }
                if *first > 0 || last < added {
                    return Err(FrameError::Unsupported {
                        what: "items of lists that belong to no list".to_owned(),
                    });
                }
                all.ends.extend(ends.iter().map(|end| before + end));
            }
            (ColumnData::List(all), Layout::FixedList(width, items)) => {
                let Some(expected) = width.checked_mul(len) else {
                    return malformed("a list ends beyond its items");
                };
                let before = all.items.len();
                self.append(&mut all.items, items, Some(expected))?;
                all.ends.extend((1..=len).map(|i| before + i * width));
            }
            (ColumnData::Struct(all), Layout::Struct(members)) => {
                all.len += len;
                for (column, member) in all.members.iter_mut().zip(members) {
                    self.append(column, member, Some(len))?;
                }
            }
            (ColumnData::Dictionary(all, _), Layout::Dictionary { index, .. }) => {
                let mut places = Vec::new();
                self.integers(&mut places, *index, len)?;
                // What stands where the item is null has no meaning.
                let place = |place: &i64| usize::try_from(*place).unwrap_or(usize::MAX);
                all.extend(places.iter().map(place));
            }
            _ => return malformed("a column of another type"),
        }
        Ok(())
    }

    /// Appends integers of any width.
    fn integers(&mut self, all: &mut Vec<i64>, int: Int, len: usize) -> Result<(), FrameError> {
        macro_rules! widened {
            ($type:ty) => {{
                let words = self.words(len)?.iter();
                all.extend(words.map(|word| i64::from(<$type>::from_le_bytes(*word))));
            }};
        }
        match (int.bytes, int.signed) {
            (1, true) => widened!(i8),
            (2, true) => widened!(i16),
            (4, true) => widened!(i32),
            (1, false) => widened!(u8),
            (2, false) => widened!(u16),
            (4, false) => widened!(u32),
            _ => widened!(i64),
        }
        Ok(())
    }

    /// The `len + 1` offsets of strings or lists, which ascend; none if there are no items.
    fn offsets(&mut self, width: Offsets, len: usize) -> Result<Vec<usize>, FrameError> {
        if len == 0 {
            // They may be left out.
            self.buffer()?;
            return Ok(Vec::new());
        }
        let count = len.saturating_add(1);
        let offsets: Option<Vec<usize>> = match width {
            Offsets::Small => (self.words(count)?.iter())
                .map(|word| usize::try_from(i32::from_le_bytes(*word)).ok())
                .collect(),
            Offsets::Large => (self.words(count)?.iter())
                .map(|word| usize::try_from(i64::from_le_bytes(*word)).ok())
                .collect(),
        };
        match offsets {
            Some(offsets) if offsets.is_sorted() => Ok(offsets),
            _ => malformed("offsets are out of order"),
        }
    }

    /// Where the strings end, and their bytes.
    fn strings(&mut self, width: Offsets, len: usize) -> Result<(Vec<usize>, &[u8]), FrameError> {
        let mut ends = self.offsets(width, len)?;
        let buffer = self.buffer()?;
        if ends.is_empty() {
            return Ok((ends, &[]));
        }
        let first = ends.remove(0);
        let Some(bytes) = buffer.get(first..ends.last().copied().unwrap_or(first)) else {
            return malformed("a string ends beyond its buffer");
        };
        ends.iter_mut().for_each(|end| *end -= first);
        Ok((ends, bytes))
    }
}

fn append_texts(texts: &mut Texts, ends: &[usize], bytes: &[u8]) -> Result<(), FrameError> {
    let Ok(all) = str::from_utf8(bytes) else {
        return malformed("a text that is not UTF-8");
    };
    if ends.iter().any(|end| !all.is_char_boundary(*end)) {
        return malformed("a text that is not UTF-8");
    }
    let start = texts.buffer.len();
    texts.ends.extend(ends.iter().map(|end| start + end));
    texts.buffer.push_str(all);
    Ok(())
}
