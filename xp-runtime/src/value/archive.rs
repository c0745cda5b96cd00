//! Archives of files.

use std::fmt;
use std::fs;
use std::io::{self, Cursor};
use std::path::Path;
use std::sync::Arc;

/// Files in a TAR archive, as MLtraq's `Archive` holds them in a value.
///
/// As the type of a field it stands in its row; an [`ArchiveStore`](crate::ArchiveStore) stands in a file of its own. The
/// archive is kept as it is stored, and nothing is ever unpacked to disk here. Clones share the bytes.
///
/// ```
/// use xp::value::Archive;
///
/// let archive = Archive::from_entries([("a.txt", "one"), ("sub/b.txt", "two")])?;
/// let paths: Vec<_> = archive.entries()?.into_iter().map(|entry| entry.path).collect();
/// assert_eq!(paths, ["a.txt", "sub/b.txt"]);
/// # Ok::<(), xp::value::ArchiveError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Archive(Arc<Vec<u8>>);

/// A file in an [`Archive`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ArchiveEntry {
    /// The path: relative, its parts divided by `/`, none of which is `.` or `..`.
    pub path: String,
    /// The bytes.
    pub content: Vec<u8>,
}

/// An archive cannot be read or made.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// Bytes that are no TAR archive.
    #[error("malformed TAR archive: {problem}")]
    Malformed {
        /// What is wrong.
        problem: String,
    },
    /// A path that leads out of the archive.
    #[error("an archive cannot have the path `{path}`: it is absolute, leads upwards, or is empty")]
    Path {
        /// The path, as it is written.
        path: String,
    },
    /// Something that is no regular file, such as a link.
    #[error("`{path}` is no regular file, and an archive has no others")]
    Irregular {
        /// Its path.
        path: String,
    },
    /// A file that cannot be read.
    #[error("`{path}` cannot be read")]
    File {
        /// Its path.
        path: String,
        /// The answer of the file system.
        source: Arc<io::Error>,
    },
}

/// The mode of a file that was made in memory: all may read it.
const MODE: u32 = 0o644;

impl Archive {
    /// The archive of these bytes, which are read when its entries are asked for.
    pub fn from_tar(tar: Vec<u8>) -> Self {
        Archive(Arc::new(tar))
    }

    /// An archive of files that are made here, each with its path and content, in this order.
    ///
    /// # Errors
    ///
    /// A path that is absolute, leads upwards, or is empty.
    pub fn from_entries<P: AsRef<str>, C: AsRef<[u8]>>(
        entries: impl IntoIterator<Item = (P, C)>,
    ) -> Result<Self, ArchiveError> {
        let mut builder = tar::Builder::new(Vec::new());
        for (path, content) in entries {
            append(&mut builder, path.as_ref(), content.as_ref(), MODE, 0)?;
        }
        finish(builder)
    }

    /// An archive of all files in a directory and below it, with their paths relative to it, their modes and times, in the
    /// order of their paths.
    ///
    /// # Errors
    ///
    /// A file that cannot be read; a link, or anything else that is neither a file nor a directory.
    pub fn from_dir(directory: impl AsRef<Path>) -> Result<Self, ArchiveError> {
        let mut builder = tar::Builder::new(Vec::new());
        append_all(&mut builder, directory.as_ref(), "")?;
        finish(builder)
    }

    /// The TAR archive, as it was read or made.
    pub fn as_tar(&self) -> &[u8] {
        &self.0
    }

