//! SIGINT and SIGTERM, where the program asked for it: the first one asks the steps to stop, the
//! second one has its own effect.

#[cfg(unix)]
mod imp {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, Mutex, OnceLock, PoisonError};

    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::flag;

    /// Whether a signal has its own effect now: true while no execution goes on that handles
    /// signals, and after the first signal.
    static LETHAL: OnceLock<Arc<AtomicBool>> = OnceLock::new();

    /// How many executions go on that handle signals.
    static ACTIVE: Mutex<usize> = Mutex::new(0);

    fn lethal() -> std::io::Result<&'static Arc<AtomicBool>> {
        if let Some(lethal) = LETHAL.get() {
            return Ok(lethal);
        }
        let lethal = Arc::new(AtomicBool::new(true));
        for signal in [SIGINT, SIGTERM] {
            // In this order: a signal that finds the flag set ends the process, and one that does
            // not sets it.
            flag::register_conditional_default(signal, Arc::clone(&lethal))?;
            flag::register(signal, Arc::clone(&lethal))?;
        }
        Ok(LETHAL.get_or_init(|| lethal))
    }

    pub(crate) fn begin() -> std::io::Result<()> {
        let mut active = ACTIVE.lock().unwrap_or_else(PoisonError::into_inner);
        let lethal = lethal()?;
        if *active == 0 {
            lethal.store(false, Ordering::SeqCst);
        }
        *active += 1;
        Ok(())
    }

    /// Whether a signal came, and this was the last execution that had to end first.
    pub(crate) fn end() -> bool {
        let mut active = ACTIVE.lock().unwrap_or_else(PoisonError::into_inner);
        *active = active.saturating_sub(1);
        let Some(lethal) = LETHAL.get() else {
            return false;
        };
        *active == 0 && lethal.swap(true, Ordering::SeqCst)
    }

    pub(crate) fn came() -> bool {
        LETHAL
            .get()
            .is_some_and(|lethal| lethal.load(Ordering::Relaxed))
    }
}

#[cfg(not(unix))]
mod imp {
    pub(crate) fn begin() -> std::io::Result<()> {
        Err(std::io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn end() -> bool {
        false
    }

    pub(crate) fn came() -> bool {
        false
    }
}

pub(crate) use imp::came;

/// What a process exits with that was asked to stop, and did.
const EXIT: i32 = 130;

/// While it lives, the first signal sets what [`came`] tells.
#[derive(Debug)]
pub(crate) struct Handled(());

impl Handled {
    pub(crate) fn begin() -> std::io::Result<Self> {
        imp::begin()?;
        Ok(Self(()))
    }

    /// Ends the process if a signal came, after one last thing.
    pub(crate) fn exit_if_asked(self, last: impl FnOnce()) {
        std::mem::forget(self);
        if imp::end() {
            last();
            std::process::exit(EXIT);
        }
    }
}

impl Drop for Handled {
    fn drop(&mut self) {
        imp::end();
    }
}
