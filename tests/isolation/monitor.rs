//! What the machine does is recorded by the process that has the run.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use xp::{Monitor, prelude::*};

use crate::{Case, Test};

pub(crate) const TESTS: &[Case] = &[("isolated_runs_are_monitored", monitored)];

#[step]
fn rest(millis: u64) {
    std::thread::sleep(Duration::from_millis(millis));
}

#[experiment]
pub(crate) fn monitors(#[param] millis: u64) {
    rest(millis);
}

#[derive(Serialize, Deserialize)]
struct Load {
    mem_free_gb: f64,
    cpu0_pct: f64,
}

fn monitored() -> Test {
    let monitor = Monitor::new().per_cpu(true).field("load");
    let monitor = monitor.interval(Duration::from_millis(20));
    let plan = monitors().millis([300, 301]).isolate(Isolation::Process);
    let session = Session::in_memory()?;
    session.execute(plan.monitor(monitor))?;
    let mut runs = 0;
    for run in session.load("monitors")?.runs() {
        let load = run?.fields.sequence::<Load>("load")?;
        let rows = load.ok_or("it has no sequence")?.values()?;
        assert!(rows.len() >= 2, "{} rows", rows.len());
        assert!(
            rows.iter()
                .all(|load| load.mem_free_gb > 0.0 && load.cpu0_pct >= 0.0)
        );
        runs += 1;
    }
    assert_eq!(runs, 2);
    Ok(())
}
