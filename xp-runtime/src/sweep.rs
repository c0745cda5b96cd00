//! Sweeps by closure: the points of a list, and a function of one.

use std::error::Error as StdError;
use std::fmt;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::attempt::Task;
use crate::bunch::Bunch;
use crate::declare::{InputCause, InputError};
use crate::exception::StepError;
use crate::experiment::Readable;
use crate::experiment::{Error, Result};
use crate::identity::{IdentityScheme, Inputs};
use crate::row::{Layout, Mapping, Misfit, Part, RowReader, RowWriter};
use crate::run::{Run, RunKind};
use crate::scope::Scope;
use crate::step::StepInfo;
use crate::store::StoredExperiment;
use crate::value::{Cell, members_of, to_members, to_value};

/// Any error, as the steps and closures of an experiment may return it.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// The columns of a point and of a result that are no structs.
const POINT: &str = "point";
const RESULT: &str = "result";

/// The kind of the runs of [`Session::sweep`](crate::Session::sweep).
pub struct Swept<P, F>(PhantomData<fn() -> (P, F)>);

/// The fields of a run of [`Session::sweep`](crate::Session::sweep).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SweptFields<P, F> {
    /// The point.
    pub point: P,
    /// What the closure returned.
    pub result: F,
}

impl<P, F> RunKind for Swept<P, F> {
    type Fields = SweptFields<P, F>;
    type State = ();
    type Inner = ();
}

impl<P, F> fmt::Debug for Swept<P, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Swept")
    }
}

impl<P: DeserializeOwned + 'static, F: DeserializeOwned + 'static> Swept<P, F> {
    /// The columns of the point, and of the result.
    pub(crate) fn layout() -> Layout {
        let mut layout = Layout::default();
        if members_of::<P>().is_some() {
            layout.flat_input::<P>(POINT);
        } else {
            layout.input::<P>(POINT);
        }
        if members_of::<F>().is_some() {
            layout.flat_field::<F>(RESULT, "");
        } else {
            layout.field::<F>(RESULT);
        }
        layout
    }
}

impl<P: DeserializeOwned + 'static, F: DeserializeOwned + 'static> Readable for Swept<P, F> {
    type Mapping = Mapping;

    fn mapping(stored: &StoredExperiment) -> Result<Mapping, Vec<Misfit>> {
        Mapping::new(Self::layout(), stored)
    }

    fn columns() -> Layout {
        Self::layout()
    }

    fn parts(mapping: &Mapping, of: &StoredExperiment) -> Vec<Part> {
        mapping.parts(of, true)
    }

    fn misfits(mapping: &Mapping, cells: &[Cell]) -> Vec<Misfit> {
        mapping.misfits(cells)
    }

    fn read(
        mapping: &Mapping,
        of: &StoredExperiment,
        id_run: Uuid,
        cells: &mut [Cell],
    ) -> Result<SweptFields<P, F>> {
        let mut row = RowReader::new(mapping, cells).of_run(of, id_run);
        let mut read = || {
            let point = if members_of::<P>().is_some() {
                row.get_flat()?
            } else {
                row.get()?
            };
            let result = if members_of::<F>().is_some() {
                row.get_flat()?
            } else {
                row.get()?
            };
            Ok(SweptFields { point, result })
        };
        read().map_err(|source| Error::Run {
            experiment: of.name.clone(),
            id_run,
            source: Box::new(source),
        })
    }
}

/// The points of a sweep, and what it does with one.
pub(crate) struct SweepTask<P, F, E, C> {
    points: Vec<P>,
    closure: C,
    scheme: IdentityScheme,
    flat: (bool, bool),
    of: PhantomData<fn() -> (F, E)>,
}

impl<P, F, E, C> SweepTask<P, F, E, C>
where
    P: DeserializeOwned + 'static,
    F: DeserializeOwned + 'static,
{
    pub(crate) fn new(name: &str, points: Vec<P>, closure: C, root_seed: u64) -> Self {
        let flat = (members_of::<P>().is_some(), members_of::<F>().is_some());
        let scheme = IdentityScheme::new(name, &[], root_seed);
        Self {
            points,
            closure,
            scheme,
            flat,
            of: PhantomData,
        }
    }
}

fn failed(source: impl Into<InputCause>) -> InputError {
    InputError {
        input: POINT.to_owned(),
        source: Box::new(source.into()),
    }
}

impl<P, F, E, C> Task for SweepTask<P, F, E, C>
where
    P: Serialize + DeserializeOwned + Send + Sync + 'static,
    F: Serialize + DeserializeOwned + Send + 'static,
    E: Into<BoxError>,
    C: Fn(&P, &mut Run) -> Result<F, E> + Sync,
{
    /// The place in the list.
    type Point = usize;
    type State = ();

    fn uses_run(&self) -> bool {
        true
    }

    fn keeps_state(&self) -> bool {
        false
    }

    fn steps(&self) -> &'static [&'static StepInfo] {
        &[]
    }

    fn scheme(&self) -> &IdentityScheme {
        &self.scheme
    }

    fn len(&self) -> u64 {
        self.points.len() as u64
    }

    fn point(&self, i: u64) -> Option<usize> {
        usize::try_from(i).ok().filter(|i| *i < self.points.len())
    }

    fn distinct(&self) -> bool {
        false
    }

    fn identify(&self, point: &usize, inputs: &mut Inputs) -> Result<(), InputError> {
        let point = &self.points[*point];
        if std::mem::size_of::<P>() == 0 {
            return Ok(());
        }
        if self.flat.0 {
            inputs.push_members(point)
        } else {
            inputs.push(POINT, point)
        }
        .map_err(failed)
    }

    fn record(&self, point: &usize, row: &mut RowWriter<'_>) -> Result<(), InputError> {
        let point = &self.points[*point];
        if self.flat.0 {
            row.put_flat(point)
        } else {
            row.put(point)
        }
        .map_err(failed)
    }

    fn bunches(&self, point: &usize) -> Result<(Bunch, Bunch), InputError> {
        let point = &self.points[*point];
        let params = if std::mem::size_of::<P>() == 0 {
            Bunch::new()
        } else if self.flat.0 {
            let members = to_members(point).map_err(failed)?;
            members
                .into_iter()
                .map(|(name, value)| (name.into_owned(), value))
                .collect()
        } else {
            [(POINT.to_owned(), to_value(point).map_err(failed)?)]
                .into_iter()
                .collect()
        };
        Ok((Bunch::new(), params))
    }

    fn shared(&self) -> &'static [&'static [usize]] {
        &[]
    }

    fn project(&self, _: &usize, _: &[usize], _: &mut Inputs) -> Result<(), InputError> {
        Ok(())
    }

    fn run(&self, point: &usize, run: &mut Run, scope: &mut Scope<'_>) -> Result<(), StepError> {
        let result = (self.closure)(&self.points[*point], run)?;
        if self.flat.1 {
            scope.row.put_flat(&result)?;
        } else {
            scope.row.put(&result)?;
        }
        Ok(())
    }
}
