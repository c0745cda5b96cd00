//! What a worker has of its child: starts it, gives it a run, and waits for what comes of it.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::death::{Broken, died, stopped};
use super::limits::Gauge;
use super::message::{Completed, Done, Event, Order, Request, Side, Stores};
use super::process::{NoChild, Process};
use super::underway::Underway;
use super::{Crossing, IsolationError, Limits, hook};
use crate::attempt::{self, Ran, before_the_steps};
use crate::datapak;
use crate::declare::{Declared, Portion};
use crate::exception::{Exception, Outcome};
use crate::identity::InputsHash;
use crate::run::Context;
use crate::sequence::{self, ChunkDir};
use crate::shared::SharedKey;
use crate::stored::StoreWriter;
use crate::value::{Cell, Value};

/// How long a process that is beyond a limit has to write the rows of its sequences.
const GRACE: Duration = Duration::from_millis(500);

/// The numbers of the files of an attempt are below those of the next by so many.
const FILES: u64 = 1 << 32;

/// Makes children for the runs of one plan.
pub(crate) struct Host<S> {
    /// The experiment's path, and what errors call it.
    path: String,
    experiment: &'static str,
    marker: &'static str,
    crossing: Crossing<S>,
    limits: Limits,
    /// The first child, which shows that there can be some.
    spare: Mutex<Option<Process>>,
}

impl<S> Host<S> {
    /// Starts nothing yet.
    ///
    /// # Errors
    ///
    /// The hook is missing, or the system lacks what it takes.
    pub(super) fn new<X: Declared<State = S>>(
        crossing: Crossing<S>,
        limits: Limits,
    ) -> Result<Self, IsolationError> {
        let name = std::any::type_name::<X>();
        let host = Self {
            path: hook::path::<X>(),
            experiment: X::declaration().name,
            marker: name.rsplit("::").next().unwrap_or(name),
            crossing,
            limits,
            spare: Mutex::default(),
        };
        // Told without starting anything: a child would run the program itself.
        if !hook::is_hooked(&host.path) {
            return Err(IsolationError::NoHook {
                experiment: host.experiment,
                marker: host.marker,
            });
        }
        if !cfg!(target_os = "linux") && (limits.cpu.is_some() || limits.memory.is_some()) {
            return Err(IsolationError::Unsupported {
                experiment: host.experiment,
                what: "a CPU or memory limit",
            });
        }
        Ok(host)
    }

    /// Starts the first child, which shows that there can be some.
    ///
    /// # Errors
    ///
    /// It does not start, or does not answer.
    pub(crate) fn begin(&self) -> Result<(), IsolationError> {
        let first = self.process()?;
        *self.spare() = Some(first);
        Ok(())
    }

    fn spare(&self) -> std::sync::MutexGuard<'_, Option<Process>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn process(&self) -> Result<Process, IsolationError> {
        let (experiment, marker) = (self.experiment, self.marker);
        Process::start().map_err(|error| match error {
            NoChild::Start(error) => IsolationError::Start {
                experiment,
                source: Arc::new(error),
            },
            NoChild::NoHello(what, stderr) => IsolationError::NoHello {
                experiment,
                marker,
                what,
                stderr,
            },
        })
    }

    /// The child of a worker, which starts with its first run.
    pub(crate) fn child(&self, context: &Arc<Context>) -> Child<'_, S> {
        Child {
            host: self,
            context: Arc::clone(context),
            process: None,
            broken: Vec::new(),
            last: (Uuid::nil(), 0),
        }
    }
}

/// A child, which is replaced when something has killed it.
pub(crate) struct Child<'a, S> {
    host: &'a Host<S>,
    context: Arc<Context>,
    process: Option<Process>,
    /// Shared values that killed the child which computed them: every run ends so that needs them.
    broken: Vec<(SharedKey, (Outcome, Exception))>,
    /// The run that was attempted last, and how many times before.
    last: (Uuid, u64),
}

/// What is sent of a point.
pub(crate) struct Sent<'a> {
    pub(crate) id_run: Uuid,
    pub(crate) inputs: InputsHash,
    pub(crate) values: Vec<Value>,
    pub(crate) keys: &'a [SharedKey],
    /// Where the chunks of its sequences go.
    pub(crate) chunks: Option<&'a ChunkDir>,
    /// Who would write what has a file of its own.
    pub(crate) stores: Option<&'a StoreWriter>,
    /// The parts of the body that are run; none for all of it.
    pub(crate) portions: Vec<Portion>,
    /// What they are given of the run that is there.
    pub(crate) kept: Vec<(usize, Cell)>,
}

