//! Named points of the program at which a test kills it, or makes it wait. Without the cargo feature
//! `failpoints`, which is for xp's own tests only, there is nothing of them in the program.
//!
//! The environment variable `XP_FAILPOINT` says which point, at which of its hits, and what happens
//! there: `commit.begun:3` kills the process by SIGKILL when it comes to `commit.begun` for the
//! third time; `commit.begun:3:sleep=250` makes it wait there for 250 ms, once.

/// The program has come to this point.
#[cfg(not(feature = "failpoints"))]
#[inline(always)]
pub(crate) fn hit(_name: &'static str) {}

#[cfg(feature = "failpoints")]
pub(crate) use armed::hit;

#[cfg(feature = "failpoints")]
mod armed {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    const VARIABLE: &str = "XP_FAILPOINT";

    /// What the variable says, read once.
    static FAILPOINT: LazyLock<Option<Failpoint>> = LazyLock::new(|| {
        let text = std::env::var(VARIABLE).ok()?;
        let parsed = Failpoint::parse(&text);
        if parsed.is_none() {
            // A test that kills nothing must not pass for one that does.
            eprintln!("{VARIABLE}: `{text}` is not of the form name:hit or name:hit:sleep=ms");
            std::process::abort();
        }
        parsed
    });

    #[derive(Debug)]
    struct Failpoint {
        name: String,
        /// Counts down to 1, at which it is time.
        left: AtomicU64,
        action: Action,
    }

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Action {
        Kill,
        Sleep(Duration),
    }

    /// The program has come to this point.
    pub(crate) fn hit(name: &'static str) {
        if let Some(failpoint) = &*FAILPOINT
            && failpoint.is_due(name)
        {
            match failpoint.action {
                Action::Kill => kill(),
                Action::Sleep(time) => std::thread::sleep(time),
            }
        }
    }

    #[cfg(unix)]
    fn kill() {
        let killed = nix::sys::signal::raise(nix::sys::signal::Signal::SIGKILL);
        // The signal cannot be refused.
        if killed.is_err() {
            std::process::abort();
        }
    }

    #[cfg(not(unix))]
    fn kill() {
        std::process::abort();
    }

    impl Failpoint {
        fn parse(text: &str) -> Option<Self> {
            let (name, rest) = text.split_once(':')?;
            let (hit, action) = match rest.split_once(':') {
                None => (rest, Action::Kill),
                Some((hit, action)) => {
                    let ms = action.strip_prefix("sleep=")?.parse().ok()?;
                    (hit, Action::Sleep(Duration::from_millis(ms)))
                }
            };
            let hit = hit.parse().ok().filter(|hit| *hit > 0)?;
            Some(Self {
                name: name.to_owned(),
                left: AtomicU64::new(hit),
                action,
            })
        }

        fn is_due(&self, name: &str) -> bool {
            let count_down = |left: u64| left.checked_sub(1);
            self.name == name
                && self
                    .left
                    .fetch_update(Ordering::Relaxed, Ordering::Relaxed, count_down)
                    == Ok(1)
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_point_is_due_at_one_of_its_hits() {
            let failpoint = Failpoint::parse("commit.begun:2").unwrap();
            assert_eq!(failpoint.action, Action::Kill);
            let names = [
                "commit.begun",
                "commit.ledger",
                "commit.begun",
                "commit.begun",
            ];
            assert_eq!(
                names.map(|name| failpoint.is_due(name)),
                [false, false, true, false]
            );
            let sleep = Failpoint::parse("schema.begun:1:sleep=250").unwrap();
            assert_eq!(sleep.action, Action::Sleep(Duration::from_millis(250)));
        }

        #[test]
        fn what_is_no_point_is_refused() {
            for text in [
                "",
                "a",
                "a:",
                "a:0",
                "a:x",
                "a:1:",
                "a:1:kill=1",
                "a:1:sleep=x",
            ] {
                assert!(Failpoint::parse(text).is_none(), "{text}");
            }
        }
    }
}
