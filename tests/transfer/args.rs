//! Inputs that are kept in a field.

use xp::prelude::*;

#[step]
fn power(run: &mut Run, base: f64, n: i32, own: bool) -> Result<f64, xp::FieldError> {
    if own {
        run.fields.insert("args", n)?;
    }
    Ok(base.powi(n))
}

#[experiment]
fn powers(
    #[config] base: f64,
    #[config(default = false)] own: bool,
    #[param] n: i32,
    run: &mut Run,
) {
    #[field]
    let power: f64 = power(run, base, n, own)?;
}

#[test]
fn each_run_keeps_its_inputs_also_where_old_ones_do_not() {
    let session = Session::in_memory().unwrap();
    session.resume(powers().base(2.0).n([1])).unwrap();
    let plan = powers().base(2.0).n([1, 2, 3]).args_field("args");
    assert_eq!(session.resume(plan).unwrap().runs().count(), 3);
    for run in session.load("powers").unwrap().runs() {
        let run = run.unwrap();
        let n = run.fields.get::<i32>("n").unwrap();
        let args = run.args("args").unwrap();
        assert_eq!(args.is_some(), n != Some(1));
        if let Some(args) = args {
            assert_eq!(args.config.to_string(), "{base: 2.0, own: false}");
            assert_eq!(args.params.get::<i32>("n").unwrap(), n);
        }
        assert_eq!(run.args("no such field").unwrap(), None);
        assert!(run.args("power").is_err());
    }
}

#[test]
fn a_sweep_keeps_its_points() {
    let options = Options::new().args_field("inputs");
    let session = Session::in_memory().unwrap().with(options);
    session
        .sweep("halves", [8], |x: &u32, _| Ok::<_, String>(x / 2))
        .unwrap();
    let run = session
        .load("halves")
        .unwrap()
        .runs()
        .next()
        .unwrap()
        .unwrap();
    let args = run.args("inputs").unwrap().unwrap();
    assert_eq!(args.params.get::<u32>("point").unwrap(), Some(8));
}

#[test]
fn a_name_that_is_taken_is_refused_before_the_first_run() {
    let session = Session::in_memory().unwrap();
    for name in ["n", "Power", "id_run"] {
        let refused = session.execute(powers().base(2.0).n([1]).args_field(name));
        assert!(matches!(refused, Err(xp::Error::Layout(_))), "{name}");
    }
    assert!(session.ls().unwrap().is_empty());
    // A run cannot have a field of that name either.
    let refused = session.execute(powers().base(2.0).own(true).n([1]).args_field("args"));
    let Err(xp::Error::RunsFailed(failed)) = refused else {
        panic!("it fails");
    };
    assert!(
        failed.to_string().contains("`args` is declared"),
        "{failed}"
    );
}
