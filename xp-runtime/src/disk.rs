//! What is on the disk, and not only handed to the operating system.

use std::io;
use std::path::Path;

/// Waits until the entries of a directory are on the disk.
#[cfg(unix)]
pub(crate) fn sync_directory(directory: &Path) -> io::Result<()> {
    // A path of no parts is where the process is.
    let directory = if directory.as_os_str().is_empty() {
        Path::new(".")
    } else {
        directory
    };
    std::fs::File::open(directory)?.sync_all()
}

/// Elsewhere directories cannot be waited for.
#[cfg(not(unix))]
pub(crate) fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}
