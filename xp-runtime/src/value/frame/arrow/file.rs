//! Arrow IPC files, whose metadata is read at once and whose columns are read when they are asked for.

use super::batch::{Batch, Budget};
use super::dictionary::Dictionaries;
use super::field::{Field, Within, spend};
use super::schema::{MAGIC, V4, V5, footer, key_value, message, schema_table};
use super::table::{Table, malformed};
use crate::value::frame::{Column, FrameError};

/// A file whose metadata was read.
#[derive(Debug)]
pub(in crate::value::frame) struct File {
    bytes: Vec<u8>,
    footer: std::ops::Range<usize>,
    fields: Vec<Field>,
    metadata: Vec<(String, String)>,
    rows: usize,
}

pub(super) fn unsupported<T>(what: impl Into<String>) -> Result<T, FrameError> {
    Err(FrameError::Unsupported { what: what.into() })
}

pub(super) fn check_version(version: i16) -> Result<(), FrameError> {
    if (V4..=V5).contains(&version) {
        Ok(())
    } else {
        unsupported(format!("metadata version {version}"))
    }
}

/// Where the footer stands.
fn footer_range(bytes: &[u8]) -> Result<std::ops::Range<usize>, FrameError> {
    let Some(rest) = bytes
        .strip_prefix(MAGIC)
        .and_then(|rest| rest.strip_suffix(MAGIC))
    else {
        return malformed("it does not begin and end with ARROW1");
    };
    let Some((rest, len)) = rest.split_last_chunk() else {
        return malformed("it has no footer");
    };
    let len = u32::from_le_bytes(*len) as usize;
    let Some(start) = rest.len().checked_sub(len) else {
        return malformed("it has no footer");
    };
    Ok(MAGIC.len() + start..MAGIC.len() + rest.len())
}

impl File {
    pub(in crate::value::frame) fn open(bytes: Vec<u8>) -> Result<Self, FrameError> {
        let range = footer_range(&bytes)?;
        let footer = Table::root(&bytes[range.clone()])?;
        check_version(footer.i16(footer::VERSION)?)?;
        let schema = footer.table(footer::SCHEMA)?;
        if schema.i16(schema_table::ENDIANNESS)? != 0 {
            return unsupported("big-endian files");
        }
        let mut budget = range.len();
        let fields = (schema.tables(schema_table::FIELDS)?)
            .map(|field| Field::read(&field?, Within::default(), &mut budget))
            .collect::<Result<_, _>>()?;
        let mut metadata = Vec::new();
        for entry in schema.tables(schema_table::METADATA)? {
            let entry = entry?;
            let (key, value) = (
                entry.string(key_value::KEY)?,
                entry.string(key_value::VALUE)?,
            );
            spend(&mut budget, key.len() + value.len() + 4)?;
            metadata.push((key.to_owned(), value.to_owned()));
        }
        let mut budget = Budget::of(&bytes);
        let mut rows = 0_usize;
        for block in footer.structs(footer::RECORD_BATCHES, footer::BLOCK_SIZE)? {
            let batch = Batch::read(&bytes, block, message::RECORD_BATCH, &mut budget)?;
            // Perhaps there are no columns to stand behind them.
            let more = batch.rows;
            budget.spend_items(more)?;
            rows += more;
        }
        Ok(File {
            footer: range,
            fields,
            metadata,
            rows,
            bytes,
        })
    }

    pub(in crate::value::frame) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(in crate::value::frame) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    pub(in crate::value::frame) fn rows(&self) -> usize {
        self.rows
    }

    pub(in crate::value::frame) fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// What the schema's metadata has under this key.
    pub(in crate::value::frame) fn metadata(&self, key: &str) -> Option<&str> {
        let found = self.metadata.iter().find(|(name, _)| name == key);
        found.map(|(_, value)| value.as_str())
    }

    /// The columns at the chosen places.
    pub(in crate::value::frame) fn columns(
        &self,
        chosen: impl Fn(usize) -> bool,
    ) -> Result<Vec<Column>, FrameError> {
        let footer = Table::root(&self.bytes[self.footer.clone()])?;
        let mut budget = Budget::of(&self.bytes);
        let fields = || (self.fields.iter().enumerate()).filter(|(i, _)| chosen(*i));
        let mut dictionaries = Dictionaries::of(fields().map(|(_, field)| field))?;
        for block in footer.structs(footer::DICTIONARIES, footer::BLOCK_SIZE)? {
            let batch = Batch::read(&self.bytes, block, message::DICTIONARY_BATCH, &mut budget)?;
            dictionaries.read(batch)?;
        }
        let mut columns: Vec<_> = fields()
            .map(|(_, field)| field.empty(&dictionaries))
            .collect::<Result<_, _>>()?;
        for block in footer.structs(footer::RECORD_BATCHES, footer::BLOCK_SIZE)? {
            let mut batch = Batch::read(&self.bytes, block, message::RECORD_BATCH, &mut budget)?;
            let mut targets = columns.iter_mut();
            for (i, field) in self.fields.iter().enumerate() {
                if !chosen(i) {
                    batch.skip(field)?;
                } else if let Some(column) = targets.next() {
                    let rows = batch.rows;
                    batch.append(column, field, Some(rows))?;
                }
            }
        }
        Ok(columns)
    }
}
