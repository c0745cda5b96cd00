//! Where a value was read, so that what it refers to can be found later.
//!
//! Decoders do not know whose cell they read, and serde has no place to tell it. So whoever reads a
//! cell says it for as long as that takes, by [`within`], and each reference that is made meanwhile
//! keeps it. It is a matter of one thread: nothing waits or returns in between.

use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::Arc;

use uuid::Uuid;

/// An experiment that may have files beside its database.
#[derive(Debug)]
pub(crate) struct Holder {
    /// The directory of the files of all experiments.
    pub(crate) directory: PathBuf,
    /// The experiment's name.
    pub(crate) experiment: String,
}

impl Holder {
    /// Calls a function that reads a value of a field: of a run, or of the experiment.
    pub(crate) fn within<R>(
        self: &Arc<Self>,
        id_run: Option<Uuid>,
        field: &str,
        read: impl FnOnce() -> R,
    ) -> R {
        let origin = Origin {
            holder: Arc::clone(self),
            id_run,
            field: field.to_owned(),
        };
        within(origin, read)
    }
}

/// The cell in which a reference stands.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub(crate) holder: Arc<Holder>,
    /// `None` if it is a field of the experiment.
    pub(crate) id_run: Option<Uuid>,
    /// The name of the field.
    pub(crate) field: String,
}

thread_local! {
    static CURRENT: RefCell<Option<Origin>> = const { RefCell::new(None) };
}

/// Puts back what was there before, also if a reader panics.
struct Before(Option<Origin>);

impl Drop for Before {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}

/// Calls a function that reads values of this cell.
pub(crate) fn within<R>(origin: Origin, read: impl FnOnce() -> R) -> R {
    let _before = Before(CURRENT.replace(Some(origin)));
    read()
}

/// The cell that is being read, if that was said, for a reference in it: few cells have one.
pub(crate) fn current() -> Option<Arc<Origin>> {
    CURRENT.with_borrow(|origin| origin.clone().map(Arc::new))
}
