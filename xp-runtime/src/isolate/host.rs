//! What a worker has of its child: starts it, gives it a run, and waits for what comes of it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use uuid::Uuid;

use super::death::{Broken, died, stopped};
use super::limits::Gauge;
use super::message::{Completed, Done, Event, Order, Request};
use super::process::{NoChild, Process};
use super::{Crossing, IsolationError, Limits, hook};
use crate::attempt::{self, Failed, Ran, before_the_steps};
use crate::bunch::Bunch;
use crate::datapak;
use crate::declare::{Declared, Portion};
use crate::exception::{Exception, Outcome};
use crate::identity::InputsHash;
use crate::run::Context;
use crate::sequence;
use crate::shared::SharedKey;
use crate::value::{Cell, Value};

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
}

/// What is sent of a point.
pub(crate) struct Sent<'a> {
    pub(crate) id_run: Uuid,
    pub(crate) inputs: InputsHash,
    pub(crate) values: Vec<Value>,
    pub(crate) keys: &'a [SharedKey],
    /// Where the chunks of its sequences go.
    pub(crate) side: Option<String>,
    /// The parts of the body that are run; none for all of it.
    pub(crate) portions: Vec<Portion>,
    /// What they are given of the run that is there.
    pub(crate) kept: Vec<(usize, Cell)>,
}

/// What is known of a run that has not ended.
#[derive(Default)]
struct Underway {
    step: usize,
    computing: Vec<usize>,
    reached: Vec<(usize, Cell)>,
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
        let request = Order::Run(Box::new(Request {
            experiment: self.host.path.clone(),
            id_experiment: self.context.id_experiment,
            id_run: sent.id_run,
            root_seed: self.context.root_seed,
            inputs: *sent.inputs.as_bytes(),
            values: sent.values,
            shared: keys.to_vec(),
            side: sent.side.clone(),
            portions: sent.portions,
            kept: sent.kept,
            monitor: (self.context.sampler.as_ref()).map(|sampler| sampler.settings().clone()),
        }));
        let mut underway = Underway::default();
        match self.attend(&request, &mut underway) {
            Ok(done) => self.done(done),
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
                let mut failed = Failed::new(outcome, exception);
                failed.reached = underway.reached;
                let (left, files) = recovered(sent.side.as_deref(), sent.id_run);
                failed.left = left;
                Ran {
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
                Ok(Some(Event::Step(step, reached))) => {
                    run.step = step;
                    run.reached.extend(reached);
                }
                Ok(Some(Event::Computing(place))) => {
                    if run.computing.is_empty() {
                        gauge.pause();
                    }
                    run.computing.push(place);
                }
                Ok(Some(Event::Computed(_))) => {
                    run.computing.pop();
                    if run.computing.is_empty() {
                        gauge.resume();
                    }
                }
                Ok(Some(Event::Progress(fraction))) => self.context.progress.set(fraction),
                Ok(None | Some(Event::Hello)) => {}
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

    fn done(&self, done: Done) -> Ran<S> {
        let ended = done.ended.and_then(|completed| {
            let Completed {
                cells,
                extra,
                state,
            } = completed;
            let failed = |error: &dyn std::error::Error| {
                Failed::new(Outcome::Failed, before_the_steps(error))
            };
            self.context
                .registry
                .register(&extra)
                .map_err(|error| failed(&error))?;
            let state =
                (state.map(self.host.crossing.0).transpose()).map_err(|error| failed(&error))?;
            Ok(attempt::Completed {
                cells,
                extra,
                state,
            })
        });
        Ran {
            ended,
            artifacts: done.artifacts,
            usage: done.usage,
            files: done.files.into_iter().map(PathBuf::from).collect(),
        }
    }
}

/// The sequences of a run whose process died, and the files that they are in.
fn recovered(side: Option<&str>, id_run: Uuid) -> (Bunch, Vec<PathBuf>) {
    let Some(side) = side.map(Path::new) else {
        return (Bunch::new(), Vec::new());
    };
    let left = sequence::recover_run(side, id_run).sequences.into_iter();
    let left =
        left.filter_map(|sequence| Some((sequence.name, datapak::decode(&sequence.datapak).ok()?)));
    (left.collect(), sequence::files_of(side, id_run))
}
