//! The grammar of `#[experiment]`: every kind of input, statement and mark, executed and read back.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use xp::prelude::*;

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

mod steps {
    use super::*;

    /// A step in another module.
    #[step]
    pub(super) fn double(x: u64) -> u64 {
        2 * x
    }

    #[step]
    pub(super) fn parse(text: &str) -> Result<i64, std::num::ParseIntError> {
        text.parse()
    }

    #[step]
    pub(super) fn increase(x: &mut usize) {
        *x += 1;
    }

    #[step]
    pub(super) fn enlarge(x: &mut u64) {
        *x += 1;
    }
}

mod all_inputs {
    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
    enum Workload {
        Read,
        Mixed,
    }

    impl Workload {
        const ALL: [Self; 2] = [Self::Read, Self::Mixed];
    }

    /// Neither serde nor equality: it is its key.
    #[derive(Clone)]
    struct Kernel {
        name: &'static str,
        factor: f64,
    }

    impl Kernel {
        const ALL: &'static [Self] = &[
            Self {
                name: "linear",
                factor: 1.0,
            },
            Self {
                name: "cubic",
                factor: 3.0,
            },
        ];

        fn key(&self) -> String {
            self.name.to_owned()
        }
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Tuning {
        alpha: f64,
        beta: Option<u32>,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Measurement {
        total: u64,
        spent: Duration,
        note: Option<String>,
    }

    #[step]
    fn measure(workload: Workload, kernel: &Kernel, tuning: &Tuning, repeat: u32) -> Measurement {
        let total = match workload {
            Workload::Read => 1,
            Workload::Mixed => 10,
        };
        Measurement {
            total: total * u64::from(repeat + tuning.beta.unwrap_or(0)),
            spent: Duration::from_secs_f64(kernel.factor * tuning.alpha),
            note: (repeat > 0).then(|| format!("{workload:?}")),
        }
    }

    #[step]
    fn cool_down(_pause: Duration, _log: &PathBuf) {}

    #[step]
    fn histogram(measurement: &Measurement) -> BTreeMap<String, u64> {
        BTreeMap::from([("total".to_owned(), measurement.total)])
    }

    #[step]
    fn describe(measurement: &Measurement) -> Measurement {
        Measurement {
            total: measurement.total + 1,
            spent: Duration::ZERO,
            note: None,
        }
    }

    /// All of the grammar at once.
    #[experiment(name = "all inputs", types = Every)]
    fn all_inputs(
        /// How long to wait.
        #[config(default = Duration::from_secs(2), identity = false)]
        pause: Duration,
        #[config(default = "run.log", identity = false, skip)] log: PathBuf,
        #[param(values = Workload::ALL)] workload: Workload,
        #[param(values = Kernel::ALL, key = Kernel::key)] kernel: Kernel,
        #[param(flatten)] tuning: Tuning,
        #[param(default = 1, absent = 0)] repeat: u32,
    ) {
        let measured = measure(workload, &kernel, &tuning, repeat);
        cool_down(pause, &log);
        #[field(flatten)]
        let measurement: Measurement = describe(&measured);
        /// With other columns of the same kind.
        #[field(flatten, prefix = "raw_")]
        let raw: Measurement = describe(&measured);
        #[field]
        let histogram: BTreeMap<String, u64> = histogram(&measurement);
        #[field]
        let alpha_again: f64 = tuning.alpha.clone();
    }

    #[test]
    fn every_kind_of_input_and_field_is_recorded_and_read_back() -> Outcome {
        let session = Session::in_memory()?;
        let tuning = |alpha| Tuning {
            alpha,
            beta: Some(2),
        };
        let experiment = session.execute(all_inputs().tuning([tuning(0.5), tuning(1.0)]))?;
        assert_eq!(experiment.name, "all inputs");
        let runs = experiment.runs().collect::<xp::Result<Vec<_>>>()?;
        assert_eq!(runs.len(), 8);
        let run = runs.iter().find(|run| {
            run.fields.workload == Workload::Mixed
                && run.fields.kernel == "cubic"
                && run.fields.tuning.alpha == 0.5
        });
        let EveryFields {
            pause,
            tuning,
            repeat,
            measurement,
            raw,
            histogram,
            alpha_again,
            ..
        } = &run.unwrap().fields;
        assert_eq!(
            (*pause, *repeat, *alpha_again),
            (Duration::from_secs(2), 1, 0.5)
        );
        assert_eq!(tuning.beta, Some(2));
        assert_eq!(
            (measurement.total, raw.total, histogram["total"]),
            (31, 31, 31)
        );
        let table = session.query("select * from experiment_all_inputs")?;
        assert_eq!(
            table.names(),
            [
                "id_experiment",
                "id_run",
                "alpha",
                "alpha_again",
                "beta",
                "histogram",
                "kernel",
                "note",
                "pause",
                "raw_note",
                "raw_spent",
                "raw_total",
                "repeat",
                "spent",
                "total",
                "workload",
            ]
        );
        let loaded = session.load_as::<Every>("all inputs")?;
        assert_eq!(loaded.runs().count(), 8);
        Ok(())
    }

    #[test]
    fn inputs_are_given_by_name_too() -> Outcome {
        let mut plan = all_inputs().any();
        plan.set(
            "tuning",
            [Tuning {
                alpha: 1.0,
                beta: None,
            }],
        )?
        .set("alpha", [0.25, 0.5])?;
        plan.set("repeat", [1, 2, 3])?.set("workload", ["Read"])?;
        let experiment = Session::in_memory()?.execute(plan)?;
        assert_eq!(experiment.runs().count(), 12);

        let mut plan = all_inputs().any();
        let error = plan.set("worklaod", ["Read"]).unwrap_err().to_string();
        assert_eq!(
            error,
            "`all inputs` has no input `worklaod`; its inputs are pause, log, workload, kernel, tuning, repeat"
        );
        let error = plan.set("repeat", ["x"]).unwrap_err().to_string();
        assert_eq!(error, "the input `repeat` of `all inputs` is a `u32`");
        let error = Session::in_memory()?
            .execute(all_inputs().any())
            .unwrap_err()
            .to_string();
        assert_eq!(
            error,
            "the plan of `all inputs` lacks the input `tuning`; give it with `.tuning(..)`"
        );
        Ok(())
    }
}

mod statements {
    use super::*;

