//! An archive with a file of its own.

use std::fmt;
use std::sync::OnceLock;

use serde::de::{EnumAccess, VariantAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};

use super::data_store::is_of;
use super::error::{DataStoreCause, DataStoreError};
use super::read;
use super::writer;
use crate::value::{Archive, StoreUrl, Value, marks};

/// Files in a TAR archive, which stands in a file of its own beside the database: MLtraq's
/// `ArchiveStore`.
///
/// As the type of a field it is to [`Archive`] what [`DataStore<T>`](crate::DataStore) is to `T`: written
/// when the field is recorded, read when [`load`](Self::load) is called.
///
/// ```
/// use xp::prelude::*;
/// use xp::value::Archive;
/// use xp::ArchiveStore;
///
/// #[step]
/// fn render(n: u32) -> Result<ArchiveStore, xp::value::ArchiveError> {
///     let plot = format!("<svg><!-- {n} --></svg>");
///     let files = [("plot.svg", plot), ("notes/read.me", "..".to_owned())];
///     Ok(Archive::from_entries(files)?.into())
/// }
///
/// #[experiment]
/// fn plots(#[param] n: u32) {
///     #[field]
///     let files: ArchiveStore = render(n)?;
/// }
///
/// # let folder = tempfile::tempdir()?;
/// let session = Session::open(folder.path().join("plots.db"))?;
/// session.execute(plots().n([7]))?;
/// for run in session.load_as::<Plots>("plots")?.runs() {
///     let files = run?.fields.files;
///     let entries = files.load()?.entries()?;
///     assert_eq!(entries[0].path, "plot.svg");
///     assert_eq!(entries[0].content, b"<svg><!-- 7 --></svg>");
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// When MLtraq loads the experiment, it unpacks the archives into `mltraq.archivestore/<id of the
/// experiment>` below the working directory, those of all runs into one.
#[derive(Clone)]
pub struct ArchiveStore {
    archive: OnceLock<Archive>,
    url: Option<StoreUrl>,
}

impl ArchiveStore {
    /// The archive, which is written when the field is recorded.
    pub fn new(archive: Archive) -> Self {
        Self {
            archive: archive.into(),
            url: None,
        }
    }

    /// Where the archive stands, if it was read from a database and is in a file.
    pub fn url(&self) -> Option<&StoreUrl> {
        self.url.as_ref()
    }

    /// The archive. The first call reads the file, and verifies it.
    ///
    /// # Errors
    ///
    /// As for [`DataStore::load`](crate::DataStore::load).
    pub fn load(&self) -> Result<&Archive, DataStoreError> {
        if let (None, Some(url)) = (self.archive.get(), &self.url) {
            let archive = url.read_archive()?;
            return Ok(self.archive.get_or_init(|| archive));
        }
        // Without a URL it was made of its archive.
        let nothing = || read::failure(&StoreUrl::new(""), DataStoreCause::NoDatabase);
        self.archive.get().ok_or_else(nothing)
    }

    /// The archive, read if it is not in memory.
    ///
    /// # Errors
    ///
    /// As for [`DataStore::load`](crate::DataStore::load).
    pub fn into_inner(self) -> Result<Archive, DataStoreError> {
        self.load().cloned()
    }
}

impl From<Archive> for ArchiveStore {
    fn from(archive: Archive) -> Self {
        Self::new(archive)
    }
}

/// Whether the archives are the same bytes. Those that cannot be read are unequal to all others.
impl PartialEq for ArchiveStore {
    fn eq(&self, other: &Self) -> bool {
        matches!((self.load(), other.load()), (Ok(one), Ok(other)) if one == other)
    }
}

impl fmt::Debug for ArchiveStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.archive.get(), &self.url) {
            (Some(archive), _) => f.debug_tuple("ArchiveStore").field(archive).finish(),
            (None, url) => {
                let url = url.as_ref().map_or("", StoreUrl::as_str);
                write!(f, "ArchiveStore({url})")
            }
        }
    }
}

/// In a field of an experiment with a file, a reference; otherwise the archive itself.
impl Serialize for ArchiveStore {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some(writer) = writer::current() else {
            let archive = self.load().map_err(ser::Error::custom)?;
            return archive.serialize(serializer);
        };
        let url = match &self.url {
            Some(url) if is_of(url, &writer) => {
                writer.join().map_err(ser::Error::custom)?;
                url.clone()
            }
            _ => {
                let archive = self.load().map_err(ser::Error::custom)?;
                let written = writer.write(archive.as_tar(), false);
                written.map_err(ser::Error::custom)?
            }
        };
        serializer.serialize_newtype_struct(marks::ARCHIVE_STORE, url.as_str())
    }
}

impl<'de> Deserialize<'de> for ArchiveStore {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(marks::ARCHIVE_STORE, StoreVisitor)
    }
}

struct StoreVisitor;

impl<'de> Visitor<'de> for StoreVisitor {
    type Value = ArchiveStore;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an archive store")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<ArchiveStore, D::Error> {
        Archive::deserialize(deserializer).map(ArchiveStore::new)
    }

    /// Of a value that serde has no form for, its mark and what it marks.
    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<ArchiveStore, A::Error> {
        let (name, variant) = access.variant::<String>()?;
        match marks::marked(&name, variant.newtype_variant()?) {
            Value::ArchiveStore(url) => Ok(ArchiveStore {
                archive: OnceLock::new(),
                url: Some(url),
            }),
            Value::Archive(archive) => Ok(ArchiveStore::new(archive)),
            _ => Err(de::Error::custom("expected an archive store")),
        }
    }
}
