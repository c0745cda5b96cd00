//! Inputs that are kept in a field, as MLtraq keeps them.

use super::{Dynamic, Run};
use crate::bunch::Bunch;
use crate::store::{Column, Role};
use crate::value::{Cell, ColumnType, Value, ValueError, from_value};

/// The inputs of a run, as [`args_field`](crate::PlanOptions::args_field) keeps them.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Args {
    /// The inputs that the runs of an execution have in common.
    pub config: Bunch,
    /// The inputs that vary.
    pub params: Bunch,
}

impl Args {
    pub(crate) fn new(config: Bunch, params: Bunch) -> Self {
        Self { config, params }
    }

    /// The column of that name, and what a run has there.
    pub(crate) fn into_field(self, name: &str) -> Result<(Column, Cell), ValueError> {
        let members = [("config", self.config), ("params", self.params)];
        let members = members.map(|(name, of)| (name.to_owned(), Value::Bunch(of.into_members())));
        let ty = ColumnType::SERIALIZED;
        let cell = ty.encode_value(&Value::Bunch(members.into()))?;
        let column = Column {
            name: name.to_owned(),
            // Runs of executions that keep none lack it.
            ty: ColumnType {
                nullable: true,
                ..ty
            },
            role: Role::Field,
        };
        Ok((column, cell))
    }

    fn from_value(value: &Value) -> Result<Option<Self>, ValueError> {
        if *value == Value::Null {
            return Ok(None);
        }
        let args = bunch(value)?;
        let of = |name: &str| args.value(name).map(bunch).transpose();
        Ok(Some(Self {
            config: of("config")?.unwrap_or_default(),
            params: of("params")?.unwrap_or_default(),
        }))
    }
}

fn bunch(value: &Value) -> Result<Bunch, ValueError> {
    match value {
        Value::Bunch(members) => Ok(members.iter().cloned().collect()),
        // A plain dict, as other programs may write it; or an error.
        other => from_value(other.clone()),
    }
}

impl Run<Dynamic> {
    /// The inputs that the run keeps in this field: see
    /// [`args_field`](crate::PlanOptions::args_field). `None` if it has no such field.
    ///
    /// ```
    /// # use xp::prelude::*;
    /// # #[step] fn power(base: f64, n: u32) -> f64 { base.powi(n as i32) }
    /// # #[experiment] fn powers(#[config] base: f64, #[param] n: u32) { #[field] let power: f64 = power(base, n); }
    /// let session = Session::in_memory()?;
    /// session.execute(powers().base(2.0).n([10]).args_field("args"))?;
    /// for run in session.load("powers")?.runs() {
    ///     let args = run?.args("args")?.expect("every run keeps them");
    ///     assert_eq!(args.config.get::<f64>("base")?, Some(2.0));
    ///     assert_eq!(args.params.get::<u32>("n")?, Some(10));
    /// }
    /// # Ok::<(), xp::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The field holds something else.
    pub fn args(&self, field: &str) -> Result<Option<Args>, ValueError> {
        match self.fields.value(field) {
            Some(value) => Args::from_value(value),
            None => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_dictionary_of_bunches_is_refused() {
        let field = |value| Args::from_value(&value);
        assert_eq!(field(Value::Null), Ok(None));
        assert_eq!(field(Value::Bunch(Vec::new())), Ok(Some(Args::default())));
        assert!(field(Value::Int(3)).is_err());
        let config = [("config".to_owned(), Value::Int(3))];
        assert!(field(Value::Bunch(config.into())).is_err());
    }
}
