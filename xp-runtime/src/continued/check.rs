//! Whether the runs that are there can be continued: all that does not fit, at once.

use std::sync::Arc;

use super::Rows;
use crate::declare::{Continues, Declared};
use crate::experiment::{Error, Result};
use crate::row::{Layout, Mapping, Misfit, RowError};
use crate::store::{Continuable, Store, StoredExperiment, kind_name, quoted};
use crate::value::{Kind, Value};

/// The runs, if each input and each column fits.
pub(crate) fn check<X: Declared>(
    db: &Arc<dyn Store>,
    found: &Continuable,
    own: &Layout,
    continues: &Continues,
) -> Result<Rows<X>> {
    let stored = &found.stored;
    let mut layout = Layout::default();
    X::reads(&mut layout);
    let read = narrowed(stored, &layout, continues.args_field);
    let mut misfits = Vec::new();
    let mapping = Mapping::with_args(layout, &read, continues.args_field, 0);
    if let Err(found) = &mapping {
        misfits.extend_from_slice(found);
    }
    own_columns(found, own, X::declaration().name, &mut misfits);
    if let Some(runs) = continues.runs {
        misfits.extend((runs.misfits)(stored));
    }
    let mapping = match mapping {
        Ok(mapping) => {
            missing_values(db, stored, &mapping, &mut misfits)?;
            mapping
        }
        Err(_) => return Err(misfit(stored, misfits)),
    };
    let types: Vec<_> = mapping
        .columns()
        .map(|(name, ty)| (name.to_owned(), ty))
        .collect();
    let rows = Rows::<X>::new(db, found, read, mapping);
    for error in rows.args_lacking()? {
        let RowError::Read { column, source } = error else {
            continue;
        };
        let ty = types.iter().find(|(name, _)| *name == column);
        misfits.push(Misfit {
            expected: ty.map_or("there", |(_, ty)| kind_name(ty.kind)).to_owned(),
            found: format!(
                "neither a column nor a param in `{}`: {source}",
                continues.args_field
            ),
            column,
        });
    }
    if !misfits.is_empty() {
        return Err(misfit(stored, misfits));
    }
    // What is serialised is known by its values alone: the first run stands for all.
    match rows.read(0) {
        Ok(_) => Ok(rows),
        Err(super::rows::ReadFailed::Row(source)) => Err(Error::Run {
            experiment: stored.name.clone(),
            id_run: rows.id(0).unwrap_or_default(),
            source: Box::new(source),
        }),
        // It is told where it happens again.
        Err(super::rows::ReadFailed::Store(_)) => Ok(rows),
    }
}

fn misfit(stored: &StoredExperiment, mut misfits: Vec<Misfit>) -> Error {
    let mut seen = Vec::new();
    misfits.retain(|misfit| {
        let is_new = !seen.contains(&misfit.column);
        seen.push(misfit.column.clone());
        is_new
    });
    Error::Misfit {
        experiment: stored.name.clone(),
        misfits,
    }
}

/// The experiment with those columns only that are read.
fn narrowed(stored: &StoredExperiment, layout: &Layout, args_field: &str) -> StoredExperiment {
    let is_read = |name: &String| {
        let columns = layout.columns().iter();
        name == args_field || columns.into_iter().any(|column| column.name == *name)
    };
    let columns = stored.columns.iter().zip(&stored.declared_types);
    let (columns, declared_types) = columns
        .filter(|(column, _)| is_read(&column.name))
        .map(|(column, ty)| (column.clone(), ty.clone()))
        .unzip();
    StoredExperiment {
        columns,
        declared_types,
        ..stored.clone()
    }
}

/// What the continuing experiment makes is not there yet, unless it made it.
fn own_columns(found: &Continuable, own: &Layout, declared: &str, misfits: &mut Vec<Misfit>) {
    let there = found
        .stored
        .columns
        .iter()
        .zip(&found.stored.declared_types);
    for column in own.columns() {
        let same = |name: &str| name.eq_ignore_ascii_case(&column.name);
        let Some((there, ty)) = there.clone().find(|(there, _)| same(&there.name)) else {
            continue;
        };
        let is_own = found.own.contains(&there.name);
        if is_own && there.ty.kind == column.ty.kind {
            continue;
        }
        let kind = kind_name(there.ty.kind);
        misfits.push(Misfit {
            column: column.name.clone(),
            expected: if is_own {
                kind_name(column.ty.kind).to_owned()
            } else {
                format!("no column yet, since `{declared}` makes it: give it another name")
            },
            found: if is_own {
                format!("{kind} ({ty})")
            } else {
                match found.others.get(&there.name) {
                    Some(other) => format!("a column that `{other}` made, {kind} ({ty})"),
                    None => format!("a column of the experiment, {kind} ({ty})"),
                }
            },
        });
    }
}

/// Runs that have no value where there must be one.
fn missing_values(
    db: &Arc<dyn Store>,
    stored: &StoredExperiment,
    mapping: &Mapping,
    misfits: &mut Vec<Misfit>,
) -> Result<()> {
    let needed = mapping
        .found()
        .filter(|(_, ty)| !ty.nullable && !matches!(ty.kind, Kind::Float | Kind::Serialized));
    let needed: Vec<_> = needed.collect();
    if needed.is_empty() {
        return Ok(());
    }
    let counts: Vec<_> = (needed.iter())
        .map(|(name, _)| format!("total({} IS NULL)", quoted(name)))
        .collect();
    let sql = format!(
        "SELECT {}, count(*) FROM {} WHERE id_experiment = '{}'",
        counts.join(", "),
        quoted(&stored.table),
        stored.id.simple()
    );
    let answer = db.query(&sql)?;
    let Some(row) = answer.rows.first() else {
        return Ok(());
    };
    let all = row.last().map_or_else(String::new, Value::to_string);
    for ((name, ty), missing) in needed.iter().zip(row) {
        let missing = missing.as_f64().unwrap_or_default();
        if missing > 0.0 {
            misfits.push(Misfit {
                column: (*name).to_owned(),
                expected: kind_name(ty.kind).to_owned(),
                found: format!("missing in {missing} of {all} runs: read an `Option`"),
            });
        }
    }
    Ok(())
}
