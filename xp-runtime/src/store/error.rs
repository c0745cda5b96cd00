//! The errors of the store.

use crate::datapak::DatapakError;

/// What can go wrong with the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The file is there, and it is no SQLite database (or a damaged one).
    #[error("`{file}` is no SQLite database")]
    NotADatabase {
        /// The file's path.
        file: String,
        /// SQLite's answer.
        source: Box<rusqlite::Error>,
    },
    /// The file was written by a newer version of xp.
    #[error(
        "`{file}` was written by a newer xp: its schema is version {found}, and this xp knows \
         version {supported} at most; nothing was changed"
    )]
    NewerSchema {
        /// The file's path.
        file: String,
        /// The file's schema version.
        found: i64,
        /// The newest schema version that this xp knows.
        supported: i64,
    },
    /// The file cannot be written: it is not allowed, or the file system was mounted, or has become
    /// in the meantime, one to be read only. What was committed before is there.
    #[error("`{file}` is read-only: its experiments can be read, and nothing can be written to it")]
    ReadOnly {
        /// The file's path.
        file: String,
    },
    /// There is no room for what was to be written. What was committed before is there.
    #[error("no room is left to write `{file}`; the runs that were committed before are kept")]
    Full {
        /// The file's path.
        file: String,
        /// SQLite's answer.
        source: Box<rusqlite::Error>,
    },
    /// Another program holds the file's lock for longer than xp waits: a minute, or
    /// [`lock_timeout`](crate::PlanOptions::lock_timeout). What was committed before is there.
    #[error(
        "`{file}` is locked by another program, for longer than `lock_timeout`; the runs that were \
         committed before are kept"
    )]
    Locked {
        /// The file's path.
        file: String,
        /// SQLite's answer.
        source: Box<rusqlite::Error>,
    },
    /// There is no such file, and it cannot be made.
    #[error("`{file}` cannot be opened: {reason}")]
    CannotOpen {
        /// The file's path.
        file: String,
        /// Why not, as far as the file system tells.
        reason: String,
        /// SQLite's answer.
        source: Box<rusqlite::Error>,
    },
    /// The file, or its directory, was deleted or moved away while it was in use.
    #[error(
        "`{file}` is gone: it was deleted or moved away while it was in use, and with it the runs \
         that were committed; put it back and execute again, or open a new file"
    )]
    FileGone {
        /// The file's path.
        file: String,
    },
    /// Another file was put in the place of this one while it was in use. Nothing was written to
    /// the other one.
    #[error(
        "`{file}` was replaced by another file while it was in use; the runs that were committed \
         are in the old file, and nothing was written to the new one: put the old one back, or open \
         the new one, and execute again"
    )]
    FileReplaced {
        /// The file's path.
        file: String,
    },
    /// The write-ahead log beside the file (`-wal`) was deleted or replaced while it was in use.
    #[error(
        "the log of `{file}`, which is `{file}-wal`, was deleted or replaced while it was in use, \
         and the last runs that were committed may be lost; open the file again and execute what is \
         missing, and leave the log alone as long as the file is in use"
    )]
    LogGone {
        /// The file's path.
        file: String,
    },
    /// The file is on a network file system, and would have been written.
    #[error(
        "`{file}` is on a network file system ({kind}), where SQLite cannot be relied on: its \
         write-ahead log needs memory that all processes share, and locks that hold; keep the file on \
         a local disk, such as in $TMPDIR, and copy it when the sweep is done"
    )]
    NetworkFileSystem {
        /// The file's path.
        file: String,
        /// The kind of the file system, such as NFS.
        kind: String,
    },
    /// The file system failed while the file was being read or written. What was committed before
    /// is there, as far as the file system has it.
    #[error(
        "the file system failed, and xp could not {doing} in `{file}`; the runs that were committed \
         before are kept"
    )]
    Io {
        /// The file's path.
        file: String,
        /// What xp was doing.
        doing: String,
        /// SQLite's answer.
        source: Box<rusqlite::Error>,
    },
    /// Any other answer of SQLite.
    #[error("SQLite could not {doing} in `{file}`")]
    Sqlite {
        /// The file's path.
        file: String,
        /// What xp was doing.
        doing: String,
        /// SQLite's answer.
        source: Box<rusqlite::Error>,
    },
    /// There is an experiment of this name, and it was not to be replaced.
    #[error(
        "the experiment `{name}` is in `{file}` already; to continue it, call `session.resume(..)` \
         instead; to replace it, and delete its runs, `.if_exists(IfExists::Replace)`; to keep both, \
         `.named(\"..\")`"
    )]
    ExperimentExists {
        /// The experiment's name.
        name: String,
        /// The file's path.
        file: String,
    },
    /// The experiment that is there was declared under another name: its points are others.
    #[error(
        "the experiment `{name}` in `{file}` was made by `{found}`, and cannot be continued by \
         `{declared}`; use another name: `.named(\"..\")`"
    )]
    OtherExperiment {
        /// The experiment's name.
        name: String,
        /// The file's path.
        file: String,
        /// The declared name of what was to continue it.
        declared: String,
        /// The declared name of what made it.
        found: String,
    },
    /// An experiment cannot be copied, merged or renamed to a name that another one has.
    #[error(
        "the name `{name}` is taken in `{file}`; use another one, or delete the experiment that has it"
    )]
    NameTaken {
        /// The name.
        name: String,
        /// The file's path.
        file: String,
    },
    /// The shared file has another experiment of this name.
    #[error(
        "the experiment `{name}` in `{file}` is another one ({found}) than the one that was to be \
         added ({declared}); rename one of them, or copy it there under another name"
    )]
    AnotherExperiment {
        /// The experiment's name.
        name: String,
        /// The file's path.
        file: String,
        /// What made the one that is there.
        found: String,
        /// What made the one that was to be added.
        declared: String,
    },
    /// Experiments that were to come together have columns of the same name and of other types; all
    /// of them.
    #[error(
        "`{name}` in `{file}` cannot hold the runs of all these experiments: {}; rename the field \
         in one of them",
        clashes.join("; ")
    )]
    ColumnClash {
        /// The name of the experiment that was to hold them.
        name: String,
        /// The file's path.
        file: String,
        /// Which columns hold what in which experiment.
        clashes: Vec<String>,
    },
    /// Experiments that were to come together left other values of inputs out of their points'
    /// identities: the same point would be two.
    #[error(
        "runs of `{name}` cannot come together in `{file}`, since they were made with other \
         defaults: {}; write the old value as `absent = ..` at the input, and execute again",
        changes.join("; ")
    )]
    OtherDefaults {
        /// The declared name.
        name: String,
        /// The file's path.
        file: String,
        /// For each input what it was.
        changes: Vec<String>,
    },
    /// A file to which a stored value refers cannot be copied.
    #[error("the file `{path}`, to which a stored value refers, cannot be copied")]
    StoreFile {
        /// The file's path.
        path: String,
        /// The answer of the file system.
        source: Box<std::io::Error>,
    },
    /// A continuing experiment makes a column that the experiment has already.
    #[error(
        "the experiment `{experiment}` has a column `{column}` that `{continuing}` did not make, and \
         would make: rename it in `{continuing}`"
    )]
    ColumnTaken {
        /// The name of the experiment whose runs are continued.
        experiment: String,
        /// The column's name.
        column: String,
        /// The declared name of the continuing experiment.
        continuing: String,
    },
    /// The experiment was made by MLtraq, which keeps no identities of points.
    #[error(
        "the experiment `{name}` in `{file}` was not made by xp, so that it is not known which of \
         its points are there; use another name: `.named(\"..\")`"
    )]
    NotMadeByXp {
        /// The experiment's name.
        name: String,
        /// The file's path.
        file: String,
    },
    /// The directory beside the database, for locks and for what is not yet committed, cannot be
    /// used.
    #[error("the directory `{directory}`, which is needed beside the database, cannot be used")]
    Beside {
        /// The directory's path.
        directory: String,
        /// The answer of the file system.
        source: Box<std::io::Error>,
    },
    /// There is no such experiment.
    #[error(
        "there is no experiment {key} in `{file}`{}; there are: {known}",
        continuing.map(|name| format!(", whose runs `{name}` continues: execute it first")).unwrap_or_default()
    )]
    ExperimentNotFound {
        /// The name or id that was asked for.
        key: String,
        /// The file's path.
        file: String,
        /// The names that there are.
        known: String,
        /// The declared name of the experiment that was to continue it, if there is one.
        continuing: Option<&'static str>,
    },
    /// The experiment was deleted or replaced while it was being executed or read.
    #[error(
        "the experiment `{name}` was deleted or replaced in `{file}` meanwhile; its runs are gone"
    )]
    ExperimentReplaced {
        /// The experiment's name.
        name: String,
        /// The file's path.
        file: String,
    },
    /// Two names of experiments would share a table.
    #[error("the experiments `{name}` and `{other}` would share the table `{table}`; rename one")]
    TableClash {
        /// The name of the experiment that was to be made.
        name: String,
        /// The experiment that has this table.
        other: String,
        /// The table's name.
        table: String,
    },
    /// A name that no experiment can have.
    #[error("`{name}` cannot be the name of an experiment: {reason}")]
    ExperimentName {
        /// The name.
        name: String,
        /// Why not.
        reason: String,
    },
    /// A name that no column can have.
    #[error("`{name}` cannot be the name of a field: {reason}")]
    ColumnName {
        /// The name.
        name: String,
        /// Why not.
        reason: String,
    },
    /// What is stored cannot be read.
    #[error("{what} of experiment `{experiment}` in `{file}` cannot be read")]
    Damaged {
        /// Which part of the experiment.
        what: String,
        /// The experiment's name.
        experiment: String,
        /// The file's path.
        file: String,
        /// What is wrong with it.
        source: Box<DatapakError>,
    },
    /// What is stored is no text, number or blob of the kind that belongs there.
    #[error("{what} of experiment `{experiment}` in `{file}` is not {expected}")]
    Unexpected {
        /// Which part of the experiment.
        what: String,
        /// The experiment's name.
        experiment: String,
        /// The file's path.
        file: String,
        /// What belongs there.
        expected: String,
    },
    /// Something that cannot be written as DATAPAK.
    #[error("{what} of experiment `{experiment}` cannot be written")]
    Encode {
        /// Which part of the experiment.
        what: String,
        /// The experiment's name.
        experiment: String,
        /// Why not.
        source: Box<DatapakError>,
    },
    /// Something in DATAPAK that cannot be written or read.
    #[error("xp could not {doing} in `{file}`, since a value is no valid DATAPAK")]
    Datapak {
        /// The file's path.
        file: String,
        /// What xp was doing.
        doing: String,
        /// What is wrong with the value.
        source: Box<DatapakError>,
    },
    /// [`Session::query`](crate::Session::query) was given a statement that writes, or one that is
    /// no query, such as `BEGIN`.
    #[error("a query must only read, and have an answer: `{sql}`")]
    QueryWrites {
        /// The statement.
        sql: String,
    },
}
