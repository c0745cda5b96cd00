//! What a run uses, against what it may.

#[cfg(unix)]
pub(super) use gauge::Gauge;

#[cfg(unix)]
mod gauge {
    use std::fmt;
    use std::time::{Duration, Instant};

    use super::proc;
    use crate::exception::Outcome;
    use crate::plan::Limits;
    use crate::usage::Usage;

    /// How often the limits are looked at.
    const PERIOD: Duration = Duration::from_millis(10);

    /// Compares what a run uses with its limits. What it uses while a shared value is computed
    /// does not count.
    #[derive(Debug)]
    pub(in crate::isolate) struct Gauge {
        limits: Limits,
        pid: u32,
        begun: Instant,
        looked: Instant,
        /// What had been used when the run began, or up to the end of its shared steps.
        cpu: Duration,
        memory: u64,
        /// Set while a shared value is computed: since when, and how much processor time had been
        /// used by then.
        paused: Option<(Instant, Duration)>,
        /// User and system time when the gauge was first looked at, in seconds.
        times: Option<(f64, f64)>,
    }

    impl Gauge {
        pub(in crate::isolate) fn begin(limits: Limits, pid: u32) -> Self {
            let now = Instant::now();
            let mut gauge = Self {
                limits,
                pid,
                begun: now,
                looked: now,
                cpu: Duration::ZERO,
                memory: 0,
                paused: None,
                times: None,
            };
            gauge.cpu = gauge.cpu_now();
            gauge.memory = gauge.memory_now();
            gauge
        }

        fn cpu_now(&self) -> Duration {
            let told = self.limits.cpu.and_then(|_| proc::times(self.pid));
            told.map_or(Duration::ZERO, |(user, system)| {
                Duration::from_secs_f64(user + system)
            })
        }

        fn memory_now(&self) -> u64 {
            let told = self.limits.memory.and_then(|_| proc::memory(self.pid));
            told.unwrap_or_default()
        }

        /// A shared value is being computed.
        pub(in crate::isolate) fn pause(&mut self) {
            self.paused = Some((Instant::now(), self.cpu_now()));
        }

        /// It is there.
        pub(in crate::isolate) fn resume(&mut self) {
            if let Some((since, cpu)) = self.paused.take() {
                self.begun += since.elapsed();
                self.cpu += self.cpu_now().saturating_sub(cpu);
                self.memory = self.memory_now();
            }
        }

        /// Whether it is time to look.
        pub(in crate::isolate) fn is_due(&mut self) -> bool {
            let due = self.looked.elapsed() >= PERIOD;
            if due {
                self.looked = Instant::now();
                // A run that never comes so far costs nothing.
                if self.times.is_none() {
                    self.times = proc::times(self.pid);
                }
            }
            due
        }

        /// What the run has used, but in its first 10 ms: for one whose process cannot tell any
        /// more, but which was not waited for yet. A process that is dead has no memory.
        pub(in crate::isolate) fn usage(&self) -> Option<Usage> {
            let before = self.times?;
            let now = proc::times(self.pid)?;
            Some(Usage {
                user: (now.0 - before.0).max(0.0),
                system: (now.1 - before.1).max(0.0),
                memory: proc::peak(self.pid),
            })
        }

        /// How the run ends if it is beyond a limit.
        pub(in crate::isolate) fn excess(&self) -> Option<(Outcome, String)> {
            if self.paused.is_some() {
                return None;
            }
            let time = self.begun.elapsed();
            if let Some(limit) = self.limits.time.filter(|limit| time > *limit) {
                let message = format!(
                    "stopped after {}: its time limit is {limit:?}",
                    Seconds(time)
                );
                return Some((Outcome::TimedOut, message));
            }
            if let Some(limit) = self.limits.cpu {
                let used = self.cpu_now().saturating_sub(self.cpu);
                if used > limit {
                    let message = format!(
                        "stopped after {} of CPU time: its CPU limit is {limit:?}",
                        Seconds(used)
                    );
                    return Some((Outcome::TimedOut, message));
                }
            }
            if let Some(limit) = self.limits.memory {
                let used = self.memory_now().saturating_sub(self.memory);
                if used > limit {
                    let message = format!(
                        "stopped at {} of memory: its memory limit is {}",
                        Bytes(used),
                        Bytes(limit)
                    );
                    return Some((Outcome::OutOfMemory, message));
                }
            }
            None
        }
    }

    struct Seconds(Duration);

    impl fmt::Display for Seconds {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{:.2} s", self.0.as_secs_f64())
        }
    }

    struct Bytes(u64);

    impl fmt::Display for Bytes {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            match self.0 {
                bytes if bytes < 10 << 10 => write!(f, "{bytes} bytes"),
                bytes if bytes < 10 << 20 => write!(f, "{} KiB", bytes >> 10),
                bytes => write!(f, "{} MiB", bytes >> 20),
            }
        }
    }
}

/// What Linux tells of other processes: proc_pid_stat(5), proc_pid_statm(5),
/// proc_pid_status(5).
#[cfg(target_os = "linux")]
mod proc {
    use std::fs;
    use std::sync::OnceLock;

    use nix::unistd::{SysconfVar, sysconf};

    /// Processor time of all threads in program and in system, in seconds.
    pub(super) fn times(pid: u32) -> Option<(f64, f64)> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name in parentheses may hold anything, so it is counted from its end.
        let (_, rest) = stat.rsplit_once(')')?;
        let mut fields = rest.split_ascii_whitespace().skip(11);
        let user: u64 = fields.next()?.parse().ok()?;
        let system: u64 = fields.next()?.parse().ok()?;
        static TICKS: OnceLock<u64> = OnceLock::new();
        let ticks = *TICKS.get_or_init(|| told(SysconfVar::CLK_TCK, 100)) as f64;
        Some((user as f64 / ticks, system as f64 / ticks))
    }

    /// The peak of the resident set, in bytes, since the process has reset it.
    pub(super) fn peak(pid: u32) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        crate::usage::peak_of(&status)
    }

    /// The resident set, in bytes.
    pub(super) fn memory(pid: u32) -> Option<u64> {
        let statm = fs::read_to_string(format!("/proc/{pid}/statm")).ok()?;
        let pages: u64 = statm.split_ascii_whitespace().nth(1)?.parse().ok()?;
        static PAGE: OnceLock<u64> = OnceLock::new();
        Some(pages * PAGE.get_or_init(|| told(SysconfVar::PAGE_SIZE, 4096)))
    }

    fn told(what: SysconfVar, otherwise: u64) -> u64 {
        let told = sysconf(what).ok().flatten();
        told.and_then(|told| u64::try_from(told).ok())
            .unwrap_or(otherwise)
    }
}

#[cfg(all(unix, not(target_os = "linux")))]
mod proc {
    pub(super) fn times(_: u32) -> Option<(f64, f64)> {
        None
    }

    pub(super) fn peak(_: u32) -> Option<u64> {
        None
    }

    pub(super) fn memory(_: u32) -> Option<u64> {
        None
    }
}
