//! Catching the panics of runs: location and backtrace are only seen by the panic hook, so xp adds
//! one to the chain, which is silent on threads that are inside a run and passes on all others.

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::sync::Once;

use crate::exception::Exception;

thread_local! {
    static INSIDE_A_RUN: Cell<bool> = const { Cell::new(false) };
    static SEEN: RefCell<Option<Seen>> = const { RefCell::new(None) };
}

/// What the hook saw of a panic.
struct Seen {
    location: Option<String>,
    backtrace: Option<String>,
}

/// Calls `f`; a panic in it becomes an exception (without a step, which the caller knows).
pub(crate) fn catch<T>(f: impl FnOnce() -> T) -> Result<T, Exception> {
    chain_the_hook();
    // A run inside a run (a step that executes an experiment of its own) leaves the outer one inside.
    let outer = INSIDE_A_RUN.replace(true);
    let result = catch_unwind(AssertUnwindSafe(f));
    INSIDE_A_RUN.set(outer);
    result.map_err(|payload| {
        let seen = SEEN.take();
        let (location, backtrace) = match seen {
            Some(seen) => (seen.location, seen.backtrace),
            None => (None, None),
        };
        Exception {
            message: message(payload.as_ref()),
            location,
            backtrace,
            ..Exception::default()
        }
    })
}

fn chain_the_hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let previous = take_hook();
        set_hook(Box::new(move |info| {
            if INSIDE_A_RUN.get() {
                SEEN.set(Some(see(info)));
            } else {
                previous(info);
            }
        }));
    });
}

fn see(info: &PanicHookInfo<'_>) -> Seen {
    let backtrace = Backtrace::capture();
    Seen {
        location: info.location().map(ToString::to_string),
        backtrace: (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string()),
    }
}

fn message(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "panicked with a payload that is no text".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_exception_with_its_location() {
        let exception = catch(|| panic!("{} is no k", 7)).unwrap_err();
        assert_eq!(exception.message, "7 is no k");
        assert!(exception.location.is_some_and(|l| l.contains("panic.rs:")));
    }

    #[test]
    fn a_payload_that_is_no_text_is_said_to_be_one() {
        let exception = catch(|| std::panic::panic_any(7)).unwrap_err();
        assert_eq!(exception.message, "panicked with a payload that is no text");
    }
}