    struct Net<'a> {
        weights: &'a [f64],
    }

    impl Drop for Net<'_> {
        fn drop(&mut self) {}
    }

    #[step]
    fn weights(n: usize) -> (Vec<f64>, Option<String>) {
        (vec![1.0; n], None)
    }

    #[step]
    fn net(weights: &[f64]) -> Net<'_> {
        Net { weights }
    }

    #[step]
    fn sum(net: &Net<'_>, name: Option<&str>) -> f64 {
        net.weights.iter().sum::<f64>() + name.map_or(0.0, |_| 1.0)
    }

    #[step]
    fn grow(of: &mut Vec<f64>, by: usize) {
        of.extend(std::iter::repeat_n(2.0, by));
    }

    #[step]
    fn largest<T: Copy + PartialOrd>(items: &[T]) -> Option<T> {
        items
            .iter()
            .copied()
            .reduce(|a, b| if a < b { b } else { a })
    }

    #[step]
    fn add(a: f64, b: f64) -> f64 {
        a + b
    }

    #[experiment]
    fn statements(#[param] n: usize) {
        let (mut weights, _name) = weights(n);
        grow(&mut weights, n);
        let weights = weights;
        let net = net(&weights);
        #[state]
        let total: f64 = sum(&net, None);
        // A var of the name of a field that comes later.
        let score = add(total, -1.0);
        #[field]
        let score: f64 = add(score, 0.5);
        let score = add(score, 100.0);
        #[field]
        let largest: Option<f64> = largest::<f64>(&weights);
        #[field]
        let shadowed: f64 = add(score, 0.0);
        #[field]
        let doubled: u64 = steps::double(3);
        #[field]
        let parsed: i64 = steps::parse("-12")?;
        #[field]
        let literal: u8 = 7;
    }

    #[test]
    fn statements_are_rust() -> Outcome {
        let experiment = Session::in_memory()?.execute(statements().n([2, 4]))?;
        for run in experiment.runs() {
            let run = run?;
            let n = run.fields.n as f64;
            assert_eq!(run.fields.score, 3.0 * n - 0.5);
            assert_eq!(run.fields.shadowed, 3.0 * n + 99.5);
            assert_eq!(run.fields.largest, Some(2.0));
            assert_eq!(
                (run.fields.doubled, run.fields.parsed, run.fields.literal),
                (6, -12, 7)
            );
            assert_eq!(run.state().map(|state| state.total), Some(3.0 * n));
        }
        Ok(())
    }
}

