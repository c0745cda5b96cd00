//! Going through the runs of an experiment, a page of the file at a time.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt;
use std::sync::Arc;

use uuid::Uuid;

use super::read::lacking;
use super::union::Union;
use super::{Error, Failure, Result};
use super::{ReadOwned, Readable};
use crate::run::{Dynamic, Run};
use crate::store::{Key, RunPage, Store, StoredExperiment, StoredFailure};
use crate::value::{Value, ValueError};

/// The runs of an experiment that completed: see [`Experiment::runs`](crate::Experiment::runs).
///
/// It is an iterator; `&runs`, and [`iter`](Self::iter), go through all of them from the beginning,
/// as often as is wanted. As an input of an experiment that continues another, `runs: &Runs<Iris>`
/// gives a step all runs at once; `&Runs` those of any experiment, with fields that are bunches.
///
/// ```
/// # let session = xp::Session::in_memory()?;
/// # let experiment = session.sweep("squares", 0..4_u64, |x, _| Ok::<_, String>(x * x))?;
/// let runs = experiment.runs();
/// let count = runs.iter().count();
/// let mut sum = 0;
/// for run in &runs {
///     sum += run?.fields.result;
/// }
/// assert_eq!((count, sum), (4, 14));
/// # Ok::<(), xp::Error>(())
/// ```
pub struct Runs<X: Readable = Dynamic> {
    pub(super) from: From<X>,
}

pub(super) enum From<X: Readable> {
    Db(Pages<X>),
    Owned {
        experiment: String,
        runs: Arc<Vec<Value>>,
        read: ReadOwned<X>,
        next: usize,
    },
    Union(Box<Union<X>>),
}

pub(super) struct Pages<X: Readable> {
    pub(super) db: Arc<dyn Store>,
    pub(super) stored: Arc<StoredExperiment>,
    pub(super) mapping: Arc<X::Mapping>,
    states: Arc<HashMap<Uuid, Arc<X::State>>>,
    /// Runs that are left out.
    pub(super) partial: Arc<HashSet<u128>>,
    /// The last row of which it is known whether it is left out.
    known: i64,
    page: RunPage,
    /// The rowid of the last run of the page; `None` behind the last page.
    after: Option<i64>,
}

impl<X: Readable> Runs<X> {
    pub(super) fn stored(
        db: Arc<dyn Store>,
        stored: Arc<StoredExperiment>,
        mapping: Arc<X::Mapping>,
        states: Arc<HashMap<Uuid, Arc<X::State>>>,
        partial: Arc<HashSet<u128>>,
    ) -> Self {
        let after = Some(i64::MIN);
        Self {
            from: From::Db(Pages {
                db,
                known: stored.newest,
                stored,
                mapping,
                states,
                partial,
                page: RunPage::default(),
                after,
            }),
        }
    }

    /// Those of a stored experiment, without their states.
    pub(crate) fn of(
        db: &Arc<dyn Store>,
        stored: &Arc<StoredExperiment>,
        partial: &Arc<HashSet<u128>>,
    ) -> Result<Self> {
        let mapping = X::mapping(stored).map_err(|misfits| Error::Misfit {
            experiment: stored.name.clone(),
            misfits,
        })?;
        let (db, stored, partial) = (Arc::clone(db), Arc::clone(stored), Arc::clone(partial));
        Ok(Self::stored(
            db,
            stored,
            Arc::new(mapping),
            Arc::default(),
            partial,
        ))
    }

    /// All runs, from the beginning, wherever this iterator is.
    #[must_use = "an iterator does nothing until it is gone through"]
    pub fn iter(&self) -> Self {
        match &self.from {
            From::Db(pages) => Self::stored(
                Arc::clone(&pages.db),
                Arc::clone(&pages.stored),
                Arc::clone(&pages.mapping),
                Arc::clone(&pages.states),
                Arc::clone(&pages.partial),
            ),
            From::Owned {
                experiment,
                runs,
                read,
                ..
            } => Self::owned(experiment, runs, *read),
            From::Union(both) => Self::union(Box::new(both.iter())),
        }
    }

    pub(super) fn owned(experiment: &str, runs: &Arc<Vec<Value>>, read: ReadOwned<X>) -> Self {
        let experiment = experiment.to_owned();
        Self {
            from: From::Owned {
                experiment,
                runs: Arc::clone(runs),
                read,
                next: 0,
            },
        }
    }
}

impl<X: Readable> Runs<X> {
    pub(super) fn union(of: Box<Union<X>>) -> Self {
        Self {
            from: From::Union(of),
        }
    }

