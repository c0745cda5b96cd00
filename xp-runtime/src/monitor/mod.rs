//! What the machine does while runs go on: a sequence that is recorded with each of them.

mod sample;
mod sampler;

use std::path::PathBuf;
use std::time::Duration;

pub(crate) use sampler::{MonitorError, Sampler, Watched};

/// What is recorded of the machine while runs go on, and how often: see
/// [`PlanOptions::monitor`](crate::PlanOptions::monitor).
///
/// A row of the sequence has the columns of MLtraq's system monitor, for the machine as a whole:
///
/// | column | meaning |
/// |---|---|
/// | `cpu_cnt` | logical processors |
/// | `cpu_pct` | their mean load since the row before, in percent |
/// | `cpu0_pct`, `cpu1_pct`, .. | the load of each, if asked for |
/// | `mem_total_gb`, `mem_free_gb`, `mem_used_pct` | memory in 10^9 bytes, that which is available, and the percentage of the rest |
/// | `disk_total_gb`, `disk_free_gb`, `disk_used_pct` | the same of the file system with the path; NULL where it cannot be told |
/// | `net_recv_kbs`, `net_sent_kbs` | 10^3 bytes per second over all network interfaces since the row before |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Monitor {
    pub(crate) field: String,
    pub(crate) interval: Duration,
    pub(crate) per_cpu: bool,
    pub(crate) path: PathBuf,
}

impl Monitor {
    /// A row each second, in the sequence `sysmon`, with the disk that has the root directory.
    pub fn new() -> Self {
        Self {
            field: "sysmon".to_owned(),
            interval: Duration::from_secs(1),
            per_cpu: false,
            path: PathBuf::from("/"),
        }
    }

    /// The name of the sequence, which [`field`](Self::field) sets.
    pub(crate) fn field_name(&self) -> &str {
        &self.field
    }

    /// How long there is between two rows; at least 10 ms. Loads are those since the row before, and
    /// the system counts them in steps of some milliseconds: below 200 ms they are coarse.
    #[must_use]
    pub fn interval(self, interval: Duration) -> Self {
        let interval = interval.max(Duration::from_millis(10));
        Self { interval, ..self }
    }

    /// Whether there is a column for the load of each processor, too.
    #[must_use]
    pub fn per_cpu(self, per_cpu: bool) -> Self {
        Self { per_cpu, ..self }
    }

    /// A path on the file system whose space is recorded.
    #[must_use]
    pub fn disk(self, path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self { path, ..self }
    }

    /// The name of the sequence.
    #[must_use]
    pub fn field(self, name: impl Into<String>) -> Self {
        let field = name.into();
        Self { field, ..self }
    }
}

impl Default for Monitor {
    fn default() -> Self {
        Self::new()
    }
}
