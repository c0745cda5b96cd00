//! Dictionaries, which columns share.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use super::batch::Batch;
use super::field::{Field, Layout};
use super::table::malformed;
use crate::value::frame::{Column, FrameError};

/// The dictionaries of some columns, by their ids.
#[derive(Default)]
pub(super) struct Dictionaries<'f>(HashMap<i64, (&'f Field, Arc<Column>)>);

impl<'f> Dictionaries<'f> {
    /// The dictionaries of these fields, without items. A file without rows may leave them out.
    pub(super) fn of(fields: impl IntoIterator<Item = &'f Field>) -> Result<Self, FrameError> {
        let mut all = Dictionaries::default();
        fields.into_iter().try_for_each(|field| all.add(field))?;
        Ok(all)
    }

    fn add(&mut self, field: &'f Field) -> Result<(), FrameError> {
        match &field.layout {
            Layout::Dictionary { id, values, .. } => match self.0.entry(*id) {
                Entry::Occupied(known) if known.get().0.layout != values.layout => {
                    malformed("a dictionary of two types")
                }
                Entry::Occupied(_) => Ok(()),
                Entry::Vacant(new) => {
                    // The values have no dictionaries themselves.
                    let column = values.empty(&Dictionaries::default())?;
                    new.insert((values, Arc::new(column)));
                    Ok(())
                }
            },
            Layout::List(_, items) | Layout::FixedList(_, items) => self.add(items),
            Layout::Struct(members) => members.iter().try_for_each(|member| self.add(member)),
            _ => Ok(()),
        }
    }

    /// Takes the items of a batch, if it belongs to one of these.
    pub(super) fn read(&mut self, mut batch: Batch<'_, '_>) -> Result<(), FrameError> {
        let (id, is_delta) = batch.dictionary;
        let Some((values, column)) = self.0.get_mut(&id) else {
            return Ok(());
        };
        // Nobody else has it yet.
        let column = Arc::make_mut(column);
        if !is_delta {
            *column = values.empty(&Dictionaries::default())?;
        }
        let rows = batch.rows;
        batch.append(column, values, Some(rows)).map(drop)
    }

    pub(super) fn get(&self, id: i64) -> Option<Arc<Column>> {
        self.0.get(&id).map(|(_, column)| Arc::clone(column))
    }
}
