mod baselines;
mod fill;
mod send;

use crate::__private::Declared;
use crate::exception::StepError;
use crate::row::{Layout, RowWriter};
use crate::run::Run;
use crate::scope::{Scope, Watch};
use crate::shared::SharedValues;
use crate::store::Column;
use crate::value::Cell;

/// What a call of generated code left in the row: the names of the columns, and their cells.
type Left = Vec<(String, Cell)>;

fn layout<X: Declared>() -> Layout {
    let mut layout = Layout::default();
    X::layout(&mut layout);
    layout.check("test").unwrap()
}

/// The cells of a run by the places of their columns.
fn recorded<X: Declared>(left: &Left) -> Vec<(usize, Cell)> {
    let layout = layout::<X>();
    let place = |name: &String| {
        layout
            .columns()
            .iter()
            .position(|column| column.name == *name)
    };
    let cells = left.iter();
    cells
        .filter_map(|(name, cell)| Some((place(name)?, cell.clone())))
        .collect()
}

/// Calls generated code in a scope, and gives what it left, also if it failed.
fn scoped<X: Declared, R>(
    watch: &dyn Watch,
    call: impl FnOnce(&mut Run, &mut Scope<'_>) -> Result<R, StepError>,
) -> (Left, Result<R, StepError>) {
    in_scope::<X, _>(watch, (&[], &[]), call)
}

/// The same in a fill that makes some fields, and is given these cells.
fn filling<X: Declared, R>(
    of: (&[usize], &[(usize, Cell)]),
    call: impl FnOnce(&mut Run, &mut Scope<'_>) -> Result<R, StepError>,
) -> (Left, Result<R, StepError>) {
    in_scope::<X, _>(&Unwatched, of, call)
}

fn in_scope<X: Declared, R>(
    watch: &dyn Watch,
    (makes, kept): (&[usize], &[(usize, Cell)]),
    call: impl FnOnce(&mut Run, &mut Scope<'_>) -> Result<R, StepError>,
) -> (Left, Result<R, StepError>) {
    let layout = layout::<X>();
    let values = SharedValues::default();
    let places = 0..X::declaration().shared.len();
    let keys: Vec<_> = places.map(|place| (place, [0; 16])).collect();
    let mut scope = Scope {
        row: RowWriter::new(&layout),
        values: &values,
        keys: &keys,
        steps: X::declaration().steps,
        step: None,
        watch,
        source: None,
        makes,
        kept,
    };
    let mut run = Run::detached(7);
    let result = call(&mut run, &mut scope);
    let columns: &[Column] = layout.columns();
    let left = scope.row.reached().into_iter();
    let left = left.map(|(i, cell)| (columns[i].name.clone(), cell));
    (left.collect(), result)
}

/// Is told nothing.
struct Unwatched;

impl Watch for Unwatched {}