impl<S> Child<'_, S> {
    /// Starts it, so that its start does not count as time of the run.
    pub(crate) fn prepare(&mut self) -> Result<(), IsolationError> {
        if self
            .process
            .as_mut()
            .is_some_and(|process| !process.is_dead())
        {
            return Ok(());
        }
        self.process = None;
        let spare = self.host.spare().take();
        self.process = Some(match spare {
            Some(process) => process,
            None => self.host.process()?,
        });
        Ok(())
    }

    /// Runs the steps at a point, and stops them where they are beyond a limit.
    pub(crate) fn run(&mut self, sent: Sent<'_>) -> Ran<S> {
        let Sent { keys, .. } = sent;
        self.broken.retain(|(key, _)| keys.contains(key));
        if let Some((_, (outcome, exception))) = self.broken.first() {
            return Ran::failed(*outcome, exception.clone());
        }
        if let Err(error) = self.prepare() {
            return Ran::failed(Outcome::Failed, before_the_steps(&error));
        }
        self.last = match self.last {
            (last, before) if last == sent.id_run => (last, before + 1),
            _ => (sent.id_run, 0),
        };
        // What an earlier attempt has written stays until that is committed.
        let first_file = self.last.1 * FILES;
        let request = Order::Run(Box::new(Request {
            experiment: self.host.path.clone(),
            id_experiment: self.context.id_experiment,
            id_run: sent.id_run,
            root_seed: self.context.root_seed,
            inputs: *sent.inputs.as_bytes(),
            values: sent.values,
            shared: keys.to_vec(),
            side: sent.chunks.map(Side::of),
            stores: sent.stores.map(Stores::of),
            first_file,
            portions: sent.portions,
            kept: sent.kept,
            monitor: (self.context.sampler.as_ref()).map(|sampler| sampler.settings().clone()),
        }));
        let mut underway = Underway::default();
        match self.attend(&request, &mut underway) {
            Ok(done) => self.done(done, underway),
            Err(Broken {
                outcome,
                message,
                usage,
            }) => {
                self.process = None;
                let step = self.context.steps.get(underway.step);
                let exception = Exception {
                    step: step.map(|step| step.name.to_owned()),
                    message,
                    ..Exception::default()
                };
                if let Some(key) = underway.computing.last().and_then(|place| keys.get(*place)) {
                    self.broken.push((*key, (outcome, exception.clone())));
                }
                let mut failed = underway.failed(outcome, exception);
                let mut files = Vec::new();
                if let Some(chunks) = sent.chunks {
                    files = sequence::files_of(chunks.path(), sent.id_run, first_file);
                }
                for sequence in sequence::recover_files(&files, sent.id_run).sequences {
                    // What was encoded can be decoded.
                    if let Ok(rows) = datapak::decode(&sequence.datapak) {
                        failed.left.set(sequence.name, rows);
                    }
                }
                Ran {
                    artifacts: underway.artifacts,
                    usage,
                    files,
                    ..failed.into()
                }
            }
        }
    }

    /// Waits for the end of the run. An error is the end of the child, too.
    fn attend(&mut self, order: &Order, run: &mut Underway) -> Result<Done, Broken> {
        let Some(process) = &mut self.process else {
            return Err(Broken {
                outcome: Outcome::Interrupted,
                message: "there is no process".to_owned(),
                usage: None,
            });
        };
        process.forget_stderr();
        let mut gauge = Gauge::begin(self.host.limits, process.id());
        if process.send(order).is_err() {
            return Err(died(process, &gauge));
        }
        let (mut told, mut dead) = (false, false);
        loop {
            let event = process.next();
            let silent = matches!(event, Ok(None));
            match event {
                Ok(Some(Event::Done(done))) => return Ok(*done),
                Ok(Some(Event::Progress(fraction))) => self.context.progress.set(fraction),
                Ok(Some(event)) => {
                    let was_computing = !run.computing.is_empty();
                    run.note(event);
                    match (was_computing, !run.computing.is_empty()) {
                        (false, true) => gauge.pause(),
                        (true, false) => gauge.resume(),
                        _ => {}
                    }
                }
                Ok(None) => {}
                Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                    let message = "killed, since what it said is no answer".to_owned();
                    return Err(stopped(process, &gauge, (Outcome::Killed, message)));
                }
                Err(_) => return Err(died(process, &gauge)),
            }
            if !gauge.is_due() {
                continue;
            }
            if let Some(excess) = gauge.excess() {
                flush(process, run);
                return Err(stopped(process, &gauge, excess));
            }
            // Something that it started may hold its end of the stream, and nothing ends it then.
            if silent && dead {
                return Err(died(process, &gauge));
            }
            dead = process.is_dead();
            if !told && self.context.stop.is_asked() {
                told = true;
                // If it is dead, that is seen above.
                let _ = process.send(&Order::Cancel);
            }
        }
    }

    fn done(&self, done: Done, mut underway: Underway) -> Ran<S> {
        let artifacts = std::mem::take(&mut underway.artifacts);
        let ended = done.ended.and_then(|completed| {
            let Completed {
                mut cells,
                extra,
                state,
            } = completed;
            let mut failed = |error: &dyn std::error::Error| {
                underway.failed(Outcome::Failed, before_the_steps(error))
            };
            self.context
                .registry
                .register(&extra)
                .map_err(|error| failed(&error))?;
            let state =
                (state.map(self.host.crossing.0).transpose()).map_err(|error| failed(&error))?;
            for (place, cell) in underway.reached {
                if let Some(empty) = cells.get_mut(place) {
                    *empty = cell;
                }
            }
            Ok(attempt::Completed {
                cells,
                extra,
                state,
            })
        });
        Ran {
            ended,
            artifacts,
            usage: done.usage,
            files: done.files.into_iter().map(PathBuf::from).collect(),
        }
    }
}

/// Lets a process that is to be killed write the rows of its sequences.
fn flush(process: &mut Process, run: &mut Underway) {
    let start = Instant::now();
    if process.send(&Order::Flush).is_err() {
        return;
    }
    while start.elapsed() < GRACE {
        match process.next() {
            Ok(Some(Event::Flushed | Event::Done(_))) | Err(_) => return,
            Ok(Some(event)) => run.note(event),
            Ok(None) => {}
        }
    }
}
