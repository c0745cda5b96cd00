//! Archives of files, and references to what stands in files of its own.

use std::fmt;
use std::io::Cursor;
use std::sync::Arc;

/// Files in a TAR archive, as MLtraq's `Archive` holds them in a value.
///
/// The archive is kept as it is stored. Nothing is ever unpacked to disk here. Clones share the bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Archive(Arc<Vec<u8>>);

/// A file in an [`Archive`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ArchiveEntry {
    /// The path, as it is written in the archive: it may be absolute or lead upwards, and is for you to check before it is
    /// used on disk.
    pub path: String,
    /// The bytes.
    pub content: Vec<u8>,
}

/// Bytes that are no TAR archive.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed TAR archive: {problem}")]
pub struct ArchiveError {
    problem: String,
}

impl Archive {
    /// The archive of these bytes, which are read when its entries are asked for.
    pub fn from_tar(tar: Vec<u8>) -> Self {
        Archive(Arc::new(tar))
    }

    /// The TAR archive, as it was read or made.
    pub fn as_tar(&self) -> &[u8] {
        &self.0
    }

    /// The regular files, in order.
    ///
    /// # Errors
    ///
    /// Bytes that are no TAR archive, or end too early.
    pub fn entries(&self) -> Result<Vec<ArchiveEntry>, ArchiveError> {
        let malformed = |problem: &dyn fmt::Display| ArchiveError {
            problem: problem.to_string(),
        };
        let mut tar = tar::Archive::new(Cursor::new(self.as_tar()));
        let mut entries = Vec::new();
        for entry in tar.entries().map_err(|e| malformed(&e))? {
            let entry = entry.map_err(|e| malformed(&e))?;
            if !entry.header().entry_type().is_file() {
                continue;
            }
            let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            // Sparse files, which could claim any size, are no regular files.
            let content = usize::try_from(entry.raw_file_position())
                .ok()
                .and_then(|start| self.0.get(start..))
                .and_then(|rest| rest.get(..usize::try_from(entry.size()).ok()?))
                .ok_or_else(|| malformed(&"it ends in a file"))?
                .to_vec();
            entries.push(ArchiveEntry { path, content });
        }
        Ok(entries)
    }

    pub(crate) fn into_tar(self) -> Vec<u8> {
        Arc::unwrap_or_clone(self.0)
    }
}

impl fmt::Debug for Archive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Archive({} bytes)", self.0.len())
    }
}

/// Where a value stands that has a file of its own, beside the database: `file:///<experiment>/<file>`, as MLtraq writes it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StoreUrl(String);

impl StoreUrl {
    /// The URL of this text, which is kept as it is.
    pub fn new(url: impl Into<String>) -> Self {
        StoreUrl(url.into())
    }

    /// The URL.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
