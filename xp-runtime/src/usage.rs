//! What a run used of the machine: processor time and memory.

use std::time::{Duration, Instant};

/// Runs that are shorter have no usage: to ask the system would cost more than it tells.
const SHORTEST: Duration = Duration::from_micros(100);

/// What a run used.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Usage {
    /// Processor time in the program, in seconds.
    pub(crate) user: f64,
    /// Processor time in the system, in seconds.
    pub(crate) system: f64,
    /// The most memory that the run's process had in use at once (its peak resident set, all of
    /// it, not only what the run added), in bytes. `None` in a thread, which shares its memory.
    pub(crate) memory: Option<u64>,
}

/// Whose processor time is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Of {
    /// This thread: threads that a step starts do not count.
    Thread,
    /// This process.
    #[cfg(unix)]
    Process,
}

/// Measures the runs of one thread, or of one process.
///
/// Runs below 100 µs cost nothing: the system is asked at a run's start only if it was not asked
/// within the last 100 µs (so that much of what went before may be counted), and at its end only
/// if it took as long.
#[derive(Debug)]
pub(crate) struct Meter {
    of: Of,
    last: Option<(Instant, Times)>,
    peak: Option<peak::Peak>,
}

/// User and system time, in seconds.
type Times = (f64, f64);

impl Meter {
    pub(crate) fn new(of: Of) -> Self {
        Self {
            of,
            last: None,
            peak: match of {
                Of::Thread => None,
                #[cfg(unix)]
                Of::Process => peak::Peak::new(),
            },
        }
    }

    /// A run starts now.
    pub(crate) fn start(&mut self, now: Instant) {
        let old = |(at, _): &(Instant, Times)| now.duration_since(*at) > SHORTEST;
        if self.last.as_ref().is_none_or(old) {
            self.last = times(self.of).map(|times| (now, times));
        }
        if let Some(peak) = &self.peak {
            peak.reset();
        }
    }

    /// It ends now, after that time.
    pub(crate) fn end(&mut self, now: Instant, elapsed: Duration) -> Option<Usage> {
        if elapsed < SHORTEST {
            return None;
        }
        let (_, before) = self.last?;
        let after = times(self.of)?;
        self.last = Some((now, after));
        Some(Usage {
            user: (after.0 - before.0).max(0.0),
            system: (after.1 - before.1).max(0.0),
            memory: self.peak.as_ref().and_then(peak::Peak::read),
        })
    }
}

#[cfg(unix)]
fn times(of: Of) -> Option<Times> {
    use nix::sys::resource::{UsageWho, getrusage};
    use nix::sys::time::TimeValLike;
    let who = match of {
        #[cfg(target_os = "linux")]
        Of::Thread => UsageWho::RUSAGE_THREAD,
        #[cfg(not(target_os = "linux"))]
        Of::Thread => return None,
        Of::Process => UsageWho::RUSAGE_SELF,
    };
    let usage = getrusage(who).ok()?;
    let seconds = |time: nix::sys::time::TimeVal| time.num_microseconds() as f64 / 1e6;
    Some((seconds(usage.user_time()), seconds(usage.system_time())))
}

#[cfg(not(unix))]
fn times(_: Of) -> Option<Times> {
    None
}

/// The peak resident set in what Linux tells of a process (`/proc/PID/status`), in bytes.
#[cfg(target_os = "linux")]
pub(crate) fn peak_of(status: &str) -> Option<u64> {
    let mut lines = status.lines();
    let line = lines.find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// The peak resident set of this process, which Linux tells and resets.
#[cfg(target_os = "linux")]
mod peak {
    use std::fs::{File, OpenOptions};
    use std::os::unix::fs::FileExt;

    /// proc_pid_status(5) and proc_pid_clear_refs(5).
    #[derive(Debug)]
    pub(super) struct Peak {
        reset: File,
        status: File,
    }

    impl Peak {
        /// `None` where the system does not let a process do that.
        pub(super) fn new() -> Option<Self> {
            let reset = OpenOptions::new()
                .write(true)
                .open("/proc/self/clear_refs")
                .ok()?;
            let status = File::open("/proc/self/status").ok()?;
            reset.write_at(b"5", 0).ok()?;
            Some(Self { reset, status })
        }

        pub(super) fn reset(&self) {
            // It succeeded before; where it fails, the peak is that of earlier runs, too.
            let _ = self.reset.write_at(b"5", 0);
        }

        pub(super) fn read(&self) -> Option<u64> {
            let mut bytes = [0; 4096];
            let count = self.status.read_at(&mut bytes, 0).ok()?;
            let text = std::str::from_utf8(&bytes[..count]).ok()?;
            super::peak_of(text)
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod peak {
    /// Not told here.
    #[derive(Debug)]
    pub(super) enum Peak {}

    impl Peak {
        #[cfg(unix)]
        pub(super) fn new() -> Option<Self> {
            None
        }

        pub(super) fn reset(&self) {}

        pub(super) fn read(&self) -> Option<u64> {
            None
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    fn measured(meter: &mut Meter, work: impl FnOnce()) -> Option<Usage> {
        let start = Instant::now();
        meter.start(start);
        work();
        meter.end(Instant::now(), start.elapsed())
    }

    #[test]
    fn a_short_run_has_no_usage_and_one_that_computes_has() {
        let mut meter = Meter::new(Of::Thread);
        assert_eq!(measured(&mut meter, || {}), None);
        let asleep = measured(&mut meter, || std::thread::sleep(Duration::from_millis(50)));
        let asleep = asleep.unwrap();
        assert!(asleep.user + asleep.system < 0.04, "{asleep:?}");
        assert_eq!(asleep.memory, None);
        let busy = measured(&mut meter, || {
            let start = Instant::now();
            while start.elapsed() < Duration::from_millis(200) {
                std::hint::black_box(0);
            }
        });
        let busy = busy.unwrap();
        assert!(busy.user + busy.system > 0.02, "{busy:?}");
    }

    #[test]
    fn the_peak_of_a_process_is_that_of_the_run() {
        let mut meter = Meter::new(Of::Process);
        let big = measured(&mut meter, || {
            drop(std::hint::black_box(vec![1_u8; 200 << 20]));
        });
        let Some(big) = big.unwrap().memory else {
            return; // Not told on this system.
        };
        assert!(big > 200 << 20, "{big}");
        let small = measured(&mut meter, || std::thread::sleep(Duration::from_millis(1)));
        assert!(small.unwrap().memory.unwrap() < big - (100 << 20));
    }
}
