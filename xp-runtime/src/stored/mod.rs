//! Values in files of their own beside the database, in MLtraq's layout.
//!
//! The file of a value is `mltraq.datastore/<experiment>/<name>` in the directory of the database, and
//! the cell holds `file:///<experiment>/<name>`, the experiment being its id with dashes. Of what xp
//! writes, the name is made of a digest of the content ([`FileName`]): one content is written once for
//! an experiment, and what is read is verified. MLtraq's names are random.
//!
//! A file is whole and on the disk before the row is committed that names it ([`StoreWriter`]). What
//! is there of runs that were never committed is found by a file that says that the experiment's
//! directory is in use ([`InUse`]), and removed once it is not.

mod archive_store;
mod data_store;
mod error;
mod in_use;
mod large;
mod name;
mod read;
mod writer;

pub use archive_store::ArchiveStore;
pub use data_store::DataStore;
pub use error::{DataStoreCause, DataStoreError};
pub(crate) use in_use::{Alone, left_behind};
pub(crate) use name::{FileName, redirect, references};
pub(crate) use read::{path, read as read_file};
pub(crate) use writer::{StoreWriter, is_shared, writing};

/// The directory beside the database, as MLtraq calls it.
pub(crate) const DIRECTORY: &str = "mltraq.datastore";

/// Files are no larger: 4 GiB. A value is read as a whole, and a file that others made may claim any
/// size.
pub(crate) const LARGEST: u64 = 4 << 30;
