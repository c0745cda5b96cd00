//! The child's side: serves runs until its parent has no more, or is dead.

use std::any::Any;
use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::link::{Link, NO_LINK};
use super::message::{Completed, Done, Event, Order, Request, Side, Stores};
use super::{CrossingState, Experiments};
use crate::attempt::{Attempt, Failed, PlanTask, before_the_steps};
use crate::declare::{Declared, Point};
use crate::exception::{Exception, Outcome};
use crate::identity::InputsHash;
use crate::monitor::{Monitor, Sampler};
use crate::panic;
use crate::row::Layout;
use crate::run::{Context, FieldRegistry, Run};
use crate::scope::Watch;
use crate::shared::{SharedKey, SharedValues};
use crate::usage::{Meter, Of};
use crate::value::{Cell, Value, to_value};

/// Serves runs until there are no more.
pub(super) fn serve<E: Experiments>() -> ! {
    let Ok((link, stream)) = Link::take() else {
        std::process::exit(NO_LINK);
    };
    let link = Arc::new(link);
    let other = Arc::clone(&link);
    let looks = std::thread::Builder::new().name("xp parent".to_owned());
    if looks.spawn(move || other.look_after(&stream)).is_err() {
        std::process::exit(NO_LINK);
    }
    link.tell(&Event::Hello);
    let mut kept = Kept {
        meter: Meter::new(Of::Process),
        values: SharedValues::default(),
        keys: Vec::new(),
        of: None,
    };
    loop {
        match link.next() {
            Order::Cancel | Order::Flush => {}
            Order::Quit => {
                drop(kept);
                std::process::exit(0);
            }
            Order::Run(request) => {
                let experiment = request.experiment.clone();
                let mut serve = Serve {
                    link: &link,
                    kept: &mut kept,
                    request: Some(request),
                };
                if !E::serve(&experiment, &mut serve) {
                    let message = format!("`{experiment}` is not among those of `child_main`");
                    serve.refuse(message);
                }
            }
        }
    }
}

/// What is kept from run to run.
struct Kept {
    meter: Meter,
    /// The shared values of the last run, for the next one that needs the same.
    values: SharedValues,
    keys: Vec<SharedKey>,
    /// A [`Ready`] for the experiment.
    of: Option<Box<dyn Any>>,
}

impl Kept {
    /// Drops the shared values that the next run does not need.
    fn turn_to(&mut self, keys: &[SharedKey]) {
        let old: Vec<_> = self.keys.iter().filter(|key| !keys.contains(key)).collect();
        if !old.is_empty() {
            let old: Vec<_> = old.into_iter().copied().collect();
            // The drop of a value is the user's code, and its panic no run's.
            let _ = panic::catch(|| self.values.release(&old));
        }
        for key in keys.iter().filter(|key| !self.keys.contains(key)) {
            self.values.expect(*key);
        }
        keys.clone_into(&mut self.keys);
    }
}

/// What all runs of an experiment have in common.
struct Ready<X: Declared> {
    task: PlanTask<X>,
    layout: Layout,
    context: Arc<Context>,
}

/// One run that is to be served.
#[doc(hidden)]
pub struct Serve<'a, 'b> {
    link: &'a Arc<Link>,
    kept: &'b mut Kept,
    request: Option<Box<Request>>,
}

impl std::fmt::Debug for Serve<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Serve").finish_non_exhaustive()
    }
}

impl Serve<'_, '_> {
    fn refuse(&self, message: String) {
        let exception = Exception {
            message,
            ..Exception::default()
        };
        self.link.tell(&Event::Done(Box::new(Done {
            ended: Err(Failed::new(Outcome::Failed, exception)),
            usage: None,
            files: Vec::new(),
        })));
    }