/// What a slice lacks of the body must not change how the rest compiles: types that later statements
/// determine, loans, moves, drops, names that shadow others.
#[deny(warnings)]
mod slices {
    use super::*;

    struct Guard<'a>(&'a mut Vec<f64>);

    impl Drop for Guard<'_> {
        fn drop(&mut self) {
            self.0.push(1.0);
        }
    }

    struct Pair<A, B> {
        left: A,
        right: B,
    }

    #[step]
    fn start(n: u64) -> Vec<f64> {
        vec![0.5; usize::try_from(n).unwrap_or_default()]
    }

    #[step]
    fn guard(of: &mut Vec<f64>) -> Guard<'_> {
        Guard(of)
    }

    #[step]
    fn push(guard: &mut Guard<'_>, x: f64) {
        guard.0.push(x);
    }

    #[step]
    fn close(_guard: Guard<'_>) {}

    #[step]
    fn items(of: &[f64]) -> impl Iterator<Item = f64> + '_ {
        of.iter().copied()
    }

    #[step]
    fn total(items: impl Iterator<Item = f64>) -> f64 {
        items.sum()
    }

    #[step]
    fn nothing<T>() -> Vec<T> {
        Vec::new()
    }

    #[step]
    fn add_byte(to: &mut Vec<u8>) {
        to.push(1);
    }

    #[step]
    fn hold<A, B>(left: A, right: B) -> Pair<A, B> {
        Pair { left, right }
    }

    #[step]
    fn bits<T: Copy>(_of: T) -> usize {
        8 * size_of::<T>()
    }

    #[step]
    fn expect_byte(_of: u8) {}

    #[step]
    fn len<T>(of: &[T]) -> usize {
        of.len()
    }

    #[step]
    fn take<T>(of: Vec<T>) -> usize {
        of.len()
    }

    #[step]
    fn add(a: usize, b: usize) -> usize {
        a + b
    }

    #[experiment]
    fn depends(#[param] mut n: u64, #[config(default = 2)] by: usize) {
        #[shared]
        let base: Vec<f64> = start(3);
        let mut rows = start(n);
        let mut open = guard(&mut rows);
        push(&mut open, 2.0);
        close(open);
        let all = items(&rows);
        let of_base = items(&base);
        #[field]
        let sum: f64 = total(all);
        #[state]
        let of_all: f64 = total(of_base);
        let one = 1;
        let pair = hold(one, &by);
        #[field]
        let bits_of_one: usize = bits(one);
        #[field]
        let bits_of_left: usize = bits(pair.left);
        expect_byte(pair.left);
        let kept = *pair.right;
        let mut bytes = nothing();
        add_byte(&mut bytes);
        let bytes = bytes;
        #[field]
        let mut bytes_len: usize = len(&bytes);
        #[field]
        let taken: usize = take(bytes);
        let Pair { left, right: _ } = hold(&mut bytes_len, kept);
        steps::increase(left);
        let n_there = &mut n;
        steps::enlarge(n_there);
        #[field]
        let enlarged: u64 = steps::double(n);
        #[field]
        let moved: Vec<f64> = start(n);
        #[field]
        let of_moved: usize = take(moved);
        #[field]
        let both: usize = add(of_moved, kept);
    }

    macro_rules! of_a_macro {
        ($name:ident, $var:ident) => {
            #[experiment]
            fn $name(#[param] n: u64) {
                let $var = steps::double(n);
                let other = start(n);
                #[field]
                let both: usize = of_both($var, &other);
                #[field]
                let one: u64 = steps::double($var);
                #[field]
                let mut two: usize = len(&other);
                steps::increase(&mut two);
            }
        };
    }

    #[step]
    fn of_both(n: u64, rows: &[f64]) -> usize {
        rows.len() + usize::try_from(n).unwrap_or_default()
    }

    // Two variables of one spelling.
    of_a_macro!(hygienic, other);

    #[test]
    fn names_of_a_macro_are_its_own() -> Outcome {
        let experiment = Session::in_memory()?.execute(hygienic().n([4]))?;
        for run in experiment.runs() {
            let fields = run?.fields;
            assert_eq!((fields.both, fields.one, fields.two), (12, 16, 5));
        }
        Ok(())
    }

    #[test]
    fn the_whole_body_is_as_ever() -> Outcome {
        let experiment = Session::in_memory()?.execute(depends().n([4]))?;
        for run in experiment.runs() {
            let fields = run?.fields;
            assert_eq!(fields.sum, 2.0 + 2.0 + 1.0);
            assert_eq!((fields.bits_of_one, fields.bits_of_left), (8, 8));
            assert_eq!((fields.bytes_len, fields.taken), (2, 1));
            assert_eq!((fields.enlarged, fields.of_moved, fields.both), (10, 5, 7));
            assert_eq!(fields.moved.len(), 5);
        }
        Ok(())
    }
}

