//! The thread that writes rows which have waited for long, whatever their run does meanwhile.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, Weak};
use std::thread;
use std::time::Duration;

use super::lock;

/// How old rows become before they are written, and how often they are looked at: so no row waits
/// for longer than twice that.
pub(in crate::sequence) const AGE: Duration = Duration::from_millis(500);

/// A live run with rows that may wait.
pub(in crate::sequence) trait Waiting: Send + Sync + fmt::Debug {
    /// Writes the rows of the sequences in which one has waited so long.
    fn write_after(&self, age: Duration);
}

/// The live runs of a directory. The thread is there while there are any.
#[derive(Debug, Default)]
pub(super) struct Flusher(Mutex<Live>);

#[derive(Debug, Default)]
struct Live {
    runs: Vec<Weak<dyn Waiting>>,
    has_thread: bool,
}

impl Flusher {
    /// Looks after a run until it is dropped.
    ///
    /// # Errors
    ///
    /// The system has no thread for it.
    pub(super) fn add(self: &Arc<Self>, run: Weak<dyn Waiting>) -> io::Result<()> {
        let mut live = lock(&self.0);
        live.runs.push(run);
        if !live.has_thread {
            let this = Arc::clone(self);
            let thread = thread::Builder::new().name("xp sequences".to_owned());
            thread.spawn(move || this.look())?;
            live.has_thread = true;
        }
        Ok(())
    }

    /// Writes all rows that wait.
    #[cfg(unix)]
    pub(super) fn flush(&self) {
        let runs: Vec<_> = lock(&self.0)
            .runs
            .iter()
            .filter_map(Weak::upgrade)
            .collect();
        runs.iter().for_each(|run| run.write_after(Duration::ZERO));
    }

    fn look(&self) {
        while let Some(runs) = {
            thread::sleep(AGE);
            self.live()
        } {
            runs.iter().for_each(|run| run.write_after(AGE));
        }
    }

    /// The live runs; `None` if there are none, and the thread ends.
    fn live(&self) -> Option<Vec<Arc<dyn Waiting>>> {
        let mut live = lock(&self.0);
        live.runs.retain(|run| run.strong_count() > 0);
        live.has_thread = !live.runs.is_empty();
        (live.has_thread).then(|| live.runs.iter().filter_map(Weak::upgrade).collect())
    }
}
