//! What the processes say to each other.

use uuid::Uuid;

use super::wire::{Damaged, Wire};
use crate::attempt::Failed;
use crate::declare::Portion;
use crate::exception::{Exception, Outcome};
use crate::monitor::Monitor;
use crate::shared::SharedKey;
use crate::store::Column;
use crate::usage::Usage;
use crate::value::{Cell, Value};

/// What the parent says.
#[derive(Debug, PartialEq)]
pub(super) enum Order {
    /// Run the steps at a point.
    Run(Box<Request>),
    /// `run.cancelled()` is true from now on.
    Cancel,
    /// There are no more runs.
    Quit,
}

/// A point, and what a run needs besides.
#[derive(Debug, PartialEq)]
pub(super) struct Request {
    /// The module and the name of the experiment.
    pub(super) experiment: String,
    pub(super) id_experiment: Uuid,
    pub(super) id_run: Uuid,
    pub(super) root_seed: u64,
    /// The hash of the inputs.
    pub(super) inputs: [u8; 32],
    /// Config and params.
    pub(super) values: Vec<Value>,
    pub(super) shared: Vec<SharedKey>,
    /// Where the chunks of the run's sequences go.
    pub(super) side: Option<String>,
    /// The parts of the body that are run; none for all of it.
    pub(super) portions: Vec<Portion>,
    /// What they are given of the run that is there.
    pub(super) kept: Vec<(usize, Cell)>,
    /// What of the machine is recorded with the run.
    pub(super) monitor: Option<Monitor>,
}

/// What the child says.
#[derive(Debug, PartialEq)]
pub(super) enum Event {
    /// The child is ready for its first run.
    Hello,
    /// A step begins; these cells of fields were filled before it, by their columns' places.
    Step(usize, Vec<(usize, Cell)>),
    /// A shared value is being computed.
    Computing(usize),
    /// It is there, or failed.
    Computed(usize),
    /// How far the run is.
    Progress(f64),
    /// The run is over.
    Done(Box<Done>),
}

/// How a run went whose process lives.
#[derive(Debug, PartialEq)]
pub(super) struct Done {
    pub(super) ended: Result<Completed, Box<Failed>>,
    pub(super) artifacts: Vec<(String, Vec<u8>)>,
    pub(super) usage: Option<Usage>,
    /// The files that are not needed any more once the run is committed.
    pub(super) files: Vec<String>,
}

#[derive(Debug, PartialEq)]
pub(super) struct Completed {
    pub(super) cells: Vec<Cell>,
    pub(super) extra: Vec<(Column, Cell)>,
    pub(super) state: Option<Value>,
}

impl Wire for Order {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Run(request) => {
                out.push(0);
                request.put(out);
            }
            Self::Cancel => out.push(1),
            Self::Quit => out.push(2),
        }
    }

    fn parse(from: &mut &[u8]) -> Result<Self, Damaged> {
        Ok(match u8::parse(from)? {
            0 => Self::Run(Box::new(Request::parse(from)?)),
            1 => Self::Cancel,
            2 => Self::Quit,
            _ => return Err(Damaged),
        })
    }
}

impl Wire for Request {
    fn put(&self, out: &mut Vec<u8>) {
        self.experiment.put(out);
        self.id_experiment.put(out);
        self.id_run.put(out);
        self.root_seed.put(out);
        self.inputs.put(out);
        self.values.put(out);
        self.shared.put(out);
        self.side.put(out);
        self.portions.put(out);
        self.kept.put(out);
        self.monitor.put(out);
    }

    fn parse(from: &mut &[u8]) -> Result<Self, Damaged> {
        Ok(Self {
            experiment: String::parse(from)?,
            id_experiment: Uuid::parse(from)?,
            id_run: Uuid::parse(from)?,
            root_seed: u64::parse(from)?,
            inputs: <[u8; 32]>::parse(from)?,
            values: Vec::parse(from)?,
            shared: Vec::parse(from)?,
            side: Option::parse(from)?,
            portions: Vec::parse(from)?,
            kept: Vec::parse(from)?,
            monitor: Option::parse(from)?,
        })
    }
}

impl Wire for Event {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Hello => out.push(0),
            Self::Step(step, reached) => {
                out.push(1);
                step.put(out);
                reached.put(out);
            }
            Self::Computing(place) => {
                out.push(2);
                place.put(out);
            }
            Self::Computed(place) => {
                out.push(3);
                place.put(out);
            }
            Self::Progress(fraction) => {
                out.push(4);
                fraction.put(out);
            }
            Self::Done(done) => {
                out.push(5);
                done.put(out);
            }
        }
    }

    fn parse(from: &mut &[u8]) -> Result<Self, Damaged> {
        Ok(match u8::parse(from)? {
            0 => Self::Hello,
            1 => Self::Step(usize::parse(from)?, Vec::parse(from)?),
            2 => Self::Computing(usize::parse(from)?),
            3 => Self::Computed(usize::parse(from)?),
            4 => Self::Progress(f64::parse(from)?),
            5 => Self::Done(Box::new(Done::parse(from)?)),
            _ => return Err(Damaged),
        })
    }
}

impl Wire for Done {
    fn put(&self, out: &mut Vec<u8>) {
        match &self.ended {
            Ok(completed) => {
                out.push(0);
                completed.cells.put(out);
                completed.extra.put(out);
                completed.state.put(out);
            }
            Err(failed) => {
                out.push(1);
                failed.outcome.put(out);
                failed.exception.put(out);
                failed.reached.put(out);
                failed.left.clone().into_members().put(out);
            }
        }
        self.artifacts.put(out);
        self.usage.put(out);
        self.files.put(out);
    }

    fn parse(from: &mut &[u8]) -> Result<Self, Damaged> {
        Ok(Self {
            ended: match u8::parse(from)? {
                0 => Ok(Completed {
                    cells: Vec::parse(from)?,
                    extra: Vec::parse(from)?,
                    state: Option::parse(from)?,
                }),
                1 => Err(Box::new(Failed {
                    outcome: Outcome::parse(from)?,
                    exception: Exception::parse(from)?,
                    reached: Vec::parse(from)?,
                    left: Vec::<(String, Value)>::parse(from)?.into_iter().collect(),
                })),
                _ => return Err(Damaged),
            },
            artifacts: Vec::parse(from)?,
            usage: Option::parse(from)?,
            files: Vec::parse(from)?,
        })
    }
}
