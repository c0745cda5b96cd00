//! What the processes say to each other.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use uuid::Uuid;

use super::wire::{Damaged, Wire};
use crate::attempt::Failed;
use crate::declare::Portion;
use crate::exception::{Exception, Outcome};
use crate::monitor::Monitor;
use crate::sequence::ChunkDir;
use crate::shared::SharedKey;
use crate::store::Column;
use crate::stored::StoreWriter;
use crate::usage::Usage;
use crate::value::origin::Holder;
use crate::value::{Cell, Value};

/// What the parent says.
#[derive(Debug, PartialEq)]
pub(super) enum Order {
    /// Run the steps at a point.
    Run(Box<Request>),
    /// `run.cancelled()` is true from now on.
    Cancel,
    /// Write the rows of sequences that wait: the process is about to be killed.
    Flush,
    /// There are no more runs.
    Quit,
}

/// A path as it is sent, which need not be a text.
fn bytes(path: &Path) -> Vec<u8> {
    path.as_os_str().as_bytes().to_vec()
}

fn path(bytes: Vec<u8>) -> PathBuf {
    PathBuf::from(OsString::from_vec(bytes))
}

/// A directory for chunks of sequences.
#[derive(Debug, PartialEq)]
pub(super) struct Side {
    path: Vec<u8>,
    synced: bool,
}

impl Side {
    pub(super) fn of(chunks: &ChunkDir) -> Self {
        Self {
            path: bytes(chunks.path()),
            synced: chunks.is_synced(),
        }
    }

    pub(super) fn into_dir(self) -> ChunkDir {
        ChunkDir::new(path(self.path)).synced(self.synced)
    }
}

impl Wire for Side {
    fn put(&self, out: &mut Vec<u8>) {
        self.path.put(out);
        self.synced.put(out);
    }

    fn parse(from: &mut &[u8]) -> Result<Self, Damaged> {
        Ok(Self {
            path: Vec::parse(from)?,
            synced: bool::parse(from)?,
        })
    }
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
    pub(super) side: Option<Side>,
    /// Where what has a file of its own goes.
    pub(super) stores: Option<Stores>,
    /// The number of the first of their files.
    pub(super) first_file: u64,
    /// The parts of the body that are run; none for all of it.
    pub(super) portions: Vec<Portion>,
    /// What they are given of the run that is there.
    pub(super) kept: Vec<(usize, Cell)>,
    /// What of the machine is recorded with the run.
    pub(super) monitor: Option<Monitor>,
}

/// Where the files go to which values refer: directories, byte by byte.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stores {
    directory: Vec<u8>,
    beside: Vec<u8>,
    /// The name of the experiment in its file.
    experiment: String,
}

impl Stores {
    pub(super) fn of(writer: &StoreWriter) -> Self {
        Self {
            directory: bytes(writer.directory()),
            beside: bytes(writer.beside()),
            experiment: writer.holder().experiment.clone(),
        }
    }

    pub(super) fn into_writer(self, of: Uuid) -> StoreWriter {
        let holder = Holder {
            directory: path(self.directory),
            experiment: self.experiment,
        };
        StoreWriter::new(Arc::new(holder), path(self.beside), of)
    }
}

/// What the child says.
#[derive(Debug, PartialEq)]
pub(super) enum Event {
    /// The child is ready for its first run.
    Hello,
    /// A step begins.
    Step(usize),
    /// The cell of a declared field is there, by the place of its column.
    Reached(usize, Cell),
    /// A field was inserted, or inserted again.
    Inserted(Column, Cell),
    /// An artifact was kept, or kept again.
    Artifact(String, Vec<u8>),
    /// A shared value is being computed.
    Computing(usize),
    /// It is there, or failed.
    Computed(usize),
    /// How far the run is.
    Progress(f64),
    /// The rows that waited are written.
    Flushed,
    /// The run is over.
    Done(Box<Done>),
}

/// How a run went whose process lives.
#[derive(Debug, PartialEq)]
pub(super) struct Done {
    pub(super) ended: Result<Completed, Box<Failed>>,
    pub(super) usage: Option<Usage>,
    /// The files that are not needed any more once the run is committed.
    pub(super) files: Vec<String>,
}

#[derive(Debug, PartialEq)]
pub(super) struct Completed {
    /// Empty where they were told before.
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
            Self::Flush => out.push(3),
        }
    }

    fn parse(from: &mut &[u8]) -> Result<Self, Damaged> {
        Ok(match u8::parse(from)? {
            0 => Self::Run(Box::new(Request::parse(from)?)),
            1 => Self::Cancel,
            2 => Self::Quit,
            3 => Self::Flush,
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
        self.stores.put(out);
        self.first_file.put(out);
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
            stores: Option::parse(from)?,
            first_file: u64::parse(from)?,
            portions: Vec::parse(from)?,
            kept: Vec::parse(from)?,
            monitor: Option::parse(from)?,
        })
    }
}

impl Wire for Stores {
    fn put(&self, out: &mut Vec<u8>) {
        self.directory.put(out);
        self.beside.put(out);
        self.experiment.put(out);
    }

    fn parse(from: &mut &[u8]) -> Result<Self, Damaged> {
        Ok(Self {
            directory: Vec::parse(from)?,
            beside: Vec::parse(from)?,
            experiment: String::parse(from)?,
        })
    }
}

impl Wire for Event {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Hello => out.push(0),
            Self::Step(step) => {
                out.push(1);
                step.put(out);
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
            Self::Reached(place, cell) => {
                out.push(6);
                place.put(out);
                cell.put(out);
            }
            Self::Inserted(column, cell) => {
                out.push(7);
                column.put(out);
                cell.put(out);
            }
            Self::Artifact(name, content) => {
                out.push(8);
                name.put(out);
                content.put(out);
            }
            Self::Flushed => out.push(9),
        }
    }

    fn parse(from: &mut &[u8]) -> Result<Self, Damaged> {
        Ok(match u8::parse(from)? {
            0 => Self::Hello,
            1 => Self::Step(usize::parse(from)?),
            2 => Self::Computing(usize::parse(from)?),
            3 => Self::Computed(usize::parse(from)?),
            4 => Self::Progress(f64::parse(from)?),
            5 => Self::Done(Box::new(Done::parse(from)?)),
            6 => Self::Reached(usize::parse(from)?, Cell::parse(from)?),
            7 => Self::Inserted(Column::parse(from)?, Cell::parse(from)?),
            8 => Self::Artifact(String::parse(from)?, Vec::parse(from)?),
            9 => Self::Flushed,
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
            usage: Option::parse(from)?,
            files: Vec::parse(from)?,
        })
    }
}
