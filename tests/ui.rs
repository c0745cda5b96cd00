//! Misuse does not compile, and the message says what to write instead.
//!
//! A case is a program of `tests/ui`, named as a sentence about the misuse, and beside it the
//! message. The words of the compiler change from version to version, and with the component
//! `rust-src`: they are those of one version, without it, and other versions skip the test.
//! `TRYBUILD=overwrite cargo test --test ui` takes the messages as they are now; read the difference.

use std::path::Path;
use std::process::Command;

/// The compiler whose words the messages are.
const RUSTC: &str = "1.95";

/// What the compiler prints about itself; nothing if it cannot be asked.
fn printed_by_rustc(arguments: &[&str]) -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).args(arguments).output();
    let printed = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    printed.unwrap_or_default().trim().to_owned()
}

fn has_sources() -> bool {
    let sysroot = printed_by_rustc(&["--print", "sysroot"]);
    let library = "lib/rustlib/src/rust/library";
    Path::new(&sysroot).join(library).exists()
}

#[test]
fn misuse_is_told() {
    let is_version = printed_by_rustc(&["--version"]).starts_with(&format!("rustc {RUSTC}."));
    if !is_version || has_sources() {
        println!("skipped: needs rustc {RUSTC}, without the component rust-src");
        return;
    }
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/step/*.rs");
    cases.compile_fail("tests/ui/experiment/*.rs");
}
