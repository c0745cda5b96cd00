//! Which file systems are on other machines. SQLite's write-ahead log has an index in memory that
//! all processes share, which a network file system does not give them, and its locks are not to be
//! relied on there.

use std::path::Path;

/// Network file systems by the number that statfs gives (linux/magic.h, and the sources of those
/// that are not part of Linux).
const BY_NUMBER: [(u32, &str); 13] = [
    (0x6969, "NFS"),
    (0x517b, "SMB"),
    (0xff53_4d42, "SMB (CIFS)"),
    (0xfe53_4d42, "SMB (version 2 or later)"),
    (0x0bd0_0bd0, "Lustre"),
    (0x4750_4653, "GPFS"),
    (0x1983_0326, "BeeGFS"),
    (0x00c3_6400, "Ceph"),
    (0x5346_414f, "AFS"),
    (0x6b41_4653, "AFS"),
    (0x7375_7245, "Coda"),
    (0x2003_0528, "OrangeFS"),
    (0xaad7_aaea, "PanFS"),
];

/// The number of all file systems in user space, some of which are on other machines.
const FUSE: u32 = 0x6573_5546;

/// Those in user space, by the type that the list of mounts gives behind `fuse.`.
const IN_USER_SPACE: [&str; 27] = [
    "alluxio-fuse",
    "beegfs",
    "blobfuse",
    "blobfuse2",
    "ceph",
    "ceph-fuse",
    "cernvm-fs",
    "curlftpfs",
    "cvmfs2",
    "davfs",
    "davfs2",
    "gcsfuse",
    "glusterfs",
    "goofys",
    "hdfs",
    "juicefs",
    "lizardfs",
    "mfs",
    "moosefs",
    "mount-s3",
    "mountpoint-s3",
    "rclone",
    "s3fs",
    "seaweedfs",
    "smbnetfs",
    "sshfs",
    "xrootdfs",
];

/// The kind of network file system that a file is on, or will be if it is made; `None` if it is on
/// this machine, or that cannot be told.
#[cfg(target_os = "linux")]
pub(super) fn kind(file: &Path) -> Option<String> {
    use std::os::unix::fs::MetadataExt as _;

    let dir = match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let there = if file.exists() { file } else { dir };
    let number = nix::sys::statfs::statfs(there).ok()?.filesystem_type().0;
    // Some platforms have it signed, and with the sign drawn out.
    let number = (number as u64 & 0xffff_ffff) as u32;
    of_number(number).or_else(|| {
        let device = (number == FUSE)
            .then(|| std::fs::metadata(there).ok())??
            .dev();
        let (major, minor) = (nix::sys::stat::major(device), nix::sys::stat::minor(device));
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").ok()?;
        in_user_space(&mounts, &format!("{major}:{minor}"))
    })
}

/// It cannot be told here.
#[cfg(not(target_os = "linux"))]
pub(super) fn kind(_: &Path) -> Option<String> {
    None
}

#[cfg_attr(not(target_os = "linux"), allow(dead_code))]
fn of_number(number: u32) -> Option<String> {
    let (_, name) = BY_NUMBER.iter().find(|(n, _)| *n == number)?;
    Some((*name).to_owned())
}

/// The kind of the mount with that device (`major:minor`), by the list of mounts: see mountinfo in
/// proc(5).
#[cfg_attr(not(target_os = "linux"), allow(dead_code))]
fn in_user_space(mounts: &str, device: &str) -> Option<String> {
    mounts.lines().find_map(|line| {
        let (before, after) = line.split_once(" - ")?;
        let ty = after.split(' ').next()?.strip_prefix("fuse.")?;
        let same = before.split(' ').nth(2) == Some(device);
        (same && IN_USER_SPACE.contains(&ty)).then(|| ty.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
22 28 0:21 / /proc rw,nosuid,nodev,noexec,relatime shared:12 - proc proc rw
28 1 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw,errors=remount-ro
61 28 0:48 / /home/a/far\\040away rw,nosuid,nodev,relatime shared:33 - fuse.sshfs host:/data rw,user_id=1000
62 28 0:49 / /data rw,relatime shared:34 master:1 - fuse.glusterfs server:/volume rw,user_id=0
63 28 0:50 / /cdrom rw,relatime - fuse.fuse-overlayfs fuse-overlayfs rw
64 28 8:17 / /stick rw,relatime shared:35 - fuseblk /dev/sdb1 rw,user_id=0
65 28 0:51 / /nfs rw,relatime - nfs4 server:/export rw
";

    #[test]
    fn mounts_in_user_space_are_told_by_their_type() {
        let of = |device| in_user_space(MOUNTS, device);
        assert_eq!(of("0:48").as_deref(), Some("sshfs"));
        assert_eq!(of("0:49").as_deref(), Some("glusterfs"));
        for local in ["0:21", "259:2", "0:50", "8:17", "0:4", "48", ""] {
            assert_eq!(of(local), None, "{local}");
        }
        assert_eq!(in_user_space("", "0:48"), None);
        assert_eq!(
            in_user_space("61 28 0:48 / /a rw - fuse.sshfs", "0:48").as_deref(),
            Some("sshfs")
        );
        assert_eq!(in_user_space("no list of mounts - \n - \n\n", "0:48"), None);
    }

    #[test]
    fn numbers_have_names() {
        assert_eq!(of_number(0x6969).as_deref(), Some("NFS"));
        assert_eq!(
            of_number(u32::from_be_bytes(*b"GPFS")).as_deref(),
            Some("GPFS")
        );
        for name in [0xff53_4d42, 0xfe53_4d42] {
            assert!(of_number(name).unwrap().starts_with("SMB"));
        }
        // ext4, tmpfs, xfs, btrfs, overlay, zfs, 9p.
        for local in [
            0xef53,
            0x0102_1994,
            0x5846_5342,
            0x9123_683e,
            0x794c_7630,
            0x2fc1_2fc1,
            0x0102_1997,
            FUSE,
        ] {
            assert_eq!(of_number(local), None, "{local:x}");
        }
        let distinct: std::collections::BTreeSet<_> = BY_NUMBER.iter().map(|(n, _)| n).collect();
        assert_eq!(distinct.len(), BY_NUMBER.len());
        assert!(IN_USER_SPACE.is_sorted());
    }

    #[test]
    fn the_directory_for_temporary_files_is_on_this_machine() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(kind(&dir.path().join("missing.db")), None);
        assert_eq!(kind(Path::new("missing.db")), None);
        assert_eq!(kind(Path::new("/proc/self/no/such/place")), None);
    }
}
