//! Names of experiments, of their tables and of their columns. The rules of the table name and of
//! the default name are MLtraq's, so that its package finds the tables.

use uuid::Uuid;

use super::StoreError;

/// An experiment's name has at most this many characters.
pub(crate) const LONGEST_NAME: usize = 255;

/// The table of an experiment's runs: `experiment_` and the name, in which each run of characters
/// outside of `[0-9A-Za-z]` becomes one `_`, without `_` at either end, in lower case.
pub(crate) fn table_name(name: &str) -> String {
    let mut table = String::from("experiment");
    let mut gap = true;
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            if gap {
                table.push('_');
                gap = false;
            }
            table.push(c.to_ascii_lowercase());
        } else {
            gap = true;
        }
    }
    table
}

/// The name of an experiment that was given none: six characters made from its id.
pub(crate) fn default_name(id: Uuid) -> String {
    const ALPHABET: &[u8; 27] = b"123456789ACEFHJKLMNPRTUVWXY";
    let mut rest = id.as_u128();
    let mut name = String::new();
    while rest > 0 && name.len() < 6 {
        // The remainder is below 27, so it fits and it is an index of the alphabet.
        name.push(char::from(ALPHABET[(rest % 27) as usize]).to_ascii_lowercase());
        rest /= 27;
    }
    while name.len() < 6 {
        name.push('0');
    }
    name
}

/// Refuses a name that cannot be kept.
pub(crate) fn check_experiment(name: &str) -> Result<(), StoreError> {
    let refuse = |reason| {
        Err(StoreError::ExperimentName {
            name: shortened(name),
            reason,
        })
    };
    if name.is_empty() {
        return refuse("it is empty".to_owned());
    }
    let length = name.chars().count();
    if length > LONGEST_NAME {
        return refuse(format!(
            "it has {length} characters, and {LONGEST_NAME} are allowed"
        ));
    }
    if name.chars().any(char::is_control) {
        return refuse("it contains a control character".to_owned());
    }
    Ok(())
}

/// Refuses a column that SQLite or MLtraq could not keep apart or read.
pub(crate) fn check_column(name: &str) -> Result<(), StoreError> {
    let refuse = |reason: &str| {
        Err(StoreError::ColumnName {
            name: shortened(name),
            reason: reason.to_owned(),
        })
    };
    if name.is_empty() {
        return refuse("it is empty");
    }
    if name.chars().count() > LONGEST_NAME {
        return refuse("it is longer than 255 characters");
    }
    if name.contains('\0') {
        return refuse("it contains a NUL character");
    }
    if name.eq_ignore_ascii_case("id_run") || name.eq_ignore_ascii_case("id_experiment") {
        return refuse("this column holds the id");
    }
    // The two words of SQL that MLtraq's loader does not quote although SQLite needs it.
    if name.eq_ignore_ascii_case("nothing") || name.eq_ignore_ascii_case("returning") {
        return refuse("this word of SQL makes it unreadable for MLtraq");
    }
    if name.eq_ignore_ascii_case("_rowid_") {
        return refuse("by this name SQLite numbers the rows");
    }
    // `:word` after a non-word character is taken for a bind parameter by MLtraq's loader.
    let mut before = ' ';
    for (c, next) in name.chars().zip(name.chars().skip(1)) {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        if c == ':' && !is_word(before) && is_word(next) {
            return refuse("a colon before a word makes it unreadable for MLtraq");
        }
        before = c;
    }
    Ok(())
}

/// A name for a message: long ones are cut.
pub(crate) fn shortened(name: &str) -> String {
    if name.chars().count() <= 60 {
        return name.to_owned();
    }
    let start: String = name.chars().take(57).collect();
    format!("{start}...")
}

/// A name as an SQL identifier.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_named_as_mltraq_names_them() {
        for (name, table) in [
            ("My Exp-é 1", "experiment_my_exp_1"),
            ("a__b", "experiment_a_b"),
            ("_a_b_", "experiment_a_b"),
            ("A b", "experiment_a_b"),
            ("日本", "experiment"),
        ] {
            assert_eq!(table_name(name), table);
        }
    }

    #[test]
    fn default_names_are_those_of_mltraq() {
        for (id, name) in [
            (Uuid::nil(), "000000"),
            (Uuid::from_u128(1), "200000"),
            (Uuid::from_u128(26), "y00000"),
            (Uuid::from_u128(27), "120000"),
            (Uuid::max(), "4la847"),
            (
                Uuid::from_u128(0x0011_2233_4455_6677_8899_aabb_ccdd_eeff),
                "17ucjp",
            ),
        ] {
            assert_eq!(default_name(id), name);
        }
    }

    #[test]
    fn names_that_cannot_be_kept_are_refused() {
        assert!(check_experiment("it's; \"quoted\" 🦀").is_ok());
        assert!(check_experiment("").is_err());
        assert!(
            check_experiment(&"x".repeat(10_000))
                .unwrap_err()
                .to_string()
                .len()
                < 200
        );
        assert!(check_column("a:b").is_ok());
        assert!(check_column(":b").is_err());
        assert!(check_column("a :b").is_err());
        assert!(check_column("ID_RUN").is_err());
        assert!(check_column("Returning").is_err());
    }
}
