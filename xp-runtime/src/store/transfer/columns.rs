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

    /// What rows have that do not name it, if that was declared: not merely that there is nothing.
    fn initial(&self) -> Option<&Cell> {
        let is_declared = |cell: &&Cell| **cell != Cell::Blob(PICKLED_NONE.to_vec());
        self.default.as_ref().filter(is_declared)
    }

    /// Makes it one that rows may lack: an input has its default in them, and else there is nothing.
    fn lacking(&mut self) {
        if self.initial().is_some() {
            return;
        }
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
        // The last one counts.
        if let Some(theirs) = other.initial() {
            self.default = Some(theirs.clone());
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

/// The columns of all experiments that have runs; or what is wrong with all that do not fit. `files` says
/// in which file each is.
pub(super) fn unite(heads: &[&Head], files: &[&str]) -> Result<Vec<TableColumn>, Vec<String>> {
    let heads = heads.iter().zip(files);
    let tables: Vec<_> = heads.filter(|(head, _)| head.table.is_some()).collect();
    let Some(((first, first_file), others)) = tables.split_first() else {
        return Ok(Vec::new());
    };
    let of_one_file = files.iter().all(|file| file == *first_file);
    let place = |head: &Head, file: &str| match of_one_file {
        true => format!("`{}`", head.name),
        false => format!("`{}` of `{file}`", head.name),
    };
    let mut columns = first.columns().to_vec();
    let mut clashes = Vec::new();
    for (head, file) in others {
        for other in head.columns() {
            let same = |known: &&mut TableColumn| known.name.eq_ignore_ascii_case(&other.name);
            let Some(known) = columns.iter_mut().find(same) else {
                columns.push(other.clone());
                continue;
            };
            let before = known.kind_name();
            if let Err(found) = known.join(other) {
                clashes.push(format!(
                    "`{}` holds {before} in {}, and {found} in {}",
                    known.name,
                    place(first, first_file),
                    place(head, file)
                ));
            }
        }
    }
    if !clashes.is_empty() {
        return Err(clashes);
    }
    for column in &mut columns {
        let has = |head: &Head| (head.columns().iter()).any(|other| other.name == column.name);
        if !tables.iter().all(|(head, _)| has(head)) {
            column.lacking();
        }
    }
    Ok(columns)
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
        let columns = unite(&[&a, &b], &["f", "f"]).unwrap();
        let noted = |i: usize| columns[i].listing.as_ref().unwrap().noted.clone();
        assert_eq!(noted(0).as_deref(), Some("int?"));
        assert_eq!(columns[1].default, Some(Cell::Blob(PICKLED_NONE.to_vec())));
    }

    #[test]
    fn what_one_lacks_has_its_default_whatever_the_order() {
        let given = |sql_type: &str, cell: Option<&Cell>| TableColumn {
            default: cell.cloned(),
            ..column("x", sql_type, Some("int"))
        };
        let none = Cell::Blob(PICKLED_NONE.to_vec());
        for (sql_type, old, new) in [
            ("BIGINT", Cell::Int(7), Cell::Int(8)),
            ("BLOB", Cell::Blob(vec![7]), Cell::Blob(vec![8])),
        ] {
            let is_blob = sql_type == "BLOB";
            let nothing = is_blob.then_some(&none);
            let lacks = head("lacks", vec![column("y", "TEXT", None)]);
            let undeclared = head("undeclared", vec![given(sql_type, nothing)]);
            let old = head("old", vec![given(sql_type, Some(&old))]);
            let newer = head("newer", vec![given(sql_type, Some(&new))]);
            let (l, u, o, n) = (&lacks, &undeclared, &old, &newer);
            for heads in [[l, u, o, n], [o, n, u, l], [u, o, l, n], [o, l, n, u]] {
                let columns = unite(&heads, &["f"; 4][..heads.len()]).unwrap();
                let x = columns.iter().find(|column| column.name == "x").unwrap();
                assert_eq!(x.default.as_ref(), Some(&new));
                let noted = x.listing.as_ref().unwrap().noted.as_deref();
                assert_eq!(noted, Some("int"));
            }
            for heads in [[l, u], [u, l]] {
                let columns = unite(&heads, &["f"; 4][..heads.len()]).unwrap();
                let x = columns.iter().find(|column| column.name == "x").unwrap();
                assert_eq!(x.default.as_ref(), nothing);
                let noted = x.listing.as_ref().unwrap().noted.as_deref();
                assert_eq!(noted, Some("int?"));
            }
        }
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
        let clashes = unite(&[&a, &b], &["f", "f"]).unwrap_err();
        assert_eq!(
            clashes,
            [
                "`x` holds int in `a`, and float in `b`",
                "`y` holds text in `a`, and `Y`, by case in `b`"
            ]
        );
        let b = head("b", vec![column("z", "TEXT", None)]);
        let columns = unite(&[&a, &b], &["f", "f"]).unwrap();
        // It is no id that is known to be one any more.
        assert_eq!(columns[2].listing.as_ref().unwrap().noted, None);
    }
}
