//! The columns of experiments that come together.

use super::Head;
use crate::store::meta::type_from_text;
use crate::store::sql::PICKLED_NONE;
use crate::value::{Cell, Kind};

/// A column of a table, as it was declared.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TableColumn {
    pub(crate) name: String,
    pub(crate) sql_type: String,
    pub(crate) not_null: bool,
    /// What rows have that do not name the column.
    pub(crate) default: Option<Cell>,
    /// How the experiment lists it; `None` if it is in the table only, where MLtraq does not see it.
    pub(crate) listing: Option<Listing>,
}

/// How an experiment's meta lists a column.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Listing {
    pub(crate) serialized: bool,
    /// The Python type that is noted for MLtraq.
    pub(crate) python_type: Option<String>,
    /// The kind that xp has noted, with `?` if it may be NULL.
    pub(crate) noted: Option<String>,
    pub(crate) input: bool,
}

impl TableColumn {
    fn is_serialized(&self) -> bool {
        self.listing.as_ref().is_some_and(|of| of.serialized)
    }

    /// Whether a value in it may be kept in a file beside the database.
    pub(super) fn may_refer_to_files(&self) -> bool {
        self.is_serialized() || self.sql_type.to_ascii_uppercase().starts_with("BLOB")
    }

    fn noted(&self) -> Option<Kind> {
        let noted = self.listing.as_ref()?.noted.as_ref()?;
        Some(type_from_text(noted)?.kind)
    }

    /// What its type says of its kind.
    fn plain(&self) -> Option<Kind> {
        Kind::of_sql_type(&self.sql_type, self.is_serialized())
    }

    fn kind_name(&self) -> String {
        match self.noted().or(self.plain()) {
            Some(kind) => crate::store::kind_name(kind).to_owned(),
            None => self.sql_type.clone(),
        }
    }

    /// Makes it one that rows may lack.
    fn lacking(&mut self) {
        if self.is_serialized() {
            self.default = Some(Cell::Blob(PICKLED_NONE.to_vec()));
        } else {
            self.not_null = false;
        }
        if let Some(noted) = self.listing.as_mut().and_then(|of| of.noted.as_mut())
            && !noted.ends_with('?')
        {
            noted.push('?');
        }
    }

    /// Makes it one that holds what another one holds, too; or says what that one holds.
    fn join(&mut self, other: &Self) -> Result<(), String> {
        if self.name != other.name {
            return Err(format!("`{}`, by case", other.name));
        }
        let same = match (self.noted(), other.noted()) {
            (Some(a), Some(b)) => a == b,
            // What is not noted may be anything that the type holds.
            _ => self.plain() == other.plain() && self.plain().is_some(),
        };
        if !same {
            return Err(other.kind_name());
        }
        self.not_null &= other.not_null;
        if self.default != other.default && !self.is_serialized() {
            self.default = None;
        }
        let Some(theirs) = &other.listing else {
            return Ok(());
        };
        let Some(ours) = &mut self.listing else {
            self.listing = Some(theirs.clone());
            return Ok(());
        };
        ours.input |= theirs.input;
        if ours.python_type.is_none() {
            ours.python_type.clone_from(&theirs.python_type);
        }
        match (&ours.noted, &theirs.noted) {
            (Some(_), Some(noted)) if noted.ends_with('?') => ours.noted = Some(noted.clone()),
            (Some(_), None) => ours.noted = None,
            _ => {}
        }
        Ok(())
    }
}

/// The columns of all experiments that have runs; or what is wrong with all that do not fit.
pub(super) fn unite(heads: &[&Head]) -> Result<Vec<TableColumn>, Vec<String>> {
    let mut tables = heads.iter().filter(|head| head.table.is_some());
    let Some(first) = tables.next() else {
        return Ok(Vec::new());
    };
    let mut columns = first.columns().to_vec();
    let mut clashes = Vec::new();
    for head in tables {
        let there = head.columns();
        let has = |name: &str| there.iter().any(|other| other.name == name);
        for column in columns.iter_mut().filter(|column| !has(&column.name)) {
            column.lacking();
        }
        for other in there {
            let same = |known: &&mut TableColumn| known.name.eq_ignore_ascii_case(&other.name);
            match columns.iter_mut().find(same) {
                Some(known) => {
                    let before = known.kind_name();
                    if let Err(found) = known.join(other) {
                        clashes.push(format!(
                            "`{}` holds {before} in `{}`, and {found} in `{}`",
                            known.name, first.name, head.name
                        ));
                    }
                }
                None => {
                    let mut column = other.clone();
                    column.lacking();
                    columns.push(column);
                }
            }
        }
    }
    if clashes.is_empty() {
        Ok(columns)
    } else {
        Err(clashes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, sql_type: &str, noted: Option<&str>) -> TableColumn {
        TableColumn {
            name: name.to_owned(),
            sql_type: sql_type.to_owned(),
            not_null: false,
            default: None,
            listing: Some(Listing {
                serialized: sql_type == "BLOB",
                python_type: None,
                noted: noted.map(str::to_owned),
                input: false,
            }),
        }
    }

    fn head(name: &str, columns: Vec<TableColumn>) -> Head {
        Head {
            id: uuid::Uuid::nil(),
            name: name.to_owned(),
            fields: Vec::new(),
            meta: crate::value::Value::Null,
            table: Some(("t".to_owned(), columns)),
            ledgers: Vec::new(),
            inputs: Vec::new(),
        }
    }

    #[test]
    fn what_one_lacks_may_be_missing() {
        let a = head("a", vec![column("x", "BIGINT", Some("int"))]);
        let b = head("b", vec![column("y", "BLOB", None)]);
        let columns = unite(&[&a, &b]).unwrap();
        let noted = |i: usize| columns[i].listing.as_ref().unwrap().noted.clone();
        assert_eq!(noted(0).as_deref(), Some("int?"));
        assert_eq!(columns[1].default, Some(Cell::Blob(PICKLED_NONE.to_vec())));
    }

    #[test]
    fn all_that_clashes_is_told() {
        let a = head(
            "a",
            vec![
                column("x", "BIGINT", Some("int")),
                column("y", "TEXT", None),
                column("z", "TEXT", Some("uuid")),
            ],
        );
        let b = head(
            "b",
            vec![
                column("x", "FLOAT", Some("float")),
                column("Y", "TEXT", None),
                column("z", "TEXT", None),
            ],
        );
        let clashes = unite(&[&a, &b]).unwrap_err();
        assert_eq!(
            clashes,
            [
                "`x` holds int in `a`, and float in `b`",
                "`y` holds text in `a`, and `Y`, by case in `b`"
            ]
        );
        let b = head("b", vec![column("z", "TEXT", None)]);
        let columns = unite(&[&a, &b]).unwrap();
        // It is no id that is known to be one any more.
        assert_eq!(columns[2].listing.as_ref().unwrap().noted, None);
    }
}
