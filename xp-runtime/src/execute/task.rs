//! What the engine asks of what it executes: the points of a plan, or of a sweep by closure.

use std::marker::PhantomData;

use crate::bunch::Bunch;
use crate::declare::{Baseline, Declared, InputCause, InputError, Point, See, Slice, Visitor};
use crate::exception::StepError;
use crate::identity::{IdentityScheme, Inputs};
use crate::isolate::Host;
use crate::plan::Part;
use crate::row::RowWriter;
use crate::run::Run;
use crate::scope::Scope;
use crate::step::StepInfo;
use crate::value::Value;

/// Points, and what a run of one does.
pub(crate) trait Task: Sync {
    type Point;
    type State: Send;

    /// Whether the steps see the run, and with it the inputs by their names.
    fn uses_run(&self) -> bool;
    /// Whether there is a state to keep after a run.
    fn keeps_state(&self) -> bool;
    fn steps(&self) -> &'static [&'static StepInfo];
    fn scheme(&self) -> &IdentityScheme;
    /// How many indices of points there are.
    fn len(&self) -> u64;
    /// The point of an index; `None` if it is left out.
    fn point(&self, i: u64) -> Option<Self::Point>;
    /// Whether all points are known to differ.
    fn distinct(&self) -> bool;
    fn identify(&self, point: &Self::Point, inputs: &mut Inputs) -> Result<(), InputError>;
    fn record(&self, point: &Self::Point, row: &mut RowWriter<'_>) -> Result<(), InputError>;
    /// Config and params by their names.
    fn bunches(&self, point: &Self::Point) -> Result<(Bunch, Bunch), InputError>;
    /// For each shared value the inputs on which it depends.
    fn shared(&self) -> &'static [&'static [usize]];
    fn project(
        &self,
        point: &Self::Point,
        wanted: &[usize],
        inputs: &mut Inputs,
    ) -> Result<(), InputError>;
    /// What makes processes for the runs, if they are to have some.
    fn host(&self) -> Option<&Host<Self::State>> {
        None
    }
    fn run(
        &self,
        point: &Self::Point,
        run: &mut Run,
        scope: &mut Scope<'_>,
    ) -> Result<Self::State, StepError>;
    /// Defaults and absent values of the inputs.
    #[allow(dead_code)]
    fn baselines(&self) -> Result<Vec<Baseline>, InputError> {
        Ok(Vec::new())
    }
    /// All inputs, for a run of the same program in another process.
    fn send(&self, point: &Self::Point) -> Result<Vec<Value>, InputError> {
        let _ = point;
        Err(InputError {
            input: "point".to_owned(),
            source: Box::new(InputCause::NotSent("it is the point of a closure")),
        })
    }
    /// Parts of the body that make some of the fields.
    #[allow(dead_code)]
    fn slices(&self) -> &'static [Slice] {
        &[]
    }
    /// The slices that together make the fields of these ordinals; none if the whole body is to run.
    #[allow(dead_code)]
    fn cover(&self, missing: &[usize]) -> Vec<usize> {
        let _ = missing;
        Vec::new()
    }
    /// Runs one of the slices, and puts the fields that it makes into the scope's row.
    #[allow(dead_code)]
    fn fill(
        &self,
        slice: usize,
        point: &Self::Point,
        run: &mut Run,
        scope: &mut Scope<'_>,
    ) -> Result<(), StepError> {
        let _ = (slice, point, run, scope);
        Ok(())
    }
}

/// The points of a plan.
pub(crate) struct PlanTask<X: Declared> {
    parts: Vec<Part<X>>,
    absents: X::Absents,
    scheme: IdentityScheme,
    host: Option<Host<X::State>>,
    of: PhantomData<fn() -> X>,
}

impl<X: Declared> PlanTask<X> {
    pub(crate) fn new(parts: Vec<Part<X>>, root_seed: u64) -> Self {
        let declaration = X::declaration();
        let versions: Vec<_> = declaration
            .steps
            .iter()
            .map(|step| (step.name, step.version))
            .collect();
        let scheme = IdentityScheme::new(declaration.name, &versions, root_seed);
        Self {
            parts,
            absents: X::absents(),
            scheme,
            host: None,
            of: PhantomData,
        }
    }

    /// With processes of their own for the runs.
    pub(crate) fn isolated(self, host: Option<Host<X::State>>) -> Self {
        Self { host, ..self }
    }

    fn visit(&self, point: &Point<X>, see: See<'_, '_>) -> Result<(), InputError> {
        X::visit(
            &point.config,
            &point.params,
            &self.absents,
            &mut Visitor(see),
        )
    }
}

impl<X: Declared> Task for PlanTask<X> {
    type Point = Point<X>;
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

    fn len(&self) -> u64 {
        self.parts
            .iter()
            .map(|part| part.points.len())
            .fold(0, u64::saturating_add)
    }

    fn point(&self, mut i: u64) -> Option<Point<X>> {
        for part in &self.parts {
            let len = part.points.len();
            if i < len {
                return part.point(i);
            }
            i -= len;
        }
        None
    }

    fn distinct(&self) -> bool {
        matches!(self.parts.as_slice(), [one] if one.points.distinct())
    }

    fn identify(&self, point: &Point<X>, inputs: &mut Inputs) -> Result<(), InputError> {
        self.visit(point, See::Identity(inputs))
    }

    fn record(&self, point: &Point<X>, row: &mut RowWriter<'_>) -> Result<(), InputError> {
        self.visit(point, See::Row(row))
    }

    fn bunches(&self, point: &Point<X>) -> Result<(Bunch, Bunch), InputError> {
        let (mut config, mut params) = (Bunch::new(), Bunch::new());
        self.visit(
            point,
            See::Bunches {
                config: &mut config,
                params: &mut params,
            },
        )?;
        Ok((config, params))
    }

    fn host(&self) -> Option<&Host<X::State>> {
        self.host.as_ref()
    }

    fn shared(&self) -> &'static [&'static [usize]] {
        X::declaration().shared
    }

    fn project(
        &self,
        point: &Point<X>,
        wanted: &[usize],
        inputs: &mut Inputs,
    ) -> Result<(), InputError> {
        self.visit(point, See::Shared(inputs, wanted))
    }

    fn run(
        &self,
        point: &Point<X>,
        run: &mut Run,
        scope: &mut Scope<'_>,
    ) -> Result<X::State, StepError> {
        X::steps(&point.config, &point.params, run, scope)
    }

    fn baselines(&self) -> Result<Vec<Baseline>, InputError> {
        X::baselines(&self.absents)
    }

    fn send(&self, point: &Point<X>) -> Result<Vec<Value>, InputError> {
        let mut values = Vec::new();
        self.visit(point, See::Send(&mut values))?;
        Ok(values)
    }

    fn slices(&self) -> &'static [Slice] {
        X::declaration().slices
    }

    fn cover(&self, missing: &[usize]) -> Vec<usize> {
        X::declaration().cover(missing)
    }

    fn fill(
        &self,
        slice: usize,
        point: &Point<X>,
        run: &mut Run,
        scope: &mut Scope<'_>,
    ) -> Result<(), StepError> {
        X::fill(slice, &point.config, &point.params, run, scope)
    }
}
