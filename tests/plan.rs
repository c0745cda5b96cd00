//! Plans: which points there are, and what makes two of them one.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use xp::prelude::*;
use xp::{IntoPlan, Plan};

type Test = Result<(), Box<dyn std::error::Error>>;

#[step]
fn product(a: u32, b: u32) -> u32 {
    a * b
}

#[experiment(types = Points)]
fn grid(#[config(default = 1.0)] c: f64, #[param] a: u32, #[param(default = 7)] b: u32) {
    #[field]
    let product: u32 = product(a, b);
}

fn executed(plan: impl IntoPlan<Experiment = Points>) -> xp::Result<BTreeSet<(u32, u32)>> {
    let experiment = Session::in_memory()?.execute(plan)?;
    let mut points = BTreeSet::new();
    for run in experiment.runs() {
        let fields = run?.fields;
        assert!(
            points.insert((fields.a, fields.b)),
            "{:?} ran twice",
            (fields.a, fields.b)
        );
    }
    Ok(points)
}

#[test]
fn points_are_products_pairs_lists_and_what_is_made_of_them() -> Test {
    let points = |points: &[(u32, u32)]| points.iter().copied().collect::<BTreeSet<_>>();
    assert_eq!(executed(grid().a([1, 2]))?, points(&[(1, 7), (2, 7)]));
    assert_eq!(
        executed(grid().a([1, 2]).b([3, 4]))?,
        points(&[(1, 3), (1, 4), (2, 3), (2, 4)])
    );
    assert_eq!(
        executed(grid().a([1, 2]).b([3, 4]).zip())?,
        points(&[(1, 3), (2, 4)])
    );
    assert_eq!(
        executed(grid().b([3, 4]).a([1]).zip())?,
        points(&[(1, 3), (1, 4)])
    );
    let listed = [
        PointsParams { a: 1, b: 1 },
        PointsParams { a: 2, b: 5 },
        PointsParams { a: 1, b: 1 },
    ];
    assert_eq!(executed(grid().points(listed))?, points(&[(1, 1), (2, 5)]));
    assert_eq!(
        executed(grid().a(0..3).b(0..3).filter(|p| p.a < p.b))?,
        points(&[(0, 1), (0, 2), (1, 2)])
    );
    let sorted = |p: PointsParams| PointsParams {
        a: p.a.min(p.b),
        b: p.a.max(p.b),
    };
    assert_eq!(
        executed(grid().a([1, 2]).b([1, 2]).map(sorted))?,
        points(&[(1, 1), (1, 2), (2, 2)])
    );
    let union = xp::union([grid().a([1]).b([1, 2]), grid().a([1, 2]).b([2])]);
    assert_eq!(executed(union)?, points(&[(1, 1), (1, 2), (2, 2)]));
    assert_eq!(executed(grid().a([1, 1, 2, 1]))?, points(&[(1, 7), (2, 7)]));
    Ok(())
}

#[test]
fn a_value_is_given_again_to_replace_it() -> Test {
    assert_eq!(executed(grid().a([1, 2]).a([3]).b([1]))?.len(), 1);
    Ok(())
}

#[test]
fn a_plan_can_be_looked_at() {
    let plan = grid().a([1, 2, 3]).b([1, 2]).filter(|p| p.a > 1);
    assert_eq!(plan.size(), 6);
    assert_eq!(
        plan.params().map(|p| (p.a, p.b)).collect::<Vec<_>>(),
        [(2, 1), (2, 2), (3, 1), (3, 2)]
    );
}

#[test]
fn a_plan_is_used_again_by_reference() -> Test {
    let plan = grid().a([1, 2]);
    assert_eq!(executed(&plan)?, executed(plan.clone().b([7]))?);
    let made = plan.into_plan().filter(|p| p.a > 1).order_by_key(|p| p.a);
    assert_eq!(executed(&made)?, executed(&made)?);
    assert_eq!(executed(made.clone())?, BTreeSet::from([(2, 7)]));
    let wrong = grid().a([]).into_plan();
    assert!(matches!(executed(&wrong), Err(xp::Error::Plan(_))));
    assert!(matches!(executed(wrong), Err(xp::Error::Plan(_))));
    Ok(())
}

#[test]
fn a_billion_points_are_a_plan() {
    let plan: Plan<Points> = grid().a(0..40_000).b(0..40_000).into_plan();
    assert_eq!(plan.size(), 1_600_000_000);
}

#[test]
fn plans_that_have_no_points_are_told() -> Test {
    let error = |plan: Plan<Points>| {
        Session::in_memory()
            .and_then(|s| s.execute(plan))
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        error(grid().a([]).into_plan()),
        "the plan of `grid` has no point: the input `a` is empty"
    );
    assert_eq!(
        error(grid().points([])),
        "the plan of `grid` has no point: the points is empty"
    );
    assert_eq!(
        error(grid().a([1, 2]).b([1, 2, 3]).zip()),
        "the inputs of `grid` cannot be zipped: `a` has 2 values, `b` has 3 values"
    );
    assert_eq!(
        error(grid().a([1, 2]).filter(|_| true).zip()),
        "the plan of `grid` cannot be zipped any more: call `.zip()` before all else"
    );
    Ok(())
}

