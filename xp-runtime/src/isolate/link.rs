//! A child's connection to its parent.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::{Pid, dup2_stdin};

use super::frame::{Incoming, send};
use super::message::{Event, Order};
use crate::run::Progress;
use crate::stop::Stop;

/// How often the child looks, during a run, whether its parent lives or says something.
const PERIOD: Duration = Duration::from_millis(50);

/// With what a child ends that has no connection.
pub(super) const NO_LINK: i32 = 114;

/// The connection to the parent.
pub(super) struct Link {
    outgoing: Mutex<(UnixStream, Vec<u8>)>,
    /// Locked by the main thread while it waits for a run, and free during a run.
    incoming: Mutex<Orders>,
    pub(super) stop: Arc<Stop>,
    pub(super) progress: Arc<Progress>,
}

struct Orders {
    stream: Incoming<UnixStream>,
    /// What was read during the run before.
    pending: Option<Order>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Link {
    /// Standard input, which is nothing from then on: a step that reads it takes no message away.
    pub(super) fn take() -> io::Result<Self> {
        let stream = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
        dup2_stdin(File::open("/dev/null")?)?;
        Ok(Self {
            outgoing: Mutex::new((stream.try_clone()?, Vec::new())),
            incoming: Mutex::new(Orders {
                stream: Incoming::new(stream),
                pending: None,
            }),
            stop: Arc::default(),
            progress: Arc::default(),
        })
    }

    pub(super) fn tell(&self, event: &Event) {
        let (stream, buffer) = &mut *lock(&self.outgoing);
        if send(stream, event, buffer).is_err() {
            end();
        }
    }

    /// What comes next; waits for it.
    pub(super) fn next(&self) -> Order {
        let orders = &mut *lock(&self.incoming);
        if let Some(order) = orders.pending.take() {
            return order;
        }
        loop {
            match orders.stream.next() {
                Ok(Some(order)) => return order,
                Ok(None) => {}
                Err(_) => end(),
            }
        }
    }

    /// Looks after the parent during runs.
    pub(super) fn look_after(&self) -> ! {
        let mut told = 0.0;
        loop {
            std::thread::sleep(PERIOD);
            if let Ok(mut orders) = self.incoming.try_lock()
                && orders.look(&self.stop).is_err()
            {
                end();
            }
            let fraction = self.progress.get();
            if fraction != told {
                told = fraction;
                self.tell(&Event::Progress(fraction));
            }
        }
    }
}

impl Orders {
    /// Reads what has come, without waiting.
    fn look(&mut self, stop: &Stop) -> io::Result<()> {
        while self.pending.is_none() {
            let order = match self.stream.buffered()? {
                Some(order) => order,
                None if !is_readable(&self.stream.from)? => break,
                None => match self.stream.next()? {
                    Some(order) => order,
                    None => break,
                },
            };
            match order {
                Order::Cancel => stop.set(),
                other => self.pending = Some(other),
            }
        }
        Ok(())
    }
}

fn is_readable(stream: &UnixStream) -> io::Result<bool> {
    let mut fds = [PollFd::new(stream.as_fd(), PollFlags::POLLIN)];
    match poll(&mut fds, PollTimeout::ZERO) {
        Ok(ready) => Ok(ready > 0),
        Err(nix::errno::Errno::EINTR) => Ok(false),
        Err(error) => Err(io::Error::from(error)),
    }
}

/// The parent is dead: so is this process, and all that its steps have started.
fn end() -> ! {
    let _ = killpg(Pid::this(), Signal::SIGKILL);
    std::process::exit(NO_LINK)
}
