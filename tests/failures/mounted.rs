//! File systems that are mounted for a test, in a namespace of its own: they are gone with its
//! processes.

use std::fs;
use std::path::Path;
use std::process::Command;

use xp::prelude::*;
use xp::{Durability, Session, StoreError};

use super::{
    AT, Dir, POINTS, check_and_finish, child, finish, fuse, plan, points, squares, store_error,
    succeeded, work,
};

/// Runs a test of this program in a namespace in which it may mount; says so if there is none.
fn mounting(test: &str) {
    let dir = Dir::new();
    let ways = [
        ["unshare", "--mount"].as_slice(),
        &["unshare", "--map-root-user", "--mount"],
    ];
    let works = |way: &&&[&str]| {
        let mount = ["mount", "-t", "tmpfs", "tmpfs"];
        let mut probe = Command::new(way[0]);
        probe.args(&way[1..]).args(mount).arg(&dir.dir);
        probe.output().is_ok_and(|output| output.status.success())
    };
    match ways.iter().find(works) {
        Some(way) => succeeded(&child(way, test, &dir.dir).output().unwrap()),
        None => skip(&format!("{test} needs root")),
    }
}

/// What is not there cannot be tested; in CI it is there.
fn skip(needs: &str) {
    let in_ci = std::env::var("CI").as_deref() == Ok("true");
    assert!(!in_ci, "not to be skipped in CI: {needs}");
    eprintln!("skipped: {needs}");
}

/// Runs a program, and says whether it succeeded.
fn run(program: &str, args: &[&str]) -> bool {
    Command::new(program)
        .args(args)
        .status()
        .is_ok_and(|status| status.success())
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_full_disk_stops_the_execution() {
    mounting("mounted::executes_until_the_disk_is_full");
}

#[test]
#[ignore = "a part of another test, in a process of its own"]
fn executes_until_the_disk_is_full() {
    let dir = work();
    let options = ["-t", "tmpfs", "-o", "size=2m", "tmpfs", text(&dir)];
    assert!(run("mount", &options));
    let path = dir.join("squares.db");
    let session = Session::open(&path).unwrap();
    let plan = squares().tag(0).ballast(1 << 18).x(0..POINTS).into_plan();
    let error = store_error(
        session
            .clone()
            .with(Options::new().group(1))
            .execute(plan.jobs(1)),
    );
    assert!(matches!(&error, StoreError::Full { .. }), "{error:?}");
    // Read while the disk is still full.
    let there = session.load_as::<super::Squares>("squares").unwrap();
    let read = there.runs().filter(Result::is_ok).count();
    drop(session);
    assert!(run("mount", &["-o", "remount,size=64m", text(&dir)]));
    let kept = points(&path);
    assert_eq!(kept.len(), read);
    assert!((1..POINTS).contains(&(kept.len() as u64)), "{kept:?}");
    finish(&path);
}

#[test]
fn a_full_disk_refuses_a_new_file() {
    mounting("mounted::opens_a_file_on_a_full_disk");
}

#[test]
#[ignore = "a part of another test, in a process of its own"]
fn opens_a_file_on_a_full_disk() {
    let dir = work();
    let options = ["-t", "tmpfs", "-o", "size=64k", "tmpfs", text(&dir)];
    assert!(run("mount", &options));
    // To the last page, and to the last but a few: the log and its index need some, too.
    for left in [0, 4, 8, 16, 32] {
        fs::write(dir.join("ballast"), vec![0; (64 - left) << 10]).unwrap();
        let path = dir.join(format!("{left}.db"));
        let error = store_error(Session::open(&path));
        assert!(
            matches!(&error, StoreError::Full { .. }),
            "{left}: {error:?}"
        );
        for file in fs::read_dir(&dir).unwrap() {
            fs::remove_file(file.unwrap().path()).unwrap();
        }
    }
}

#[test]
fn a_file_system_that_becomes_read_only_stops_the_execution() {
    mounting("mounted::executes_until_the_file_system_is_read_only");
}

/// As after errors of the disk: ext4 refuses all writes until it is mounted anew.
#[test]
#[ignore = "a part of another test, in a process of its own"]
fn executes_until_the_file_system_is_read_only() {
    let dir = work();
    let (image, mounted) = (dir.with_extension("img"), dir.join("mounted"));
    let file = fs::File::create(&image).unwrap();
    file.set_len(32 << 20).unwrap();
    fs::create_dir(&mounted).unwrap();
    let mount = ["-o", "loop,errors=remount-ro", text(&image), text(&mounted)];
    if !run("mkfs.ext4", &["-q", text(&image)]) || !run("mount", &mount) {
        skip("a file system that becomes read-only needs root, and mkfs.ext4");
        return;
    }
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    let line = mounts.lines().find(|line| line.contains(text(&mounted)));
    let device = line.unwrap().split(' ').next().unwrap();
    let error = Path::new("/sys/fs/ext4")
        .join(device.trim_start_matches("/dev/"))
        .join("trigger_fs_error");

    let path = mounted.join("squares.db");
    let session = Session::open(&path).unwrap();
    let trick = move || fs::write(&error, "1").unwrap();
    // The operating system has no chance to write what it still has: only what was flushed is left.
    let plan = plan(&session, trick).durability(Durability::PowerLoss);
    let error = store_error(session.execute(plan));
    assert!(matches!(&error, StoreError::ReadOnly { .. }), "{error:?}");
    drop(session);
    assert!(run("umount", &[text(&mounted)]));
    run("e2fsck", &["-y", text(&image)]);
    assert!(run("mount", &mount));
    check_and_finish(&path);
}

#[test]
fn a_file_system_that_is_mounted_read_only_is_refused() {
    mounting("mounted::executes_on_a_file_system_that_is_read_only");
}

#[test]
#[ignore = "a part of another test, in a process of its own"]
fn executes_on_a_file_system_that_is_read_only() {
    let dir = work();
    assert!(run("mount", &["-t", "tmpfs", "tmpfs", text(&dir)]));
    let path = dir.join("squares.db");
    let session = Session::open(&path).unwrap();
    let plan = |count| squares().tag(0).x(0..count).into_plan();
    session.execute(plan(AT)).unwrap();
    drop(session);
    assert!(run("mount", &["-o", "remount,ro", text(&dir)]));
    let session = Session::open(&path).unwrap();
    let error = store_error(session.execute(plan(POINTS)));
    assert!(matches!(&error, StoreError::ReadOnly { .. }), "{error:?}");
    let there = session.load_as::<super::Squares>("squares").unwrap();
    assert_eq!(there.runs().count() as u64, AT);
    drop(session);
    assert!(run("mount", &["-o", "remount,rw", text(&dir)]));
    check_and_finish(&path);
}

#[test]
fn a_network_file_system_is_refused() {
    mounting("mounted::opens_a_file_on_a_network_file_system");
}

#[test]
#[ignore = "a part of another test, in a process of its own"]
fn opens_a_file_on_a_network_file_system() {
    let dir = work();
    if !fuse::mount("fuse.sshfs", &dir) {
        skip("a network file system needs /dev/fuse");
        return;
    }
    let error = store_error(Session::open(dir.join("squares.db")));
    assert!(
        matches!(&error, StoreError::NetworkFileSystem { kind, .. } if kind == "sshfs"),
        "{error:?}"
    );
    assert!(error.to_string().contains("$TMPDIR"), "{error}");
    // To read is no harm; here there is nothing to be read.
    let error = store_error(Session::open_read_only(dir.join("squares.db")));
    assert!(matches!(&error, StoreError::CannotOpen { .. }), "{error:?}");
}
