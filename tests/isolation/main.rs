//! Runs in processes of their own: what crosses, what kills a child, limits, and how children
//! start and end.
//!
//! The children are this program, so its `main` begins with the hook, and runs the tests itself.

#![allow(clippy::unwrap_used)]

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("skipped: some of these tests look at Linux's /proc");
}

#[cfg(target_os = "linux")]
mod continued;
#[cfg(target_os = "linux")]
mod crossing;
#[cfg(target_os = "linux")]
mod deaths;
#[cfg(target_os = "linux")]
mod limits;
#[cfg(target_os = "linux")]
mod monitor;
#[cfg(target_os = "linux")]
mod processes;
#[cfg(target_os = "linux")]
mod sharing;
#[cfg(target_os = "linux")]
mod signals;
#[cfg(target_os = "linux")]
mod stores;
#[cfg(target_os = "linux")]
mod surviving;

#[cfg(target_os = "linux")]
type Test = Result<(), Box<dyn std::error::Error>>;

/// A test: its name, and what it does.
#[cfg(target_os = "linux")]
type Case = (&'static str, fn() -> Test);

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    use std::panic::catch_unwind;
    use std::process::ExitCode;

    if let Ok(helper) = std::env::var(processes::HELPER) {
        return match processes::help(&helper) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                println!("{error:?}");
                ExitCode::FAILURE
            }
        };
    }
    hook();
    let tests = [
        continued::TESTS,
        crossing::TESTS,
        deaths::TESTS,
        limits::TESTS,
        monitor::TESTS,
        processes::TESTS,
        sharing::TESTS,
        signals::TESTS,
        stores::TESTS,
        surviving::TESTS,
    ]
    .concat();
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        tests.iter().for_each(|(name, _)| println!("{name}: test"));
        return ExitCode::SUCCESS;
    }
    let filters: Vec<_> = arguments.iter().filter(|a| !a.starts_with('-')).collect();
    let is_wanted = |name: &str| filters.is_empty() || filters.iter().any(|f| name.contains(*f));
    let wanted: Vec<_> = tests.iter().filter(|(name, _)| is_wanted(name)).collect();
    println!("\nrunning {} tests", wanted.len());
    let mut failed = 0;
    for (name, test) in &wanted {
        let problem = match catch_unwind(test) {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(format!(": {error:?}")),
            Err(_) => Some(String::new()),
        };
        println!(
            "test {name} ... {}",
            if problem.is_none() { "ok" } else { "FAILED" }
        );
        if let Some(problem) = problem {
            println!("{name} failed{problem}");
            failed += 1;
        }
    }
    let word = if failed == 0 { "ok" } else { "FAILED" };
    println!(
        "\ntest result: {word}. {} passed; {failed} failed",
        wanted.len() - failed
    );
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

#[cfg(target_os = "linux")]
fn hook() {
    xp::child_main::<(
        (continued::Graded, continued::Counted),
        (crossing::All, crossing::Fills, crossing::Opaques),
        deaths::Deaths,
        deaths::Tails,
        (limits::Limited, limits::Warmed, monitor::Monitors),
        processes::Pids,
        processes::Grandchildren,
        sharing::Shares,
        sharing::Breaks,
        signals::Listeners,
        (stores::Large, stores::Filling),
        surviving::All,
    )>();
}
