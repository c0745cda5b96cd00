//! Shared values: computed once for all runs that need them, dropped when none does.

#![allow(clippy::unwrap_used)]

use std::sync::atomic::{AtomicI64, AtomicU32, Ordering::SeqCst};

use rayon::prelude::*;
use xp::prelude::*;

type Test = Result<(), Box<dyn std::error::Error>>;

mod chain {
    use super::*;

    static LOADED: AtomicU32 = AtomicU32::new(0);
    static INDEXED: AtomicU32 = AtomicU32::new(0);
    static LIVE: AtomicI64 = AtomicI64::new(0);
    static MOST: AtomicI64 = AtomicI64::new(0);

    struct Data(Vec<u64>);

    impl Drop for Data {
        fn drop(&mut self) {
            LIVE.fetch_sub(1, SeqCst);
        }
    }

    #[step]
    fn load(seed: u64) -> Data {
        LOADED.fetch_add(1, SeqCst);
        MOST.fetch_max(LIVE.fetch_add(1, SeqCst) + 1, SeqCst);
        // On rayon's own threads, while other runs wait.
        Data((0..1_000_u64).into_par_iter().map(|i| i * seed).collect())
    }

    #[step]
    fn index(data: &Data, k: u64) -> Vec<u64> {
        INDEXED.fetch_add(1, SeqCst);
        data.0.par_iter().filter(|x| *x % k == 0).copied().collect()
    }

    #[step]
    fn sum<'a>(items: impl IntoIterator<Item = &'a u64>, repeat: u64) -> u64 {
        items.into_iter().sum::<u64>() + repeat
    }

    #[experiment]
    fn chained(#[param] seed: u64, #[param] k: u64, #[param] repeat: u64) {
        #[shared]
        let data: Data = load(seed);
        #[shared]
        let index: Vec<u64> = index(&data, k);
        #[field]
        let total: u64 = sum(&index, repeat);
    }

    #[test]
    fn each_value_is_computed_once_and_dropped() -> Test {
        let plan = chained().seed(1..=10).k(1..=5).repeat(0..20).jobs(8);
        let experiment = Session::in_memory()?.execute(plan)?;
        assert_eq!(experiment.runs().count(), 1_000);
        assert_eq!((LOADED.load(SeqCst), INDEXED.load(SeqCst)), (10, 50));
        assert_eq!(LIVE.load(SeqCst), 0);
        assert!(MOST.load(SeqCst) <= 8, "{} live at once", MOST.load(SeqCst));
        for run in experiment.runs() {
            let f = run?.fields;
            let expected: u64 = (0..1_000)
                .map(|i| i * f.seed)
                .filter(|x| x % f.k == 0)
                .sum();
            assert_eq!(f.total, expected + f.repeat);
        }
        Ok(())
    }
}

mod failing {
    use super::*;

    static CALLS: AtomicU32 = AtomicU32::new(0);

    #[step]
    fn load(seed: u64) -> Result<u64, String> {
        CALLS.fetch_add(1, SeqCst);
        match seed {
            1 => Err("seed one".to_owned()),
            2 => panic!("seed two"),
            seed => Ok(seed),
        }
    }

    #[step]
    fn add(a: &u64, b: u64) -> u64 {
        a + b
    }

    #[experiment]
    fn failing(#[param] seed: u64, #[param] k: u64) {
        #[shared]
        let data: u64 = load(seed)?;
        #[field]
        let sum: u64 = add(&data, k);
    }

    #[test]
    fn a_failure_is_that_of_every_run_and_happens_once() -> Test {
        let plan = failing()
            .seed([1, 2, 3])
            .k(0..50)
            .jobs(4)
            .policy(Policy::KeepGoing);
        let error = Session::in_memory()?.execute(plan).unwrap_err();
        let xp::Error::RunsFailed(failed) = error else {
            panic!("{error}")
        };
        assert_eq!((failed.failed, failed.completed), (100, 50));
        assert_eq!(CALLS.load(SeqCst), 3);
        for failure in failed.experiment.unwrap().failures() {
            let failure = failure?;
            let (message, outcome) = match failure.inputs.get::<u64>("seed")? {
                Some(1) => ("seed one", xp::Outcome::Failed),
                _ => ("seed two", xp::Outcome::Panicked),
            };
            assert_eq!(
                (failure.exception.message.as_str(), failure.outcome),
                (message, outcome)
            );
            assert_eq!(failure.exception.step.as_deref(), Some("load"));
        }
        Ok(())
    }
}

mod independent {
    use super::*;

    static CONFIGURED: AtomicU32 = AtomicU32::new(0);

    #[step]
    fn from_config(path: &str) -> String {
        CONFIGURED.fetch_add(1, SeqCst);
        path.to_owned()
    }

    #[step]
    fn from_params(a: u32, b: u32) -> u32 {
        a * b
    }

    #[step]
    fn join(text: &str, number: u32) -> String {
        format!("{text}{number}")
    }

    #[experiment]
    fn independent(#[config(identity = false)] path: String, #[param] a: u32, #[param] b: u32) {
        #[shared]
        let product: u32 = from_params(a, b);
        #[shared]
        let text: String = from_config(&path);
        #[field]
        let joined: String = join(&text, product);
    }

    #[test]
    fn values_may_depend_on_different_inputs_and_on_those_that_are_no_identity() -> Test {
        use xp::IntoPlan as _;
        let plan = |path: &str, a: u32| independent().path(path).a([a]).b([1, 2]).into_plan();
        let plan = xp::union([plan("x", 1), plan("y", 2)]).order_by_key(|p| p.b);
        let experiment = Session::in_memory()?.execute(plan)?;
        let mut joined: Vec<String> = Vec::new();
        for run in experiment.runs() {
            joined.push(run?.fields.joined);
        }
        joined.sort();
        assert_eq!(joined, ["x1", "x2", "y2", "y4"]);
        assert_eq!(CONFIGURED.load(SeqCst), 2);
        Ok(())
    }
}
