//! What the machine does while runs go on is recorded with them.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use serde::{Deserialize, Serialize};
use xp::{Monitor, prelude::*};

#[step]
fn rest(millis: u64) {
    std::thread::sleep(Duration::from_millis(millis));
}

#[step]
fn write_in(run: &mut Run, name: String) -> Result<(), xp::FieldError> {
    run.fields.insert(&name, 1)
}

#[experiment]
fn rests(#[param] millis: u64) {
    rest(millis);
}

#[experiment]
fn inserting(#[param] name: String, run: &mut Run) {
    write_in(run, name)?;
}

#[experiment]
fn named_so(#[param] sysmon: u64) {
    rest(sysmon);
}

#[derive(Serialize, Deserialize)]
struct Load {
    mem_total_gb: f64,
    mem_free_gb: f64,
    mem_used_pct: f64,
    cpu_cnt: i64,
    cpu_pct: f64,
    disk_total_gb: Option<f64>,
    disk_free_gb: Option<f64>,
    disk_used_pct: Option<f64>,
    net_recv_kbs: f64,
    net_sent_kbs: f64,
}

fn often() -> Monitor {
    Monitor::new().interval(Duration::from_millis(20))
}

#[test]
fn every_live_run_gets_rows_and_they_are_of_this_machine() {
    let session = Session::in_memory().unwrap();
    let plan = rests().millis([300, 301, 302]).jobs(2).monitor(often());
    session.execute(plan).unwrap();
    let mut runs = 0;
    for run in session.load("rests").unwrap().runs() {
        let loads = run.unwrap().fields.sequence::<Load>("sysmon").unwrap();
        let rows = loads.unwrap().rows().unwrap();
        assert!(rows.len() >= 2, "{} rows", rows.len());
        assert!(
            rows.windows(2)
                .all(|two| two[0].timestamp < two[1].timestamp)
        );
        for (idx, row) in rows.iter().enumerate() {
            assert_eq!(row.idx, idx as i64);
            let load = &row.value;
            let cpus = std::thread::available_parallelism().unwrap().get() as i64;
            assert!(load.cpu_cnt >= cpus.min(1));
            assert!((0.0..=100.5).contains(&load.cpu_pct), "{}", load.cpu_pct);
            assert!((0.0..=100.0).contains(&load.mem_used_pct));
            assert!(load.mem_free_gb <= load.mem_total_gb && load.mem_total_gb > 0.0);
            assert!(load.net_recv_kbs >= 0.0 && load.net_sent_kbs >= 0.0);
            if cfg!(unix) {
                assert!(load.disk_free_gb.unwrap() <= load.disk_total_gb.unwrap());
                assert!((0.0..=100.0).contains(&load.disk_used_pct.unwrap()));
            }
        }
        runs += 1;
    }
    assert_eq!(runs, 3);
}

#[test]
fn a_run_that_is_shorter_than_the_interval_has_a_sequence_without_rows() {
    let session = Session::in_memory().unwrap();
    let monitor = Monitor::new().interval(Duration::from_secs(3_600));
    session
        .execute(rests().millis([0]).monitor(monitor))
        .unwrap();
    let mut runs = session.load("rests").unwrap().runs();
    let fields = runs.next().unwrap().unwrap().fields;
    assert!(
        fields
            .sequence::<Load>("sysmon")
            .unwrap()
            .unwrap()
            .is_empty()
    );
}

#[test]
fn each_processor_has_a_column_if_asked_for_and_the_sequence_the_name_it_is_given() {
    #[derive(Serialize, Deserialize)]
    struct First {
        cpu_cnt: i64,
        cpu0_pct: f64,
    }

    let session = Session::in_memory().unwrap();
    let monitor = often().per_cpu(true).field("load").disk("/no/such/path");
    session
        .execute(rests().millis([200]).monitor(monitor))
        .unwrap();
    let mut runs = session.load("rests").unwrap().runs();
    let fields = runs.next().unwrap().unwrap().fields;
    let first = fields.sequence::<First>("load").unwrap().unwrap();
    let first = first.values().unwrap();
    assert!(first[0].cpu_cnt >= 1 && (0.0..=100.5).contains(&first[0].cpu0_pct));
    let loads = fields.sequence::<Load>("load").unwrap().unwrap();
    assert_eq!(loads.values().unwrap()[0].disk_total_gb, None);
}

#[test]
fn a_name_that_is_taken_is_refused_before_the_first_run() {
    let session = Session::in_memory().unwrap();
    let plan = named_so().sysmon([1]).monitor(often());
    let error = session.execute(plan).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the experiment `named_so` cannot be executed: the monitor cannot record in `sysmon`: \
         `sysmon` is declared by the experiment; a run cannot insert it; `.field(..)` of the monitor \
         gives its sequence another name"
    );
    assert!(session.ls().unwrap().is_empty());
}

#[test]
fn a_field_of_its_name_that_a_run_inserts_is_that_run_s_error() {
    let session = Session::in_memory().unwrap();
    let plan = inserting().name(["sysmon", "other"]).monitor(often());
    let plan = plan.policy(Policy::KeepGoing);
    let Err(xp::Error::RunsFailed(failed)) = session.execute(plan) else {
        panic!("one of them fails");
    };
    assert_eq!((failed.completed, failed.failed), (1, 1));
}

#[test]
fn without_a_monitor_nothing_is_recorded() {
    let session = Session::in_memory().unwrap();
    session.execute(rests().millis([50])).unwrap();
    let mut runs = session.load("rests").unwrap().runs();
    let fields = runs.next().unwrap().unwrap().fields;
    assert!(fields.sequence::<Load>("sysmon").unwrap().is_none());
}
