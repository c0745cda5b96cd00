//! Reading what the machine does.

use std::path::Path;
use std::time::{Duration, Instant};

use serde::ser::{Serialize, SerializeStruct, Serializer};
use sysinfo::{Networks, System};

use super::Monitor;
use crate::value::{Column, ColumnData};

/// The columns, in the order in which MLtraq appends them; those of the processors follow.
const COLUMNS: [&str; 10] = [
    "mem_total_gb",
    "mem_free_gb",
    "mem_used_pct",
    CPU_CNT,
    "cpu_pct",
    "disk_total_gb",
    "disk_free_gb",
    "disk_used_pct",
    "net_recv_kbs",
    "net_sent_kbs",
];

/// The only one of integers.
const CPU_CNT: &str = "cpu_cnt";

/// A row of the sequence.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    cpu_cnt: i64,
    /// The others of [`COLUMNS`], in their order; `None` where it cannot be told.
    numbers: [Option<f64>; COLUMNS.len() - 1],
    cpus: Vec<f64>,
}

impl Serialize for Sample {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let len = COLUMNS.len() + self.cpus.len();
        let mut out = serializer.serialize_struct("Sample", len)?;
        let mut numbers = self.numbers.iter();
        for name in COLUMNS {
            match name {
                CPU_CNT => out.serialize_field(name, &self.cpu_cnt)?,
                _ => out.serialize_field(name, &numbers.next().copied().flatten())?,
            }
        }
        for load in &self.cpus {
            out.serialize_field("cpu_pct", load)?;
        }
        out.end()
    }
}

/// Reads samples, one after the other.
pub(super) struct Reader<'a> {
    settings: &'a Monitor,
    /// How many of them the rows have columns for.
    cpus: usize,
    system: System,
    networks: Networks,
    /// When the last sample was read.
    last: Instant,
}

impl<'a> Reader<'a> {
    /// Begins: the first sample tells what happened since.
    pub(super) fn begin(settings: &'a Monitor, cpus: usize) -> Result<Self, sysinfo::Error> {
        let mut system = System::new()?;
        system.refresh_cpu_usage();
        Ok(Self {
            settings,
            cpus,
            system,
            networks: Networks::new_with_refreshed_list()?,
            last: Instant::now(),
        })
    }

    pub(super) fn interval(&self) -> Duration {
        self.settings.interval
    }

    pub(super) fn read(&mut self) -> Sample {
        self.system.refresh_cpu_usage();
        self.system.refresh_memory();
        self.networks.refresh(true);
        let seconds = self.last.elapsed().as_secs_f64();
        self.last = Instant::now();
        let loads = self.system.cpus().iter().map(|cpu| cpu.usage().into());
        let mut loads: Vec<f64> = loads.map(rounded).collect();
        let mean = loads.iter().sum::<f64>() / loads.len().max(1) as f64;
        let memory = space(self.system.total_memory(), self.system.available_memory());
        let disk = disk(&self.settings.path);
        let rate = |bytes: u64| Some(rounded(bytes as f64 / seconds / 1e3));
        let traffic = self.networks.values();
        let (received, sent) = traffic.fold((0, 0), |(received, sent), of| {
            (received + of.received(), sent + of.transmitted())
        });
        let cpu_cnt = loads.len() as i64;
        // Processors may come and go; the columns stay.
        loads.resize(if self.settings.per_cpu { self.cpus } else { 0 }, f64::NAN);
        Sample {
            cpu_cnt,
            numbers: [
                memory[0],
                memory[1],
                memory[2],
                Some(rounded(mean)),
                disk[0],
                disk[1],
                disk[2],
                rate(received),
                rate(sent),
            ],
            cpus: loads,
        }
    }
}

/// The columns of the rows, which are empty.
pub(super) fn columns(settings: &Monitor, cpus: usize) -> Vec<Column> {
    let float = || ColumnData::Float(Vec::new());
    let fixed = COLUMNS.map(|name| match name {
        CPU_CNT => Column::new(name, ColumnData::Int(Vec::new())),
        _ => Column::new(name, float()),
    });
    let cpus = if settings.per_cpu { cpus } else { 0 };
    let each = (0..cpus).map(|cpu| Column::new(format!("cpu{cpu}_pct"), float()));
    fixed.into_iter().chain(each).collect()
}

/// How many processors the rows have columns for.
pub(super) fn cpus() -> Result<usize, sysinfo::Error> {
    let mut system = System::new()?;
    system.refresh_cpu_usage();
    Ok(system.cpus().len())
}

/// Total and free space in 10^9 bytes, and the percentage of what is in use.
fn space(total: u64, free: u64) -> [Option<f64>; 3] {
    let gb = |bytes: u64| Some(rounded(bytes as f64 / 1e9));
    let used = total.saturating_sub(free) as f64 / total as f64;
    let used = (total > 0).then(|| rounded(used * 100.0));
    [gb(total), gb(free), used]
}

/// The space of the file system that has a path.
#[cfg(unix)]
#[allow(
    clippy::unnecessary_cast,
    reason = "on some systems these numbers have 32 bits"
)]
fn disk(path: &Path) -> [Option<f64>; 3] {
    match nix::sys::statvfs::statvfs(path) {
        Ok(of) => {
            let unit = of.fragment_size() as u64;
            let bytes = |blocks| unit.saturating_mul(blocks);
            space(
                bytes(of.blocks() as u64),
                bytes(of.blocks_available() as u64),
            )
        }
        Err(_) => [None; 3],
    }
}

#[cfg(not(unix))]
fn disk(_: &Path) -> [Option<f64>; 3] {
    [None; 3]
}

/// Two digits behind the point, as MLtraq has them.
fn rounded(x: f64) -> f64 {
    (x * 100.0).round() / 100.0
}