    /// The ids of all runs, also of those that were gone through already.
    pub(super) fn ids(&self) -> Result<HashSet<u128>> {
        match &self.from {
            From::Db(pages) => {
                let mut ids = pages.db.ids(&pages.stored)?;
                let lacking = lacking::<X>(pages.db.as_ref(), &pages.stored)?;
                ids.retain(|id| !pages.partial.contains(id) && !lacking.contains(id));
                Ok(ids)
            }
            From::Owned {
                experiment,
                runs,
                read,
                ..
            } => {
                let id = |run: &Value| Ok(read(run.clone())?.id_run.as_u128());
                let ids: Result<_, ValueError> = runs.iter().map(id).collect();
                ids.map_err(|source| unreadable(experiment, source))
            }
            From::Union(both) => both.ids(),
        }
    }
}

impl<X: Readable> Pages<X> {
    /// Others may have written rows since the experiment was opened, of runs that lack a field.
    fn look_at_new_rows(&mut self) -> Result<()> {
        let Some(last) = self.after.filter(|last| *last > self.known) else {
            return Ok(());
        };
        let newest = self.db.find(&Key::Id(self.stored.id))?.newest;
        let late = lacking::<X>(self.db.as_ref(), &self.stored)?;
        if !late.is_subset(&self.partial) {
            Arc::make_mut(&mut self.partial).extend(late);
        }
        self.known = newest.max(last);
        Ok(())
    }

    fn next(&mut self) -> Option<Result<Run<X>>> {
        loop {
            while let Some((id_run, cells)) = self.page.next() {
                if self.partial.contains(&id_run.as_u128()) {
                    continue;
                }
                let state = self.states.get(&id_run).cloned();
                let fields = X::read(&self.mapping, &self.stored, id_run, cells);
                return Some(
                    fields.map(|fields| Run::finished(self.stored.id, id_run, fields, state)),
                );
            }
            if let Err(error) = self.turn(self.after?) {
                // What the page has may be incomplete, or have runs that are to be left out.
                self.page = RunPage::default();
                self.after = None;
                return Some(Err(error));
            }
        }
    }

    /// Reads the next page.
    fn turn(&mut self, after: i64) -> Result<()> {
        self.db.runs(&self.stored, after, &mut self.page)?;
        self.after = self.page.last();
        self.look_at_new_rows()
    }
}

impl<X: Readable> Iterator for Runs<X> {
    type Item = Result<Run<X>>;

    fn next(&mut self) -> Option<Result<Run<X>>> {
        match &mut self.from {
            From::Db(pages) => pages.next(),
            From::Owned {
                experiment,
                runs,
                read,
                next,
            } => {
                let run = runs.get(*next)?.clone();
                *next += 1;
                Some(read(run).map_err(|source| unreadable(experiment, source)))
            }
            From::Union(both) => both.next(),
        }
    }
}

pub(super) fn unreadable(experiment: &str, source: ValueError) -> Error {
    Error::Field {
        experiment: experiment.to_owned(),
        field: "runs".to_owned(),
        source,
    }
}

impl<X: Readable> IntoIterator for &Runs<X> {
    type Item = Result<Run<X>>;
    type IntoIter = Runs<X>;

    fn into_iter(self) -> Runs<X> {
        self.iter()
    }
}

impl<X: Readable> fmt::Debug for Runs<X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runs").finish_non_exhaustive()
    }
}

/// The runs of an experiment that did not complete: see
/// [`Experiment::failures`](crate::Experiment::failures).
#[derive(Debug)]
pub struct Failures {
    db: Option<(Arc<dyn Store>, Arc<StoredExperiment>)>,
    page: VecDeque<StoredFailure>,
    after: i64,
}

impl Failures {
    pub(super) fn stored(db: Arc<dyn Store>, of: Arc<StoredExperiment>) -> Self {
        Self {
            db: Some((db, of)),
            page: VecDeque::new(),
            after: 0,
        }
    }

    pub(super) fn none() -> Self {
        Self {
            db: None,
            page: VecDeque::new(),
            after: 0,
        }
    }
}

impl Iterator for Failures {
    type Item = Result<Failure>;

    fn next(&mut self) -> Option<Result<Failure>> {
        if self.page.is_empty() {
            let (db, of) = self.db.as_ref()?;
            match db.failures(of, self.after) {
                Ok(page) => self.page = page.into(),
                Err(error) => {
                    self.db = None;
                    return Some(Err(error.into()));
                }
            }
        }
        let failure = self.page.pop_front()?;
        self.after = failure.seq;
        Some(Ok(failure.into()))
    }
}
