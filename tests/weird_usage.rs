//! Weird, but valid: what users will do sooner or later.

#![allow(clippy::unwrap_used)]

use std::borrow::Cow;
use std::collections::HashMap;
use std::rc::Rc;

use serde::{Deserialize, Serialize};
use xp::prelude::*;

type Test = Result<(), Box<dyn std::error::Error>>;

mod vars_that_stay_on_their_thread {
    use super::*;

    #[step]
    fn share(x: u32) -> Rc<u32> {
        Rc::new(x)
    }

    #[step]
    fn unwrap(x: &Rc<u32>, y: Rc<u32>) -> u32 {
        **x + *y
    }

    #[experiment]
    fn rcs(#[param] x: u32) {
        let rc = share(x);
        let (a, b) = pair(&rc);
        #[field]
        let sum: u32 = unwrap(a, b.clone());
    }

    #[step]
    fn pair(x: &Rc<u32>) -> (&Rc<u32>, Rc<u32>) {
        (x, Rc::clone(x))
    }

    #[test]
    fn vars_need_neither_be_send_nor_static() -> Test {
        let run = Session::in_memory()?
            .execute(rcs().x([4]))?
            .runs()
            .next()
            .unwrap()?;
        assert_eq!(run.fields.sum, 8);
        Ok(())
    }
}

mod states {
    use super::*;

    /// Neither serde, nor `Debug`, nor `Clone`, nor `Sync`; without a size.
    struct Marker;
    struct Opaque(std::cell::Cell<u32>);

    #[step]
    fn marker() -> Marker {
        Marker
    }

    #[step]
    fn opaque(x: u32) -> Opaque {
        Opaque(std::cell::Cell::new(x))
    }

    #[step]
    fn bump(of: &mut Opaque) -> u32 {
        of.0.set(of.0.get() + 1);
        of.0.get()
    }

    #[experiment]
    fn of_state(#[param] x: u32) {
        #[state]
        let marker: Marker = marker();
        #[state]
        let mut opaque: Opaque = opaque(x);
        #[field]
        let bumped: u32 = bump(&mut opaque);
    }

    #[test]
    fn a_state_may_be_anything_that_is_send() -> Test {
        let experiment = Session::in_memory()?.execute(of_state().x([1, 2]))?;
        for run in experiment.runs() {
            let run = run?;
            let OfStateState {
                marker: Marker,
                opaque,
            } = run.state().unwrap();
            assert_eq!(opaque.0.get(), run.fields.x + 1);
        }
        Ok(())
    }

    #[test]
    fn a_loaded_run_has_no_state() -> Test {
        let session = Session::in_memory()?;
        session.execute(of_state().x([1]))?;
        let run = session
            .load_as::<OfState>("of_state")?
            .runs()
            .next()
            .unwrap()?;
        assert!(run.state().is_none());
        Ok(())
    }
}

mod made_by_macros {
    use super::*;

    macro_rules! scaled {
        ($name:ident, $factor:expr, $ty:ty) => {
            #[step]
            fn $name(x: $ty) -> $ty {
                x * $factor
            }
        };
    }

    scaled!(twice, 2, u32);
    scaled!(thrice, 3, u32);

    macro_rules! declared {
        ($name:ident, $input:ident, $step:path) => {
            #[experiment]
            fn $name(#[param] $input: u32) {
                #[shared]
                let shared: u32 = $step($input);
                #[field]
                let result: u32 = $step(shared);
            }
        };
    }

    declared!(fours, x, twice);
    declared!(nines, y, thrice);

    #[test]
    fn steps_and_experiments_may_come_from_macros() -> Test {
        let session = Session::in_memory()?;
        assert_eq!(
            session
                .execute(fours().x([5]))?
                .runs()
                .next()
                .unwrap()?
                .fields
                .result,
            20
        );
        assert_eq!(
            session
                .execute(nines().y([5]))?
                .runs()
                .next()
                .unwrap()?
                .fields
                .result,
            45
        );
        Ok(())
    }
}

mod names {
    use super::*;

    #[step]
    fn one() -> u32 {
        1
    }

    /// Inputs that are named like methods, variables of the expansion, and keywords.
    #[experiment]
    fn names(
        #[config(default = 1)] jobs: u32,
        #[config(default = 2)] options: u32,
        #[param(default = 3)] filter: u32,
        #[param(default = 4)] scope: u32,
        #[param(default = 5)] config: u32,
        #[param(default = 6)] params: u32,
        #[param(default = 7)] inputs: u32,
        #[param(default = 8)] named: u32,
        #[param(default = 9)] r#fn: u32,
        #[param(default = 10)] any: u32,
        #[param(default = 11)] row: u32,
        #[param(default = 12)] at: u32,
        run: &mut Run,
    ) {
        #[field]
        let fields: u32 = one();
        #[state]
        let state: u32 = one();
        #[field]
        let visitor: u32 = one();
    }