#[test]
fn a_loop_fills_an_any_plan() -> Test {
    let mut plan = grid().any();
    for _ in 0..2 {
        plan = plan.a([1, 2]).c(0.5);
    }
    assert_eq!(executed(plan)?.len(), 2);
    Ok(())
}

mod skipped {
    use super::*;

    #[derive(Clone, serde::Serialize, serde::Deserialize)]
    struct Tuning {
        rate: f64,
    }

    #[experiment]
    fn skipped(#[param(skip)] big: u64, #[param(skip, flatten)] tuning: Tuning) {
        #[field]
        let product: u32 = product(2, 3);
    }

    #[test]
    fn what_is_not_recorded_need_not_fit_into_a_column() -> Test {
        let session = Session::in_memory()?;
        let plan = skipped().big([1, u64::MAX]).tuning([Tuning { rate: 0.5 }]);
        assert_eq!(session.execute(plan)?.runs().count(), 2);
        let table = session.query("select * from experiment_skipped")?;
        assert_eq!(table.names(), ["id_experiment", "id_run", "product"]);
        Ok(())
    }
}

mod identity {
    use super::*;

    fn ids(plan: impl IntoPlan<Experiment = Points>) -> xp::Result<BTreeSet<xp::Uuid>> {
        Session::in_memory()?
            .execute(plan)?
            .runs()
            .map(|run| Ok(run?.id_run))
            .collect()
    }

    #[test]
    fn a_point_has_one_id_wherever_it_runs() -> Test {
        let all = ids(grid().a(0..10).b(0..10).jobs(4))?;
        assert_eq!(all.len(), 100);
        assert!(ids(grid().a([3]).b([4]).named("other"))?.is_subset(&all));
        assert!(ids(grid().points([PointsParams { a: 9, b: 9 }]))?.is_subset(&all));
        assert!(ids(grid().a([3]).b([4]).root_seed(123))?.is_subset(&all));
        assert!(ids(grid().a([3]).b([4]).root_seed(7))?.is_disjoint(&all));
        assert!(ids(grid().a([3]).b([4]).c(2.0))?.is_disjoint(&all));
        Ok(())
    }

    mod later {
        use super::super::*;

        /// The same experiment, in which inputs came, changed their order and their width.
        #[experiment(name = "grid", types = LaterGrid)]
        fn later(
            #[param(default = 3)] batch: u32,
            #[param] b: i64,
            #[param(default = 0.1, absent = 0.2)] dropout: f64,
            #[config(default = 1.0)] c: f32,
            #[config(default = 8, identity = false)] threads: usize,
            #[param] a: u8,
            #[param(default = None)] limit: Option<u32>,
        ) {
            #[field]
            let product: u32 = product(2, 3);
        }

        #[test]
        fn inputs_that_came_later_leave_old_identities_as_they_were() -> Test {
            let ids = |plan: Plan<LaterGrid>| -> xp::Result<BTreeSet<xp::Uuid>> {
                Session::in_memory()?
                    .execute(plan)?
                    .runs()
                    .map(|run| Ok(run?.id_run))
                    .collect()
            };
            let old = super::ids(grid().a([3]).b([4]))?;
            let plan = || later().a([3]).b([4]);
            assert_eq!(ids(plan().dropout([0.2]).into_plan())?, old);
            assert_eq!(ids(plan().dropout([0.2]).threads(1).into_plan())?, old);
            assert_ne!(ids(plan().into_plan())?, old);
            assert_ne!(ids(plan().dropout([0.2]).batch([4]).into_plan())?, old);
            assert_ne!(
                ids(plan().dropout([0.2]).limit([Some(1)]).into_plan())?,
                old
            );
            Ok(())
        }
    }
}

mod a_default_that_came_later {
    use super::*;

    #[experiment(name = "scaled", types = Before)]
    fn before(#[config] scale: f64, #[param] n: u32) {
        #[field]
        let product: u32 = product(n, 2);
    }

    #[experiment(name = "scaled", types = After)]
    fn after(
        #[config(default = 1.0, absent = _)] scale: f64,
        #[param(default = 3, absent = _)] n: u32,
    ) {
        #[field]
        let product: u32 = product(n, 2);
    }

    #[test]
    fn an_input_that_always_counted_counts_also_at_its_default() -> Test {
        let session = Session::in_memory()?;
        let old = session.execute(before().scale(1.0).n([3]).named("old"))?;
        let new = session.execute(after().named("new"))?;
        let old: Result<Vec<_>, _> = old.runs().map(|run| run.map(|run| run.id_run)).collect();
        let new: Result<Vec<_>, _> = new.runs().map(|run| run.map(|run| run.id_run)).collect();
        assert_eq!(old?, new?);
        Ok(())
    }
}
