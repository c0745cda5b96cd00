//! Some of an experiment's runs, as they are stored.

use uuid::Uuid;

use crate::value::Cell;

/// Completed runs in the order in which they were stored. Cells that nobody takes out are held until
/// it is filled again; its memory is used again then.
#[derive(Debug, Default)]
pub(crate) struct RunPage {
    ids: Vec<Uuid>,
    /// Those of all runs, as many of each as the experiment has columns.
    cells: Vec<Cell>,
    width: usize,
    /// How many runs were taken.
    taken: usize,
    /// The rowid of the last run.
    last: Option<i64>,
}

impl RunPage {
    /// Makes it a page without runs, of an experiment with so many columns.
    pub(super) fn clear(&mut self, width: usize) {
        self.ids.clear();
        self.cells.clear();
        self.width = width;
        self.taken = 0;
        self.last = None;
    }

    /// Adds a run, of which [`push`](Self::push) adds the cells.
    pub(super) fn begin(&mut self, rowid: i64, id_run: Uuid) {
        self.ids.push(id_run);
        self.last = Some(rowid);
    }

    /// Adds the next cell of the run that was begun last.
    pub(super) fn push(&mut self, cell: Cell) {
        self.cells.push(cell);
    }

    /// The rowid of the last run; `None` if there is none.
    pub(crate) fn last(&self) -> Option<i64> {
        self.last
    }

    /// The next run, and its cells in the order of the experiment's columns, to be taken out of it.
    pub(crate) fn next(&mut self) -> Option<(Uuid, &mut [Cell])> {
        let id = *self.ids.get(self.taken)?;
        let first = self.taken * self.width;
        self.taken += 1;
        let cells = self.cells.get_mut(first..first + self.width)?;
        Some((id, cells))
    }
}
