//! Files beside the database to which cells refer: MLtraq's `DataStore` and `ArchiveStore`.
//!
//! [`StoreFiles::carry`] is the one place through which every serialised cell, field and exception
//! goes that is copied.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::Result;
use crate::failpoint;
use crate::store::StoreError;
use crate::value::Cell;

/// By these a cell can refer to files at all.
const KINDS: [&[u8]; 2] = [b"mltraq.DataStore-0", b"mltraq.ArchiveStore-0"];

/// How a reference begins; the id of an experiment follows, a slash, and 32 hex digits.
const SCHEME: &[u8] = b"file:///";
const ID: usize = 36;
const NAME: usize = 32;

/// The files that one import brings along.
#[derive(Debug)]
pub(super) struct StoreFiles {
    /// Where those of the target are; `None` if it has no place for files.
    directory: Option<PathBuf>,
    /// What was made, to be removed if the import fails.
    made: Vec<PathBuf>,
    done: HashSet<(PathBuf, PathBuf)>,
}

impl StoreFiles {
    pub(super) fn new(directory: Option<PathBuf>) -> Self {
        Self {
            directory,
            made: Vec::new(),
            done: HashSet::new(),
        }
    }

    /// Lets what a cell refers to be a file of the experiment `to`: it is copied, and the cell
    /// refers to the copy. A cell without references stays as it is.
    pub(super) fn carry(&mut self, cell: &mut Cell, from: Option<&Path>, to: Uuid) -> Result<()> {
        let Cell::Blob(blob) = cell else {
            return Ok(());
        };
        if !KINDS.iter().any(|kind| contains(blob, kind)) {
            return Ok(());
        }
        self.carry_all(blob, from, to)
    }

    /// An id has the same length wherever it stands, so that what is around it stays valid.
    fn carry_all(&mut self, bytes: &mut [u8], from: Option<&Path>, to: Uuid) -> Result<()> {
        let mut at = 0;
        while let Some(found) = find(&bytes[at..], SCHEME) {
            let id = at + found + SCHEME.len();
            at = id;
            let Some((owner, name)) = bytes.get(id..id + ID + 1 + NAME).and_then(reference) else {
                continue;
            };
            self.copy(from, &owner, &name, to)?;
            bytes[id..id + ID].copy_from_slice(to.hyphenated().to_string().as_bytes());
            at = id + ID + 1 + NAME;
        }
        Ok(())
    }

    fn copy(&mut self, from: Option<&Path>, owner: &str, name: &str, to: Uuid) -> Result<()> {
        let (Some(from), Some(directory)) = (from, self.directory.clone()) else {
            return Err(failed(
                Path::new(name),
                io::Error::other("a session without a file has no place for it"),
            ));
        };
        let source = from.join(owner).join(name);
        let folder = directory.join(to.hyphenated().to_string());
        let target = folder.join(name);
        if source == target || !self.done.insert((source.clone(), target.clone())) {
            return Ok(());
        }
        // A name is 128 random bits, or a digest: what has it is this file.
        if target.exists() {
            return Ok(());
        }
        let mut content = read(&source).map_err(|error| failed(&source, error))?;
        // A stored value may refer to further files.
        if KINDS.iter().any(|kind| contains(&content, kind)) {
            self.carry_all(&mut content, Some(from), to)?;
        }
        self.write(&folder, &target, &content)
            .map_err(|error| failed(&target, error))
    }

    /// Under its name there is the whole file, or none.
    fn write(&mut self, folder: &Path, target: &Path, content: &[u8]) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        let part = target.with_extension(format!("{}.part", std::process::id()));
        let written = File::create(&part).and_then(|mut file| {
            file.write_all(content)?;
            file.sync_all()?;
            fs::rename(&part, target)
        });
        if written.is_err() {
            let _ = fs::remove_file(&part);
        } else {
            self.made.push(target.to_owned());
        }
        written
    }

    /// Removes what was made, since nothing refers to it.
    pub(super) fn take_back(&mut self) {
        failpoint::hit("import.take_back");
        for file in self.made.drain(..) {
            let _ = fs::remove_file(&file);
            if let Some(folder) = file.parent() {
                // It stays if there are others in it.
                let _ = fs::remove_dir(folder);
            }
        }
    }
}

/// Whether these are an id, a slash and a name: nothing that leads out of the directory.
fn reference(bytes: &[u8]) -> Option<(String, String)> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (owner, name) = (text.get(..ID)?, text.get(ID + 1..)?);
    let is_name = name.bytes().all(|byte| byte.is_ascii_hexdigit());
    let slash = text.as_bytes().get(ID) == Some(&b'/');
    (slash && is_name && Uuid::try_parse(owner).is_ok())
        .then(|| (owner.to_owned(), name.to_owned()))
}

/// A regular file, and no link to somewhere else.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    if !fs::symlink_metadata(path)?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    fs::read(path)
}

fn failed(file: &Path, source: io::Error) -> StoreError {
    StoreError::StoreFile {
        path: file.display().to_string(),
        source: Box::new(source),
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    find(bytes, part).is_some()
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    let mut at = 0;
    // The first byte is looked for alone: most bytes are another one.
    while let Some(found) = bytes[at..].iter().position(|byte| *byte == part[0]) {
        at += found;
        if bytes[at..].starts_with(part) {
            return Some(at);
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_referred_to_is_copied_also_out_of_stored_values() {
        let dir = tempfile::tempdir().unwrap();
        let (from, into) = (dir.path().join("from"), dir.path().join("into"));
        let (old, new) = (Uuid::from_u128(7), Uuid::from_u128(8));
        let (outer, inner) = ("a".repeat(32), "b".repeat(32));
        let cell = |of: Uuid, name: &str| format!("mltraq.DataStore-0..file:///{of}/{name}..");
        fs::create_dir_all(from.join(old.to_string())).unwrap();
        fs::write(from.join(old.to_string()).join(&outer), cell(old, &inner)).unwrap();
        fs::write(from.join(old.to_string()).join(&inner), "content").unwrap();

        let mut files = StoreFiles::new(Some(into.clone()));
        let mut carried = Cell::Blob(cell(old, &outer).into_bytes());
        files.carry(&mut carried, Some(&from), new).unwrap();
        assert_eq!(carried, Cell::Blob(cell(new, &outer).into_bytes()));
        let there = into.join(new.to_string());
        assert_eq!(
            fs::read_to_string(there.join(&outer)).unwrap(),
            cell(new, &inner)
        );
        assert_eq!(fs::read_to_string(there.join(&inner)).unwrap(), "content");
        files.take_back();
        assert!(!there.exists());
    }

    #[test]
    fn what_leads_out_of_the_directory_is_no_reference() {
        let mut files = StoreFiles::new(None);
        for url in ["file:///../../../etc/passwd", "file:///", "file:///x/y"] {
            let text = format!("mltraq.DataStore-0 {url}").into_bytes();
            let mut cell = Cell::Blob(text.clone());
            files.carry(&mut cell, None, Uuid::nil()).unwrap();
            assert_eq!(cell, Cell::Blob(text));
        }
    }
}
