//! A child's connection to its parent.

use std::fmt;
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::{Pid, dup2_stdin, getppid};

use super::frame::{Incoming, send};
use super::message::{Event, Order};
use crate::run::{Keeper, Progress};
use crate::sequence::ChunkDir;
use crate::stop::Stop;
use crate::store::Column;
use crate::value::Cell;

/// How often the child tells how far it is, and how long it waits at most until it listens to its
/// parent during a run.
const PERIOD: Duration = Duration::from_millis(50);

/// With what a child ends that has no connection, while its parent lives.
pub(super) const NO_LINK: i32 = 114;

/// The connection to the parent.
pub(super) struct Link {
    outgoing: Mutex<(UnixStream, Vec<u8>)>,
    /// Locked by the main thread while it waits for a run, and free during a run.
    incoming: Mutex<Orders>,
    pub(super) stop: Arc<Stop>,
    pub(super) progress: Arc<Progress>,
    /// Where the rows of the current run's sequences go.
    chunks: Mutex<Option<Arc<ChunkDir>>>,
    parent: Pid,
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
    /// The second one is to look at it.
    pub(super) fn take() -> io::Result<(Self, UnixStream)> {
        let stream = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
        dup2_stdin(File::open("/dev/null")?)?;
        Self::over(stream)
    }

    fn over(stream: UnixStream) -> io::Result<(Self, UnixStream)> {
        let looked_at = stream.try_clone()?;
        let link = Self {
            outgoing: Mutex::new((stream.try_clone()?, Vec::new())),
            incoming: Mutex::new(Orders {
                stream: Incoming::new(stream),
                pending: None,
            }),
            stop: Arc::default(),
            progress: Arc::default(),
            chunks: Mutex::default(),
            parent: getppid(),
        };
        Ok((link, looked_at))
    }

    /// The sequences of the runs that follow are written to this directory.
    pub(super) fn flushes(&self, chunks: Option<Arc<ChunkDir>>) {
        *lock(&self.chunks) = chunks;
    }

    pub(super) fn tell(&self, event: &Event) {
        let (stream, buffer) = &mut *lock(&self.outgoing);
        if send(stream, event, buffer).is_err() {
            self.end();
        }
    }

    /// What comes next; waits for it. With a run, nothing of the one before is to be stopped.
    pub(super) fn next(&self) -> Order {
        let orders = &mut *lock(&self.incoming);
        let order = loop {
            if let Some(order) = orders.pending.take() {
                break order;
            }
            match orders.stream.next() {
                Ok(order) => orders.pending = order,
                Err(_) => self.end(),
            }
        };
        if matches!(order, Order::Run(_)) {
            // Nobody else takes what comes after it as long as this is locked.
            self.stop.clear();
        }
        order
    }

    /// Follows what the parent says during a run; false if it is for the main thread.
    fn look(&self) -> bool {
        let Ok(mut orders) = self.incoming.try_lock() else {
            return false;
        };
        while orders.pending.is_none() {
            match orders.take() {
                Ok(Some(Order::Cancel)) => self.stop.set(),
                Ok(Some(Order::Flush)) => self.flush(),
                Ok(Some(order)) => orders.pending = Some(order),
                Ok(None) => return true,
                Err(_) => self.end(),
            }
        }
        false
    }

    /// The parent is dead: so is this process, and all that its steps have started. If the parent
    /// lives, a step has closed the connection, and the parent ends what is left.
    fn end(&self) -> ! {
        if getppid() != self.parent {
            let _ = killpg(Pid::this(), Signal::SIGKILL);
        }
        std::process::exit(NO_LINK)
    }

    fn flush(&self) {
        let chunks = lock(&self.chunks).clone();
        if let Some(chunks) = chunks {
            chunks.flush();
        }
        self.tell(&Event::Flushed);
    }

    /// Waits a moment for what the parent says, and follows it. What came together with the run has
    /// been read with it.
    fn listen(&self, stream: &UnixStream) {
        let Ok(more) = is_readable(stream, PERIOD) else {
            self.end()
        };
        if !self.look() && more {
            // The main thread takes it, or will once the run is over.
            std::thread::sleep(PERIOD);
        }
    }

    /// Listens to the parent during runs.
    pub(super) fn look_after(&self, stream: &UnixStream) -> ! {
        let mut told = 0.0;
        loop {
            self.listen(stream);
            let fraction = self.progress.get();
            if fraction != told {
                told = fraction;
                self.tell(&Event::Progress(fraction));
            }
        }
    }
}

impl Keeper for Link {
    fn inserted(&self, column: &Column, cell: &Cell) {
        self.tell(&Event::Inserted(column.clone(), cell.clone()));
    }

    fn artifact(&self, name: String, content: Vec<u8>) {
        self.tell(&Event::Artifact(name, content));
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").finish_non_exhaustive()
    }
}

impl Orders {
    /// What has come, without waiting.
    fn take(&mut self) -> io::Result<Option<Order>> {
        match self.stream.buffered()? {
            None if is_readable(&self.stream.from, Duration::ZERO)? => self.stream.next(),
            order => Ok(order),
        }
    }
}

fn is_readable(stream: &UnixStream, wait: Duration) -> io::Result<bool> {
    let mut fds = [PollFd::new(stream.as_fd(), PollFlags::POLLIN)];
    let wait = PollTimeout::try_from(wait).unwrap_or(PollTimeout::ZERO);
    match poll(&mut fds, wait) {
        Ok(ready) => Ok(ready > 0),
        Err(nix::errno::Errno::EINTR) => Ok(false),
        Err(error) => Err(io::Error::from(error)),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::super::message::Request;
    use super::*;

    fn request() -> Order {
        Order::Run(Box::new(Request {
            experiment: "iris::iris".to_owned(),
            id_experiment: Uuid::nil(),
            id_run: Uuid::nil(),
            root_seed: 123,
            inputs: [0; 32],
            values: Vec::new(),
            shared: Vec::new(),
            side: None,
            stores: None,
            first_file: 0,
            portions: Vec::new(),
            kept: Vec::new(),
            monitor: None,
        }))
    }

    #[test]
    fn what_comes_together_with_a_run_is_followed_during_it() {
        let (mut parent, child) = UnixStream::pair().unwrap();
        let (link, stream) = Link::over(child).unwrap();
        link.stop.set();
        let mut buffer = Vec::new();
        send(&mut parent, &request(), &mut buffer).unwrap();
        send(&mut parent, &Order::Cancel, &mut buffer).unwrap();
        assert!(matches!(link.next(), Order::Run(_)));
        assert!(!link.stop.is_asked(), "it is a new run");
        link.listen(&stream);
        assert!(link.stop.is_asked());
    }
}
