//! A child process as its parent has it.

use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{ChildStderr, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::CHILD;
use super::frame::{Incoming, send};
use super::message::{Event, Order};

/// How long the parent waits for a message before it looks at the limits.
const TICK: Duration = Duration::from_millis(10);

/// How long a child has to say hello.
const HELLO: Duration = Duration::from_secs(5);

/// How long a child has to end once there are no more runs, or once its stream has ended.
const END: Duration = Duration::from_secs(2);

/// How much of what a child wrote to stderr last is kept.
const TAIL: usize = 32 << 10;

/// Why a child did not start.
#[derive(Debug)]
pub(super) enum NoChild {
    /// The system refuses.
    Start(io::Error),
    /// It did not say hello: what it did instead, and what it wrote last.
    NoHello(String, String),
}

/// A child, alive or not. Dropping it ends it, with all processes that it started.
#[derive(Debug)]
pub(super) struct Process {
    child: std::process::Child,
    incoming: Incoming<UnixStream>,
    buffer: Vec<u8>,
    stderr: Arc<Tail>,
    /// What became of it, once it was asked for.
    status: Option<ExitStatus>,
}

impl Process {
    /// Starts this program again, as a child that has come to its hook.
    pub(super) fn start() -> Result<Self, NoChild> {
        let mut process = Self::spawn().map_err(NoChild::Start)?;
        let start = Instant::now();
        let what = loop {
            match process.next() {
                Ok(Some(Event::Hello)) => return Ok(process),
                Ok(None) if start.elapsed() < HELLO => {
                    if process.is_dead() {
                        break process.how_it_ended();
                    }
                }
                Ok(None) => break format!("did not answer within {} s", HELLO.as_secs()),
                Ok(Some(_)) | Err(_) => break process.how_it_ended(),
            }
        };
        process.kill();
        let stderr = process.stderr();
        let said = super::death::last_line(&stderr).unwrap_or_default();
        Err(NoChild::NoHello(what, said.to_owned()))
    }

    fn how_it_ended(&mut self) -> String {
        let ended = self.ends();
        match self.kill() {
            Some(status) if ended => format!("did not answer, and ended ({status})"),
            _ => "did not answer".to_owned(),
        }
    }

    fn spawn() -> io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        ours.set_read_timeout(Some(TICK))?;
        // The program that runs, also if its file was replaced by a new build meanwhile.
        #[cfg(target_os = "linux")]
        let mut command = Command::new("/proc/self/exe");
        #[cfg(not(target_os = "linux"))]
        let mut command = Command::new(std::env::current_exe()?);
        command
            .arg0(CHILD)
            .args(std::env::args_os().skip(1))
            .process_group(0)
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let stderr = Arc::<Tail>::default();
        if let Some(pipe) = child.stderr.take() {
            let tail = Arc::clone(&stderr);
            let forward = std::thread::Builder::new().name("xp stderr".to_owned());
            forward.spawn(move || tail.forward(pipe))?;
        }
        Ok(Self {
            child,
            incoming: Incoming::new(ours),
            buffer: Vec::new(),
            stderr,
            status: None,
        })
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(super) fn send(&mut self, order: &Order) -> io::Result<()> {
        send(&mut self.incoming.from, order, &mut self.buffer)
    }

    /// What the child says next; `None` if it says nothing for a while.
    pub(super) fn next(&mut self) -> io::Result<Option<Event>> {
        self.incoming.next()
    }

    /// Whether it has ended already. What the system knows of it stays there until it is killed.
    #[cfg(target_os = "linux")]
    pub(super) fn is_dead(&mut self) -> bool {
        use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
        let how = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        self.status.is_some()
            || self.pid().is_some_and(|pid| {
                let status = waitid(Id::Pid(pid), how);
                !matches!(status, Ok(WaitStatus::StillAlive))
            })
    }

    /// Whether it has ended already.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn is_dead(&mut self) -> bool {
        if self.status.is_none() {
            self.status = self.child.try_wait().ok().flatten();
        }
        self.status.is_some()
    }

    /// Whether it ends, having closed its stream, or goes on without.
    pub(super) fn ends(&mut self) -> bool {
        let start = Instant::now();
        while !self.is_dead() {
            if start.elapsed() > END {
                return false;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        true
    }

    fn pid(&self) -> Option<Pid> {
        i32::try_from(self.child.id()).ok().map(Pid::from_raw)
    }

    /// Ends it at once, with all processes that it started, and says what became of it.
    pub(super) fn kill(&mut self) -> Option<ExitStatus> {
        if self.status.is_none() {
            // Nobody else has its number, and that of its group, before it is waited for.
            if let Some(group) = self.pid() {
                let _ = killpg(group, Signal::SIGKILL);
            }
            let _ = self.child.kill();
            self.status = self.child.wait().ok();
        }
        self.status
    }

    /// Forgets what it wrote to stderr so far.
    pub(super) fn forget_stderr(&self) {
        let mut tail = self.stderr.lock();
        tail.bytes.clear();
    }

    /// The last of what it wrote to stderr, once all of it is dead.
    pub(super) fn stderr(&self) -> String {
        let tail = self.stderr.lock();
        let wait = self
            .stderr
            .ended
            .wait_timeout_while(tail, Duration::from_millis(500), |tail| !tail.ended);
        let (tail, _) = wait.unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&tail.bytes).into_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.is_dead() && self.send(&Order::Quit).is_ok() {
            self.ends();
        }
        self.kill();
        // Until all that it wrote is passed on.
        self.stderr();
    }
}

/// What a child writes to stderr: passed on, and its end kept.
#[derive(Debug, Default)]
struct Tail {
    state: Mutex<TailState>,
    ended: Condvar,
}

#[derive(Debug, Default)]
struct TailState {
    bytes: Vec<u8>,
    ended: bool,
}

impl Tail {
    fn lock(&self) -> MutexGuard<'_, TailState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn forward(&self, mut pipe: ChildStderr) {
        let mut chunk = [0; TAIL];
        loop {
            match pipe.read(&mut chunk) {
                Ok(0) => break,
                Ok(count) => {
                    // A stderr that is closed takes nothing from anybody.
                    let _ = io::stderr().write_all(&chunk[..count]);
                    let mut tail = self.lock();
                    tail.bytes.extend_from_slice(&chunk[..count]);
                    let over = tail.bytes.len().saturating_sub(TAIL);
                    tail.bytes.drain(..over);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        self.lock().ended = true;
        self.ended.notify_all();
    }
}
