//! What the death of a child means for the run that was in it.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use nix::sys::signal::Signal;

use super::limits::Gauge;
use super::link::NO_LINK;
use super::process::Process;
use crate::exception::Outcome;
use crate::usage::Usage;

const NOT_CONNECTED: &str = "killed, since it had closed its connection to the program";

/// A run that ended with its child.
pub(super) struct Broken {
    pub(super) outcome: Outcome,
    pub(super) message: String,
    pub(super) usage: Option<Usage>,
}

/// Ends the child, for that reason.
pub(super) fn stopped(process: &mut Process, gauge: &Gauge, why: (Outcome, String)) -> Broken {
    let usage = gauge.usage();
    process.kill();
    let (outcome, message) = why;
    Broken {
        outcome,
        message,
        usage,
    }
}

/// The child has ended by itself.
pub(super) fn died(process: &mut Process, gauge: &Gauge) -> Broken {
    if !process.ends() {
        return stopped(process, gauge, (Outcome::Killed, NOT_CONNECTED.to_owned()));
    }
    let usage = gauge.usage();
    let (outcome, message) = match process.kill() {
        Some(status) => outcome(status, &process.stderr()),
        None => (Outcome::Killed, "nothing is known of its end".to_owned()),
    };
    Broken {
        outcome,
        message,
        usage,
    }
}

/// The outcome of the run, and what to say of it.
fn outcome(status: ExitStatus, stderr: &str) -> (Outcome, String) {
    if let Some(line) = line_with(stderr, "memory allocation of ") {
        return (Outcome::OutOfMemory, line.to_owned());
    }
    if status.code() == Some(NO_LINK) {
        return (Outcome::Killed, NOT_CONNECTED.to_owned());
    }
    if let Some(code) = status.code() {
        let message = format!("the process exited with code {code}");
        return (Outcome::Exited, with_last_line(message, stderr));
    }
    let number = status.signal().unwrap_or_default();
    let signal = Signal::try_from(number);
    let name = signal.map_or_else(|_| format!("signal {number}"), |signal| signal.to_string());
    let mut message = format!("killed by {name}");
    if signal == Ok(Signal::SIGKILL) {
        message.push_str(", as the system does where its memory runs out");
    }
    (Outcome::Killed, with_last_line(message, stderr))
}

fn with_last_line(message: String, stderr: &str) -> String {
    let line = line_with(stderr, " has overflowed its stack").or_else(|| last_line(stderr));
    match line {
        Some(line) => format!("{message}: {line}"),
        None => message,
    }
}

fn line_with<'a>(stderr: &'a str, part: &str) -> Option<&'a str> {
    stderr
        .lines()
        .rev()
        .find(|line| line.contains(part))
        .map(str::trim)
}

/// The last line that says something: none of a backtrace.
pub(super) fn last_line(stderr: &str) -> Option<&str> {
    let is_frame = |line: &str| {
        let number = line.split(": ").next().unwrap_or_default();
        line.starts_with("at ") || number.parse::<u32>().is_ok()
    };
    stderr.lines().rev().map(str::trim).find(|line| {
        !line.is_empty()
            && !line.starts_with("note: ")
            && *line != "stack backtrace:"
            && !is_frame(line)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Statuses as wait(2) encodes them: a signal, or an exit code times 256.
    fn outcome_of(raw: i32, stderr: &str) -> (Outcome, String) {
        outcome(ExitStatus::from_raw(raw), stderr)
    }

    #[test]
    fn a_death_is_told_by_its_signal_its_code_or_what_it_said() {
        assert_eq!(
            outcome_of(
                11,
                "x\n\nstack backtrace:\n  0: std::f\n     at /rustc/a.rs:1:1\nnote: y\n"
            ),
            (Outcome::Killed, "killed by SIGSEGV: x".to_owned())
        );
        let overflow = "\nthread 'main' (7) has overflowed its stack\nfatal runtime error: stack overflow, aborting\n";
        let (outcome, message) = outcome_of(6, overflow);
        assert_eq!(outcome, Outcome::Killed);
        assert!(message.ends_with("has overflowed its stack"), "{message}");
        assert_eq!(
            outcome_of(3 << 8, ""),
            (Outcome::Exited, "the process exited with code 3".to_owned())
        );
        assert_eq!(
            outcome_of(6, "memory allocation of 99 bytes failed\n"),
            (
                Outcome::OutOfMemory,
                "memory allocation of 99 bytes failed".to_owned()
            )
        );
    }
}