    pub(super) fn run<X: Declared<State: CrossingState>>(&mut self) {
        let Some(request) = self.request.take() else {
            return;
        };
        let Request {
            id_experiment,
            id_run,
            root_seed,
            inputs,
            values,
            shared,
            side,
            stores,
            portions,
            kept,
            monitor,
            first_file,
            ..
        } = *request;
        let link = self.link;
        self.kept.turn_to(&shared);
        let ready = ready::<X>(
            &mut self.kept.of,
            link,
            id_experiment,
            root_seed,
            (side, stores),
            monitor,
        );
        if let Some(chunks) = &ready.context.chunks {
            chunks.number_from(first_file);
        }
        link.progress.reset();
        let told = Told {
            link,
            reached: RefCell::default(),
            computing: RefCell::default(),
        };
        let start = Instant::now();
        self.kept.meter.start(start);
        let mut run = Run::live(&ready.context, id_run, InputsHash::from_bytes(inputs));
        let attempt = Attempt {
            task: &ready.task,
            layout: &ready.layout,
            values: &self.kept.values,
            keys: &shared,
            watch: &told,
            portions: &portions,
            kept: &kept,
        };
        let ended = received::<X>(values).and_then(|point| attempt.run(&point, &mut run));
        let usage = self.kept.meter.end(Instant::now(), start.elapsed());
        let ended = ended.and_then(|mut completed| {
            for place in told.reached.take() {
                completed.cells[place] = Cell::Null;
            }
            Ok(Completed {
                cells: completed.cells,
                extra: completed.extra,
                state: completed.state.map(crossing).transpose()?,
            })
        });
        let is_told = ready.context.told.swap(false, Ordering::Relaxed);
        let ended = ended.map_err(|mut failed| {
            if is_told && matches!(failed.outcome, Outcome::Failed | Outcome::Panicked) {
                failed.outcome = Outcome::Cancelled;
            }
            failed
        });
        link.tell(&Event::Done(Box::new(Done {
            ended,
            usage,
            files: (run.take_chunk_files().into_iter())
                .map(|file| file.to_string_lossy().into_owned())
                .collect(),
        })));
    }
}

fn ready<'a, X: Declared>(
    of: &'a mut Option<Box<dyn Any>>,
    link: &Arc<Link>,
    id_experiment: uuid::Uuid,
    root_seed: u64,
    (side, stores): (Option<Side>, Option<Stores>),
    monitor: Option<Monitor>,
) -> &'a Ready<X> {
    let is = |ready: &Ready<X>| {
        let sampler = ready.context.sampler.as_ref();
        ready.context.id_experiment == id_experiment
            && ready.context.root_seed == root_seed
            && sampler.map(|sampler| sampler.settings()) == monitor.as_ref()
    };
    if of
        .as_ref()
        .and_then(|of| of.downcast_ref())
        .is_none_or(|ready| !is(ready))
    {
        *of = None;
    }
    let make = || -> Box<dyn Any> {
        let chunks = side.map(|side| Arc::new(side.into_dir()));
        link.flushes(chunks.clone());
        let mut layout = Layout::default();
        X::layout(&mut layout);
        let context = Context {
            id_experiment,
            root_seed,
            steps: X::declaration().steps,
            registry: Arc::new(FieldRegistry::new(layout.columns(), &[])),
            stop: Arc::clone(&link.stop),
            told: AtomicBool::new(false),
            progress: Arc::clone(&link.progress),
            sampler: monitor.map(|monitor| Arc::new(Sampler::new(monitor))),
            chunks,
            stores: stores.map(|stores| Arc::new(stores.into_writer(id_experiment))),
            keeper: Some(Arc::<Link>::clone(link)),
        };
        Box::new(Ready::<X> {
            task: PlanTask::new(Vec::new(), root_seed),
            layout,
            context: Arc::new(context),
        })
    };
    match of.get_or_insert_with(make).downcast_ref() {
        Some(ready) => ready,
        // It is of this type: another one was dropped above.
        None => unreachable!(),
    }
}

fn received<X: Declared>(values: Vec<Value>) -> Result<Point<X>, Box<Failed>> {
    let (config, params) = panic::catch(|| X::receive(values))
        .map_err(|exception| Failed::new(Outcome::Panicked, exception))?
        .map_err(|error| Failed::new(Outcome::Failed, before_the_steps(&error)))?;
    Ok(Point {
        config: Arc::new(config),
        params,
    })
}

fn crossing<S: CrossingState>(state: S) -> Result<Value, Box<Failed>> {
    panic::catch(|| to_value(&state))
        .map_err(|exception| Failed::new(Outcome::Panicked, exception))?
        .map_err(|error| Failed::new(Outcome::Failed, before_the_steps(&error)))
}

/// Tells the parent what the run comes to.
struct Told<'a> {
    link: &'a Link,
    /// The columns whose cells were told.
    reached: RefCell<Vec<usize>>,
    /// The shared values that are being computed; one may need another.
    computing: RefCell<Vec<usize>>,
}

impl Watch for Told<'_> {
    fn entered(&self, step: usize) {
        // The parent knows that a run begins with its first step.
        if step > 0 {
            self.link.tell(&Event::Step(step));
        }
    }

    fn computing(&self, place: usize) {
        self.computing.borrow_mut().push(place);
        self.link.tell(&Event::Computing(place));
    }

    fn ready(&self, place: usize) {
        let is_computed = self.computing.borrow_mut().pop_if(|top| *top == place);
        if is_computed.is_some() {
            self.link.tell(&Event::Computed(place));
        }
    }

    fn reached(&self, column: usize, cell: &Cell) {
        self.link.tell(&Event::Reached(column, cell.clone()));
        self.reached.borrow_mut().push(column);
    }
}
