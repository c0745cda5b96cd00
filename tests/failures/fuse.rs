//! A file system in user space that has an empty directory and nothing else, under any name: see
//! fuse(4), and include/uapi/linux/fuse.h of Linux for the messages.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::Command;

// Requests.
const FORGET: u32 = 2;
const LOOKUP: u32 = 1;
const GETATTR: u32 = 3;
const STATFS: u32 = 17;
const INIT: u32 = 26;
const INTERRUPT: u32 = 36;
const BATCH_FORGET: u32 = 42;

const ENOENT: i32 = 2;
const ENOSYS: i32 = 38;
const DIRECTORY: u32 = 0o040_755;

/// Mounts it as the type `ty`, and answers for as long as this process lives.
pub(crate) fn mount(ty: &str, dir: &Path) -> bool {
    let Ok(device) = File::options().read(true).write(true).open("/dev/fuse") else {
        return false;
    };
    let options = "fd=0,rootmode=40000,user_id=0,group_id=0";
    let mounted = Command::new("mount")
        .args(["-i", "-t", ty, "-o", options, "nowhere:/"])
        .arg(dir)
        .stdin(device.try_clone().unwrap())
        .status();
    let mounted = mounted.is_ok_and(|status| status.success());
    if mounted {
        std::thread::spawn(move || serve(device));
    }
    mounted
}

fn serve(mut device: File) {
    let mut request = vec![0; 1 << 18];
    // Until it is unmounted.
    while let Ok(size) = device.read(&mut request) {
        let int = |at: usize| u32::from_le_bytes(request[at..at + 4].try_into().unwrap());
        assert!(size >= 40 && cfg!(target_endian = "little"));
        let (opcode, id) = (int(4), &request[8..16]);
        let answer = match opcode {
            FORGET | BATCH_FORGET | INTERRUPT => continue,
            // Version 7.12, no features, and at most 64 KiB in one write.
            INIT => Ok(ints(&[7, 12, 0, 0, 0, 1 << 16])),
            GETATTR => Ok(attributes()),
            STATFS => Ok(vec![0; 80]),
            LOOKUP => Err(ENOENT),
            _ => Err(ENOSYS),
        };
        let (error, body) = match answer {
            Ok(body) => (0, body),
            Err(error) => (-error, Vec::new()),
        };
        let mut reply = ints(&[16 + body.len() as u32, error.cast_unsigned()]);
        reply.extend(id);
        reply.extend(body);
        if device.write_all(&reply).is_err() {
            return;
        }
    }
}

/// How long they are valid; inode, size, blocks, three times, their nanoseconds; mode, links,
/// owner, group, device, block size.
fn attributes() -> Vec<u8> {
    let mut body = vec![0; 16];
    body.extend(1_u64.to_le_bytes());
    body.extend([0; 8 * 5 + 4 * 3]);
    body.extend(ints(&[DIRECTORY, 2, 0, 0, 0, 4096, 0]));
    body
}

fn ints(ints: &[u32]) -> Vec<u8> {
    ints.iter().flat_map(|int| int.to_le_bytes()).collect()
}