mod live_run {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Loss {
        epoch: u32,
        value: f64,
        note: Option<String>,
    }

    #[step]
    fn train(
        run: &mut Run,
        losses: &mut Sequence<Loss>,
        epochs: u32,
    ) -> Result<f64, Box<dyn std::error::Error + Send + Sync>> {
        let mut rng = run.rng("noise");
        let mut other = run.sequence::<Loss>("other")?;
        for epoch in 0..epochs {
            let value = rng.f64();
            let note = (epoch % 2 == 1).then(|| "odd".to_owned());
            losses.append(Loss {
                epoch,
                value,
                note: note.clone(),
            });
            other.append(Loss { epoch, value, note });
            run.progress(f64::from(epoch) / f64::from(epochs));
        }
        run.fields.insert("device", "cpu".to_owned())?;
        run.artifact("log", "all went well");
        assert!(!run.cancelled());
        assert_eq!(
            run.steps().iter().map(|s| s.name).collect::<Vec<_>>(),
            ["train", "inspect"]
        );
        assert_eq!(run.params().get::<u32>("epochs")?, Some(epochs));
        assert_eq!(
            run.config().get::<String>("dataset")?,
            Some("mnist".to_owned())
        );
        Ok(rng.f64())
    }

    #[step]
    fn inspect(run: &Run) -> String {
        run.id_run.to_string()
    }

    #[experiment]
    fn live_run(
        #[config] dataset: String,
        #[param] epochs: u32,
        /// The loss by epoch.
        #[sequence]
        losses: Sequence<Loss>,
        run: &mut Run,
    ) {
        #[field]
        let last: f64 = train(run, &mut losses, epochs)?;
        #[field]
        let id: String = inspect(run);
    }

