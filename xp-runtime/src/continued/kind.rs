//! Which experiment is continued, and its runs as a whole.

use std::collections::HashSet;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::declare::{Continues, Declared, RunsKind};
use crate::exception::StepError;
use crate::experiment::{Readable, Result, Runs};
use crate::plan::Planned;
use crate::run::Dynamic;
use crate::scope::Scope;
use crate::store::{Continuable, Given, Store, StoreError, StoredExperiment};

/// The function of an experiment: what `continues` names.
#[diagnostic::on_unimplemented(
    message = "`continues` names something that is no experiment",
    label = "not the function of an `#[experiment]`",
    note = "write the path of the function: `#[experiment(continues = path::to::iris)]`",
    note = "for what no Rust program declares, leave out the path: `#[experiment(continues)]`, and say \
            which it is with `.named(\"..\")`"
)]
pub trait ExperimentFn {
    /// The experiment.
    type Of: Declared;
}

#[diagnostic::do_not_recommend]
impl<F: Fn() -> P, P: Planned> ExperimentFn for F {
    type Of = P::Of;
}

/// The runs that an experiment can take as a whole which continues `X`.
#[diagnostic::on_unimplemented(
    message = "these are runs of `{Self}`, and it is `{X}` that is continued",
    label = "runs of another experiment",
    note = "write `&Runs<{X}>`, or `&Runs` for runs whose fields are bunches"
)]
pub trait RunsOf<X: Declared>: Readable {}

#[diagnostic::do_not_recommend]
impl<X: Declared> RunsOf<X> for X {}

#[diagnostic::do_not_recommend]
impl<X: Declared> RunsOf<X> for Dynamic {}

/// What an experiment continues that no Rust program declares.
pub fn continues(args_field: &'static str, sequences: bool) -> Continues {
    Continues {
        experiment: None,
        args_field,
        runs: None,
        sequences,
    }
}

/// What an experiment continues, given the function of the other. One that itself continues another
/// stands for that one.
pub fn continues_must_name_an_experiment<F: ExperimentFn>(
    _: &F,
    args_field: &'static str,
    sequences: bool,
) -> Continues {
    let experiment = match F::Of::continues() {
        None => Some(F::Of::declaration().name),
        Some(of) => of.experiment,
    };
    Continues {
        experiment,
        ..continues(args_field, sequences)
    }
}

impl Continues {
    /// With all runs of the experiment that is continued.
    #[must_use]
    pub fn with_runs_of<F, R>(self, _: &F, runs: PhantomData<fn(&Runs<R>)>) -> Self
    where
        F: ExperimentFn,
        R: RunsOf<F::Of>,
    {
        self.with_runs(runs)
    }

    /// With all runs.
    #[must_use]
    pub fn with_runs<R: Readable>(self, _: PhantomData<fn(&Runs<R>)>) -> Self {
        let runs = RunsKind {
            columns: R::columns,
            misfits: |stored| R::mapping(stored).err().unwrap_or_default(),
            continuing: R::continuing(),
        };
        Self {
            runs: Some(runs),
            ..self
        }
    }
}

/// All complete runs of the experiment that is continued.
pub(crate) struct RunsSource {
    db: Arc<dyn Store>,
    stored: Arc<StoredExperiment>,
    partial: Arc<HashSet<u128>>,
    /// Which runs they are.
    pub(super) given: Given,
}

/// All complete runs, if a step takes them.
pub(crate) fn source(
    db: &Arc<dyn Store>,
    found: &Continuable,
    continues: &Continues,
) -> Result<Option<RunsSource>, StoreError> {
    let Some(kind) = continues.runs else {
        return Ok(None);
    };
    let (stored, columns) = (&found.stored, (kind.columns)());
    let partial = match kind.continuing {
        Some(declared) => db.lacking_continued(stored, declared, columns.columns())?,
        None => db.lacking(stored, columns.columns())?,
    };
    Ok(Some(RunsSource {
        given: db.given(stored, kind.continuing, &partial)?,
        db: Arc::clone(db),
        stored: Arc::new(stored.clone()),
        partial: Arc::new(partial),
    }))
}

/// All complete runs, for the steps of one run.
pub fn runs_in<R: Readable>(scope: &Scope<'_>) -> Result<Runs<R>, StepError> {
    let source = scope
        .source
        .and_then(|any| any.downcast_ref::<RunsSource>());
    let Some(source) = source else {
        return Err(StepError::from(
            "the runs of the experiment cannot be read here",
        ));
    };
    let RunsSource {
        db,
        stored,
        partial,
        ..
    } = source;
    Ok(Runs::of(db, stored, partial)?)
}
