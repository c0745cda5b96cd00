//! What the engine asks of what it executes: the points of a plan, or of a sweep by closure.

use std::any::Any;
use std::marker::PhantomData;

use uuid::Uuid;

use crate::bunch::Bunch;
use crate::declare::{Baseline, Declared, InputCause, InputError, Point, Portion, See, Visitor};
use crate::exception::StepError;
use crate::identity::{IdentityScheme, Inputs};
use crate::plan::{Part, Prune};
use crate::row::{Layout, RowWriter};
use crate::run::Run;
use crate::scope::Scope;
use crate::step::StepInfo;
use crate::store::Given;
use crate::value::Value;

/// Points, and what a run of one does.
pub(crate) trait Task: Sync {
    type Point: Send;
    type State: Send;

    /// Whether the steps see the run, and with it the inputs by their names.
    fn uses_run(&self) -> bool;
    /// Whether there is a state to keep after a run.
    fn keeps_state(&self) -> bool;
    fn steps(&self) -> &'static [&'static StepInfo];
    fn scheme(&self) -> &IdentityScheme;
    /// The id of the run of an index, where there is one that was not made of its inputs.
    fn id_of(&self, i: u64) -> Option<Uuid> {
        let _ = i;
        None
    }
    /// Whether what completes is added to runs that are there.
    fn continues(&self) -> bool {
        false
    }
    /// Whether points of known ids are left out, which is known once they are made.
    fn selects(&self) -> bool {
        false
    }
    /// What the steps may read besides their inputs.
    fn source(&self) -> Option<&(dyn Any + Send + Sync)> {
        None
    }
    /// Which runs the steps are given all at once, if any are.
    fn given(&self) -> Option<&Given> {
        None
    }
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
    /// All inputs, to send them to another process.
    fn send(&self, point: &Self::Point) -> Result<Vec<Value>, InputError> {
        let _ = point;
        Err(InputError {
            input: "point".to_owned(),
            source: Box::new(InputCause::NotSent("it is the point of a closure")),
        })
    }
    /// For each shared value the inputs on which it depends.
    fn shared(&self) -> &'static [&'static [usize]];
    fn project(
        &self,
        point: &Self::Point,
        wanted: &[usize],
        inputs: &mut Inputs,
    ) -> Result<(), InputError>;
    fn run(
        &self,
        point: &Self::Point,
        run: &mut Run,
        scope: &mut Scope<'_>,
    ) -> Result<Self::State, StepError>;
    /// A digest of the steps on which a column depends, given by its place, if it is known.
    fn maker(&self, _column: usize) -> Option<String> {
        None
    }
    /// Whether a failed point may make others needless.
    fn prunes(&self) -> bool {
        false
    }
    /// Whether a point is needless, since another one failed.
    fn is_pruned_by(&self, _point: &Self::Point, _failed: &Self::Point) -> bool {
        false
    }
    /// Defaults and absent values of the inputs.
    fn baselines(&self) -> Result<Vec<Baseline>, InputError> {
        Ok(Vec::new())
    }
    /// What makes the fields of these ordinals.
    fn cover(&self, missing: &[usize]) -> Cover {
        let _ = missing;
        Cover::default()
    }
    /// The steps on which the field of that ordinal depends, by their places; all, if it is not known.
    fn depends(&self, ordinal: usize) -> Vec<usize> {
        let _ = ordinal;
        (0..self.steps().len()).collect()
    }
    /// Runs one of the slices, and puts the fields that it makes into the scope's row.
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

/// What makes the fields that a run lacks.
#[derive(Default)]
pub(crate) struct Cover {
    /// None if the whole body is to run.
    pub(crate) portions: Vec<Portion>,
    /// The ordinals of the fields that they are given.
    pub(crate) reads: Vec<usize>,
    /// The names of the inputs that they take, and of which the run may have had another value.
    pub(crate) takes: Vec<&'static str>,
}

/// What tells the steps of a field from others: their names and fingerprints, in order.
pub(crate) fn digest<'a>(steps: impl Iterator<Item = (&'a str, String)>) -> String {
    let mut hasher = blake3::Hasher::new();
    for (name, fingerprint) in steps {
        hasher.update(name.as_bytes());
        hasher.update(&[0]);
        hasher.update(fingerprint.as_bytes());
    }
    hasher.finalize().to_hex()[..32].to_owned()
}

/// The points of a plan.
pub(crate) struct PlanTask<X: Declared> {
    parts: Vec<Part<X>>,
    absents: X::Absents,
    scheme: IdentityScheme,
    layout: Layout,
    prune: Option<Prune<X>>,
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
            layout: {
                let mut layout = Layout::default();
                X::layout(&mut layout);
                layout
            },
            prune: None,
            of: PhantomData,
        }
    }

    /// With points that are not attempted once others have failed.
    pub(crate) fn pruned(self, prune: Option<Prune<X>>) -> Self {
        Self { prune, ..self }
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

    fn send(&self, point: &Point<X>) -> Result<Vec<Value>, InputError> {
        let mut values = Vec::new();
        self.visit(point, See::Send(&mut values))?;
        Ok(values)
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

    fn maker(&self, column: usize) -> Option<String> {
        maker_of::<X>(&self.layout, column)
    }

    fn prunes(&self) -> bool {
        self.prune.is_some()
    }

    fn is_pruned_by(&self, point: &Point<X>, failed: &Point<X>) -> bool {
        let prune = self.prune.as_ref();
        prune.is_some_and(|prune| prune(&point.params, &failed.params))
    }

    fn cover(&self, missing: &[usize]) -> Cover {
        let portions = X::declaration().cover(missing);
        Cover {
            reads: X::declaration().reads(&portions, missing),
            takes: X::declaration().takes(&portions),
            portions,
        }
    }

    fn depends(&self, ordinal: usize) -> Vec<usize> {
        let field = X::declaration().fields.get(ordinal);
        field.map_or_else(Vec::new, |field| field.steps.to_vec())
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

/// A digest of the steps on which a column depends, if it is that of a field.
pub(crate) fn maker_of<X: Declared>(layout: &Layout, column: usize) -> Option<String> {
    let fields = layout.fields();
    let ordinal = fields.iter().position(|of| of.columns.contains(&column))?;
    let declaration = X::declaration();
    let steps = declaration.fields.get(ordinal)?.steps.iter();
    let steps = steps.filter_map(|place| declaration.steps.get(*place));
    Some(digest(
        steps.map(|step| (step.name, step.fingerprint.to_string())),
    ))
}