    /// The regular files, in order. Links, directories and whatever else an archive may have are left out.
    ///
    /// # Errors
    ///
    /// Bytes that are no TAR archive, or end too early; a file whose path is absolute or leads upwards.
    pub fn entries(&self) -> Result<Vec<ArchiveEntry>, ArchiveError> {
        let malformed = |problem: &dyn fmt::Display| ArchiveError::Malformed {
            problem: problem.to_string(),
        };
        let mut tar = tar::Archive::new(Cursor::new(self.as_tar()));
        let mut entries = Vec::new();
        for entry in tar.entries().map_err(|e| malformed(&e))? {
            let entry = entry.map_err(|e| malformed(&e))?;
            if !entry.header().entry_type().is_file() {
                continue;
            }
            let path = normal(&String::from_utf8_lossy(&entry.path_bytes()))?;
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

type Builder = tar::Builder<Vec<u8>>;

/// As MLtraq makes them: GNU format, files of root, modes and times of their own.
fn append(
    builder: &mut Builder,
    path: &str,
    content: &[u8],
    mode: u32,
    modified: u64,
) -> Result<(), ArchiveError> {
    let path = normal(path)?;
    let failed = |error: io::Error| ArchiveError::Malformed {
        problem: error.to_string(),
    };
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Regular);
    header.set_size(content.len() as u64);
    header.set_mode(mode);
    header.set_mtime(modified);
    header.set_uid(0);
    header.set_gid(0);
    header.set_username("root").map_err(failed)?;
    header.set_groupname("root").map_err(failed)?;
    builder
        .append_data(&mut header, path, content)
        .map_err(failed)
}

fn append_all(builder: &mut Builder, directory: &Path, prefix: &str) -> Result<(), ArchiveError> {
    let failed = |path: &Path| {
        let path = path.display().to_string();
        move |source: io::Error| ArchiveError::File {
            path,
            source: Arc::new(source),
        }
    };
    let listed = fs::read_dir(directory).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let mut listed = listed.map_err(failed(directory))?;
    listed.sort_by_key(fs::DirEntry::file_name);
    for entry in listed {
        let path = entry.path();
        let Ok(name) = entry.file_name().into_string() else {
            return Err(ArchiveError::Path {
                path: path.display().to_string(),
            });
        };
        let relative = format!("{prefix}{name}");
        // Of the entry itself, also if it is a link.
        let metadata = entry.metadata().map_err(failed(&path))?;
        if metadata.is_dir() {
            append_all(builder, &path, &format!("{relative}/"))?;
        } else if metadata.is_file() {
            let content = fs::read(&path).map_err(failed(&path))?;
            let since = metadata.modified().map_err(failed(&path))?;
            let since = since.duration_since(std::time::UNIX_EPOCH);
            let modified = since.map_or(0, |since| since.as_secs());
            append(builder, &relative, &content, mode(&metadata), modified)?;
        } else {
            return Err(ArchiveError::Irregular {
                path: path.display().to_string(),
            });
        }
    }
    Ok(())
}

#[cfg(unix)]
fn mode(metadata: &fs::Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o7777
}

#[cfg(not(unix))]
fn mode(_: &fs::Metadata) -> u32 {
    MODE
}

fn finish(builder: Builder) -> Result<Archive, ArchiveError> {
    let tar = builder.into_inner();
    tar.map(Archive::from_tar)
        .map_err(|error| ArchiveError::Malformed {
            problem: error.to_string(),
        })
}

/// The path without needless parts, if it stays below where it begins.
fn normal(path: &str) -> Result<String, ArchiveError> {
    let parts = path.split('/').filter(|part| !matches!(*part, "" | "."));
    let parts: Vec<_> = parts.collect();
    let is_outside = path.starts_with('/') || parts.contains(&"..") || parts.is_empty();
    // On Windows these lead elsewhere, too.
    if is_outside || path.contains(['\\', '\0']) {
        return Err(ArchiveError::Path {
            path: path.to_owned(),
        });
    }
    Ok(parts.join("/"))
}

impl fmt::Debug for Archive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Archive({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_a_directory_keep_their_paths_modes_and_times() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("sub")).unwrap();
        fs::write(dir.path().join("sub/b"), "two").unwrap();
        fs::write(dir.path().join(".a"), "one").unwrap();
        let long = format!("sub/{}", "n".repeat(200));
        fs::write(dir.path().join(&long), "").unwrap();
        let archive = Archive::from_dir(dir.path()).unwrap();
        let found: Vec<_> = archive.entries().unwrap().into_iter().collect();
        let paths: Vec<_> = found.iter().map(|entry| entry.path.as_str()).collect();
        assert_eq!(paths, [".a", "sub/b", &long]);
        assert_eq!(found[1].content, b"two");
        let mut tar = tar::Archive::new(archive.as_tar());
        let entry = tar.entries().unwrap().next().unwrap().unwrap();
        let header = entry.header();
        assert!(header.as_gnu().is_some());
        assert_eq!(header.username(), Ok(Some("root")));
        let there = fs::metadata(dir.path().join(".a")).unwrap();
        assert_eq!(header.mode().unwrap(), mode(&there));
        let since = there.modified().unwrap();
        let since = since.duration_since(std::time::UNIX_EPOCH).unwrap();
        assert_eq!(header.mtime().unwrap(), since.as_secs());
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("/etc/passwd", dir.path().join("link")).unwrap();
            let error = Archive::from_dir(dir.path()).unwrap_err();
            assert!(matches!(error, ArchiveError::Irregular { .. }), "{error}");
        }
    }

    /// A TAR archive with one entry whose path is not looked at.
    fn tar_of(path: &str, kind: tar::EntryType) -> Vec<u8> {
        let mut header = tar::Header::new_gnu();
        header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
        header.set_entry_type(kind);
        header.set_size(0);
        header.set_mode(MODE);
        header.set_cksum();
        let mut builder = tar::Builder::new(Vec::new());
        builder.append(&header, io::empty()).unwrap();
        builder.into_inner().unwrap()
    }

    #[test]
    fn paths_that_lead_out_of_an_archive_are_refused() {
        for path in ["/etc/passwd", "../x", "a/../../x", "..", "a\\b", "."] {
            let read = Archive::from_tar(tar_of(path, tar::EntryType::Regular)).entries();
            assert!(matches!(read, Err(ArchiveError::Path { .. })), "{path}");
            let made = Archive::from_entries([(path, "")]);
            assert!(matches!(made, Err(ArchiveError::Path { .. })), "{path}");
        }
        let archive = Archive::from_tar(tar_of("./a//b", tar::EntryType::Regular));
        assert_eq!(archive.entries().unwrap()[0].path, "a/b");
    }

    #[test]
    fn links_and_devices_are_no_files() {
        use tar::EntryType::{Block, Directory, Fifo, Link, Symlink};
        for kind in [Symlink, Link, Block, Fifo, Directory] {
            let archive = Archive::from_tar(tar_of("a", kind));
            assert_eq!(archive.entries().unwrap(), [], "{kind:?}");
        }
        let cut = Archive::from_entries([("a", [7; 2000])]).unwrap();
        let cut = Archive::from_tar(cut.as_tar()[..1024].to_vec());
        assert!(matches!(cut.entries(), Err(ArchiveError::Malformed { .. })));
    }
}
