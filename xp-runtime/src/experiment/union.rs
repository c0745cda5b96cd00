//! The runs of several experiments, one after the other.

use std::collections::HashSet;
use std::fmt;
use std::ops::BitOr;

use super::{Readable, Result, Runs};
use crate::run::Run;

/// The runs of one experiment that another one lacks, and then those of the other one.
pub(super) struct Union<X: Readable> {
    left: Runs<X>,
    right: Runs<X>,
    /// The ids of the right side, once they are known: those of its runs that there were then.
    ids: Option<HashSet<u128>>,
    /// The ids could not be read, so that the sides cannot be told apart.
    failed: bool,
}

impl<X: Readable> Union<X> {
    pub(super) fn next(&mut self) -> Option<Result<Run<X>>> {
        if self.failed {
            return None;
        }
        let ids = match &mut self.ids {
            Some(ids) => ids,
            none => match self.right.ids() {
                Ok(ids) => none.insert(ids),
                Err(error) => {
                    self.failed = true;
                    return Some(Err(error));
                }
            },
        };
        let is_right = |run: &Result<Run<X>>| {
            let run = run.as_ref().ok()?;
            Some(ids.contains(&run.id_run.as_u128()))
        };
        let left = self.left.find(|run| is_right(run) != Some(true));
        // A run that came to the right side meanwhile may have been given as the left one's.
        left.or_else(|| self.right.find(|run| is_right(run) != Some(false)))
    }

    /// The same, from the beginning.
    pub(super) fn iter(&self) -> Self {
        Self {
            left: self.left.iter(),
            right: self.right.iter(),
            ids: None,
            failed: false,
        }
    }

    /// Both sides, each of them with what the other one has, too.
    pub(super) fn sides(&self) -> (&Runs<X>, &Runs<X>) {
        (&self.left, &self.right)
    }

    /// The ids of both sides.
    pub(super) fn ids(&self) -> Result<HashSet<u128>> {
        let mut ids = self.left.ids()?;
        ids.extend(self.right.ids()?);
        Ok(ids)
    }
}

/// The union of the runs of two experiments. A run that both have, by its `id_run`, is that of the
/// right side. It is lazy: only the ids of the right side are held in memory. The runs are as they
/// are: a field that was computed of all runs of one side says nothing of those of the other.
///
/// ```
/// let session = xp::Session::in_memory()?;
/// let square = |x: &u64, _: &mut xp::Run| Ok::<_, String>(x * x);
/// let a = session.clone().sweep("a", 0..3, square)?;
/// let b = session.sweep("b", 0..3, square)?;
/// assert_eq!((a.runs() | b.runs()).count(), 6); // the runs of other sweeps are other runs
/// assert_eq!((a.runs() | a.copy_to("a again")?.runs()).count(), 3);
/// # Ok::<(), xp::Error>(())
/// ```
impl<X: Readable> BitOr for Runs<X> {
    type Output = Self;

    fn bitor(self, right: Self) -> Self {
        Self::union(Box::new(Union {
            left: self,
            right,
            ids: None,
            failed: false,
        }))
    }
}

impl<X: Readable> fmt::Debug for Union<X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Union")
            .field("left", &self.left)
            .field("right", &self.right)
            .finish_non_exhaustive()
    }
}