    #[test]
    fn an_input_may_have_any_name() -> Test {
        let session = Session::in_memory()?;
        // The setters win over the methods, which are functions, too.
        let plan = names().jobs(2).filter([1, 2]).named([3]);
        let plan = xp::PlanOptions::jobs(plan, 1);
        let plan = xp::PlanOptions::named(plan, "other");
        let plan = xp::Grid::filter(plan, |p| p.filter == 2 && p.r#fn == 9);
        let experiment = session.execute(plan)?;
        assert_eq!(experiment.name, "other");
        let run = experiment.runs().next().unwrap()?;
        assert_eq!(
            (run.fields.jobs, run.fields.filter, run.fields.fields),
            (2, 2, 1)
        );
        assert_eq!(xp::IntoAny::any(names()).options_are_there(), ());
        Ok(())
    }

    trait There: Sized {
        fn options_are_there(&self) {}
    }

    impl<T> There for T {}
}

mod types {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "kind")]
    enum Tagged {
        A { x: u32 },
        B,
    }

    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
    struct Id(u64);

    type Alias<T> = Option<T>;

    #[step]
    fn keep<T>(x: T) -> T {
        x
    }

    #[step]
    fn maps(id: Id) -> HashMap<u32, Vec<Option<f32>>> {
        HashMap::from([(7, vec![Some(0.5), None, Some(id.0 as f32)])])
    }

    #[step]
    fn text(tagged: &Tagged) -> Cow<'static, str> {
        match tagged {
            Tagged::A { .. } => Cow::Borrowed("a"),
            Tagged::B => Cow::Owned("b".to_owned()),
        }
    }

    #[experiment]
    fn types(
        #[param] tagged: Tagged,
        #[param] id: Id,
        #[param] pair: (u8, String),
        #[param] alias: Alias<bool>,
        #[param(default = vec![1, 2])] bytes: Vec<u8>,
        #[param(default = ())] unit: (),
        #[param(default = xp::Uuid::nil())] uuid: xp::Uuid,
        #[param(default = 'é')] char: char,
    ) {
        #[field]
        let maps: HashMap<u32, Vec<Option<f32>>> = maps(id);
        #[field]
        let text: Cow<'static, str> = text(&tagged);
        #[field]
        let nested: Option<Option<Tagged>> = keep(None);
        #[field]
        let infinite: f64 = keep(f64::INFINITY);
        #[field]
        let nan: f32 = keep(f32::NAN);
        #[field]
        let time: jiff::Timestamp = keep(jiff::Timestamp::UNIX_EPOCH);
        #[field]
        let date: Option<jiff::civil::Date> = keep(None);
    }

    #[test]
    fn any_serde_type_is_an_input_or_a_field() -> Test {
        let session = Session::in_memory()?;
        let plan = types()
            .tagged([Tagged::A { x: 1 }, Tagged::B])
            .id([Id(1 << 40)])
            .pair([(1, "x".to_owned()), (1, String::new())])
            .alias([None, Some(true)]);
        let experiment = session.execute(plan)?;
        assert_eq!(experiment.runs().count(), 8);
        for run in experiment.runs() {
            let fields = run?.fields;
            assert_eq!(fields.id, Id(1 << 40));
            assert_eq!((fields.bytes.as_slice(), fields.char), (&[1, 2][..], 'é'));
            assert_eq!(
                fields.maps[&7],
                [Some(0.5), None, Some((1_u64 << 40) as f32)]
            );
            assert_eq!(
                fields.text,
                if fields.tagged == Tagged::B { "b" } else { "a" }
            );
            assert!(
                fields.nan.is_nan() && fields.infinite == f64::INFINITY && fields.date.is_none()
            );
            assert_eq!(fields.time, jiff::Timestamp::UNIX_EPOCH);
        }
        let sql = "select typeof(id) i, typeof(char) c, typeof(bytes) b, typeof(tagged) t, typeof(time) d, typeof(nan) n from experiment_types limit 1";
        let row = &session.query(sql)?.rows()[0];
        let kinds: Vec<_> = row.iter().filter_map(xp::Value::as_str).collect();
        assert_eq!(kinds, ["integer", "text", "blob", "blob", "text", "null"]);
        Ok(())
    }
}

mod serialised {
    use super::*;

    #[step]
    fn half(x: f64) -> f64 {
        x / 2.0
    }

    #[experiment]
    fn halves(#[param] x: f64) {
        #[state]
        let state: f64 = half(x);
        #[field]
        let half: f64 = half(x);
    }

    #[test]
    fn experiments_and_runs_are_serialised_without_db_vars_and_steps() -> Test {
        let mut experiment = Session::in_memory()?.execute(halves().x([3.0]))?;
        experiment.fields.insert("note", "first")?;
        let json = serde_json::to_value(&experiment)?;
        let keys = |value: &serde_json::Value| -> Vec<String> {
            value.as_object().unwrap().keys().cloned().collect()
        };
        let sorted = |names: &[&str]| {
            let mut names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
            names.sort();
            names
        };
        assert_eq!(keys(&json), sorted(&Experiment::SERIALIZED));
        assert_eq!(keys(&json["runs"][0]), sorted(&Run::SERIALIZED));
        let back: Experiment<Halves> = serde_json::from_value(json)?;
        assert_eq!(back.db(), None);
        assert_eq!(back.id_experiment, experiment.id_experiment);
        assert_eq!(back.fields.get::<String>("note")?.as_deref(), Some("first"));
        let run = back.runs().next().unwrap()?;
        assert_eq!(
            (run.fields.half, run.state().map(|s| s.state)),
            (1.5, Some(1.5))
        );
        Ok(())
    }
}

mod outside {
    use super::*;

    /// Steps are found by any path, under any name.
    mod inner {
        pub(crate) mod deep {
            use xp::step;

            #[step]
            pub(crate) fn next(x: u32) -> u32 {
                x + 1
            }
        }
    }

    use inner::deep::next as successor;

    #[experiment]
    pub(crate) fn paths(#[param] x: u32) {
        let a = successor(x);
        let b = self::inner::deep::next(a);
        #[field]
        let c: u32 = crate::outside::inner::deep::next(b);
    }

    #[test]
    fn steps_are_called_by_any_path() -> Test {
        let session = Session::in_memory()?;
        assert_eq!(
            session
                .execute(paths().x([1]))?
                .runs()
                .next()
                .unwrap()?
                .fields
                .c,
            4
        );
        let names = session
            .query("select group_concat(name) from xp_step")?
            .rows();
        assert_eq!(names[0][0].as_str(), Some("next,next,next"));
        Ok(())
    }
}
