//! The runs that are there, as the points of an execution.

use std::any::Any;
use std::sync::Arc;

use uuid::Uuid;

use super::rows::ReadFailed;
use super::{Rows, RunsSource};
use crate::attempt::{Task, maker_of};
use crate::bunch::Bunch;
use crate::declare::{Baseline, Declared, InputCause, InputError, See, Visitor};
use crate::exception::StepError;
use crate::identity::{IdentityScheme, Inputs};
use crate::plan::{Points, Prune};
use crate::row::{Layout, RowWriter};
use crate::run::Run;
use crate::scope::Scope;
use crate::step::StepInfo;
use crate::store::Given;
use crate::value::Value;

/// See the module's text.
pub(crate) struct ContinueTask<X: Declared> {
    pub(crate) rows: Arc<Rows<X>>,
    pub(crate) config: Arc<X::Config>,
    /// The points of the plan, which know what they leave out.
    pub(crate) points: Arc<dyn Points<X::Params>>,
    pub(crate) prune: Option<Prune<X>>,
    pub(crate) source: Option<RunsSource>,
    pub(crate) reads_sequences: bool,
    absents: X::Absents,
    scheme: IdentityScheme,
    layout: Layout,
}

/// A run that is there: config, and what is read of it.
pub(crate) struct There<X: Declared> {
    config: Arc<X::Config>,
    pub(crate) params: Result<X::Params, ReadFailed>,
}

impl<X: Declared> ContinueTask<X> {
    pub(crate) fn new(
        rows: Rows<X>,
        config: Arc<X::Config>,
        points: Arc<dyn Points<X::Params>>,
        root_seed: u64,
    ) -> Self {
        let mut layout = Layout::default();
        X::layout(&mut layout);
        Self {
            rows: Arc::new(rows),
            config,
            points,
            prune: None,
            source: None,
            reads_sequences: false,
            absents: X::absents(),
            scheme: IdentityScheme::new(X::declaration().name, &[], root_seed),
            layout,
        }
    }

    /// Shows the inputs; nothing if the run cannot be read, which is told when it is to be run.
    fn visit(&self, point: &There<X>, see: See<'_, '_>) -> Result<(), InputError> {
        match &point.params {
            Ok(params) => X::visit(&point.config, params, &self.absents, &mut Visitor(see)),
            Err(_) => Ok(()),
        }
    }
}

fn not_sent(input: &str, why: &'static str) -> InputError {
    InputError {
        input: input.to_owned(),
        source: Box::new(InputCause::NotSent(why)),
    }
}

impl<X: Declared> Task for ContinueTask<X> {
    type Point = There<X>;
    type State = X::State;

    fn uses_run(&self) -> bool {
        X::declaration().uses_run
    }

    fn keeps_state(&self) -> bool {
        X::declaration().keeps_state
    }

    fn steps(&self) -> &'static [&'static StepInfo] {
        X::declaration().steps
    }

    fn scheme(&self) -> &IdentityScheme {
        &self.scheme
    }

    fn id_of(&self, i: u64) -> Option<Uuid> {
        self.rows.id(i)
    }

    fn continues(&self) -> bool {
        true
    }

    fn selects(&self) -> bool {
        self.points.selects()
    }

    fn source(&self) -> Option<&(dyn Any + Send + Sync)> {
        let source = self.source.as_ref()?;
        Some(source)
    }

    fn given(&self) -> Option<&Given> {
        self.source.as_ref().map(|source| &source.given)
    }

    fn len(&self) -> u64 {
        Points::len(&*self.rows)
    }

    fn point(&self, i: u64) -> Option<There<X>> {
        let params = self.rows.read(i).transpose()?;
        if let Ok(params) = &params
            && self.points.keeps(params) == Some(false)
        {
            return None;
        }
        Some(There {
            config: Arc::clone(&self.config),
            params,
        })
    }

    fn distinct(&self) -> bool {
        true
    }

    fn identify(&self, point: &There<X>, inputs: &mut Inputs) -> Result<(), InputError> {
        self.visit(point, See::Identity(inputs))
    }

    fn record(&self, point: &There<X>, row: &mut RowWriter<'_>) -> Result<(), InputError> {
        self.visit(point, See::Row(row))
    }

    fn bunches(&self, point: &There<X>) -> Result<(Bunch, Bunch), InputError> {
        let (mut config, mut params) = (Bunch::new(), Bunch::new());
        let see = See::Bunches {
            config: &mut config,
            params: &mut params,
        };
        self.visit(point, see)?;
        Ok((config, params))
    }

    fn send(&self, point: &There<X>) -> Result<Vec<Value>, InputError> {
        if point.params.is_err() {
            return Err(not_sent("the run", "it cannot be read"));
        }
        let mut values = Vec::new();
        self.visit(point, See::Send(&mut values))?;
        Ok(values)
    }

    fn shared(&self) -> &'static [&'static [usize]] {
        X::declaration().shared
    }

    fn project(
        &self,
        point: &There<X>,
        wanted: &[usize],
        inputs: &mut Inputs,
    ) -> Result<(), InputError> {
        if point.params.is_err() {
            return Err(not_sent("the run", "it cannot be read"));
        }
        self.visit(point, See::Shared(inputs, wanted))
    }

    fn run(
        &self,
        point: &There<X>,
        run: &mut Run,
        scope: &mut Scope<'_>,
    ) -> Result<X::State, StepError> {
        match &point.params {
            Ok(params) => X::steps(&point.config, params, run, scope),
            Err(failed) => Err(failed.clone().into()),
        }
    }

    fn baselines(&self) -> Result<Vec<Baseline>, InputError> {
        X::baselines(&self.absents)
    }

    fn depends(&self, ordinal: usize) -> Vec<usize> {
        let field = X::declaration().fields.get(ordinal);
        field.map_or_else(Vec::new, |field| field.steps.to_vec())
    }

    fn maker(&self, column: usize) -> Option<String> {
        maker_of::<X>(&self.layout, column)
    }

    fn prunes(&self) -> bool {
        self.prune.is_some()
    }

    fn is_pruned_by(&self, point: &There<X>, failed: &There<X>) -> bool {
        match (&self.prune, &point.params, &failed.params) {
            (Some(prune), Ok(point), Ok(failed)) => prune(point, failed),
            _ => false,
        }
    }
}
