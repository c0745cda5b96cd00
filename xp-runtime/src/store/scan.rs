//! Reading all runs at once.

use rusqlite::Connection;
use uuid::Uuid;

use super::failure::Result;
use super::name::quoted;
use super::sql::{cell, hex, text};
use super::sqlite::SqliteStore;
use super::{StoredExperiment, schema};
use crate::value::Cell;

/// Is given the id of a run and its cells, and says whether to go on.
pub(crate) type Each<'a> = dyn FnMut(Uuid, &[Cell]) -> bool + 'a;

impl SqliteStore {
    pub(super) fn scan_in(
        &self,
        db: &Connection,
        of: &StoredExperiment,
        wanted: &[bool],
        each: &mut Each<'_>,
    ) -> Result<()> {
        self.check_is_there(db, of.id, &of.name)?;
        if !schema::has_table(db, &of.table)? {
            return Ok(());
        }
        let mut sql = "SELECT id_run".to_owned();
        for (column, wanted) in of.columns.iter().zip(wanted) {
            sql.push_str(", ");
            sql.push_str(&if *wanted {
                quoted(&column.name)
            } else {
                "NULL".to_owned()
            });
        }
        let table = quoted(&of.table);
        sql.push_str(&format!(
            " FROM {table} WHERE id_experiment = ?1 ORDER BY _rowid_"
        ));
        let mut statement = db.prepare(&sql)?;
        let mut rows = statement.query([text(&hex(of.id))])?;
        let mut cells = Vec::with_capacity(of.columns.len());
        while let Some(row) = rows.next()? {
            let id_run = Uuid::try_parse(row.get_ref(0)?.as_str().unwrap_or_default())
                .map_err(|_| self.unexpected(&of.name, "the id of a run", "32 hex digits"))?;
            cells.clear();
            for i in 0..of.columns.len() {
                cells.push(cell(row.get_ref(i + 1)?));
            }
            if !each(id_run, &cells) {
                break;
            }
        }
        Ok(())
    }
}