    #[test]
    fn the_live_run_gives_what_the_steps_need() -> Outcome {
        let session = Session::in_memory()?;
        let experiment = session.execute(live_run().dataset("mnist").epochs([3, 2_000]))?;
        for run in experiment.runs() {
            let run = run?;
            assert_eq!(run.fields.id, run.id_run.to_string());
            assert_eq!(run.id_run.get_version_num(), 8);
            assert_eq!(run.fields.dataset, "mnist");
            let rows = run.fields.losses.rows()?;
            assert_eq!(rows.len(), run.fields.epochs as usize);
            assert_eq!(rows[1].idx, 1);
            assert_eq!(rows[1].value.note.as_deref(), Some("odd"));
            assert!(rows[0].timestamp <= rows[2].timestamp);
            assert_eq!(
                experiment.artifact(run.id_run, "log")?.as_deref(),
                Some(&b"all went well"[..])
            );
        }
        for run in session.load("live_run")?.runs() {
            let run = run?;
            assert_eq!(run.fields.get::<String>("device")?.as_deref(), Some("cpu"));
            assert!(run.fields.value("other").is_some());
        }
        Ok(())
    }

    #[test]
    fn random_numbers_depend_on_the_inputs_and_the_root_seed_only() -> Outcome {
        let last = |plan: xp::Plan<LiveRun>| -> Outcome<f64> {
            let experiment = Session::in_memory()?.execute(plan)?;
            let mut runs = experiment.runs().filter_map(Result::ok);
            Ok(runs.find(|run| run.fields.epochs == 3).unwrap().fields.last)
        };
        use xp::IntoPlan as _;
        let plan = || live_run().dataset("mnist");
        let alone = last(plan().epochs([3]).into_plan())?;
        assert_eq!(alone, last(plan().epochs([1, 2, 3]).jobs(1).into_plan())?);
        assert_eq!(alone, last(plan().epochs([3]).root_seed(123).into_plan())?);
        assert_ne!(alone, last(plan().epochs([3]).root_seed(7).into_plan())?);
        Ok(())
    }
}

mod places {
    use super::*;

    #[derive(Clone, Serialize, Deserialize)]
    struct Size {
        width: u32,
    }

    #[step]
    fn area(width: u32, height: &u32) -> u32 {
        width * height
    }

    #[step]
    fn take(size: Size) -> u32 {
        size.width
    }

    /// Experiments without inputs, without steps, and inside of functions.
    #[test]
    fn an_experiment_may_be_declared_inside_of_a_function() -> Outcome {
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        struct Local {
            x: u8,
        }

        #[step]
        fn local() -> Local {
            Local { x: 1 }
        }

        #[experiment]
        fn inside() {
            #[field]
            let local: Local = local();
        }

        #[experiment]
        fn nothing() {}

        let session = Session::in_memory()?;
        let experiment = session.execute(inside())?;
        assert_eq!(
            experiment.runs().next().unwrap()?.fields.local,
            Local { x: 1 }
        );
        assert_eq!(session.execute(nothing())?.runs().count(), 1);
        Ok(())
    }

    #[experiment]
    fn of_places(#[param] size: Size, #[param] r#type: u32) {
        #[field]
        let area: u32 = area(size.width, &r#type);
        #[field]
        let width: u32 = take(size.clone());
        #[field]
        let r#again: u32 = take(size);
    }

    #[test]
    fn arguments_are_places_and_names_may_be_raw() -> Outcome {
        let session = Session::in_memory()?;
        let experiment = session.execute(of_places().size([Size { width: 3 }]).r#type([2]))?;
        let run = experiment.runs().next().unwrap()?;
        assert_eq!(
            (run.fields.area, run.fields.width, run.fields.r#again),
            (6, 3, 3)
        );
        assert_eq!(run.fields.r#type, 2);
        assert_eq!(
            session
                .query("select type, again from experiment_of_places")?
                .rows()
                .len(),
            1
        );
        Ok(())
    }
}
