//! What a run may use, and what it uses.

use std::time::Duration;

/// What a run may use at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Time by the clock on the wall.
    pub(crate) time: Option<Duration>,
    /// Processor time of all of its threads.
    pub(crate) cpu: Option<Duration>,
    /// Bytes of memory in use, beyond those that were when it began.
    pub(crate) memory: Option<u64>,
}

impl Limits {
    /// These limits, and the others where these leave it open.
    pub(crate) fn or(self, others: Self) -> Self {
        Self {
            time: self.time.or(others.time),
            cpu: self.cpu.or(others.cpu),
            memory: self.memory.or(others.memory),
        }
    }

    /// What one of the limits that are set is called.
    pub(crate) fn any(&self) -> Option<&'static str> {
        let time = self.time.map(|_| "time");
        let cpu = self.cpu.map(|_| "CPU");
        time.or(cpu).or(self.memory.map(|_| "memory"))
    }
}

#[cfg(unix)]
pub(super) use gauge::Gauge;

#[cfg(unix)]
mod gauge {
    use std::fmt;
    use std::time::{Duration, Instant};

    use super::{Limits, proc};
    use crate::exception::Outcome;

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
            };
            gauge.cpu = gauge.cpu_now();
            gauge.memory = gauge.memory_now();
            gauge
        }

        fn cpu_now(&self) -> Duration {
            let told = self.limits.cpu.and_then(|_| proc::cpu(self.pid));
            told.unwrap_or_default()
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
            }
            due
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

/// What Linux tells of other processes: proc_pid_stat(5), proc_pid_statm(5).
#[cfg(target_os = "linux")]
mod proc {
    use std::fs;
    use std::sync::OnceLock;
    use std::time::Duration;

    use nix::unistd::{SysconfVar, sysconf};

    /// Processor time in program and system, of all threads.
    pub(super) fn cpu(pid: u32) -> Option<Duration> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name in parentheses may hold anything, so it is counted from its end.
        let (_, rest) = stat.rsplit_once(')')?;
        let mut fields = rest.split_ascii_whitespace().skip(11);
        let user: u64 = fields.next()?.parse().ok()?;
        let system: u64 = fields.next()?.parse().ok()?;
        let ticks = (user + system) as f64;
        Some(Duration::from_secs_f64(
            ticks / told(SysconfVar::CLK_TCK, 100) as f64,
        ))
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
    use std::time::Duration;

    pub(super) fn cpu(_: u32) -> Option<Duration> {
        None
    }

    pub(super) fn memory(_: u32) -> Option<u64> {
        None
    }
}
