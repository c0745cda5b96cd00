//! The Python package `mltraq`, as far as it is there.
//!
//! The environment names a Python that has it (`XP_MLTRAQ_PYTHON`), or else `python3` is tried. Without
//! one the tests that need it pass, unless this is CI: see `tests/mltraq/requirements.txt`.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

/// A Python that imports `mltraq`, if there is one.
pub(crate) fn python() -> Option<&'static str> {
    static PYTHON: OnceLock<Option<String>> = OnceLock::new();
    let found = PYTHON.get_or_init(|| {
        let python = std::env::var("XP_MLTRAQ_PYTHON").unwrap_or_else(|_| "python3".to_owned());
        let imports = Command::new(&python).args(["-c", "import mltraq"]).output();
        match imports {
            Ok(output) if output.status.success() => Some(python),
            _ if std::env::var("CI").as_deref() == Ok("true") => {
                panic!("`{python}` has no `mltraq`; set XP_MLTRAQ_PYTHON")
            }
            _ => None,
        }
    });
    if found.is_none() {
        eprintln!("skipped: needs Python with mltraq");
    }
    found.as_deref()
}

/// Runs one of the programs in `tests/mltraq` in a directory, where MLtraq looks for its files, and
/// returns what it prints. It ends with an error if one of its assertions does not hold.
#[track_caller]
pub(crate) fn run<A: AsRef<OsStr>>(
    python: &str,
    directory: &Path,
    program: &str,
    args: &[A],
) -> String {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mltraq");
    let output = Command::new(python)
        .args(["-W", "error::ResourceWarning"])
        .arg(tests.join(program))
        .args(args)
        .current_dir(directory)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program}\n{said}{error}");
    said
}
