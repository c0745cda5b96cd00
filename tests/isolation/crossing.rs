//! What comes of a run is the same as on a thread.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use xp::prelude::*;

use crate::{Case, Test};

pub(crate) const TESTS: &[Case] = &[
    ("all_that_a_run_leaves_is_as_on_a_thread", all_is_equal),
    (
        "what_a_step_inserts_has_one_type_in_all_processes",
        one_type,
    ),
    ("an_input_with_a_key_cannot_be_sent", keyed),
    ("progress_comes_through", progress),
    ("a_fill_is_given_what_the_run_has", filled),
];

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Kind {
    Plain,
    Sized { width: u32, ratio: f64 },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Setting {
    rate: f64,
    name: Option<String>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Loss {
    epoch: u32,
    value: f64,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Measured {
    operations: u64,
    spent: Duration,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Model {
    weights: Vec<f64>,
    names: BTreeMap<String, Option<i64>>,
    kind: Kind,
}

#[derive(Debug)]
struct Inner;

impl std::fmt::Display for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the inner cause")
    }
}

impl std::error::Error for Inner {}

#[step]
fn fit(
    run: &mut Run,
    losses: &mut Sequence<Loss>,
    n: u64,
    kind: Kind,
    setting: &Setting,
    host: &str,
) -> anyhow::Result<Model> {
    use anyhow::Context;
    let mut rng = run.rng("weights");
    for epoch in 0..n as u32 {
        losses.append(Loss {
            epoch,
            value: rng.f64(),
        });
    }
    run.sequence::<Loss>("late")?.append(Loss {
        epoch: 1,
        value: setting.rate,
    });
    run.fields.insert("device", host.to_uppercase())?;
    run.fields.insert("draw", rng.f64())?;
    run.artifact("model.bin", rng.next_u64().to_le_bytes());
    assert_eq!(run.params().get::<u64>("n")?, Some(n));
    match n {
        3 => Err(xp::skip("three is left out"))?,
        4 => Err(Inner).context("four is refused")?,
        5 => panic!("five panics"),
        _ => {}
    }
    Ok(Model {
        weights: vec![rng.f64(), f64::NAN, f64::INFINITY],
        names: BTreeMap::from([("a".to_owned(), None), ("ä".to_owned(), Some(-7))]),
        kind,
    })
}

#[step]
fn measure(n: u64) -> Measured {
    Measured {
        operations: n,
        spent: Duration::from_millis(n),
    }
}

#[step]
fn describe(model: &Model) -> Vec<(String, f64)> {
    vec![(format!("{:?}", model.kind), model.weights[0])]
}

#[experiment]
pub(crate) fn all(
    #[config(default = "host".to_owned(), identity = false)] host: String,
    #[param] n: u64,
    #[param] kind: Kind,
    #[param(flatten)] setting: Setting,
    #[sequence] losses: Sequence<Loss>,
    run: &mut Run,
) {
    #[state]
    let model: Model = fit(run, &mut losses, n, kind, &setting, &host)?;
    #[field(flatten)]
    let measured: Measured = measure(n);
    #[field]
    let described: Vec<(String, f64)> = describe(&model);
}

fn plan() -> Plan<All> {
    let kinds = [
        Kind::Plain,
        Kind::Sized {
            width: 3,
            ratio: 0.5,
        },
    ];
    let setting = |name: Option<&str>| Setting {
        rate: 0.25,
        name: name.map(str::to_owned),
    };
    let settings = [setting(None), setting(Some("x"))];
    all()
        .n(1..=5)
        .kind(kinds)
        .setting(settings)
        .policy(Policy::KeepGoing)
        .jobs(2)
        .into_plan()
}

use xp::Plan;

/// All that is there of an execution, but ids of the experiment and times.
fn left(plan: Plan<All>) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let session = Session::in_memory()?;
    let Err(xp::Error::RunsFailed(failed)) = session.execute(plan) else {
        panic!("some runs fail");
    };
    let experiment = failed.typed::<All>()?.unwrap();
    let mut all = Vec::new();
    for run in experiment.runs() {
        let run = run?;
        let fields = &run.fields;
        let losses: Vec<_> = fields
            .losses
            .values()?
            .iter()
            .map(|l| (l.epoch, l.value))
            .collect();
        all.push(format!(
            "{} {} {:?} {:?} {losses:?} {:?} {:?} {:?} {:?}",
            run.id_run,
            fields.n,
            fields.kind,
            fields.setting,
            fields.measured.operations,
            fields.measured.spent,
            fields.described,
            run.state(),
        ));
    }
    let untyped = session.load("all")?;
    for run in untyped.runs() {
        let run = run?;
        let late = run.fields.sequence::<Loss>("late")?.unwrap().values()?;
        all.push(format!(
            "{} {} {} {:?} {:?}",
            run.id_run,
            run.fields.value("device").unwrap(),
            run.fields.value("draw").unwrap(),
            late.iter().map(|l| (l.epoch, l.value)).collect::<Vec<_>>(),
            untyped.artifact(run.id_run, "model.bin")?,
        ));
    }
    for failure in untyped.failures() {
        let mut failure = failure?;
        // The steps stand on another stack.
        failure.exception.backtrace = None;
        let kept = untyped.artifact(failure.id_run, "model.bin")?;
        let mut rows = Vec::new();
        for name in ["late", "losses"] {
            if let Some(sequence) = failure.fields.sequence::<Loss>(name)? {
                // The rows have the times at which they were made.
                rows.extend(sequence.values()?.iter().map(|l| (name, l.epoch, l.value)));
            }
        }
        let fields = failure
            .fields
            .iter()
            .filter(|(name, _)| !["late", "losses"].contains(name));
        let fields: Vec<_> = fields
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        failure.fields = xp::Bunch::default();
        all.push(format!("{failure:?} {fields:?} {rows:?} {kept:?}"));
    }
    all.sort();
    Ok(all)
}

fn all_is_equal() -> Test {
    let (threads, processes) = (left(plan())?, left(plan().isolate(Isolation::Process))?);
    assert_eq!(threads, processes);
    assert_eq!(threads.len(), 8 + 8 + 12);
    let text = threads.join("\n");
    for part in [
        "three is left out",
        "the inner cause",
        "five panics",
        "crossing.rs:",
        "Panicked",
        "Skipped",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    Ok(())
}

fn one_type() -> Test {
    // Two processes insert the same fields: the parent keeps one registry of them.
    let session = Session::in_memory()?;
    let plan = plan().filter(|p| p.n < 3).isolate(Isolation::Process);
    let experiment = session.execute(plan)?;
    assert_eq!(experiment.runs().count(), 8);
    let table = session.query("select count(distinct draw), min(device) from experiment_all")?;
    assert_eq!(table.rows()[0], vec![8.into(), "HOST".into()]);
    Ok(())
}

#[derive(Clone)]
pub(crate) struct Opaque(u32);

#[step]
fn open(opaque: Opaque) -> u32 {
    opaque.0
}

#[experiment]
pub(crate) fn opaques(#[param(key = |opaque| opaque.0.to_string())] opaque: Opaque) {
    #[field]
    let inner: u32 = open(opaque);
}

fn keyed() -> Test {
    let session = Session::in_memory()?;
    let plan = opaques().opaque([Opaque(1)]).isolate(Isolation::Process);
    let error = session.execute(plan).unwrap_err();
    let text = format!("{error:?}");
    assert!(
        text.contains("`opaques` cannot run in processes of its own"),
        "{text}"
    );
    assert!(text.contains("the input `opaque`"), "{text}");
    assert_eq!(session.ls()?.len(), 0);
    Ok(())
}

fn progress() -> Test {
    // What is told ends in the bar, which is hard to see: it must not disturb the runs.
    let session = Session::in_memory()?;
    let plan = crate::processes::pids()
        .n(0..4)
        .sleep(0.15)
        .isolate(Isolation::Process)
        .show_progress(true);
    assert_eq!(session.execute(plan)?.runs().count(), 4);
    Ok(())
}

static MEASURED: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);

/// Tells the process that measured, and how often it did.
#[step]
fn measured(n: u32) -> Vec<u32> {
    let times = MEASURED.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
    vec![std::process::id(), times, n]
}

#[step]
fn shown(measured: &[u32]) -> String {
    format!("{measured:?}")
}

pub(crate) mod before {
    use super::*;

    #[experiment]
    pub(crate) fn fills(#[param] n: u32) {
        #[field]
        let measured: Vec<u32> = measured(n);
    }
}

#[experiment]
pub(crate) fn fills(#[param] n: u32) {
    #[field]
    let measured: Vec<u32> = measured(n);
    #[field]
    let shown: String = shown(&measured);
}

fn filled() -> Test {
    let session = Session::in_memory()?;
    session.resume(before::fills().n(0..4))?;
    let plan = fills().n(0..4).fill().isolate(Isolation::Process);
    let filled = session.resume(plan)?;
    assert_eq!(filled.runs().count(), 4);
    for run in filled.runs() {
        let fields = run?.fields;
        assert_eq!(fields.measured[0], std::process::id());
        assert_eq!(fields.shown, format!("{:?}", fields.measured));
    }
    Ok(())
}
