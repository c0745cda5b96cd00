//! The memo: items that a pickle names to repeat them.

use std::collections::HashMap;

use super::graph::Item;

/// Items by their indices, which count up from 0 in nearly all pickles.
#[derive(Default)]
pub(super) struct Memo<'a> {
    dense: Vec<Item<'a>>,
    sparse: HashMap<usize, Item<'a>>,
}

impl<'a> Memo<'a> {
    pub(super) fn len(&self) -> usize {
        self.dense.len() + self.sparse.len()
    }

    pub(super) fn put(&mut self, index: usize, item: Item<'a>) {
        if let Some(old) = self.dense.get_mut(index) {
            *old = item;
        } else if index == self.dense.len() && self.sparse.is_empty() {
            self.dense.push(item);
        } else {
            self.sparse.insert(index, item);
        }
    }

    pub(super) fn get(&self, index: usize) -> Option<Item<'a>> {
        self.dense.get(index).or(self.sparse.get(&index)).copied()
    }
}
