//! The terms on which a file is used: what commits survive, and how long calls wait.

use std::time::Duration;

/// What a committed run survives.
///
/// A run is committed before it counts: before the progress bar, a callback or a summary tells of
/// it. What that is worth if the machine itself dies is a matter of price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Durability {
    /// The death of the process, whatever ends it: a panic, SIGKILL, the out-of-memory killer. The
    /// operating system has the run, and writes it to the disk within seconds. After a power cut, or
    /// if the operating system crashes, the file is whole, and the last runs may be missing from it;
    /// resuming runs them again. (SQLite's `synchronous = NORMAL`.)
    #[default]
    Process,
    /// A power cut, too: each commit waits until the disk has it. (SQLite's `synchronous = FULL`.)
    /// A run that counts has all of its fields, sequences and artifacts then.
    ///
    /// What a power cut costs is what does not count yet: the runs that were under way, or had ended
    /// and were not committed yet (within 50 ms, if nobody locks the file). They are recorded as
    /// interrupted, as are points that were taken and not begun, and run again by `resume`. The rows of
    /// their sequences are written beside the database meanwhile, in chunks, twice a second and whenever
    /// there are 8,192; each chunk is waited for, too, so that as much of them is there as after a
    /// kill.
    ///
    /// 10,000 commits of one run each took 2.7 s, and 0.43 s with [`Process`](Self::Process), on a
    /// virtual machine whose disk answers at once (0.3 to 0.9 ms a commit, against 0.04 to 0.12). A
    /// disk that moves takes 10 ms a commit. Runs that end while a commit waits are committed
    /// together by the next one, so that long runs, and many short ones, cost less.
    PowerLoss,
}

/// The terms on which a file is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    pub(crate) durability: Durability,
    /// How long a call waits for the lock of another program.
    pub(crate) lock_timeout: Duration,
}

impl Terms {
    /// As SQLite takes it: whole milliseconds, and not too many.
    pub(super) fn lock_timeout(&self) -> Duration {
        const LONGEST: Duration = Duration::from_millis(i32::MAX as u64);
        self.lock_timeout.min(LONGEST)
    }

    /// The value of the pragma `synchronous`.
    pub(super) fn synchronous(&self) -> &'static str {
        match self.durability {
            Durability::Process => "NORMAL",
            Durability::PowerLoss => "FULL",
        }
    }
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            durability: Durability::default(),
            lock_timeout: Duration::from_secs(60),
        }
    }
}
