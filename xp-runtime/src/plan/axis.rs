//! The values of one input: checked and made distinct when the plan is made, so that a value that
//! cannot be recorded is told before the first run.

use std::collections::HashSet;
use std::sync::Arc;

use super::PlanError;
use crate::declare::{InputInfo, InputOps};
use crate::row::Layout;
use crate::value::Value;

/// The values of a param.
#[doc(hidden)]
#[derive(Debug)]
pub struct Axis<T> {
    values: Arc<Vec<T>>,
    /// The places of the distinct values; `None` if all are.
    distinct: Option<Vec<usize>>,
}

impl<T: Clone> Axis<T> {
    /// How many values there are; of distinct ones, unless `repeated`.
    pub fn len(&self, repeated: bool) -> usize {
        match &self.distinct {
            Some(distinct) if !repeated => distinct.len(),
            _ => self.values.len(),
        }
    }

    /// A value by its place among the distinct ones, or among all if `repeated`.
    pub fn get(&self, place: usize, repeated: bool) -> T {
        match &self.distinct {
            Some(distinct) if !repeated => self.values[distinct[place]].clone(),
            _ => self.values[place].clone(),
        }
    }
}

impl<T> InputOps<T> {
    /// The values of a param, and which of them are distinct; the first of equal ones is.
    pub fn axis(
        &self,
        experiment: &'static str,
        info: &'static InputInfo,
        values: Option<Arc<Vec<T>>>,
    ) -> Result<Axis<T>, PlanError> {
        let values = values.ok_or(PlanError::Lacks {
            experiment,
            input: info.name,
        })?;
        let mut tell = self.teller(experiment, info);
        // Nearly always all values differ, which is seen in little memory: an axis may have a
        // million values.
        let told: Result<Vec<_>, PlanError> = values.iter().map(&mut tell).collect();
        let mut told = told?;
        let differ = |told: &[Told]| told.is_sorted_by(|a, b| a < b);
        if differ(&told) {
            return Ok(Axis {
                values,
                distinct: None,
            });
        }
        told.sort_unstable();
        if differ(&told) {
            return Ok(Axis {
                values,
                distinct: None,
            });
        }
        let mut seen = HashSet::new();
        let mut distinct = Vec::new();
        for (i, value) in values.iter().enumerate() {
            if seen.insert(tell(value)?) {
                distinct.push(i);
            }
        }
        Ok(Axis {
            values,
            distinct: Some(distinct),
        })
    }

    /// Checks that a value can be recorded, and gives what tells it from others.
    fn teller<'a>(
        &'a self,
        experiment: &'static str,
        info: &'static InputInfo,
    ) -> impl FnMut(&T) -> Result<Told, PlanError> + 'a {
        let mut layout = Layout::default();
        if info.recorded {
            self.layout(&mut layout, info.name);
        }
        let mut form = Vec::new();
        move |value| {
            form.clear();
            self.check(&layout, value, &mut form)
                .map_err(|source| PlanError::Value {
                    experiment,
                    input: info.name,
                    source: Box::new(source),
                })?;
            Ok(told(&form))
        }
    }

    /// The value of a config.
    pub fn one(
        &self,
        experiment: &'static str,
        info: &'static InputInfo,
        value: Option<T>,
    ) -> Result<T, PlanError> {
        let lacks = PlanError::Lacks {
            experiment,
            input: info.name,
        };
        let value = value.ok_or(lacks)?;
        self.teller(experiment, info)(&value)?;
        Ok(value)
    }

    /// The values of a param that `.set(..)` was given.
    pub fn set_axis(
        &self,
        experiment: &'static str,
        info: &'static InputInfo,
        values: Vec<Value>,
    ) -> Result<Option<Arc<Vec<T>>>, PlanError> {
        let values = self.read_values(experiment, info, values)?;
        Ok(Some(Arc::new(values)))
    }

    /// The value of a config that `.set(..)` was given.
    pub fn set_one(
        &self,
        experiment: &'static str,
        info: &'static InputInfo,
        values: Vec<Value>,
    ) -> Result<Option<T>, PlanError> {
        let found = values.len();
        let mut values = self.read_values(experiment, info, values)?;
        match (values.pop(), values.len()) {
            (Some(value), 0) => Ok(Some(value)),
            _ => Err(PlanError::OneValue {
                experiment,
                input: info.name,
                found,
            }),
        }
    }

    fn read_values(
        &self,
        experiment: &'static str,
        info: &'static InputInfo,
        values: Vec<Value>,
    ) -> Result<Vec<T>, PlanError> {
        let read = |value| {
            self.read_value(value)
                .map_err(|source| PlanError::WrongType {
                    experiment,
                    input: info.name,
                    expected: info.ty,
                    source,
                })
        };
        values.into_iter().map(read).collect()
    }

    /// Sets one member of the values of a flattened param; false if there is none of that name.
    pub fn set_member(
        &self,
        experiment: &'static str,
        info: &'static InputInfo,
        axis: &mut Option<Arc<Vec<T>>>,
        member: &str,
        values: &[Value],
    ) -> Result<bool, PlanError> {
        let Some(old) = axis else { return Ok(false) };
        let mut new = Vec::new();
        for of in old.iter() {
            for value in values {
                match self.with_member(of, member, value.clone()) {
                    None => return Ok(false),
                    Some(Ok(value)) => new.push(value),
                    Some(Err(source)) => {
                        let (input, expected) = (info.name, info.ty);
                        return Err(PlanError::WrongType {
                            experiment,
                            input,
                            expected,
                            source,
                        });
                    }
                }
            }
        }
        *old = Arc::new(new);
        Ok(true)
    }
}

/// An item of `values = ..`, owned or borrowed.
#[diagnostic::on_unimplemented(
    message = "`values` gives `{Self}`, and the param is a `{T}`",
    label = "the items are not `{T}`"
)]
pub trait ValueOf<T> {
    /// The value.
    fn value(self) -> T;
}

impl<T> ValueOf<T> for T {
    fn value(self) -> T {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<T: Clone> ValueOf<T> for &T {
    fn value(self) -> T {
        self.clone()
    }
}

/// What tells a value from others: its length, and its canonical form if that is short, or else the
/// form's hash.
type Told = (usize, [u8; 16]);

fn told(form: &[u8]) -> Told {
    let mut told = [0; 16];
    match told.get_mut(..form.len()) {
        Some(short) => short.copy_from_slice(form),
        None => told.copy_from_slice(&blake3::hash(form).as_bytes()[..16]),
    }
    (form.len(), told)
}

/// The values of `values = ..`.
#[doc(hidden)]
pub fn values<T, V: ValueOf<T>>(values: impl IntoIterator<Item = V>) -> Vec<T> {
    values.into_iter().map(ValueOf::value).collect()
}
