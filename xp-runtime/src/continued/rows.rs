//! The runs that are there, each read when it is needed.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use uuid::Uuid;

use crate::declare::Declared;
use crate::plan::{Points, ZipError};
use crate::row::{Mapping, RowError, RowReader};
use crate::store::{Continuable, Store, StoreError, StoredExperiment};

/// See the module's text.
pub(crate) struct Rows<X: Declared> {
    db: Arc<dyn Store>,
    /// With the columns only that are read.
    stored: StoredExperiment,
    mapping: Mapping,
    rows: Vec<(u128, i64)>,
    of: PhantomData<fn() -> X>,
}

/// A run cannot be read.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum ReadFailed {
    #[error(transparent)]
    Row(#[from] RowError),
    #[error("the run cannot be read")]
    Store(#[from] Arc<StoreError>),
}

impl<X: Declared> Rows<X> {
    pub(crate) fn new(
        db: &Arc<dyn Store>,
        found: &Continuable,
        stored: StoredExperiment,
        mapping: Mapping,
    ) -> Self {
        Self {
            db: Arc::clone(db),
            stored,
            mapping,
            rows: found.rows.clone(),
            of: PhantomData,
        }
    }

    pub(crate) fn id(&self, i: u64) -> Option<Uuid> {
        let row = self.rows.get(usize::try_from(i).ok()?);
        row.map(|(id, _)| Uuid::from_u128(*id))
    }

    /// What the run has of that index; `None` if it is gone.
    pub(crate) fn read(&self, i: u64) -> Result<Option<X::Params>, ReadFailed> {
        let row = usize::try_from(i).ok().and_then(|i| self.rows.get(i));
        let Some(row) = row else { return Ok(None) };
        let Some(mut run) = self.db.row(&self.stored, *row).map_err(Arc::new)? else {
            return Ok(None);
        };
        let mut reader =
            RowReader::new(&self.mapping, &mut run.cells).of_run(&self.stored, run.id_run);
        Ok(Some(X::take(&mut reader)?))
    }

    /// The params that the first run lacks among those that MLtraq kept.
    pub(crate) fn args_lacking(&self) -> Result<Vec<RowError>, StoreError> {
        let Some(first) = self.rows.first() else {
            return Ok(Vec::new());
        };
        let run = self.db.row(&self.stored, *first)?;
        let lacking =
            run.map(|mut run| RowReader::new(&self.mapping, &mut run.cells).args_lacking());
        Ok(lacking.unwrap_or_default())
    }
}

impl<X: Declared> Points<X::Params> for Rows<X> {
    fn len(&self) -> u64 {
        self.rows.len() as u64
    }

    fn get(&self, i: u64) -> Option<X::Params> {
        self.read(i).ok().flatten()
    }

    fn distinct(&self) -> bool {
        true
    }

    fn zip(self: Arc<Self>) -> Result<Arc<dyn Points<X::Params>>, ZipError> {
        Err(ZipError::OfRuns)
    }
}

impl<X: Declared> fmt::Debug for Rows<X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows")
            .field("len", &self.rows.len())
            .finish_non_exhaustive()
    }
}
