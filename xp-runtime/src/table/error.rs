//! What can be wrong with a question to a table.

use crate::value::{ColumnError, FrameError, ValueError};

/// A row of a query is not of the type that was asked for.
#[derive(Debug, thiserror::Error)]
#[error("row {row} of the table is not of the type that was asked for")]
pub struct QueryRowError {
    /// The row, from 0.
    pub row: usize,
    /// Why not.
    pub source: ValueError,
}

/// A table does not have what was asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// There is no such column.
    #[error("{}", no_column(column, near, names))]
    NoColumn {
        /// The name that was asked for.
        column: String,
        /// The names of columns that are like it, the nearest first.
        near: Vec<String>,
        /// The names of all columns.
        names: Vec<String>,
    },
    /// The column is of another type, or has nulls.
    #[error(transparent)]
    Column(#[from] ColumnError),
    /// Flattened, two columns would have one name.
    #[error("flattened, `{column}` would be the name of two columns")]
    Clash {
        /// The name.
        column: String,
    },
    /// A column cannot be had in Arrow.
    #[error("the table cannot be had in Arrow; `.without([..])` leaves columns out")]
    Arrow {
        /// Which one, and why.
        source: FrameError,
    },
    /// There is no table.
    #[error("{reason}")]
    NoTable {
        /// Why not.
        reason: String,
    },
}

/// At most so many names are listed where there is no name like the one that was asked for.
const LISTED: usize = 20;

fn no_column(column: &str, near: &[String], names: &[String]) -> String {
    let quoted = |names: &[String]| {
        let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
        names.join(", ")
    };
    if !near.is_empty() {
        return format!("there is no column `{column}`; there is {}", quoted(near));
    }
    let listed = &names[..names.len().min(LISTED)];
    match (listed.len(), names.len() - listed.len()) {
        (0, _) => format!("there is no column `{column}`: the table has none"),
        (_, 0) => format!(
            "there is no column `{column}`; there are {}",
            quoted(listed)
        ),
        (_, more) => format!(
            "there is no column `{column}`; there are {} and {more} more",
            quoted(listed)
        ),
    }
}

impl TableError {
    pub(super) fn no_column<'a>(column: &str, names: impl Iterator<Item = &'a str>) -> Self {
        let names: Vec<_> = names.map(str::to_owned).collect();
        TableError::NoColumn {
            column: column.to_owned(),
            near: near(column, &names),
            names,
        }
    }
}

/// The names that are like one, the nearest first: those with a few letters more, less or changed,
/// and those of which it is the last part.
fn near(column: &str, names: &[String]) -> Vec<String> {
    let asked = column.to_lowercase();
    let far = |name: &String| {
        let name = name.to_lowercase();
        if name.rsplit('.').next() == Some(&asked) {
            return Some(0);
        }
        let far = strsim::damerau_levenshtein(&asked, &name);
        let letters = asked.chars().count().max(name.chars().count());
        (far * 3 <= letters.max(3)).then_some(far)
    };
    let mut near: Vec<_> = (names.iter())
        .filter_map(|name| Some((far(name)?, name.clone())))
        .collect();
    near.sort_by_key(|(far, _)| *far);
    near.into_iter().map(|(_, name)| name).take(3).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_told_and_otherwise_all() {
        let names = ["accuracy", "k", "time.seconds"];
        let message = |column| TableError::no_column(column, names.into_iter()).to_string();
        for (asked, there) in [
            ("acuracy", "is `accuracy`"),
            ("K", "is `k`"),
            ("seconds", "is `time.seconds`"),
            ("recall", "are `accuracy`, `k`, `time.seconds`"),
        ] {
            let expected = format!("there is no column `{asked}`; there {there}");
            assert_eq!(message(asked), expected);
        }
        let names: Vec<_> = (0..30).map(|i| format!("column {i}")).collect();
        let many = TableError::no_column("x", names.iter().map(String::as_str)).to_string();
        assert!(many.ends_with("`column 19` and 10 more"), "{many}");
    }
}
